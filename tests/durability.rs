//! A PostgreSQL server with asynchronous commits: answered changes survive a crash all the same,
//! and unsafe settings that a session cannot change are reported.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::postgres::Cluster;
use crate::support::{
    Answer, Bootstrapped, Database, Program, Service, TestDatabase, bootstrap, run, run_with, until,
};

/// A server that delays asynchronous commits in memory for as long as it can.
fn slow_to_write(synchronous_commit: &str) -> Cluster {
    Cluster::start(&[
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", synchronous_commit),
        ("wal_writer_delay", "10s"),
        // Any other commit would write the asynchronous ones to the disk too.
        ("autovacuum", "off"),
    ])
}

/// Where commits are made asynchronous.
#[derive(Debug, Clone, Copy)]
enum Place {
    Server,
    Database,
    Role,
}

/// A database of `clerk`, whose commits are asynchronous by default.
fn forgetful(place: Place) -> (Cluster, String) {
    let cluster = slow_to_write(if matches!(place, Place::Server) { "off" } else { "on" });
    cluster.query("postgres", "CREATE ROLE clerk LOGIN");
    cluster.query("postgres", "CREATE DATABASE books OWNER clerk");
    match place {
        Place::Server => {}
        Place::Database => {
            drop(cluster.query("postgres", "ALTER DATABASE books SET synchronous_commit = off"));
        }
        Place::Role => {
            drop(cluster.query("postgres", "ALTER ROLE clerk SET synchronous_commit = off"));
        }
    }
    let url = cluster.url_of("clerk", "books");
    (cluster, url)
}

/// Crashes the server when the work is done, and starts it again.
async fn crash_after<T>(cluster: &Cluster, work: impl Future<Output = T>) -> T {
    let done = work.await;
    cluster.stop();
    cluster.start_again();
    done
}

async fn log(url: &str, made: &Bootstrapped, keys: std::ops::Range<u32>) -> Vec<Answer> {
    let program = Program::serve(url, &[]);
    let api = program.api.with_key(&made.key);
    let mut answers = Vec::new();
    for key in keys {
        let call = api.post(&made.path()).json(&made.body()).idempotency_key(&key.to_string());
        answers.push(call.send().await.is(201));
    }
    answers
}

