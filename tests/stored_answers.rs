//! Stored answers: large ones are compressed, and metrics show their bytes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Database, Program, Service, bootstrap, on_every_database};

on_every_database![
    a_large_stored_answer_is_compressed_and_replayed_byte_for_byte,
    the_bytes_of_stored_answers_are_in_the_metrics,
];

/// Five hundred invalid items.
fn all_wrong() -> Value {
    json!({ "entries": vec![json!({}); 500] })
}

/// How many stored answers are stored as they were sent, and how many compressed.
fn plain_and_compressed(service: &Service) -> [i64; 2] {
    ["body", "body_lz4"].map(|column| {
        service.database.count(&format!("idempotency_keys WHERE {column} IS NOT NULL"))
    })
}

async fn a_large_stored_answer_is_compressed_and_replayed_byte_for_byte(database: Database) {
    let service = Service::start(database).await;
    let batch = service
        .api
        .post(&format!("{}/batch", service.tenant.path()))
        .json(&all_wrong())
        .idempotency_key("k");
    let first = batch.clone().send().await.is(200);
    assert!(first.body.len() > 200_000, "{}", first.body.len());
    let bytes = service.store.kept_bytes().await.unwrap();
    assert!(bytes * 15 < first.body.len() as u64, "{bytes} of {}", first.body.len());
    let repeat = batch.send().await.is(200);
    assert!(repeat.is_replayed());
    assert_eq!(repeat.body, first.body);
    assert_eq!(plain_and_compressed(&service), [0, 1]);
    // The answer to a single entry is not compressed.
    let single = service.log_any().idempotency_key("single");
    let first = single.clone().send().await.is(201);
    assert_eq!(single.send().await.is(201).body, first.body);
    assert_eq!(plain_and_compressed(&service), [1, 1]);
}

/// The value of a metric, if it is there.
fn metric(answer: &Answer, name: &str) -> Option<u64> {
    let text = String::from_utf8(answer.body.clone()).unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

async fn the_bytes_of_stored_answers_are_in_the_metrics(database: Database) {
    let database = database.create();
    let made = bootstrap(&database.url());
    let program = Program::serve(&database.url(), &["--sweep-interval", "1s"]);
    let api = program.api.with_key(&made.key);
    let until = async |name: &str, expected: &dyn Fn(u64) -> bool| {
        for _ in 0..1000 {
            let value = metric(&api.get("/metrics").send().await.is(200), name);
            if let Some(value) = value.filter(|value| expected(*value)) {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{name} does not become what is expected");
    };
    until("timelog_idempotency_stored_bytes", &|bytes| bytes == 0).await;
    api.post(&format!("{}/batch", made.path()))
        .json(&all_wrong())
        .idempotency_key("k")
        .send()
        .await
        .is(200);
    let stored = until("timelog_idempotency_kept_bytes_total", &|bytes| bytes > 0).await;
    assert!(stored < 20_000, "{stored}");
    // The bytes in the database are the bytes that were counted when they were stored.
    until("timelog_idempotency_stored_bytes", &|bytes| bytes == stored).await;
    assert_eq!(
        metric(&api.get("/metrics").send().await, "timelog_idempotency_swept_bytes_total"),
        Some(0)
    );
    database.execute(match &database {
        crate::support::TestDatabase::Sqlite(_) => "UPDATE idempotency_keys SET expires_at = 0",
        crate::support::TestDatabase::Postgres(..) => {
            "UPDATE idempotency_keys SET expires_at = to_timestamp(0)"
        }
    });
    until("timelog_idempotency_swept_bytes_total", &|bytes| bytes == stored).await;
    until("timelog_idempotency_stored_bytes", &|bytes| bytes == 0).await;
}
