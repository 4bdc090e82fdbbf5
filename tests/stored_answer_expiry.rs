//! A stored answer lives for 24 hours, to the millisecond.

use std::sync::Arc;
use std::time::Duration;

use timelog_domain::Timestamp;
use timelog_domain::ports::{Clock, IdempotencyCache};
use tokio::task::JoinSet;

use crate::support::{Database, Service, on_every_database};

on_every_database![
    a_key_is_new_again_after_exactly_24_hours,
    an_expired_key_is_new_after_a_sweep_too,
    the_sweeper_deletes_no_live_answer,
    a_hundred_repeats_at_the_expiry_beside_the_sweeper_make_one_entry,
    a_clock_that_is_set_back_doubles_nothing,
];

const DAY: Duration = Duration::from_hours(24);
const MILLISECOND: Duration = Duration::from_millis(1);
const ALMOST_A_DAY: Duration = Duration::from_millis(24 * 60 * 60 * 1000 - 1);

async fn a_key_is_new_again_after_exactly_24_hours(database: Database) {
    let service = Service::start(database).await;
    let call = service.log_any().idempotency_key("k");
    let first = call.clone().send().await.is(201);
    service.clock.advance(ALMOST_A_DAY);
    let last = call.clone().send().await.is(201);
    assert!(last.is_replayed());
    assert_eq!(last.body, first.body);
    service.clock.advance(MILLISECOND);
    let new = call.clone().send().await.is(201);
    assert!(!new.is_replayed());
    assert_ne!(new.text("id"), first.text("id"));
    service.clock.advance(MILLISECOND);
    let repeat = call.clone().send().await.is(201);
    assert!(repeat.is_replayed());
    assert_eq!(repeat.body, new.body);
    // The 24 hours begin with the first success, and a repeat does not extend them.
    service.clock.advance(ALMOST_A_DAY);
    assert!(!call.send().await.is(201).is_replayed());
    assert_eq!(service.database.count("time_entries"), 3);
    assert_eq!(service.database.count("idempotency_keys"), 1);
}

async fn an_expired_key_is_new_after_a_sweep_too(database: Database) {
    let service = Service::start(database).await;
    let call = service.log_any().idempotency_key("k");
    call.clone().send().await.is(201);
    service.clock.advance(DAY);
    assert_eq!(service.store.sweep(service.clock.now(), 10).await, Ok(1));
    assert_eq!(service.database.count("idempotency_keys"), 0);
    assert!(!call.clone().send().await.is(201).is_replayed());
    assert!(call.send().await.is(201).is_replayed());
}

async fn the_sweeper_deletes_no_live_answer(database: Database) {
    let service = Service::start(database).await;
    for key in ["a", "b", "c"] {
        service.log_any().idempotency_key(key).send().await.is(201);
        service.clock.advance(MILLISECOND);
    }
    let begin = service.clock.now();
    let edge = |millis| {
        Timestamp::from_unix_millis(begin.unix_millis() - 3 + millis).unwrap().saturating_add(DAY)
    };
    assert_eq!(service.store.sweep(edge(-1), 10).await, Ok(0));
    // In bounded batches, the oldest first.
    assert_eq!(service.store.sweep(edge(1), 1).await, Ok(1));
    assert_eq!(service.store.sweep(edge(1), 1).await, Ok(1));
    assert_eq!(service.store.sweep(edge(1), 1).await, Ok(0));
    assert!(service.log_any().idempotency_key("c").send().await.is(201).is_replayed());
    assert!(!service.log_any().idempotency_key("a").send().await.is(201).is_replayed());
}

async fn a_hundred_repeats_at_the_expiry_beside_the_sweeper_make_one_entry(database: Database) {
    let service = Service::start(database).await;
    let call = service.log_any().idempotency_key("k");
    let first = call.clone().send().await.is(201);
    for round in 0..5 {
        service.clock.advance(DAY);
        let mut racers = JoinSet::new();
        for _ in 0..100 {
            let call = call.clone();
            racers.spawn(async move { call.send().await.is(201) });
        }
        let sweeper = tokio::spawn({
            let (store, now) = (Arc::clone(&service.store), service.clock.now());
            async move {
                let mut swept = 0;
                for _ in 0..100 {
                    swept += store.sweep(now, 1).await.unwrap();
                    tokio::task::yield_now().await;
                }
                swept
            }
        });
        let answers = racers.join_all().await;
        assert!(sweeper.await.unwrap() <= 1);
        assert_eq!(answers.iter().filter(|answer| !answer.is_replayed()).count(), 1);
        assert!(
            answers
                .iter()
                .all(|answer| answer.body == answers[0].body && answer.body != first.body)
        );
        assert_eq!(service.database.count("time_entries"), round + 2);
    }
}

async fn a_clock_that_is_set_back_doubles_nothing(database: Database) {
    let service = Service::start(database).await;
    let call = service.log_any().idempotency_key("k");
    let begin = service.clock.now();
    let first = call.clone().send().await.is(201);
    let back = Timestamp::from_unix_millis(begin.unix_millis() - 3_600_000).unwrap();
    service.clock.set(back);
    assert_eq!(service.store.sweep(back, 10).await, Ok(0));
    let repeat = call.clone().send().await.is(201);
    assert!(repeat.is_replayed());
    assert_eq!(repeat.body, first.body);
    assert_eq!(service.database.count("time_entries"), 1);
    service.clock.set(begin.saturating_add(2 * DAY));
    assert!(!call.send().await.is(201).is_replayed());
}
