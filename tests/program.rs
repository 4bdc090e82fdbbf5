//! The `timelog` program, as newcomers and operators use it.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Api, Database, Program, TestDatabase, on_every_database, run};

on_every_database![
    an_empty_database_gets_a_demo_and_a_command_to_paste,
    without_the_demo_an_empty_database_stays_empty,
    bootstrap_json_has_exactly_seven_members,
    bootstrap_makes_a_new_organization_every_time,
    a_database_is_migrated_once,
    a_second_program_serves_the_same_entries,
    sigterm_answers_accepted_requests_and_exits_0,
    sigint_exits_0,
];

/// Runs a command on a database.
pub(crate) fn on(database: &TestDatabase, arguments: &[&str]) -> Output {
    let url = database.url();
    run(&[arguments, &["--database-url", &url]].concat())
}

/// The output of a command that succeeded.
#[track_caller]
pub(crate) fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
pub(crate) fn printed_json(output: &Output) -> Value {
    let text = printed(output);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The error message of a command that failed.
#[track_caller]
pub(crate) fn complaint(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

/// Bootstraps an organization and starts a service for it.
pub(crate) fn serve(database: &TestDatabase, arguments: &[&str]) -> (Program, Value, Api) {
    let made = printed_json(&on(database, &["bootstrap", "--json"]));
    let program = Program::serve(&database.url(), arguments);
    let api = program.api.with_key(text(&made, "apiKey"));
    (program, made, api)
}

pub(crate) fn path(made: &Value) -> String {
    format!("/projects/{}/time-entries", text(made, "projectId"))
}

pub(crate) fn body(made: &Value) -> Value {
    json!({
        "userId": made["userId"],
        "workDate": "2025-01-15",
        "minutes": 150,
        "entryId": made["entryId"],
        "releaseId": made["releaseId"],
        "description": "a private note",
    })
}

async fn an_empty_database_gets_a_demo_and_a_command_to_paste(database: Database) {
    let database = database.create();
    let mut program = Program::serve(&database.url(), &[]);
    let address = program.address;
    let pasted = program.wait_for_line(|line| line.starts_with("curl "));
    let output = Command::new("sh").args(["-c", &pasted]).env("no_proxy", "*").output().unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{pasted}\n{answer}");
    let entry: Value = serde_json::from_str(answer.lines().last().unwrap()).unwrap();
    assert_eq!(entry["organizationId"], "7b1e2c3d-0000-0000-0000-000000000001");
    assert_eq!(entry["projectId"], "9a8b7c6d-0000-0000-0000-000000000002");
    assert_eq!(entry["userId"], "9a8b7c6d-0000-0000-0000-000000000002");
    assert_eq!(entry["minutes"], 150);
    // The second time it is a repeat.
    let output = Command::new("sh").args(["-c", &pasted]).env("no_proxy", "*").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("idempotent-replayed: true"));
    let key = pasted.split("Bearer ").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let api = program.api.with_key(&key);
    assert_eq!(
        api.get("/me").send().await.is(200).json()["permissions"].as_array().unwrap().len(),
        5
    );
    let ended = program.stop();
    assert!(ended.status.success());
    assert!(ended.stdout.contains(&format!("http://{address}/docs/")), "{}", ended.stdout);
    assert_eq!(ended.stdout.lines().filter(|line| *line == key).count(), 1, "{}", ended.stdout);

    let again = Program::serve(&database.url(), &[]);
    again.api.with_key(&key).get("/me").send().await.is(200);
    assert_eq!(again.stop().stdout, "");
}

async fn without_the_demo_an_empty_database_stays_empty(database: Database) {
    let database = database.create();
    let program = Program::serve(&database.url(), &["--no-demo"]);
    program.api.get("/health/ready").send().await.is(200);
    assert_eq!(program.stop().stdout, "");
    assert_eq!(database.count("organizations"), 0);
    assert_eq!(database.count("api_keys"), 0);
}

async fn bootstrap_json_has_exactly_seven_members(database: Database) {
    let database = database.create();
    let made = printed_json(&on(&database, &["bootstrap", "--json"]));
    let members: BTreeSet<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["organizationId", "projectId", "userId", "entryId", "releaseId", "keyId", "apiKey"];
    assert_eq!(members, BTreeSet::from(expected));
    let program = Program::serve(&database.url(), &[]);
    let api = program.api.with_key(text(&made, "apiKey"));
    let me = api.get("/me").send().await.is(200).json();
    assert_eq!((&me["keyId"], &me["organizationId"]), (&made["keyId"], &made["organizationId"]));
    assert_eq!((&me["projectId"], &me["userId"]), (&Value::Null, &Value::Null));
    assert_eq!(me["permissions"], json!(["read", "write", "approve", "bill", "admin"]));
    api.post(&path(&made)).json(&body(&made)).send().await.is(201);
    // The database was not empty any more, so there is no demo.
    assert_eq!(program.stop().stdout, "");
    assert_eq!(database.count("organizations"), 1);
}

async fn bootstrap_makes_a_new_organization_every_time(database: Database) {
    let database = database.create();
    let ids = |made: &Value| {
        made.as_object().unwrap().values().map(Value::to_string).collect::<BTreeSet<_>>()
    };
    let one = ids(&printed_json(&on(&database, &["bootstrap", "--json"])));
    let other = ids(&printed_json(&on(&database, &["bootstrap", "--json"])));
    assert_eq!((one.len(), other.len(), one.intersection(&other).count()), (7, 7, 0));
    // Without `--json` it prints the same in lines.
    let lines = printed(&on(&database, &["bootstrap"]));
    assert!(lines.contains("organizationId") && lines.contains("tlk_"), "{lines}");
}

async fn a_database_is_migrated_once(database: Database) {
    let database = database.create();
    let first = printed(&on(&database, &["migrate"]));
    assert!(
        first.lines().count() >= 4
            && first.lines().all(|line| line.starts_with("Applied migration ")),
        "{first}"
    );
    assert_eq!(printed(&on(&database, &["migrate"])), "The database schema is up to date.\n");
    assert_eq!(database.count("organizations"), 0);
    // Programs that start at the same time on one empty database do not disturb each other.
    let database = database.another();
    let started: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| on(&database, &["migrate"]))).collect();
        starts.into_iter().map(|start| printed(&start.join().unwrap())).collect()
    });
    assert_eq!(
        started.iter().filter(|text| text.starts_with("Applied ")).count(),
        1,
        "{started:?}"
    );
}

