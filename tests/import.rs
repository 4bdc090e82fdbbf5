//! `timelog import` and `timelog export`, run as an operator runs them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use std::process::{Command, Output};

use calamine::{Reader, Xlsx};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::export_workbook;
use crate::support::{Database, Service, bootstrap, run};

/// A folder with a database in it that has one organization.
struct Sandbox {
    folder: TempDir,
    organization: String,
    project: String,
    user: String,
}

impl Sandbox {
    fn new() -> Self {
        let [organization, project, user] = [const { String::new() }; 3];
        let sandbox = Self { folder: tempfile::tempdir().unwrap(), organization, project, user };
        let [organization, project, user] = sandbox.bootstrap();
        Self { organization, project, user, ..sandbox }
    }

    /// Makes an organization, and returns its id and those of its project and its user.
    fn bootstrap(&self) -> [String; 3] {
        let made = self.timelog(&["bootstrap", "--json"]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        ["organizationId", "projectId", "userId"]
            .map(|name| made[name].as_str().unwrap().to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    fn timelog(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_timelog"));
        let database = format!("sqlite:{}", self.path("timelog.db").display());
        command.env_clear().args(["--database-url", &database, "--log", "error"]).args(arguments);
        command.output().unwrap()
    }

    /// Imports a file into the project and returns the summary and the exit code.
    fn import(&self, file: &str, arguments: &[&str]) -> (Value, Option<i32>) {
        let all = [&["import", file, "--project", &self.project, "--json"], arguments].concat();
        let output = self.timelog(&all);
        let summary = serde_json::from_slice(&output.stdout);
        (summary.unwrap_or_else(|_| panic!("{}", text(&output.stderr))), output.status.code())
    }

    fn export(&self, arguments: &[&str]) -> String {
        let output = self.timelog(&[&["export"], arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn counts(summary: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "refused"].map(|name| summary[name].as_u64().unwrap())
}

const HEADER: &str = "User,Email,Client,Project,Task,Description,Billable,Start date,Start \
    time,End date,End time,Duration,\
    Tags,Amount (USD)\r\n";
const TWIN: &str =
    "Ann,ann@example.com,,Website,,Twin,No,2025-02-01,09:00:00,2025-02-01,09:30:00,00:30:00,,\r\n";

/// A report of Toggl Track with that many rows, and two more that are equal to others.
fn report(rows: usize) -> String {
    let row = |row: usize| {
        let (day, hour, minute) = (1 + row % 28, row / 28 % 24, row / 672 % 50);
        let (work, minutes) = (row % 7, row % 59);
        format!(
            "Ann,ann@example.com,Client,Website,,\"Work, \
             {work}\",Yes,2025-01-{day:02},{hour:02}:{minute:02}:00,,,\
             00:{minutes:02}:30,,\r\n"
        )
    };
    let rows: Vec<_> = (0..rows).map(row).collect();
    [HEADER, &rows.concat(), TWIN, TWIN].concat()
}

#[test]
fn a_report_imported_twice_is_stored_once() {
    let sandbox = Sandbox::new();
    let report = sandbox.file("report.csv", &report(1_500));
    let users =
        sandbox.file("users.csv", &format!("name,userId\nann@example.com,{}\n", sandbox.user));
    let rehearsed = sandbox.import(&report, &["--users", &users, "--dry-run"]);
    assert_eq!((counts(&rehearsed.0), rehearsed.1), ([1_502, 0, 0, 0], Some(0)));
    assert_eq!(sandbox.export(&[]).lines().count(), 1);
    let (summary, code) = sandbox.import(&report, &["--users", &users]);
    assert_eq!((counts(&summary), code), ([1_502, 0, 0, 0], Some(0)));
    let exported = sandbox.export(&["--sort", "createdAt"]);
    let (summary, code) = sandbox.import(&report, &["--users", &users]);
    assert_eq!((counts(&summary), code), ([0, 0, 1_502, 0], Some(0)));
    // To the version, the update time and the order.
    assert_eq!(sandbox.export(&["--sort", "createdAt"]), exported);
    assert_eq!(exported.lines().filter(|line| line.contains("Twin")).count(), 2);
}

#[test]
fn refused_rows_are_reported_and_the_exit_code_is_1() {
    let sandbox = Sandbox::new();
    let report =
        report(2) + "Bob,bob@example.com,,Website,,,No,2025-02-01,09:00:00,,,00:00:29,,\r\n";
    let report = sandbox.file(
        "report.csv",
        &(report + "Bob,bob@example.com,,Website,,,No,2025-02-01,09:00:00,,,00:30:00,,\r\n"),
    );
    let users = sandbox.file("users.csv", &format!("ann@example.com,{}\n", sandbox.user));
    let output =
        sandbox.timelog(&["import", &report, "--project", &sandbox.project, "--users", &users]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("line 6: duration: “00:00:29” rounds to 0 minutes"), "{told}");
    assert!(told.contains("line 7: userId: “bob@example.com” is no id of a user"), "{told}");
    assert!(told.ends_with("timelog: 2 of 6 rows were refused\n"), "{told}");
    let refused = sandbox.path("refused.csv");
    let (summary, code) =
        sandbox.import(&report, &["--users", &users, "--refused", refused.to_str().unwrap()]);
    assert_eq!((counts(&summary), code), ([0, 0, 4, 2], Some(1)));
    let refused = fs::read_to_string(refused).unwrap();
    assert!(refused.starts_with("line,field,message\n6,duration,"), "{refused}");
    let careless =
        ["import", &report, "--project", &sandbox.project, "--users", &users, "--refused", &report];
    assert!(text(&sandbox.timelog(&careless).stderr).contains("would overwrite"));
    assert!(fs::read_to_string(&report).unwrap().starts_with(HEADER));
}

#[test]
fn a_flag_that_does_not_fit_the_format_is_refused() {
    let sandbox = Sandbox::new();
    let file = sandbox.file("rows.ndjson", "");
    let output =
        sandbox.timelog(&["import", &file, "--project", &sandbox.project, "--delimiter", ";"]);
    assert!(text(&output.stderr).contains("--delimiter are for CSV"), "{}", text(&output.stderr));
    for arguments in
        [&["import", &file, "--project", &sandbox.project, "--force"][..], &["export", "--force"]]
    {
        let output = sandbox.timelog(arguments);
        assert_eq!(output.status.code(), Some(2), "there is no file to replace");
    }
}

#[test]
fn an_export_can_be_imported_into_another_organization() {
    let sandbox = Sandbox::new();
    let rows = format!(
        "userId,workDate,minutes,description,billable\n{0},2025-01-01,60,=1+1,no\n{0},2025-01-02,61,\"a\r\n\"\"b\"\"\",yes\n",
        sandbox.user
    );
    assert_eq!(sandbox.import(&sandbox.file("rows.csv", &rows), &[]).1, Some(0));
    let [organization, project, user] = sandbox.bootstrap();
    let users = sandbox.file("users.csv", &format!("{},{user}\n", sandbox.user));
    for (format, created) in [("csv", 2), ("ndjson", 0)] {
        let file = sandbox.path(&format!("export.{format}"));
        let file = file.to_str().unwrap();
        let export = ["export", "--format", format, "--out", file];
        let ambiguous = sandbox.timelog(&export);
        assert!(
            text(&ambiguous.stderr).contains("--organization"),
            "two organizations, and none was named"
        );
        assert!(
            sandbox
                .timelog(&[&export[..], &["--organization", &sandbox.organization]].concat())
                .status
                .success()
        );
        let to =
            ["--project", &project, "--organization", &organization, "--users", &users, "--json"];
        let imported = sandbox.timelog(&[&["import", file], &to[..]].concat());
        let summary: Value = serde_json::from_slice(&imported.stdout).unwrap();
        assert_eq!(counts(&summary), [created, 0, 2 - created, 0], "{}", text(&imported.stderr));
    }
    let there = sandbox.export(&["--organization", &organization, "--format", "ndjson"]);
    let there: Vec<Value> = there.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> = there
        .iter()
        .map(|entry| (&entry["description"], &entry["userId"], &entry["source"]))
        .collect();
    let (user, import) = (Value::from(user), Value::from("import"));
    assert_eq!(said, [(&"=1+1".into(), &user, &import), (&"a\r\n\"b\"".into(), &user, &import)]);
}

#[test]
fn a_workbook_is_written_to_a_file_or_a_pipe() {
    let sandbox = Sandbox::new();
    let rows =
        format!("userId,workDate,minutes\n{0},2025-01-01,60\n{0},2025-01-02,61\n", sandbox.user);
    assert_eq!(sandbox.import(&sandbox.file("rows.csv", &rows), &[]).1, Some(0));
    let path = sandbox.path("entries.xlsx");
    let written = ["export", "--format", "xlsx", "--from", "2025-01-02"];
    let piped = sandbox.timelog(&written);
    assert!(piped.status.success(), "{piped:?}");
    let to_file = sandbox.timelog(&[&written[..], &["--out", path.to_str().unwrap()]].concat());
    assert!(to_file.status.success() && to_file.stdout.is_empty(), "{to_file:?}");
    for bytes in [piped.stdout, fs::read(&path).unwrap()] {
        let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
        let sheet = book.worksheet_range_at(0).unwrap().unwrap();
        let minutes = sheet.rows().map(|row| row[export_workbook::column("minutes")].to_string());
        assert_eq!(minutes.collect::<Vec<_>>(), ["minutes", "61", "61"]);
    }
    // It replaces nothing unless it is told to.
    assert!(
        !sandbox
            .timelog(&[&written[..], &["--out", path.to_str().unwrap()]].concat())
            .status
            .success()
    );
}

#[test]
fn an_export_has_the_filtered_entries_in_the_requested_order() {
    let sandbox = Sandbox::new();
    let row =
        |day: u8, billable: bool| format!("{},2025-01-{day:02},60,{billable}\n", sandbox.user);
    let rows: String = [row(2, true), row(1, false), row(3, true)].concat();
    sandbox.import(
        &sandbox.file("rows.csv", &format!("userId,workDate,minutes,billable\n{rows}")),
        &[],
    );
    let days = |arguments: &[&str]| -> Vec<String> {
        let lines = sandbox.export(&[&["--format", "ndjson"], arguments].concat());
        let day = |line: &str| {
            serde_json::from_str::<Value>(line).unwrap()["workDate"].as_str().unwrap()[8..]
                .to_owned()
        };
        lines.lines().map(day).collect()
    };
    assert_eq!(days(&[]), ["01", "02", "03"]);
    assert_eq!(days(&["--sort", "-workDate"]), ["03", "02", "01"]);
    assert_eq!(days(&["--from", "2025-01-02", "--project", &sandbox.project]), ["02", "03"]);
    assert_eq!(
        days(&["--billable", "false", "--status", "draft", "--user", &sandbox.user]),
        ["01"]
    );
    assert!(days(&["--status", "approved", "--status", "locked"]).is_empty());
    assert!(days(&["--external-provider", "nobody"]).is_empty());
    let refused = [
        "--from=2025-01-02 --to=2025-01-01",
        "--project=01941a2e-5c00-7000-8000-000000000001",
        "--status=new",
    ];
    for arguments in refused {
        let arguments: Vec<_> = ["export"].into_iter().chain(arguments.split(' ')).collect();
        assert!(!sandbox.timelog(&arguments).status.success(), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exported_csv_is_imported_unchanged() {
    let service = Service::start(Database::Sqlite).await;
    let other = bootstrap(&service.database.url());
    let texts =
        ["a;=1", "a\t'=1\r\n-2", "\t=1", "'", "", "a,+1;''@x", "say \"=1\"", "＝1\n＋2", "plain"];
    for text in texts {
        let reference = json!({ "provider": "p;=1", "externalType": "'-t", "externalId": format!("{text}x\n=") });
        service
            .log(
                &service
                    .tenant
                    .body_with(&json!({ "description": text, "externalRef": reference })),
            )
            .send()
            .await
            .is(201);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("entries.csv").display().to_string();
    fs::write(&file, service.api.get("/time-entries.csv").send().await.is(200).body).unwrap();
    let [organization, project, user] =
        ["organizationId", "projectId", "userId"].map(|name| other.id(name));
    let url = service.database.url();
    let output = run(&[
        "import",
        &file,
        "--organization",
        organization,
        "--project",
        project,
        "--user",
        user,
        "--database-url",
        &url,
    ]);
    assert!(output.status.success(), "{output:?}");
    let there = service.api.with_key(&other.key);
    for text in texts {
        let id = percent_encoded(&format!("{text}x\n="));
        let query = format!(
            "externalRef.provider=p%3B%3D1&externalRef.externalType=%27-t&externalRef.externalId={id}"
        );
        let found = there.get(&format!("/time-entries?{query}")).send().await.is(200).json();
        let found = found["data"].as_array().unwrap();
        assert_eq!(found.len(), 1, "{text:?}");
        assert_eq!(found[0]["description"], text);
    }
}

fn percent_encoded(text: &str) -> String {
    let parts: Vec<_> = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    parts.concat()
}
