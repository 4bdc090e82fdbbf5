//! A disk that loses what was not synced when the power goes. What `power.c` does is told there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// The library, compiled once for the tests of this process.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("power-{}.so", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/support/power.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-o"]).arg(&library).arg(source).arg("-ldl");
        assert!(cc.status().expect("cc is there, which compiles SQLite too").success());
        library
    })
}

/// A folder with an SQLite database on such a disk.
pub(crate) struct Disk {
    folder: TempDir,
    synced: TempDir,
    trigger: PathBuf,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let [folder, synced] = [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder can be made"));
        let trigger = synced.path().join("trigger");
        Self { folder, synced, trigger }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("timelog.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    /// What a program that uses the disk has to be told.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", library().display().to_string()),
            ("POWER_DISK", self.synced.path().display().to_string()),
            ("POWER_TRIGGER", self.trigger.display().to_string()),
        ]
    }

    /// Has the program die when it has written its next COMMIT and not yet synced it.
    pub(crate) fn kill_before_next_sync(&self) {
        fs::write(&self.trigger, "").expect("the trigger can be set");
    }

    /// Takes the power away: from here on the files have only what was synced. No program may be using them.
    pub(crate) fn lose_power(&self) {
        for file in fs::read_dir(self.folder.path()).expect("the folder can be read") {
            fs::remove_file(file.expect("it can be read").path()).expect("a file can be removed");
        }
        for name in ["timelog.db", "timelog.db-wal"] {
            let kept = self.synced.path().join(name);
            if kept.exists() {
                fs::copy(kept, self.folder.path().join(name)).expect("a file can be copied");
            }
        }
        let _ = fs::remove_file(&self.trigger);
    }
}
