//! No message and no log line has a secret, wherever it was given and however it is spelled.

use std::process::Output;

use reqwest::Method;

use crate::program::{on, serve, text};
use crate::support::{Database, Program, on_every_database, raw, run, run_with};

on_every_database![
    an_api_key_given_as_another_argument_is_not_printed,
    an_api_key_in_a_request_is_not_logged,
];

const MARK: &str = "Quetzalcoatl";

/// URLs with a password, well formed and malformed.
fn urls() -> [String; 6] {
    [
        format!("postgres://me:{MARK}@127.0.0.1:1/x"),
        format!("postgres:me:{MARK}@db"),
        format!("me:{MARK}@db/x"),
        format!("postgres://db/x?password=a&{MARK}=b"),
        format!("postgres://me:a {MARK}@db/x?sslmode={MARK}"),
        format!("postgres://me:{MARK}"),
    ]
}

#[track_caller]
fn tells_nothing(output: &Output, secret: &str) {
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!told.is_empty() && !told.contains(secret), "{told}");
}

/// The environment variables of the flags, from the help.
fn variables() -> Vec<String> {
    let help = run(&["serve", "--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    let names: Vec<_> =
        help.split("[env: ").skip(1).filter_map(|rest| rest.split([']', '=']).next()).collect();
    assert!(names.len() > 20, "{help}");
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn secrets_in_variables_are_not_in_error_messages_and_not_in_the_help() {
    let variables = variables();
    for url in urls() {
        let all: Vec<_> = variables.iter().map(|name| (name.as_str(), url.as_str())).collect();
        for arguments in
            [&["serve", "--help"][..], &["--help"], &["key", "create", "--help"], &["export", "-h"]]
        {
            let output = run_with(arguments, &all);
            assert!(output.status.success(), "{output:?}");
            tells_nothing(&output, MARK);
        }
        // A log filter may be any name of a module.
        for name in variables.iter().filter(|name| *name != "TIMELOG_LOG") {
            let output =
                run_with(&["serve", "--connect-timeout", "0s"], &[(name.as_str(), url.as_str())]);
            assert_ne!(output.status.code(), Some(0), "{name}");
            tells_nothing(&output, MARK);
        }
    }
}

#[test]
fn a_url_given_as_a_file_name_is_shown_without_its_password() {
    let database = Database::Sqlite.create();
    let made = crate::support::bootstrap(&database.url());
    let (project, there) = (made.id("projectId"), database.path().display().to_string());
    for url in urls() {
        let sqlite = format!("sqlite:{url}");
        for arguments in [
            &["import", &url, "--project", project][..],
            &["import", &there, "--users", &url, "--project", project],
            &["import", "Cargo.toml", "--users", &url, "--project", project],
            &[
                "import",
                "Cargo.toml",
                "--refused",
                &format!("/nowhere/{url}"),
                "--project",
                project,
            ],
            &[
                "import",
                "Cargo.toml",
                "--map",
                &format!("description={url}"),
                "--user",
                project,
                "--project",
                project,
            ],
            &[
                "import",
                "Cargo.toml",
                "--where",
                &format!("{url}=x"),
                "--user",
                project,
                "--project",
                project,
            ],
            &["export", "--out", &format!("/nowhere/{url}")],
            &["backup", &format!("/nowhere/{url}")],
            &["serve", "--log", &format!("{url}=x=y")],
        ] {
            let output = on(&database, arguments);
            assert_eq!(output.status.code(), Some(1), "{arguments:?} {output:?}");
            tells_nothing(&output, MARK);
        }
        for arguments in [
            &["export", "--database-url", &sqlite, "--connect-timeout", "0s"][..],
            &["copy", "--from", &sqlite, "--to", "sqlite:/nowhere/x", "--connect-timeout", "0s"],
            &["migrate", "--database-url", &url, "--connect-timeout", "0s"],
            &["copy", "--from", &url, "--to", &url, "--connect-timeout", "0s"],
        ] {
            let output = run(arguments);
            assert_ne!(output.status.code(), Some(0), "{arguments:?}");
            tells_nothing(&output, MARK);
        }
    }
}

async fn an_api_key_given_as_another_argument_is_not_printed(database: Database) {
    let database = database.create();
    let made = crate::support::bootstrap(&database.url());
    let (_, secret) = made.key.rsplit_once('_').unwrap();
    let key = made.key.as_str();
    for arguments in [
        &["key", "revoke", key][..],
        &["key", "rotate", key],
        &["key", "list", "--organization", key],
        &["key", "create", "--organization", made.id("organizationId"), "--permissions", key],
        &["key", key],
        &[key],
        &["migrate", key],
        &["export", "--project", key],
        &["export", "--out", &format!("/nowhere/{key}")],
        &["import", key, "--project", made.id("projectId")],
        &["serve", "--listen", key],
        &["serve", "--base-path", &format!("/{key}/")],
    ] {
        let output = on(&database, arguments);
        assert!(!output.status.success(), "{arguments:?}");
        tells_nothing(&output, secret);
    }
}

async fn an_api_key_in_a_request_is_not_logged(database: Database) {
    let database = database.create();
    let (program, made, api) = serve(&database, &["--log", "trace"]);
    let key = text(&made, "apiKey");
    let (_, secret) = key.rsplit_once('_').unwrap();
    api.get(&format!("/projects/{key}/time-entries")).send().await.is(400);
    api.get(&format!("/{key}")).send().await.is(404);
    api.get("/me").header("x-request-id", key).send().await.is(200);
    api.call(Method::from_bytes(key.as_bytes()).unwrap(), "/me").send().await.is(405);
    api.get(&format!("/postgres://me:{MARK}@db/x")).send().await.is(404);
    api.get("/me")
        .header("x-request-id", format!("postgres://me:{MARK}@db/x"))
        .send()
        .await
        .is(200);
    api.post("/time-entries/transitions")
        .body(format!("{{\"action\":\"{key}\",\"ids\":[\"{key}\"]}}"))
        .send()
        .await
        .is(400);
    let ended = program.stop();
    assert!(
        ended.log.iter().filter(|line| line.contains("answered a request")).count() >= 7,
        "{:?}",
        ended.log
    );
    for line in &ended.log {
        assert!(!line.contains(secret) && !line.contains(MARK), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn human_log_lines_have_no_secrets_and_no_control_characters() {
    let database = Database::Sqlite.create();
    let made = crate::support::bootstrap(&database.url());
    let (_, secret) = made.key.rsplit_once('_').unwrap();
    let mut program = Program::begin(&database.url(), &["--log-format", "human"]);
    let serving = program.wait_for_text(|line| line.contains(" serving "));
    let address =
        serving.split("address=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    for target in [
        format!("/projects/{}", made.key),
        format!("/postgres://me:{MARK}@db"),
        "/\u{9b}2J\u{202e}\u{2066}x".to_owned(),
        "/é".to_owned(),
    ] {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nX-Request-Id: {}\r\nConnection: close\r\n\r\n",
            made.key
        );
        raw(address, request).await;
    }
    let ended = program.stop();
    assert!(
        ended.log.iter().filter(|line| line.contains("answered a request")).count() >= 2,
        "{:?}",
        ended.log
    );
    for line in &ended.log {
        let acts = |letter: char| {
            letter.is_control()
                || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!line.contains(secret) && !line.contains(MARK) && !line.contains(acts), "{line:?}");
    }
}
