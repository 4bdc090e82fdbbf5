//! Stored answers: they are compressed, and metrics show their bytes.

use serde_json::{Value, json};

use crate::support::{Answer, Database, Program, Service, bootstrap, on_every_database, until};

on_every_database![
    a_stored_answer_is_compressed_and_replayed_byte_for_byte,
    the_bytes_of_stored_answers_are_in_the_metrics,
];

/// Five hundred invalid items.
fn all_wrong() -> Value {
    json!({ "entries": vec![json!({}); 500] })
}

async fn a_stored_answer_is_compressed_and_replayed_byte_for_byte(database: Database) {
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
    let single = service.log_any().idempotency_key("single");
    let first = single.clone().send().await.is(201);
    let bytes = service.store.kept_bytes().await.unwrap() - bytes;
    assert!(bytes * 2 < first.body.len() as u64, "{bytes} of {}", first.body.len());
    let repeat = single.send().await.is(201);
    assert_eq!(repeat.body, first.body);
    let headers =
        |answer: &Answer| ["location", "etag"].map(|name| answer.header(name).map(str::to_owned));
    assert_eq!(headers(&repeat), headers(&first));
}

async fn the_bytes_of_stored_answers_are_in_the_metrics(database: Database) {
    let database = database.create();
    let made = bootstrap(&database.url());
    let program = Program::serve(&database.url(), &["--sweep-interval", "1s"]);
    let api = program.api.with_key(&made.key);
    let becomes = async |name: &str, expected: u64| {
        until(name, async || api.metric(name).await == Some(expected)).await;
    };
    becomes("timelog_idempotency_stored_bytes", 0).await;
    api.post(&format!("{}/batch", made.path()))
        .json(&all_wrong())
        .idempotency_key("k")
        .send()
        .await
        .is(200);
    let stored = async || api.metric("timelog_idempotency_kept_bytes_total").await;
    until("the size of the answer", async || stored().await > Some(0)).await;
    let stored = stored().await.unwrap();
    assert!(stored < 20_000, "{stored}");
    // The bytes in the database are the bytes that were counted when they were stored.
    becomes("timelog_idempotency_stored_bytes", stored).await;
    assert_eq!(api.metric("timelog_idempotency_swept_bytes_total").await, Some(0));
    database.execute(match &database {
        crate::support::TestDatabase::Sqlite(_) => "UPDATE idempotency_keys SET expires_at = 0",
        crate::support::TestDatabase::Postgres(..) => {
            "UPDATE idempotency_keys SET expires_at = to_timestamp(0)"
        }
    });
    becomes("timelog_idempotency_swept_bytes_total", stored).await;
    becomes("timelog_idempotency_stored_bytes", 0).await;
}
