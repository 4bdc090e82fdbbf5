//! No command overwrites a file without `--force`, and none ever overwrites a file it works with.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{Bootstrapped, Database, Program, bootstrap, program, run};

/// A database with an entry, and a folder with files to import beside it.
struct Sandbox {
    folder: TempDir,
    url: String,
    made: Bootstrapped,
}

const PRECIOUS: &str = "written by somebody else\n";

impl Sandbox {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("timelog.db").display());
        let made = bootstrap(&url);
        let user = made.id("userId");
        // The second row is refused.
        let rows = format!("userId,workDate,minutes\n{user},2025-01-15,150\n{user},2025-01-15,0\n");
        fs::write(folder.path().join("rows.csv"), rows).unwrap();
        fs::write(folder.path().join("users.csv"), format!("ann,{user}\n")).unwrap();
        let sandbox = Self { folder, url, made };
        assert_eq!(sandbox.run(&sandbox.import(&[])).status.code(), Some(1));
        sandbox
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn files(&self) -> Vec<PathBuf> {
        files(self.folder.path())
    }

    fn import(&self, arguments: &[&str]) -> Vec<String> {
        let rows = self.path("rows.csv");
        let all = [&["import", &rows, "--project", self.made.id("projectId")], arguments].concat();
        all.into_iter().map(str::to_owned).collect()
    }

    /// The commands that write a file, with this file as their target.
    fn writers(&self, path: &str) -> [Vec<String>; 3] {
        let users = self.path("users.csv");
        [
            ["export", "--out", path].map(str::to_owned).into(),
            ["backup", path].map(str::to_owned).into(),
            self.import(&["--users", &users, "--refused", path]),
        ]
    }

    fn run(&self, arguments: &[String]) -> Output {
        let arguments: Vec<_> =
            arguments.iter().map(String::as_str).chain(["--database-url", &self.url]).collect();
        run(&arguments)
    }

    fn export(&self) -> String {
        let output = self.run(&["export".to_owned()]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[track_caller]
fn refused(output: &Output, expected: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains(expected), "{complaint}");
}

fn forced(mut arguments: Vec<String>) -> Vec<String> {
    arguments.push("--force".to_owned());
    arguments
}

#[test]
fn an_existing_file_is_replaced_only_with_force() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("out");
    let expected = ["id,", "SQLite format 3\0", "line,field,message\n3,minutes,"];
    for (arguments, expected) in sandbox.writers(&path).into_iter().zip(expected) {
        fs::write(&path, PRECIOUS).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let before = sandbox.files();
        refused(
            &sandbox.run(&arguments),
            "exists already; name another file, or replace it with --force",
        );
        assert_eq!(sandbox.read("out"), PRECIOUS);
        sandbox.run(&forced(arguments.clone()));
        let written = fs::read(&path).unwrap();
        assert!(written.starts_with(expected.as_bytes()), "{arguments:?}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(sandbox.files(), before);
        // A new file needs no `--force`.
        fs::remove_file(&path).unwrap();
        sandbox.run(&arguments);
        assert!(fs::read(&path).unwrap().starts_with(expected.as_bytes()), "{arguments:?}");
        assert_eq!(sandbox.files(), before);
    }
}

#[test]
fn no_file_is_written_through_a_link() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("elsewhere")).unwrap();
    fs::write(sandbox.path("elsewhere/file"), PRECIOUS).unwrap();
    assert!(Command::new("mkfifo").arg(sandbox.path("elsewhere/fifo")).status().unwrap().success());
    for target in ["elsewhere/file", "elsewhere/nowhere", "elsewhere/fifo", "/dev/null"] {
        symlink(target, sandbox.path("link")).unwrap();
        for arguments in sandbox.writers(&sandbox.path("link")) {
            for arguments in [arguments.clone(), forced(arguments)] {
                refused(&sandbox.run(&arguments), "it is a link; name the file itself");
            }
        }
        assert!(fs::symlink_metadata(sandbox.path("link")).unwrap().is_symlink());
        fs::remove_file(sandbox.path("link")).unwrap();
    }
    assert_eq!(sandbox.read("elsewhere/file"), PRECIOUS);
    assert!(!Path::new(&sandbox.path("elsewhere/nowhere")).exists());
    // A folder may be a link; only the name of the file counts.
    symlink("elsewhere", sandbox.path("folder")).unwrap();
    let [export, ..] = sandbox.writers(&sandbox.path("folder/new"));
    assert!(sandbox.run(&export).status.success());
    assert_eq!(sandbox.read("elsewhere/new"), sandbox.export());
}

