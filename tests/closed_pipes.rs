//! The program when its output is closed or cannot be written.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeWriter};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Api, Bootstrapped, Database, TestDatabase, bootstrap, program};

/// The exit code that a shell gives to a program that SIGPIPE ended.
const READER_GONE: Option<i32> = Some(141);

/// A pipe that nobody reads.
fn closed() -> PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer
}

/// A disk on which there is no room.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// A database with an organization, and a file to import, one row of which is refused.
struct Sandbox {
    database: TestDatabase,
    made: Bootstrapped,
    folder: TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let database = Database::Sqlite.create();
        let made = bootstrap(&database.url());
        let folder = tempfile::tempdir().unwrap();
        let user = made.id("userId");
        let rows = format!("userId,workDate,minutes\n{user},2025-01-15,150\n{user},2025-01-15,0\n");
        std::fs::write(folder.path().join("rows.csv"), rows).unwrap();
        Self { database, made, folder }
    }

    fn command(&self, arguments: &[String]) -> Command {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut command = program(&arguments);
        command.args(["--database-url", &self.database.url()]);
        command
    }

    /// Commands that print something and succeed.
    fn commands(&self) -> Vec<Vec<String>> {
        let texts = |arguments: &[&str]| arguments.iter().map(|text| (*text).to_owned()).collect();
        let backup = self.folder.path().join("backup.db").display().to_string();
        let of = ["--organization", self.made.id("organizationId")];
        vec![
            texts(&[&["key", "list"], &of[..]].concat()),
            texts(&[&["key", "list", "--json"], &of[..]].concat()),
            texts(&[&["key", "create", "--permissions", "read"], &of[..]].concat()),
            texts(&[&["export"], &of[..]].concat()),
            texts(&[&["export", "--out", "/dev/stdout"], &of[..]].concat()),
            texts(&[&["export", "--format", "xlsx"], &of[..]].concat()),
            texts(&["bootstrap"]),
            texts(&["bootstrap", "--json"]),
            texts(&["migrate"]),
            texts(&["feed", "renew"]),
            texts(&["backup", "--force", &backup]),
            texts(&["export", "--help"]),
        ]
    }

    fn import(&self) -> Vec<String> {
        let rows = self.folder.path().join("rows.csv").display().to_string();
        let of = [
            "--organization",
            self.made.id("organizationId"),
            "--project",
            self.made.id("projectId"),
        ];
        [&["import", &rows], &of[..]].concat().into_iter().map(str::to_owned).collect()
    }
}

fn said(output: &Output) -> &str {
    let text = std::str::from_utf8(&output.stderr).unwrap();
    assert!(!text.contains("panicked"), "{text}");
    text
}

#[test]
fn a_closed_standard_output_ends_a_command_quietly() {
    let sandbox = Sandbox::new();
    for arguments in sandbox.commands() {
        let output = sandbox.command(&arguments).stdout(closed()).output().unwrap();
        assert_eq!((output.status.code(), said(&output)), (READER_GONE, ""), "{arguments:?}");
    }
    // The refused row was reported on standard error; the summary could not be written.
    let output = sandbox.command(&sandbox.import()).stdout(closed()).output().unwrap();
    assert_eq!(output.status.code(), READER_GONE);
    assert_eq!(said(&output).lines().count(), 1, "{}", said(&output));
}

#[test]
fn a_full_standard_output_makes_a_command_fail() {
    let sandbox = Sandbox::new();
    for arguments in sandbox.commands().into_iter().chain([sandbox.import()]) {
        let output = sandbox.command(&arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        let asked_for_help = arguments.iter().any(|argument| argument == "--help");
        assert!(
            asked_for_help || said(&output).contains("No space left on device"),
            "{arguments:?}: {output:?}"
        );
    }
}

#[test]
fn a_closed_standard_error_does_not_change_the_exit_code() {
    let sandbox = Sandbox::new();
    let unknown = ["key", "revoke", sandbox.made.id("userId")].map(str::to_owned);
    let wrong = ["migrate", "--lock-timeout", "0s"].map(str::to_owned);
    for stderr in [|| Stdio::from(closed()), || Stdio::from(full())] {
        let code = |arguments: &[String]| {
            sandbox.command(arguments).stderr(stderr()).output().unwrap().status.code()
        };
        assert_eq!(code(&unknown), Some(1));
        assert_eq!(code(&wrong), Some(2));
    }
    // The refused rows are the result of an import.
    let told = |stderr: Stdio| sandbox.command(&sandbox.import()).stderr(stderr).output().unwrap();
    assert_eq!(told(closed().into()).status.code(), READER_GONE);
    assert_eq!(told(full().into()).status.code(), Some(1));
}

/// A service that is killed when this is dropped.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_keeps_serving_when_its_log_is_closed() {
    let database = Database::Sqlite.create();
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = program(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--log",
        "trace",
        "--database-url",
        &database.url(),
    ]);
    // Nobody reads the key of the demo either.
    let mut served = Served(command.stdout(closed()).stderr(writer).spawn().unwrap());
    let lines = BufReader::new(reader)
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let mut lines = lines.filter(|line| line["message"] == "serving" || line["level"] == "WARN");
    let address = lines.next().unwrap()["address"].as_str().unwrap().parse().unwrap();
    let warning = lines.next().unwrap().to_string();
    assert!(warning.contains("the demo key was shown to nobody"), "{warning}");
    drop(lines);

    let made = bootstrap(&database.url());
    let api = Api::new(address, "").with_key(&made.key);
    for _ in 0..20 {
        api.post(&made.path()).json(&made.body()).send().await.is(201);
    }
    assert_eq!(database.count("time_entries"), 20);
    let signalled =
        Command::new("kill").args(["-TERM", &served.0.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    assert!(served.0.wait().unwrap().success());
}
