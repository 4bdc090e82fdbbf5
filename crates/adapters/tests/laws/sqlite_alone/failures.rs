//! One request whose rows the database refuses, among others.

use diesel::connection::SimpleConnection;
use timelog_domain::Request;
use timelog_domain::ports::PortError;

use super::{counts, outsider};
use crate::subject::{Subject, sqlite};
use crate::together::at_once;
use crate::world::*;

/// Makes the database refuse a row.
fn refuse(subject: &Subject, table: &str, condition: &str) {
    let trigger = format!(
        "CREATE TRIGGER refuse BEFORE INSERT ON {table} WHEN {condition} BEGIN SELECT \
         RAISE(ABORT, 'refused'); END"
    );
    outsider(subject).batch_execute(&trigger).unwrap();
}

#[tokio::test]
async fn one_request_that_cannot_be_saved_does_not_sink_the_others() {
    for poison in [1001, 1006, 1016] {
        let subject = sqlite().await;
        refuse(&subject, "time_entries", "NEW.minutes = 666");
        let requests = (1001..=1016).map(|number| {
            keyed(
                lasting(if number == poison { 666 } else { 60 }, log(number)),
                &number.to_string(),
            )
        });
        let decisions = at_once(&subject, requests.collect()).await;
        for (number, decision) in (1001..).zip(decisions) {
            let failed = matches!(decision, Err(PortError::Internal(_)));
            assert_eq!(failed, number == poison, "{decision:?}");
            let stored = subject.time_entries.find(id(ORGANIZATION), id(number)).await.unwrap();
            assert_eq!(stored.is_none(), failed);
        }
        assert_eq!(counts(&mut outsider(&subject)), [15, 15, 15]);
    }
}

#[tokio::test]
async fn an_entry_is_stored_with_its_history_and_its_answer_or_not_at_all() {
    for table in ["time_entries", "time_entry_history", "idempotency_keys"] {
        let subject = sqlite().await;
        refuse(&subject, table, "true");
        let decision = subject.time_entries.execute(keyed(log_as(1001, "1"), "a")).await;
        assert!(matches!(decision, Err(PortError::Internal(_))), "{decision:?}");
        assert_eq!(counts(&mut outsider(&subject)), [0, 0, 0], "{table}");

        // Once the cause is gone, the repeat is carried out.
        outsider(&subject).batch_execute("DROP TRIGGER refuse").unwrap();
        done(subject.time_entries.execute(keyed(log_as(1002, "1"), "a")).await.unwrap());
        assert_eq!(counts(&mut outsider(&subject)), [1, 1, 1], "{table}");
    }
}

#[tokio::test]
async fn stored_values_that_are_not_known_are_refused() {
    for corruption in ["status = 'lost'", "source = 'fax'", "minutes = 2000", "work_date = 2932897"]
    {
        let subject = sqlite().await;
        done(subject.time_entries.execute(logged(log_as(1001, "1"))).await.unwrap());
        let update =
            format!("PRAGMA ignore_check_constraints = ON; UPDATE time_entries SET {corruption}");
        outsider(&subject).batch_execute(&update).unwrap();
        let found = subject.time_entries.find(id(ORGANIZATION), id(1001)).await;
        assert!(matches!(found, Err(PortError::Internal(_))), "{corruption}: {found:?}");

        // Whoever needs the entry fails, and nobody else does.
        let requests = vec![logged(log(1002)), logged(log_as(1003, "1")), logged(log(1004))];
        let decisions = at_once(&subject, requests).await;
        let failed: Vec<_> = decisions
            .iter()
            .map(|decision| matches!(decision, Err(PortError::Internal(_))))
            .collect();
        assert_eq!(failed, [false, true, false], "{corruption}: {decisions:?}");
    }
}

#[tokio::test]
async fn a_kept_answer_that_is_damaged_fails_whoever_repeats_its_request_and_nobody_else() {
    let many = |first: u128| {
        log_many((first..first + 100).map(|number| Some(log(number))).collect(), false)
    };
    for damage in [
        "answer = substr(answer, 1, 100)",
        "answer = CAST('d' || x'ffffffff' || substr(answer, 6) AS BLOB)",
        "answer = x''",
    ] {
        let subject = sqlite().await;
        let request = Request { claim: Some(claim("a")), ..many(1001) };
        subject.time_entries.execute(request.clone()).await.unwrap().unwrap();
        outsider(&subject).batch_execute(&format!("UPDATE idempotency_keys SET {damage}")).unwrap();
        let decisions =
            at_once(&subject, vec![logged(log(2001)), request, logged(log(2002))]).await;
        let failed: Vec<_> = decisions
            .iter()
            .map(|decision| matches!(decision, Err(PortError::Internal(_))))
            .collect();
        assert_eq!(failed, [false, true, false], "{damage}: {decisions:?}");
        let found = subject.answers.find(&scope("a"), subject.clock.time()).await;
        assert!(
            matches!(&found, Err(PortError::Internal(why)) if why.contains("idempotency_keys.answer")),
            "{damage}: {found:?}"
        );
        assert_eq!(counts(&mut outsider(&subject)), [102, 102, 1]);
    }
}