#[test]
fn new_files_have_mode_0600() {
    let sandbox = Sandbox::new();
    for (index, arguments) in sandbox.writers(&sandbox.path("new")).into_iter().enumerate() {
        // With any umask.
        let mut command = Command::new("sh");
        command
            .args(["-c", "umask 0; exec \"$@\"", "sh"])
            .arg(program(&[]).get_program())
            .args(&arguments);
        let output = command.args(["--database-url", &sandbox.url]).output().unwrap();
        let mode = fs::metadata(sandbox.path("new"))
            .unwrap_or_else(|error| panic!("{index} {error}: {output:?}"));
        assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{arguments:?}");
        fs::remove_file(sandbox.path("new")).unwrap();
    }
}

#[test]
fn the_database_is_never_overwritten_under_any_name() {
    let sandbox = Sandbox::new();
    let before = sandbox.export();
    symlink("timelog.db", sandbox.path("symbolic")).unwrap();
    symlink("timelog.db-wal", sandbox.path("log")).unwrap();
    fs::hard_link(sandbox.path("timelog.db"), sandbox.path("hard")).unwrap();
    fs::create_dir(sandbox.path("below")).unwrap();
    let names = ["timelog.db", "timelog.db-wal", "timelog.db-shm", "timelog.db-journal"];
    let others = ["symbolic", "hard", "below/../timelog.db", "below/../timelog.db-wal"];
    // The first time there are no files beside the database, the second time there are.
    let mut service = None;
    for round in 0..2 {
        for name in names.into_iter().chain(others).chain((round == 1).then_some("log")) {
            for arguments in sandbox.writers(&sandbox.path(name)) {
                let there = sandbox.files();
                for arguments in [arguments.clone(), forced(arguments)] {
                    refused(
                        &sandbox.run(&arguments),
                        "would overwrite the database, or a file that belongs to it",
                    );
                }
                assert_eq!(sandbox.files(), there);
            }
        }
        let listen = Program::serve(&sandbox.url, &["--no-demo"]);
        assert!(Path::new(&sandbox.path("timelog.db-wal")).exists());
        service = Some(listen);
    }
    // Standard output may be the database as well.
    let appended = fs::File::options().append(true).open(sandbox.path("timelog.db")).unwrap();
    let mut export = program(&["export", "--database-url", &sandbox.url]);
    refused(
        &export.stdout(Stdio::from(appended)).output().unwrap(),
        "standard output would overwrite the database",
    );
    drop(service);
    assert_eq!(sandbox.export(), before);
}

#[test]
fn an_input_file_is_never_overwritten() {
    let sandbox = Sandbox::new();
    let (rows, users) = (sandbox.read("rows.csv"), sandbox.read("users.csv"));
    fs::hard_link(sandbox.path("rows.csv"), sandbox.path("same rows")).unwrap();
    symlink("users.csv", sandbox.path("same users")).unwrap();
    for (name, expected) in [
        ("rows.csv", "--refused would overwrite the file that is imported"),
        ("same rows", "--refused would overwrite the file that is imported"),
        ("users.csv", "--refused would overwrite the file of --users"),
        ("same users", "--refused would overwrite the file of --users"),
    ] {
        let [_, _, import] = sandbox.writers(&sandbox.path(name));
        refused(&sandbox.run(&import), expected);
        refused(&sandbox.run(&forced(import)), expected);
    }
    assert_eq!((sandbox.read("rows.csv"), sandbox.read("users.csv")), (rows, users));
    let import = ["import", &sandbox.path("timelog.db"), "--project", sandbox.made.id("projectId")]
        .map(str::to_owned);
    refused(&sandbox.run(&import), "is the database");
    // The file of certificate authorities is an input too.
    fs::write(sandbox.path("ca.pem"), PRECIOUS).unwrap();
    let url = format!(
        "postgres://localhost/timelog?sslmode=verify-full&sslrootcert={}",
        sandbox.path("ca.pem")
    );
    let export =
        run(&["export", "--force", "--out", &sandbox.path("ca.pem"), "--database-url", &url]);
    refused(&export, "--out would overwrite the database, or a file that belongs to it");
    assert_eq!(sandbox.read("ca.pem"), PRECIOUS);
}

#[test]
fn pipes_and_devices_are_written_without_force() {
    let sandbox = Sandbox::new();
    let expected = sandbox.export();
    let export = |path: &str| ["export", "--out", path].map(str::to_owned);
    assert!(sandbox.run(&export("/dev/null")).status.success());
    for arguments in [export("/dev/stdout").to_vec(), forced(export("/dev/stdout").to_vec())] {
        assert_eq!(String::from_utf8(sandbox.run(&arguments).stdout).unwrap(), expected);
    }
    // Also where standard output is a file.
    let mut command = program(&["export", "--out", "/dev/stdout", "--database-url", &sandbox.url]);
    let file = fs::File::create(sandbox.path("redirected")).unwrap();
    assert!(command.stdout(file).status().unwrap().success());
    assert_eq!(sandbox.read("redirected"), expected);
    let fifo = sandbox.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || fs::read_to_string(fifo).unwrap()
    });
    assert!(sandbox.run(&export(&fifo)).status.success());
    assert_eq!(reader.join().unwrap(), expected);
    // A backup cannot be written to a pipe.
    refused(&sandbox.run(&["backup".to_owned(), fifo]), "it is no file");
    refused(&sandbox.run(&export(&sandbox.path(""))), "it is a folder");
    refused(&sandbox.run(&export(&sandbox.path("no/such/folder"))), "there is no folder");
}

