//! SQLite files that are moved, deleted or protected while the service runs: nothing is answered
//! that a restart would not know.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Answer, Database, Program, Service, bootstrap, run};

/// The companion file with that ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Every request is answered 503, and nothing is stored.
async fn is_out_of_order(service: &Service, before: &Answer) {
    let path = format!("/time-entries/{}", before.text("id"));
    let refused =
        service.log_any().idempotency_key("during").send().await.fails_with(503, "unavailable");
    assert!(refused.header("retry-after").is_some());
    let minutes = serde_json::json!({ "minutes": 1 });
    let project = format!("/projects/{}", service.tenant.project_id);
    let calls = [
        service.api.get(&path),
        service.api.get("/time-entries"),
        service.api.get("/time-entries/summary"),
        service.api.patch(&path).json(&minutes),
        service.api.delete(&path),
        service.api.post(&format!("{path}/submit")),
        service.api.put(&project).json(&serde_json::json!({ "name": "Another" })),
        service.api.get("/health/ready"),
    ];
    for call in calls {
        call.send().await.fails_with(503, "unavailable");
    }
    service.api.get("/health/live").send().await.is(200);
}

/// Everything works as before.
async fn is_in_order(service: &Service, before: &Answer) {
    service.api.get("/health/ready").send().await.is(200);
    let read =
        service.api.get(&format!("/time-entries/{}", before.text("id"))).send().await.is(200);
    assert_eq!(read.body, before.body);
    assert!(service.log_any().idempotency_key("before").send().await.is(201).is_replayed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_database_file_is_answered_503_until_it_is_back() {
    for ending in ["", "-wal", "-shm"] {
        let service = Service::start(Database::Sqlite).await;
        let before = service.log_any().idempotency_key("before").send().await.is(201);
        let file = beside(&service.database.path(), ending);
        let away = beside(&file, ".away");
        fs::rename(&file, &away).unwrap();
        is_out_of_order(&service, &before).await;
        assert!(!file.exists(), "nobody makes another file in its place");
        // Another file under the same name is not the one that is open.
        fs::copy(&away, &file).unwrap();
        is_out_of_order(&service, &before).await;
        fs::rename(&away, &file).unwrap();
        is_in_order(&service, &before).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_database_file_is_answered_503_and_a_restart_makes_a_new_one() {
    let service = Service::start(Database::Sqlite).await;
    let before = service.log_any().idempotency_key("before").send().await.is(201);
    for ending in ["", "-wal", "-shm"] {
        fs::remove_file(beside(&service.database.path(), ending)).unwrap();
        is_out_of_order(&service, &before).await;
    }
    assert!(!service.database.path().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_database_file_is_answered_503_until_it_is_writable() {
    let service = Service::start(Database::Sqlite).await;
    let before = service.log_any().idempotency_key("before").send().await.is(201);
    let path = service.database.path();
    let permissions = |readonly| {
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(readonly);
        fs::set_permissions(&path, permissions).unwrap();
    };
    permissions(true);
    is_out_of_order(&service, &before).await;
    permissions(false);
    is_in_order(&service, &before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_with_a_deleted_file_stops_with_0_and_makes_no_other_file() {
    let database = Database::Sqlite.create();
    let made = bootstrap(&database.url());
    let program = Program::serve(&database.url(), &[]);
    let api = program.api.with_key(&made.key);
    api.post(&made.path()).json(&made.body()).send().await.is(201);
    fs::remove_file(database.path()).unwrap();
    api.post(&made.path()).json(&made.body()).send().await.fails_with(503, "unavailable");
    api.get("/health/ready").send().await.fails_with(503, "unavailable");
    assert!(program.stop().status.success());
    assert!(!database.path().exists());
}

#[test]
fn a_command_on_a_missing_database_fails_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("sqlite:{}", folder.path().join("timelog.db").display());
    let id = "7b1e2c3d-0000-0000-0000-000000000001";
    let rows = folder.path().join("rows.csv");
    fs::write(&rows, "workDate,minutes\n").unwrap();
    let empty = Database::Postgres.create();
    let backup = folder.path().join("backup.db");
    let target = format!("sqlite:{}", folder.path().join("target.db").display());
    for url in [&missing, &empty.url()] {
        let commands = [
            &["key", "list", "--organization", id][..],
            &["key", "create", "--organization", id, "--permissions", "read"],
            &["key", "rotate", id],
            &["key", "revoke", id],
            &["export"],
            &["import", rows.to_str().unwrap(), "--project", id, "--user", id],
            &["backup", backup.to_str().unwrap()],
            &["copy", "--from", url, "--to", &target],
            &["feed", "renew"],
        ];
        for command in commands {
            if command[0] == "backup" && !url.starts_with("sqlite:") {
                // PostgreSQL has means of its own.
                continue;
            }
            let output = run(&[command, &["--database-url", url]].concat());
            assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(complaint.contains("there is no database"), "{command:?}: {complaint}");
            assert!(complaint.contains("timelog migrate"), "it says what would do: {complaint}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{command:?} made a file");
        }
    }
    // An empty file is no database either, and stays as it is.
    let nothing = folder.path().join("nothing.db");
    fs::write(&nothing, "").unwrap();
    let url = format!("sqlite:{}", nothing.display());
    let output = run(&["key", "list", "--organization", id, "--database-url", &url]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no database"), "{output:?}");
    assert_eq!(empty_tables(&empty), "0");
}

/// How many tables there are in a PostgreSQL database.
fn empty_tables(database: &crate::support::TestDatabase) -> String {
    let crate::support::TestDatabase::Postgres(cluster, url) = database else {
        panic!("it is on a server")
    };
    cluster.query(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
}

#[test]
fn an_unusable_database_path_ends_the_program_at_once_with_a_fix() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("letter.txt"), "Dear Sir or Madam, ".repeat(100)).unwrap();
    fs::write(path("read-only.db"), "").unwrap();
    let mut permissions = fs::metadata(path("read-only.db")).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(path("read-only.db"), permissions).unwrap();
    for (file, expected) in [
        (path(""), "name a file"),
        (path("no/such/timelog.db"), "make it first"),
        (path("letter.txt/timelog.db"), "is no folder"),
        (path("letter.txt"), "no SQLite database"),
        (path("read-only.db"), "chmod"),
        ("/dev/null".to_owned(), "is no file"),
    ] {
        for command in ["serve", "migrate", "bootstrap"] {
            // The default for waiting is used: a wait would be in the log.
            let output = run(&[command, "--database-url", &format!("sqlite:{file}")]);
            assert_eq!(output.status.code(), Some(1), "{file}: {output:?}");
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(
                complaint.contains("cannot open the database") && complaint.contains(expected),
                "{file}: {complaint}"
            );
            assert!(!complaint.contains("waiting for the database"), "{file}: {complaint}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// Runs a command as a user who owns nothing, which only root can; otherwise as the user of the
/// tests.
fn run_as_nobody(folder: &Path, arguments: &[&str]) -> Output {
    const NOBODY: u32 = 65534;
    // The user nobody may have no access to the build folder.
    let program = folder.join("timelog");
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_timelog"), &program).unwrap();
    }
    let mut command = Command::new(&program);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.args(arguments).current_dir("/").output().unwrap()
}

#[test]
fn a_user_without_write_access_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    let there = closed.join("there.db");
    bootstrap(&format!("sqlite:{}", there.display()));
    for path in [folder.path(), &closed] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let open =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    // The file cannot be written, and no file can be made beside it.
    open(&closed, 0o555);
    for (path, mode) in [(&there, 0o644), (&there, 0o666), (&closed.join("new.db"), 0)] {
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        if path.exists() && (is_root || mode == 0o666) {
            open(path, mode);
        } else if path.exists() {
            continue;
        }
        let output = run_as_nobody(
            folder.path(),
            &["migrate", "--database-url", &format!("sqlite:{}", path.display())],
        );
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            complaint.contains("must be readable and writable"),
            "{}: {complaint}",
            path.display()
        );
        assert!(!complaint.contains("waiting for the database"), "{complaint}");
    }
    open(&closed, 0o755);
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .permissions()
        .mode()
        & 0o777
}

/// Runs a command with a umask of 0.
fn run_unmasked(arguments: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 0; exec \"$@\"", "sh"])
        .arg(crate::support::program(&[]).get_program());
    command.args(arguments).output().unwrap()
}

#[test]
fn a_new_database_has_mode_0600_whichever_command_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let url = |name: &str| format!("sqlite:{}", path(name).display());
    for (name, arguments) in [
        ("a.db", &["migrate", "--database-url", &url("a.db")][..]),
        ("b.db", &["bootstrap", "--database-url", &url("b.db")]),
        ("c.db", &["copy", "--from", &url("b.db"), "--to", &url("c.db")]),
    ] {
        let output = run_unmasked(arguments);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(mode_of(&path(name)), 0o600, "{name}");
    }
    // A link to the place of the database is followed.
    std::os::unix::fs::symlink("e.db", path("d.db")).unwrap();
    assert!(run_unmasked(&["migrate", "--database-url", &url("d.db")]).status.success());
    assert_eq!(mode_of(&path("e.db")), 0o600);
}

#[test]
fn wal_and_shm_files_have_the_mode_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timelog.db");
    let url = format!("sqlite:{}", path.display());
    let modes = || ["", "-wal", "-shm"].map(|ending| mode_of(&beside(&path, ending)));
    let program = Program::serve(&url, &["--no-demo"]);
    assert_eq!(modes(), [0o600; 3]);
    assert!(program.stop().status.success());
    // An existing mode is left as it is.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let program = Program::serve(&url, &["--no-demo"]);
    assert_eq!(modes(), [0o640; 3]);
    assert!(program.stop().status.success());
    assert_eq!(mode_of(&path), 0o640);
}
