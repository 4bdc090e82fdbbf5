//! A PostgreSQL server that refuses connections: a permanent refusal ends a program at once, with a
//! fix.
//!
//! No time is measured. A program that waits says so in the log at least once.

use std::process::Output;
use std::sync::Arc;

use crate::support::postgres::Cluster;
use crate::support::{Program, Service, TestDatabase, run};

const SECRET: &str = "a-wrong-password";

/// A server where `clerk` needs a password and owns `books`, and where nobody but its owner may
/// connect to `closed`.
fn strict() -> Cluster {
    let cluster = Cluster::start(&[]);
    for sql in [
        "CREATE ROLE clerk LOGIN PASSWORD 'a-password'",
        "CREATE ROLE guest NOLOGIN",
        "CREATE ROLE crowd LOGIN CONNECTION LIMIT 0",
        "CREATE DATABASE books OWNER clerk",
        "CREATE DATABASE closed",
        "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
    ] {
        cluster.query("postgres", sql);
    }
    cluster.run(
        "printf 'host all clerk all scram-sha-256\\nhost all outsider all reject\\n' | cat - \
         pg_hba.conf >new.conf",
    );
    cluster.run("mv new.conf pg_hba.conf");
    cluster.query("postgres", "SELECT pg_reload_conf()");
    cluster
}

fn log_of(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Every command that makes a database, on that URL, with the default of `--connect-timeout`. None
/// of them may wait.
#[track_caller]
fn ends_at_once(url: &str, mended_by: &str) {
    for command in ["serve", "migrate", "bootstrap"] {
        let output = run(&[command, "--database-url", url]);
        let log = log_of(&output);
        assert_eq!(output.status.code(), Some(1), "{command} {url}: {log}");
        assert!(!log.contains("waiting for the database"), "{command} {url}: {log}");
        assert!(log.contains(mended_by), "{command} {url}: {log}");
        assert!(!log.contains(SECRET) && output.stdout.is_empty(), "{command} {url}: {log}");
    }
}

#[test]
fn a_permanent_refusal_ends_the_program_at_once_with_a_fix() {
    let cluster = strict();
    let clerk = cluster.url_of("clerk:a-password", "books");
    for (url, mended_by) in [
        (cluster.url_of(&format!("clerk:{SECRET}"), "books"), "ALTER ROLE \"clerk\" PASSWORD"),
        (cluster.url_of("clerk", "books"), "password missing"),
        (cluster.url_of(&format!("nobody:{SECRET}"), "books"), "CREATE ROLE \"nobody\" LOGIN"),
        (cluster.url_of("guest", "books"), "CREATE ROLE \"guest\" LOGIN"),
        (cluster.url_of("outsider", "books"), "pg_hba.conf"),
        (clerk.replace("/books", "/ledger"), "CREATE DATABASE \"ledger\" OWNER \"clerk\""),
        (clerk.replace("/books", "/closed"), "GRANT CONNECT ON DATABASE \"closed\" TO \"clerk\""),
        (format!("{clerk}?sslmode=require"), "sslmode"),
        (format!("{clerk}?sslmode=verify-full"), "sslmode"),
        (format!("{clerk}?channel_binding=require"), "channel binding"),
    ] {
        ends_at_once(&url, mended_by);
    }
    assert!(run(&["migrate", "--database-url", &clerk]).status.success());
}

#[test]
fn a_temporary_refusal_is_reported_as_unavailable() {
    let cluster = strict();
    let away = cluster.url_of("clerk:a-password", "books");
    let is_unavailable = |url: &str, because: &str| {
        let output = run(&["migrate", "--database-url", url, "--connect-timeout", "1ms"]);
        let log = log_of(&output);
        assert_eq!(output.status.code(), Some(1), "{url}: {log}");
        assert!(log.contains("the store is unavailable") && log.contains(because), "{url}: {log}");
    };
    is_unavailable(&cluster.url_of("crowd", "postgres"), "too many connections");
    is_unavailable(
        &away.replace("127.0.0.1", "no-such-host.invalid"),
        "error connecting to server",
    );
    is_unavailable("postgres://clerk@%2Fno%2Fsuch%2Fsocket/books", "error connecting to server");
    // Of two servers the other may still answer, with TLS.
    let two = away.replace(
        &format!("127.0.0.1:{}", cluster.port()),
        &format!("localhost:1,127.0.0.1:{}", cluster.port()),
    );
    is_unavailable(&format!("{two}?sslmode=require"), "TLS");
    cluster.stop();
    is_unavailable(&away, "error connecting to server");
}

#[test]
fn a_server_that_is_away_is_waited_for() {
    let cluster = strict();
    cluster.stop();
    let mut program =
        Program::begin(&cluster.url_of("clerk:a-password", "books"), &["--connect-timeout", "10m"]);
    program.wait_for_log(|line| line["message"] == "waiting for the database");
    cluster.start_again();
    assert!(program.serving().stop().status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_service_that_is_refused_answers_503_until_it_is_accepted_again() {
    let cluster = Arc::new(strict());
    let database =
        TestDatabase::Postgres(cluster.clone(), cluster.url_of("clerk:a-password", "books"));
    let service = Service::start_for(None, database, |_| ()).await;
    let logged = service.log_any().idempotency_key("k").send().await.is(201);
    for (out, back) in [
        ("ALTER ROLE clerk PASSWORD 'another'", "ALTER ROLE clerk PASSWORD 'a-password'"),
        ("ALTER ROLE clerk NOLOGIN", "ALTER ROLE clerk LOGIN"),
        (
            "REVOKE CONNECT ON DATABASE books FROM PUBLIC, clerk",
            "GRANT CONNECT ON DATABASE books TO clerk",
        ),
    ] {
        cluster.query("postgres", out);
        // Waits until the connections are gone.
        let cut =
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE usename = 'clerk'";
        cluster.query("postgres", cut);
        let calls =
            [service.log_any(), service.api.get("/time-entries"), service.api.get("/health/ready")];
        for call in calls {
            let refused = call.send().await.fails_with(503, "unavailable");
            assert!(refused.header("retry-after").is_some(), "{out}");
        }
        cluster.query("postgres", back);
        let repeat = service.log_any().idempotency_key("k").send().await.is(201);
        assert!(repeat.is_replayed() && repeat.body == logged.body, "{back}");
    }
    assert_eq!(service.database.count("time_entries"), 1);
}