#[test]
fn a_failed_export_leaves_the_old_file() {
    let database = Database::Sqlite.create();
    let made = bootstrap(&database.url());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let user = made.id("userId");
    let row = |day: u32| format!("{user},2025-{:02}-{:02},150\n", 1 + day / 28 % 12, 1 + day % 28);
    let rows: String = (0..1100).map(row).collect();
    fs::write(path("rows.csv"), format!("userId,workDate,minutes\n{rows}")).unwrap();
    let on = |arguments: &[&str]| run(&[arguments, &["--database-url", &database.url()]].concat());
    assert!(on(&["import", &path("rows.csv"), "--project", made.id("projectId")]).status.success());
    // The last entry of the second page cannot be read.
    database.execute(
        "PRAGMA ignore_check_constraints = ON; UPDATE time_entries SET status = 'lost' WHERE id = \
         (SELECT id FROM time_entries ORDER BY work_date DESC, id DESC LIMIT 1)",
    );
    let before = files(folder.path());
    refused(&on(&["export", "--out", &path("out.csv")]), "could not be read");
    assert_eq!(files(folder.path()), before);
    fs::write(path("out.csv"), PRECIOUS).unwrap();
    refused(&on(&["export", "--out", &path("out.csv"), "--force"]), "could not be read");
    assert_eq!(fs::read_to_string(path("out.csv")).unwrap(), PRECIOUS);
    assert_eq!(files(folder.path()).len(), before.len() + 1);
    let nobody = ["export", "--out", &path("out.csv"), "--force", "--organization", user];
    refused(&on(&nobody), "the database has no organization");
    assert_eq!(fs::read_to_string(path("out.csv")).unwrap(), PRECIOUS);
}

fn is_partial(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "partial")
}

/// Waits until a partial file has some content.
fn wait_for_partial(folder: &Path) {
    let filled = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() > 0);
    for _ in 0..60_000 {
        if files(folder).iter().any(|path| is_partial(path) && filled(path)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("nothing was written: {:?}", files(folder));
}

/// A file of which the first rows are refused. It takes a while to log the others.
fn long_file(sandbox: &Sandbox, rows: usize) {
    let user = sandbox.made.id("userId");
    let row = |minutes: u32| format!("{user},2025-01-15,{minutes}\n");
    let rows = [row(0).repeat(1_000), row(150).repeat(rows)].concat();
    fs::write(sandbox.path("rows.csv"), format!("userId,workDate,minutes\n{rows}")).unwrap();
}

fn send(signal: &str, process: u32) {
    assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
}

#[test]
fn an_interrupted_import_reports_the_rows_refused_so_far() {
    let sandbox = Sandbox::new();
    long_file(&sandbox, 100_000);
    let arguments = sandbox.import(&[
        "--refused",
        &sandbox.path("refused.csv"),
        "--database-url",
        &sandbox.url,
    ]);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut import = program(&arguments).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_partial(sandbox.folder.path());
    send("-INT", import.id());
    assert_eq!(import.wait().unwrap().code(), Some(130));
    let refused = sandbox.read("refused.csv");
    assert!(
        refused.starts_with("line,field,message\n2,minutes,") && refused.ends_with('\n'),
        "{refused}"
    );
    assert!(!sandbox.files().iter().any(|path| is_partial(path)), "{:?}", sandbox.files());
}

#[test]
fn an_import_that_ignores_sighup_runs_to_its_end() {
    let sandbox = Sandbox::new();
    long_file(&sandbox, 10_000);
    let arguments = sandbox.import(&[
        "--refused",
        &sandbox.path("refused.csv"),
        "--database-url",
        &sandbox.url,
    ]);
    // As nohup does.
    let mut import = Command::new("sh");
    import
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .arg(program(&[]).get_program())
        .args(&arguments);
    let mut import = import.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_partial(sandbox.folder.path());
    send("-HUP", import.id());
    assert_eq!(import.wait().unwrap().code(), Some(1));
    assert_eq!(sandbox.read("refused.csv").lines().count(), 1_001);
    // With the line that names the columns; the first row was there already.
    assert_eq!(sandbox.export().lines().count(), 10_001);
}