async fn a_second_program_serves_the_same_entries(database: Database) {
    let database = database.create();
    let (first, made, api) = serve(&database, &[]);
    let second = Program::serve(&database.url(), &[]);
    let created =
        api.post(&path(&made)).json(&body(&made)).idempotency_key("k").send().await.is(201);
    let there = second.api.with_key(text(&made, "apiKey"));
    let repeat =
        there.post(&path(&made)).json(&body(&made)).idempotency_key("k").send().await.is(201);
    assert!(repeat.is_replayed());
    assert_eq!(repeat.body, created.body);
    first.stop();
    let read = there.get(&format!("/time-entries/{}", created.text("id"))).send().await.is(200);
    assert_eq!(read.body, created.body);
    second.stop();
}

async fn sigterm_answers_accepted_requests_and_exits_0(database: Database) {
    let database = database.create();
    let (program, made, api) = serve(&database, &[]);
    let mut clients = JoinSet::new();
    for client in 0..8 {
        let (api, path, body) = (api.clone(), path(&made), body(&made));
        clients.spawn(async move {
            let mut acknowledged = 0;
            for number in 0..100_000 {
                let call =
                    api.post(&path).json(&body).idempotency_key(&format!("{client}-{number}"));
                // After it has stopped accepting there is no answer; before that there is only this
                // one.
                let Ok(answer) = call.try_send().await else { break };
                acknowledged += i64::from(answer.is(201).status == 201);
            }
            acknowledged
        });
    }
    let mut logged = 0;
    let mut program = program;
    while logged < 50 {
        program.wait_for_log(|line| line["message"] == "answered a request");
        logged += 1;
    }
    let ended = program.stop();
    let acknowledged: i64 = clients.join_all().await.into_iter().sum();
    assert!(ended.status.success(), "{:?}", ended.status);
    assert!(ended.log.last().unwrap().contains("stopped"), "{:?}", ended.log.last());
    assert!(acknowledged >= 50);
    // Every answered entry is there, and no more entries than answers.
    assert_eq!(database.count("time_entries"), acknowledged);
    assert_eq!(database.count("idempotency_keys"), acknowledged);
}

