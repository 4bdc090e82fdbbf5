//! What the program `timelog` logs.

use serde_json::{Value, json};

use crate::program::{body, path, serve, text};
use crate::support::{Connection, Database, on_every_database};

on_every_database![
    log_lines_are_json_with_the_request_id,
    a_repeat_with_another_body_is_logged_and_counted,
    the_log_has_no_key_no_password_and_no_body,
];

async fn log_lines_are_json_with_the_request_id(database: Database) {
    let database = database.create();
    let (program, made, api) = serve(&database, &[]);
    api.post(&path(&made)).json(&body(&made)).header("x-request-id", "req-1").send().await.is(201);
    let ended = program.stop();
    let lines: Vec<Value> =
        ended.log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let about = |line: &&Value| {
        line["message"] == "answered a request" && line.to_string().contains("req-1")
    };
    let found: Vec<_> = lines.iter().filter(about).collect();
    assert_eq!(found.len(), 1, "{:?}", ended.log);
    assert_eq!(found[0]["status"], 201);
    assert!(found[0].to_string().contains(&path(&made)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_disconnects_before_the_answer_is_logged() {
    let database = Database::Sqlite.create();
    // A program that finds the database locked waits.
    let (mut program, made, api) =
        serve(&database, &["--lock-timeout", "10m", "--queue-timeout", "10m"]);
    let call = api.post(&path(&made)).json(&body(&made)).idempotency_key("k");
    let lock = database.lock_against_writing();
    let body = body(&made).to_string();
    let mut connection = Connection::open(program.address).await;
    let request = format!(
        "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nPOST {} HTTP/1.1\r\nHost: x\r\nX-Api-Key: \
         {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Idempotency-Key: k\r\nX-Request-Id: gone-1\r\n\r\n{body}",
        path(&made),
        text(&made, "apiKey"),
        body.len()
    );
    connection.send(request).await;
    // Lines that come together are read together.
    assert_eq!(connection.answer().await.status, 200);
    connection.reset();
    let line = program.wait_for_log(|line| line.to_string().contains("gone-1"));
    assert!(text(&line, "message").contains("before the request was answered"), "{line}");
    assert!(line["micros"].is_u64() && line.to_string().contains(&path(&made)), "{line}");
    assert!(line.to_string().contains("POST"), "{line}");
    drop(lock);
    call.send().await.is(201);
    assert_eq!(database.count("time_entries"), 1);
    program.stop();
}

async fn a_repeat_with_another_body_is_logged_and_counted(database: Database) {
    let database = database.create();
    for (policy, status) in [("replay", 201), ("reject", 422)] {
        let (mut program, made, api) = serve(&database, &["--idempotency-mismatch", policy]);
        let call = api.post(&path(&made)).json(&body(&made)).idempotency_key("k");
        call.clone().send().await.is(201);
        call.clone().send().await.is(201);
        assert_eq!(api.metric("timelog_idempotency_mismatches_total").await, None);
        assert_eq!(api.metric("timelog_idempotency_replays_total").await, Some(1));
        let mut other = body(&made);
        other["minutes"] = json!(1);
        call.json(&other).header("x-request-id", "mismatch-1").send().await.is(status);
        let line = program.wait_for_log(|line| text(line, "message").contains("another body"));
        assert_eq!(line["level"], "WARN");
        assert!(line.to_string().contains("mismatch-1"), "{line}");
        assert_eq!(api.metric("timelog_idempotency_mismatches_total").await, Some(1));
        program.stop();
    }
}

async fn the_log_has_no_key_no_password_and_no_body(database: Database) {
    let database = database.create();
    let (program, made, api) = serve(&database, &["--log", "trace"]);
    let key = text(&made, "apiKey");
    api.post(&path(&made)).json(&body(&made)).idempotency_key("k").send().await.is(201);
    api.post(&path(&made)).body("{\"a private note\"").send().await.is(400);
    program.api.get("/me").header("x-api-key", key).send().await.is(200);
    program.api.get("/me").header("x-api-key", format!("{key}0")).send().await.is(401);
    program.api.get(&format!("/me?key={key}")).send().await;
    let ended = program.stop();
    assert!(ended.log.len() > 10, "{:?}", ended.log);
    let (_, secret) = key.rsplit_once('_').unwrap();
    for line in &ended.log {
        for hidden in [secret, "a private note", "a-secret-password"] {
            assert!(!line.contains(hidden), "{hidden} is in the log: {line}");
        }
    }
}
