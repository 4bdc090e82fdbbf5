//! A disk that reports its operations, and fails when it is told to. `disk.c` describes how.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::preload::Preload;

/// Makes a program report its file operations, and fail some of them.
pub(crate) struct WatchedDisk {
    folder: TempDir,
    files: String,
    preload: Preload,
    faults: AtomicU64,
}

/// A file operation of a process, or an answer.
#[derive(Debug)]
pub(crate) enum DiskEvent {
    Write {
        name: String,
        at: usize,
        data: Vec<u8>,
    },
    Truncate {
        name: String,
        length: usize,
    },
    SyncBegins {
        name: String,
        thread: u32,
    },
    Synced {
        name: String,
        thread: u32,
    },
    SyncFailed {
        name: String,
        thread: u32,
    },
    Rename {
        from: String,
        to: String,
    },
    Link {
        from: String,
        to: String,
    },
    Remove {
        name: String,
    },
    /// An answer over HTTP, before it is sent.
    Answer(Vec<u8>),
}

/// Failing calls: `fail` of them after `work` that still work, on files whose path contains
/// `files`.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) of_syncs: bool,
    pub(crate) error: i32,
    pub(crate) work: usize,
    pub(crate) fail: usize,
    pub(crate) files: String,
}

impl Fault {
    pub(crate) const NO_SPACE: i32 = 28;
    pub(crate) const BROKEN: i32 = 5;
}

impl WatchedDisk {
    /// Watches the files whose path contains this text.
    pub(crate) fn new(files: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let disk = Self {
            folder,
            files: files.to_owned(),
            preload: Preload::disk(),
            faults: AtomicU64::new(0),
        };
        fs::write(disk.log(), "").expect("the log can be made");
        // A server may run as another user, which must be able to remove a fault too.
        for (path, mode) in [(disk.folder.path(), 0o777), (&disk.log(), 0o666)] {
            let everybody = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(path, everybody).expect("everybody can be let in");
        }
        disk
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn fault(&self) -> PathBuf {
        self.folder.path().join("fault")
    }

    /// The variables of a program whose calls can fail.
    pub(crate) fn failing(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.preload.library().display().to_string()),
            ("DISK_FAULT", self.fault().display().to_string()),
        ]
    }

    /// The variables of a program that reports its operations.
    pub(crate) fn watching(&self) -> Vec<(&'static str, String)> {
        let log = self.log().display().to_string();
        [self.failing(), vec![("DISK_LOG", log), ("DISK_FILES", self.files.clone())]].concat()
    }

    /// Makes calls fail from now on.
    pub(crate) fn break_down(&self, fault: &Fault) {
        let number = self.faults.fetch_add(1, Ordering::Relaxed) + 1;
        let Fault { of_syncs, error, work, fail, files } = fault;
        let call = if *of_syncs { 's' } else { 'w' };
        let making = self.folder.path().join("making");
        fs::write(&making, format!("{number} {call} {error} {work} {fail} {files}"))
            .expect("a fault can be written");
        fs::rename(making, self.fault()).expect("a fault can be put in place");
    }

    /// Whether calls still fail.
    pub(crate) fn is_broken(&self) -> bool {
        self.fault().exists()
    }

    pub(crate) fn mend(&self) {
        let _ = fs::remove_file(self.fault());
    }

    /// Takes the events up to now, oldest first.
    pub(crate) fn take_events(&self) -> Vec<DiskEvent> {
        let log = fs::read(self.log()).expect("the log can be read");
        fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(self.log())
            .expect("the log can be emptied");
        let (mut events, mut rest) = (Vec::new(), &log[..]);
        while !rest.is_empty() {
            let (event, after) = parse(rest);
            events.push(event);
            rest = after;
        }
        events
    }
}

fn parse(record: &[u8]) -> (DiskEvent, &[u8]) {
    let (head, rest) = record.split_at(21);
    let number = |range: std::ops::Range<usize>| {
        let bytes = head[range].iter().rev();
        bytes.fold(0_usize, |number, byte| (number << 8) | usize::from(*byte))
    };
    let (name, rest) = rest.split_at(number(13..17));
    let (data, rest) = rest.split_at(number(17..21));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (name, at, data) = (text(name), number(5..13), data.to_vec());
    let thread = u32::try_from(number(1..5)).expect("it has four bytes");
    let event = match head[0] {
        b'w' => DiskEvent::Write { name, at, data },
        b't' => DiskEvent::Truncate { name, length: at },
        b'b' => DiskEvent::SyncBegins { name, thread },
        b's' => DiskEvent::Synced { name, thread },
        b'f' => DiskEvent::SyncFailed { name, thread },
        b'r' => DiskEvent::Rename { from: name, to: text(&data) },
        b'l' => DiskEvent::Link { from: name, to: text(&data) },
        b'u' => DiskEvent::Remove { name },
        b'a' => DiskEvent::Answer(data),
        other => panic!("a record of no known kind: {other}"),
    };
    (event, rest)
}
