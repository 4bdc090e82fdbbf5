//! The settings of `timelog serve`, as far as they may go.

use crate::support::{Database, Program, bootstrap, on_every_database};

on_every_database![
    the_service_works_with_every_setting_at_its_least,
    the_service_works_with_every_setting_at_its_most,
    a_database_that_is_there_need_not_be_waited_for,
];

/// Every setting with limits, its least value and its most.
const LIMITS: [(&str, &str, &str); 20] = [
    ("--connect-timeout", "0s", "24h"),
    ("--lock-timeout", "100ms", "1h"),
    ("--statement-timeout", "100ms", "1h"),
    ("--queue-timeout", "10ms", "1h"),
    ("--key-memory", "0s", "5s"),
    ("--sweep-interval", "1s", "24h"),
    ("--keep-alive", "1s", "1h"),
    ("--shutdown-timeout", "1s", "1h"),
    ("--workers", "1", "128"),
    ("--read-connections", "1", "1024"),
    ("--lanes", "1", "256"),
    ("--queue-capacity", "1", "1000000"),
    ("--batch-size", "1", "1024"),
    ("--rate-limit", "1", "1000000"),
    ("--anonymous-rate", "1", "1000000"),
    ("--max-connections", "1", "65536"),
    ("--in-flight-mib", "16", "65536"),
    ("--head-timeout", "1s", "1h"),
    ("--request-timeout", "1s", "1h"),
    ("--answer-timeout", "1s", "1h"),
];

/// Logs, reads and adds up with these settings, and is stopped.
async fn works_with(database: Database, settings: &[(&str, &str)]) {
    let database = database.create();
    let made = bootstrap(&database.url());
    let flags: Vec<_> = settings.iter().flat_map(|(flag, value)| [*flag, *value]).collect();
    let program = Program::serve(&database.url(), &flags);
    let api = program.api.with_key(&made.key);
    // On a machine that is busy, the least timeouts may well be over before anything is done.
    let call = api.post(&made.path()).json(&made.body()).idempotency_key("k");
    let mut answer = call.clone().send().await;
    for _ in 0..1000 {
        if ![429, 503].contains(&answer.status) {
            break;
        }
        answer = call.clone().send().await;
    }
    answer.is(201);
    assert_eq!(database.count("time_entries"), 1);
    assert!(program.stop().status.success());
}

async fn the_service_works_with_every_setting_at_its_least(database: Database) {
    // On a machine that is busy, the least time for a connection may be over at the first attempt.
    // So that one has its own test.
    let others = LIMITS.iter().filter(|(flag, ..)| *flag != "--connect-timeout");
    let least: Vec<_> = others.map(|(flag, least, _)| (*flag, *least)).collect();
    works_with(database, &least).await;
}

async fn a_database_that_is_there_need_not_be_waited_for(database: Database) {
    works_with(database, &[("--connect-timeout", "0s")]).await;
}

async fn the_service_works_with_every_setting_at_its_most(database: Database) {
    works_with(database, &LIMITS.map(|(flag, _, most)| (flag, most))).await;
}
