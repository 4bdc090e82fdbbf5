//! Several instances on one database give the same answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use timelog_domain::ports::{ApiKeys, Clock};

use crate::support::{Answer, Database, Service, on_every_database};

on_every_database! {
    identical_requests_to_two_instances_log_one_entry,
    one_new_reference_sent_to_two_instances_makes_one_entry,
    a_revoked_key_is_refused_by_every_instance_within_5_seconds,
    many_requests_through_two_instances_make_exactly_the_expected_rows,
}

async fn identical_requests_to_two_instances_log_one_entry(database: Database) {
    let one = Service::start(database).await;
    let other = one.beside(|_| ()).await;
    for round in 0..10 {
        let call = |service: &Service| {
            service.log_any().idempotency_key(&format!("round {round}").replace(' ', "-"))
        };
        let calls = (0..32).map(|number| call(if number % 2 == 0 { &one } else { &other }).send());
        let answers: Vec<Answer> =
            join_all(calls).await.into_iter().map(|answer| answer.is(201)).collect();
        let bodies: BTreeSet<_> = answers.iter().map(|answer| &answer.body).collect();
        let fresh = answers.iter().filter(|answer| !answer.is_replayed()).count();
        assert_eq!((bodies.len(), fresh), (1, 1));
        assert_eq!(one.database.count("time_entries"), round + 1);
    }
}

async fn one_new_reference_sent_to_two_instances_makes_one_entry(database: Database) {
    let one = Service::start(database).await;
    let other = one.beside(|_| ()).await;
    for round in 0..10 {
        let reference =
            json!({"provider": "jira", "externalType": "worklog", "externalId": round.to_string()});
        let body = one.tenant.body_with(&json!({ "externalRef": reference }));
        let calls =
            (0..32).map(|number| if number % 2 == 0 { &one } else { &other }.log(&body).send());
        let answers = join_all(calls).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!((statuses[31], &statuses[..31]), (201, &[200; 31][..]));
        let ids: BTreeSet<_> = answers.iter().map(|answer| answer.text("id")).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(one.database.count("time_entries"), round + 1);
    }
}

async fn a_revoked_key_is_refused_by_every_instance_within_5_seconds(database: Database) {
    let one = Service::start(database).await;
    // It has the default of `--key-memory`.
    let other = one
        .beside(|setup| setup.settings.key_memory = timelog_api::Settings::default().key_memory)
        .await;
    let key = one.key(|_| ()).await;
    let (here, there) = (one.api.with_key(&key.text), other.api.with_key(&key.text));
    here.get("/me").send().await.is(200);
    there.get("/me").send().await.is(200);
    assert!(one.store.revoke(key.key.id, one.clock.now()).await.unwrap());
    let revoked = Instant::now();
    here.get("/me").send().await.fails_with(401, "key_revoked");
    while there.get("/me").send().await.status == 200 {
        assert!(revoked.elapsed() < Duration::from_secs(5), "it is still accepted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    there.get("/me").send().await.fails_with(401, "key_revoked");
}

/// Of every ten requests, two repeat an earlier one with its key, and one has a known reference.
async fn many_requests_through_two_instances_make_exactly_the_expected_rows(database: Database) {
    const TENS: usize = 10;
    const WORKERS: usize = 20;
    let one = Service::start(database).await;
    let other = one.beside(|_| ()).await;
    let send = |worker: usize, number: usize, attempt: usize| {
        let service = if (worker + number + attempt).is_multiple_of(2) { &one } else { &other };
        // The ninth of ten has the reference of the eighth, with its own key and content.
        let referred = if number % 10 == 8 { number - 1 } else { number };
        let reference = json!({"provider": "run", "externalType": "entry", "externalId": format!("{worker}-{referred}")});
        let minutes = 1 + number % 1440;
        let body = one.tenant.body_with(&json!({ "minutes": minutes, "externalRef": reference }));
        service.log(&body).idempotency_key(&format!("{worker}-{number}")).send()
    };
    let worker = |worker: usize| async move {
        let mut answers = BTreeMap::new();
        for number in 0..TENS * 8 {
            let answer = send(worker, number, 0).await;
            assert_eq!(
                answer.status,
                if number % 10 == 8 { 200 } else { 201 },
                "{}",
                answer.describe()
            );
            if number % 4 == 3 {
                // Two repeats for every eight, one of them through the other instance.
                let repeat = send(worker, number, number / 4).await;
                assert!(
                    repeat.is_replayed() && repeat.body == answer.body,
                    "{}",
                    repeat.describe()
                );
            }
            answers.insert(number, answer);
        }
        answers
    };
    let answers = join_all((0..WORKERS).map(worker)).await;
    let updated = (0..TENS * 8).filter(|number| number % 10 == 8).count();
    let entries = WORKERS * (TENS * 8 - updated);
    assert_eq!(one.database.count("time_entries"), i64::try_from(entries).unwrap());
    assert_eq!(one.database.count("idempotency_keys"), i64::try_from(WORKERS * TENS * 8).unwrap());
    assert_eq!(
        one.database.count("time_entry_history"),
        i64::try_from(WORKERS * TENS * 8).unwrap()
    );
    let ids: BTreeSet<_> =
        answers.iter().flat_map(BTreeMap::values).map(|answer| answer.text("id")).collect();
    assert_eq!(ids.len(), entries);
}