async fn loses_nothing(place: Place) {
    let (cluster, url) = forgetful(place);
    let made = crash_after(&cluster, async { bootstrap(&url) }).await;

    let answers = crash_after(&cluster, log(&url, &made, 0..5)).await;
    let repeats = crash_after(&cluster, log(&url, &made, 0..5)).await;
    for (answer, repeat) in answers.iter().zip(repeats) {
        assert!(
            repeat.is_replayed() && repeat.body == answer.body,
            "{place:?}: {}",
            repeat.describe()
        );
    }

    let project = "/projects/00000000-0000-4000-8000-000000000001";
    let put = async || {
        let program = Program::serve(&url, &[]);
        program
            .api
            .with_key(&made.key)
            .put(project)
            .json(&json!({ "name": "New" }))
            .send()
            .await
            .is(201)
    };
    crash_after(&cluster, put()).await;
    let program = Program::serve(&url, &[]);
    let answer = program.api.with_key(&made.key).get(project).send().await;
    assert_eq!(answer.status, 200, "{place:?}: {}", answer.describe());

    let create = async {
        let created = run(&["bootstrap", "--json", "--database-url", &url]);
        let other: Value = serde_json::from_slice(&created.stdout)
            .unwrap_or_else(|error| panic!("{error}: {created:?}"));
        let organization = other["organizationId"].as_str().unwrap();
        let arguments =
            ["key", "create", "--json", "--permissions", "read", "--organization", organization];
        let created = run_with(&arguments, &[("TIMELOG_DATABASE_URL", &url)]);
        serde_json::from_slice::<Value>(&created.stdout)
            .unwrap_or_else(|error| panic!("{error}: {created:?}"))
    };
    let key = crash_after(&cluster, create).await;
    let program = Program::serve(&url, &[]);
    let answer = program.api.with_key(key["apiKey"].as_str().unwrap()).get("/me").send().await;
    assert_eq!(answer.status, 200, "{place:?}: {}", answer.describe());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answered_changes_survive_a_crash_although_the_server_defaults_to_asynchronous_commit() {
    loses_nothing(Place::Server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answered_changes_survive_a_crash_although_the_database_defaults_to_asynchronous_commit() {
    loses_nothing(Place::Database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answered_changes_survive_a_crash_although_the_role_defaults_to_asynchronous_commit() {
    loses_nothing(Place::Role).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_copy_survives_a_crash() {
    let original = Database::Sqlite.create();
    bootstrap(&original.url());
    let (cluster, url) = forgetful(Place::Role);
    let copied = run(&["copy", "--from", &original.url(), "--to", &url]);
    assert!(copied.status.success(), "{copied:?}");
    cluster.stop();
    cluster.start_again();
    assert_eq!(TestDatabase::Postgres(Arc::new(cluster), url).counts(), original.counts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_values_of_synchronous_commit_are_left_as_they_are() {
    for chosen in ["local", "remote_write", "remote_apply"] {
        let (cluster, url) = forgetful(Place::Server);
        cluster.query("postgres", &format!("ALTER ROLE clerk SET synchronous_commit = {chosen}"));
        // Only the session sees its own setting, so a trigger records it where the session writes.
        let cluster = Arc::new(cluster);
        let database = TestDatabase::Postgres(cluster.clone(), url);
        let service = Service::start_for(None, database, |_| ()).await;
        service.database.execute(
            "CREATE TABLE seen (setting text); GRANT INSERT ON seen TO clerk; \
             CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN \
             NEW; END $$; \
             CREATE TRIGGER note AFTER INSERT ON time_entries FOR EACH ROW EXECUTE FUNCTION note()",
        );
        service.log_any().send().await.is(201);
        assert_eq!(cluster.query("books", "SELECT setting FROM seen"), chosen);
    }
}

/// The `detail` of readiness, and the warnings in the log at the start.
async fn warned_of(url: &str) -> (Option<String>, Vec<String>) {
    let program = Program::serve(url, &["--no-demo"]);
    let ready = program.api.get("/health/ready").send().await.is(200).json();
    assert_eq!(ready["status"], "ready");
    let ended = program.stop();
    assert!(ended.status.success());
    let lines = ended.log.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let warnings =
        lines.filter(|line| line["message"] == "the database may lose what was answered");
    let warnings = warnings.map(|line| line["warning"].as_str().unwrap().to_owned()).collect();
    (ready["detail"].as_str().map(str::to_owned), warnings)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_unsafe_settings_is_reported_in_the_log_and_by_readiness() {
    let sound = slow_to_write("on");
    assert_eq!(warned_of(&sound.url_of_new_database()).await, (None, Vec::new()));

    for place in [Place::Server, Place::Database, Place::Role] {
        let (_cluster, url) = forgetful(place);
        let (detail, warnings) = warned_of(&url).await;
        assert_eq!(detail.as_ref(), warnings.first(), "{place:?}");
        assert!(
            warnings.len() == 1 && warnings[0].contains("synchronous_commit = off"),
            "{place:?}: {warnings:?}"
        );
    }

    let careless = Cluster::start(&[("synchronous_commit", "on")]);
    let (detail, warnings) = warned_of(&careless.url_of_new_database()).await;
    assert_eq!(detail, Some(warnings.join(" ")));
    let [first, second] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(
        first.contains("fsync = off") && second.contains("full_page_writes = off"),
        "{warnings:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_that_becomes_unsafe_is_reported_by_readiness() {
    let cluster = Arc::new(slow_to_write("on"));
    let service = Service::start_on(&cluster).await;
    assert_eq!(
        service.api.get("/health/ready").send().await.is(200).json(),
        json!({ "status": "ready" })
    );
    cluster.query("postgres", "ALTER SYSTEM SET full_page_writes = off");
    cluster.query("postgres", "SELECT pg_reload_conf()");
    // Each process of the server reloads its settings in its own time.
    let told =
        async || service.api.get("/health/ready").send().await.is(200).json()["detail"].is_string();
    until("a warning", told).await;
}
