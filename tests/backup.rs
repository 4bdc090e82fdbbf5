//! Where `timelog backup` writes, and what it leaves there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::{Database, TestDatabase, bootstrap, program};

/// A database with an organization, and an empty folder for its backups.
struct Sandbox {
    database: TestDatabase,
    folder: TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let database = Database::Sqlite.create();
        bootstrap(&database.url());
        Self { database, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn files(&self) -> Vec<String> {
        let name = |file: fs::DirEntry| file.file_name().into_string().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(self.folder.path()).unwrap().map(|file| name(file.unwrap())).collect();
        names.sort();
        names
    }

    fn command(&self, path: &Path) -> Command {
        let mut command =
            program(&["backup", path.to_str().unwrap(), "--database-url", &self.database.url()]);
        command.current_dir(self.folder.path());
        command
    }

    fn backup(&self, name: &str) -> Output {
        self.command(&self.path(name)).output().unwrap()
    }

    /// Whether a file is a whole database with the one organization.
    fn is_whole(&self, name: &str) -> bool {
        let url = format!("sqlite:{}", self.path(name).display());
        program(&["export", "--database-url", &url]).output().unwrap().status.success()
    }
}

#[track_caller]
fn refused(output: &Output, expected: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains(expected), "{complaint}");
}

#[test]
fn concurrent_backups_to_one_name_make_one_file_and_touch_no_other() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("a.db.partial"), "a file of the user's").unwrap();
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let backups: Vec<_> = (0..4).map(|_| scope.spawn(|| sandbox.backup("a.db"))).collect();
        backups.into_iter().map(|backup| backup.join().unwrap()).collect()
    });
    let (made, failed): (Vec<_>, Vec<_>) =
        outputs.iter().partition(|output| output.status.success());
    assert_eq!(made.len(), 1, "{outputs:?}");
    for output in failed {
        refused(output, "exists");
    }
    assert_eq!(sandbox.files(), ["a.db", "a.db.partial"]);
    assert_eq!(fs::read_to_string(sandbox.path("a.db.partial")).unwrap(), "a file of the user's");
    assert!(sandbox.is_whole("a.db"));
}

#[test]
fn a_backup_replaces_an_older_one_only_with_force() {
    let sandbox = Sandbox::new();
    assert!(sandbox.backup("a.db").status.success());
    let old = fs::read(sandbox.path("a.db")).unwrap();
    bootstrap(&sandbox.database.url());
    refused(&sandbox.backup("a.db"), "exists already");
    assert_eq!(fs::read(sandbox.path("a.db")).unwrap(), old);
    assert!(sandbox.command(&sandbox.path("a.db")).arg("--force").status().unwrap().success());
    assert_ne!(fs::read(sandbox.path("a.db")).unwrap(), old);
    // A name without a folder is one in the folder where the command is run.
    assert!(sandbox.command(Path::new("b.db")).status().unwrap().success());
    assert_eq!(sandbox.files(), ["a.db", "b.db"]);
}

#[test]
fn a_backup_is_readable_only_by_its_owner() {
    let sandbox = Sandbox::new();
    let database = sandbox.database.url().strip_prefix("sqlite:").unwrap().to_owned();
    fs::set_permissions(&database, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(sandbox.backup("a.db").status.success());
    assert_eq!(fs::metadata(sandbox.path("a.db")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_backup_beside_a_wal_file_of_another_database_is_refused() {
    let sandbox = Sandbox::new();
    for name in ["a.db-wal", "a.db-journal"] {
        fs::write(sandbox.path(name), "the latest changes of something else").unwrap();
        refused(
            &sandbox.backup("a.db"),
            &format!("{name} lies there, which SQLite would take for a part of the backup"),
        );
        assert_eq!(sandbox.files(), [name]);
        fs::remove_file(sandbox.path(name)).unwrap();
    }
    fs::write(sandbox.path("a.db-wal"), "").unwrap();
    assert!(sandbox.backup("a.db").status.success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_backup_works_on_a_file_system_without_hard_links() {
    let sandbox = Sandbox::new();
    let no_links = crate::support::Preload::no_links();
    let backup = |arguments: &[&str]| {
        no_links.load_into(sandbox.command(&sandbox.path("a.db")).args(arguments)).output().unwrap()
    };
    // The preloaded library does refuse links.
    fs::write(sandbox.path("x"), "").unwrap();
    let link = no_links
        .load_into(Command::new("ln").arg(sandbox.path("x")).arg(sandbox.path("y")))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&link.stderr).contains("Operation not permitted"), "{link:?}");
    let made = backup(&[]);
    assert!(made.status.success(), "{made:?}");
    assert!(sandbox.is_whole("a.db"));
    refused(&backup(&[]), "exists already");
    assert!(backup(&["--force"]).status.success());
    assert_eq!(sandbox.files(), ["a.db", "x"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupted_backup_leaves_no_file() {
    let sandbox = Sandbox::new();
    let interrupted = crate::support::Preload::interrupted();
    for arguments in [&[][..], &["--force"]] {
        let output = interrupted
            .load_into(sandbox.command(&sandbox.path("a.db")).args(arguments))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert!(sandbox.files().is_empty(), "{:?}", sandbox.files());
    }
}

#[test]
fn an_impossible_backup_fails_before_anything_is_copied() {
    let sandbox = Sandbox::new();
    // The database cannot be copied, so whatever is refused is refused before copying.
    let database = sandbox.database.url().strip_prefix("sqlite:").unwrap().to_owned();
    fs::write(
        &database,
        "no database at all, but longer than the header of one would be, so that it is not taken \
         for new",
    )
    .unwrap();
    refused(&sandbox.backup("no/such/folder/a.db"), "there is no folder");
    fs::write(sandbox.path("taken"), "").unwrap();
    refused(&sandbox.backup("taken"), "exists already");
    refused(&sandbox.backup("taken/a.db"), "cannot write");
    refused(&sandbox.backup(""), "it is a folder");
    let mut postgres =
        program(&["backup", "a.db", "--database-url", "postgres://localhost/timelog"]);
    refused(&postgres.current_dir(sandbox.folder.path()).output().unwrap(), "use pg_dump");
    assert_eq!(sandbox.files(), ["taken"]);
}
