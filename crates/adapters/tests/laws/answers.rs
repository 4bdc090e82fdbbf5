//! Laws of the answers that are kept for repeats.

use std::time::Duration;

use timelog_domain::idempotency::ANSWER_LIFETIME;
use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

const TICK: Duration = Duration::from_millis(1);
const ALMOST_A_DAY: Duration = Duration::from_millis(86_399_999);

pub(crate) async fn an_answer_is_kept_as_it_was_given(subject: Subject) {
    let now = subject.clock.time();
    assert_eq!(subject.answers.find(&scope("a"), now).await, Ok(None));
    // Two kinds of answers: to an entry that is new, and to one that was there and has no location.
    for (number, key, minutes) in [(1001, "a", 60), (1002, "b", 90)] {
        let request = keyed(lasting(minutes, log_as(number, "1")), key);
        let decision = subject.time_entries.execute(request).await.unwrap();
        let Ok(Reply::Done { outcome, answer: Some(answer) }) = decision else {
            panic!("{decision:?}")
        };
        assert_eq!(answer, render(&outcome));
        let record = IdempotencyRecord {
            fingerprint: Fingerprint([7; 16]),
            answer,
            expires_at: now.saturating_add(ANSWER_LIFETIME),
        };
        assert_eq!(subject.answers.find(&scope(key), now).await, Ok(Some(record)));
    }
}

pub(crate) async fn a_large_answer_is_kept_and_replayed_byte_for_byte(subject: Subject) {
    let items = (1001..1301).map(|number| Some(log(number)).filter(|_| number % 3 > 0)).collect();
    let request = Request { claim: Some(claim("a")), ..log_many(items, false) };
    let decision = subject.time_entries.execute(request.clone()).await.unwrap();
    let Ok(Reply::Done { outcome, answer: Some(answer) }) = decision else {
        panic!("{decision:?}")
    };
    assert_eq!(answer, render(&outcome));
    assert!(answer.body.len() > 100_000, "{}", answer.body.len());
    let record = subject.answers.find(&scope("a"), subject.clock.time()).await.unwrap().unwrap();
    assert_eq!(record.answer, answer);
    let repeat = subject.time_entries.execute(request).await;
    assert_eq!(repeat, Ok(Ok(Reply::Replayed { answer, same_body: true })));
}

pub(crate) async fn the_longest_key_of_the_longest_operation_is_kept(subject: Subject) {
    let longest = "~".repeat(IdempotencyKey::MAX_CHARS);
    // The longest path that takes a key is that of a batch.
    let operation =
        "POST /projects/9a8b7c6d-0000-0000-0000-000000000002/time-entries/batch".to_owned();
    let scope = IdempotencyScope { operation, ..scope(&longest) };
    let request =
        Request { claim: Some(Claim { scope: scope.clone(), ..claim("a") }), ..logged(log(1001)) };
    done(subject.time_entries.execute(request).await.unwrap());
    assert!(subject.answers.find(&scope, subject.clock.time()).await.unwrap().is_some());
}

pub(crate) async fn an_answer_is_replayed_for_a_day_and_then_replaced(subject: Subject) {
    let first = subject.time_entries.execute(keyed(log(1001), "a")).await.unwrap();
    let Ok(Reply::Done { answer: Some(answer), .. }) = first else { panic!("{first:?}") };

    subject.clock.advance(ALMOST_A_DAY);
    let repeat = subject.time_entries.execute(keyed(log(1002), "a")).await;
    assert_eq!(repeat, Ok(Ok(Reply::Replayed { answer, same_body: true })));
    assert!(subject.answers.find(&scope("a"), subject.clock.time()).await.unwrap().is_some());

    // Nobody has swept the old answer.
    subject.clock.advance(TICK);
    assert_eq!(subject.answers.find(&scope("a"), subject.clock.time()).await, Ok(None));
    let second = subject.time_entries.execute(keyed(log(1003), "a")).await.unwrap();
    let Ok(Reply::Done { answer: Some(answer), .. }) = second else { panic!("{second:?}") };
    assert!(subject.time_entries.find(id(ORGANIZATION), id(1003)).await.unwrap().is_some());

    subject.clock.advance(ALMOST_A_DAY);
    let repeat = subject.time_entries.execute(keyed(log(1004), "a")).await;
    assert_eq!(repeat, Ok(Ok(Reply::Replayed { answer, same_body: true })));
}

pub(crate) async fn every_part_of_the_scope_tells_answers_apart(subject: Subject) {
    let scopes = [
        scope("a"),
        scope("A"),
        scope("a "),
        IdempotencyScope { key_id: id(51), ..scope("a") },
        IdempotencyScope { key_id: id(52), ..scope("a") },
        IdempotencyScope { operation: "POST /projects/11/time-entries".to_owned(), ..scope("a") },
        IdempotencyScope { organization_id: id(OTHER_ORGANIZATION), ..scope("a") },
    ];
    let request = |number, scope: &IdempotencyScope| Request {
        caller: Caller { organization_id: scope.organization_id, ..caller() },
        claim: Some(Claim { scope: scope.clone(), ..claim("a") }),
        ..logged(log(number))
    };
    for (number, scope) in (1001..).zip(&scopes) {
        assert_eq!(subject.answers.find(scope, subject.clock.time()).await, Ok(None), "{scope:?}");
        let entry = done(subject.time_entries.execute(request(number, scope)).await.unwrap());
        assert_eq!(entry.id(), id(number));
    }
    for (number, scope) in (1001..).zip(&scopes) {
        let repeat = subject.time_entries.execute(request(number + 100, scope)).await.unwrap();
        let Ok(Reply::Replayed { answer, .. }) = repeat else { panic!("{repeat:?}") };
        let entry: TimeEntryId = id(number);
        assert_eq!(answer.location, Some(format!("/time-entries/{entry}")), "{scope:?}");
    }
}

pub(crate) async fn sweeping_is_bounded_and_spares_what_is_live(subject: Subject) {
    for number in 1001..=1005 {
        subject
            .time_entries
            .execute(keyed(log(number), &format!("old-{number}")))
            .await
            .unwrap()
            .unwrap();
    }
    subject.clock.advance(TICK);
    for number in 1006..=1008 {
        subject
            .time_entries
            .execute(keyed(log(number), &format!("new-{number}")))
            .await
            .unwrap()
            .unwrap();
    }
    assert_eq!(subject.answers.sweep(subject.clock.time(), 100).await, Ok(0));
    subject.clock.advance(ALMOST_A_DAY);
    let now = subject.clock.time();
    let mut swept = Vec::new();
    for _ in 0..4 {
        swept.push(subject.answers.sweep(now, 2).await.unwrap());
    }
    assert_eq!(swept, [2, 2, 1, 0]);
    for number in 1006..=1008 {
        let answer = subject.answers.find(&scope(&format!("new-{number}")), now).await.unwrap();
        assert!(answer.is_some(), "a live answer was swept");
    }
    // Sweeping looks at no organization, and at nothing but answers.
    assert!(subject.time_entries.find(id(ORGANIZATION), id(1001)).await.unwrap().is_some());
    subject.clock.advance(TICK);
    assert_eq!(subject.answers.sweep(subject.clock.time(), 100).await, Ok(3));
}
