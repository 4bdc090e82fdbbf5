//! A disk that loses unsynced data in a power cut. `power.c` describes how.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::preload::Preload;

/// A folder with an SQLite database on such a disk.
pub(crate) struct LossyDisk {
    folder: TempDir,
    synced: TempDir,
    trigger: PathBuf,
    preload: Preload,
}

impl LossyDisk {
    pub(crate) fn new() -> Self {
        let [folder, synced] =
            [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder can be made"));
        let trigger = synced.path().join("trigger");
        Self { folder, synced, trigger, preload: Preload::power() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("timelog.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    /// The variables of a program that uses the disk.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.preload.library().display().to_string()),
            ("POWER_DISK", self.synced.path().display().to_string()),
            ("POWER_TRIGGER", self.trigger.display().to_string()),
        ]
    }

    /// Makes the program die between the write and the sync of its next COMMIT.
    pub(crate) fn kill_before_next_sync(&self) {
        fs::write(&self.trigger, "").expect("the trigger can be set");
    }

    /// Cuts the power: the files keep only synced data. No program may be using them.
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