async fn sigint_exits_0(database: Database) {
    let database = database.create();
    let program = Program::serve(&database.url(), &["--no-demo"]);
    program.signal("INT");
    assert!(program.end().status.success());
}

#[test]
fn unusable_settings_are_refused_with_a_fix() {
    let database = Database::Sqlite.create();
    let refused = |arguments: &[&str], expected: &str| {
        let complaint = complaint(&on(&database, &[&["serve"], arguments].concat()));
        assert!(complaint.contains(expected), "{arguments:?}: {complaint}");
    };
    refused(&["--listen", "8080"], "--listen");
    refused(&["--workers", "0"], "1..=128");
    refused(
        &["--base-path", "api"],
        "for '--base-path <PATH> or TIMELOG_BASE_PATH': must be empty or like /api/v1",
    );
    refused(&["--base-path", "/api/"], "like /api/v1");
    refused(&["--key-memory", "6s"], "must be 0s to 5s");
    refused(&["--key-memory", "5"], "such as 5s");
    refused(&["--queue-timeout", "0s"], "must be 10ms to 1h");
    refused(&["--statement-timeout", "500us"], "must be 100ms to 1h");
    refused(&["--shutdown-timeout", "1500ms"], "must be 1s to 1h, in whole seconds, such as 30s");
    refused(&["--rate-limit", "0"], "--rate-limit");
    refused(&["--queue-capacity", "0"], "1..=1000000");
    refused(&["--batch-size", "0"], "1..=1024");
    refused(&["--idempotency-mismatch", "ignore"], "replay, reject");
    refused(&["--log", "level=loud=x"], "try info");
    refused(&["--no-such-flag"], "--no-such-flag");
    let refused = |url: &str, expected: &str| {
        let complaint = complaint(&run(&["migrate", "--database-url", url]));
        assert!(complaint.contains(expected), "{url}: {complaint}");
    };
    refused("timelog.db", "sqlite:PATH");
    refused("mysql://user:a-secret-password@localhost/x", "sqlite:PATH");
    refused("sqlite:", "path of a file");
    refused("sqlite::memory:", "path of a file");
}

#[test]
fn a_database_that_stays_away_ends_the_program_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("no/such/folder/timelog.db").display());
    for command in ["serve", "migrate", "bootstrap"] {
        let output = run(&[command, "--database-url", &url, "--connect-timeout", "200ms"]);
        assert_eq!(output.status.code(), Some(1));
        let complaint = complaint(&output);
        assert!(
            complaint.contains("cannot open the database") && complaint.contains(&url),
            "{complaint}"
        );
    }
}

#[test]
fn a_program_that_waits_for_its_database_can_be_stopped() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut program = Program::begin(
        &format!("postgres://timelog@{nobody}/timelog"),
        &["--connect-timeout", "24h"],
    );
    program.wait_for_log(|line| line["message"] == "waiting for the database");
    assert!(program.stop().status.success());
}

#[test]
fn a_port_in_use_is_named() {
    let database = Database::Sqlite.create();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let complaint = complaint(&on(&database, &["serve", "--no-demo", "--listen", &address]));
    assert!(complaint.contains(&format!("cannot listen on {address}")), "{complaint}");
}

#[test]
fn every_flag_has_an_environment_variable() {
    let database = Database::Sqlite.create();
    let output =
        crate::support::run_with(&["migrate"], &[("TIMELOG_DATABASE_URL", &database.url())]);
    assert!(printed(&output).starts_with("Applied migration "));
    let output = crate::support::run_with(
        &["serve"],
        &[("TIMELOG_WORKERS", "0"), ("TIMELOG_DATABASE_URL", &database.url())],
    );
    let complaint = complaint(&output);
    assert!(complaint.contains("TIMELOG_WORKERS") && complaint.contains("1..=128"), "{complaint}");
}
