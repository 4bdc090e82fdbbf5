//! A disk that reports its operations, and fails when it is told to. `disk.c` describes how.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::Random;
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

/// A change of a file that may not have reached the disk.
#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Debug, Default, Clone)]
struct File {
    on_disk: Vec<u8>,
    /// Unsynced changes, by the number of the event.
    waiting: Vec<(usize, Change)>,
    /// The threads that are syncing it, and since which event.
    syncing: Vec<(u32, usize)>,
}

/// A disk as a power cut would leave it: all synced data, and some of the rest.
#[derive(Debug, Default, Clone)]
pub(crate) struct SimulatedDisk {
    files: Vec<File>,
    /// The names of the files, and the names that are on the disk because their folder was synced.
    names: Vec<(PathBuf, usize)>,
    kept_names: Vec<(PathBuf, usize)>,
    events: usize,
    /// Ignores every sync, as some disks do.
    pub(crate) ignores_syncs: bool,
}

impl SimulatedDisk {
    /// The files of a folder as they are, all synced.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut disk = Self::default();
        for file in fs::read_dir(folder).expect("the folder can be read") {
            let path = file.expect("it can be read").path();
            if path.is_file() {
                disk.names.push((path.clone(), disk.files.len()));
                disk.files.push(File {
                    on_disk: fs::read(path).expect("it can be read"),
                    ..File::default()
                });
            }
        }
        disk.kept_names = disk.names.clone();
        disk
    }

    pub(crate) fn follow(&mut self, event: &DiskEvent) {
        self.events += 1;
        let number = self.events;
        match event {
            DiskEvent::Write { name, at, data } => {
                self.file(name).waiting.push((number, Change::Write(*at, data.clone())));
            }
            DiskEvent::Truncate { name, length } => {
                self.file(name).waiting.push((number, Change::Truncate(*length)));
            }
            DiskEvent::SyncBegins { name, thread } => {
                if !self.is_folder(name) {
                    self.file(name).syncing.push((*thread, number));
                }
            }
            DiskEvent::Synced { .. } if self.ignores_syncs => {}
            DiskEvent::Synced { name, .. } if self.is_folder(name) => self.keep_names(name),
            DiskEvent::Synced { name, thread } => self.file(name).sync(*thread, true),
            // A failed sync may lose data although a later one works.
            DiskEvent::SyncFailed { name, thread } => {
                if !self.is_folder(name) {
                    self.file(name).sync(*thread, false);
                }
            }
            DiskEvent::Rename { from, to } => {
                self.names.retain(|(name, _)| name != Path::new(to));
                for (name, _) in &mut self.names {
                    if name == Path::new(from) {
                        *name = to.into();
                    }
                }
            }
            DiskEvent::Link { from, to } => {
                let linked = self
                    .names
                    .iter()
                    .find(|(name, _)| name == Path::new(from))
                    .map(|(_, file)| *file);
                self.names.extend(linked.map(|file| (to.into(), file)));
            }
            DiskEvent::Remove { name } => self.names.retain(|(known, _)| known != Path::new(name)),
            DiskEvent::Answer(_) => {}
        }
    }

    fn is_folder(&self, name: &str) -> bool {
        self.names.iter().any(|(known, _)| known.parent() == Some(Path::new(name)))
    }

    fn file(&mut self, name: &str) -> &mut File {
        let path = Path::new(name);
        let known = self.names.iter().find(|(known, _)| known == path).map(|(_, file)| *file);
        let file = known.unwrap_or_else(|| {
            self.names.push((path.to_owned(), self.files.len()));
            self.files.push(File::default());
            self.files.len() - 1
        });
        &mut self.files[file]
    }

    fn keep_names(&mut self, folder: &str) {
        let is_in = |name: &Path| name.parent() == Some(Path::new(folder));
        self.kept_names.retain(|(name, _)| !is_in(name));
        self.kept_names.extend(self.names.iter().filter(|(name, _)| is_in(name)).cloned());
    }

    /// The files after a power cut. Of unsynced data, random sectors are there, or none.
    pub(crate) fn after_power_cut(
        &self,
        mut random: Option<&mut Random>,
    ) -> Vec<(PathBuf, Vec<u8>)> {
        let names = self.kept_names.iter();
        names
            .map(|(name, file)| {
                (name.clone(), self.files[*file].after_power_cut(random.as_deref_mut()))
            })
            .collect()
    }
}

impl File {
    fn sync(&mut self, thread: u32, arrives: bool) {
        let Some(begun) = self.syncing.iter().position(|(who, _)| *who == thread) else { return };
        let (_, since) = self.syncing.remove(begun);
        let covered = self.waiting.partition_point(|(number, _)| *number < since);
        for (_, change) in self.waiting.drain(..covered) {
            if arrives {
                change.apply(&mut self.on_disk, None);
            }
        }
    }

    fn after_power_cut(&self, random: Option<&mut Random>) -> Vec<u8> {
        let mut bytes = self.on_disk.clone();
        if let Some(random) = random {
            for (_, change) in &self.waiting {
                change.apply(&mut bytes, Some(random));
            }
        }
        bytes
    }
}

impl Change {
    const SECTOR: usize = 512;

    /// Applies the change to the bytes of a file, or to random sectors of it.
    fn apply(&self, bytes: &mut Vec<u8>, mut random: Option<&mut Random>) {
        let mut arrives = || random.as_deref_mut().is_none_or(|random| random.below(2) == 0);
        match self {
            Self::Truncate(length) => {
                if arrives() {
                    bytes.resize(*length, 0);
                }
            }
            Self::Write(at, data) => {
                let mut begin = 0;
                while begin < data.len() {
                    let place = at + begin;
                    let end = data.len().min(begin + Self::SECTOR - place % Self::SECTOR);
                    if arrives() {
                        bytes.resize(bytes.len().max(at + end), 0);
                        bytes[place..at + end].copy_from_slice(&data[begin..end]);
                    }
                    begin = end;
                }
            }
        }
    }
}

mod tests {
    use super::{DiskEvent, SimulatedDisk, fs};

    /// The files of a folder after events on one of them and a power cut that loses all unsynced
    /// data.
    fn after(events: impl FnOnce(String, String) -> Vec<DiskEvent>) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("a"), "....").unwrap();
        let mut disk = SimulatedDisk::of(folder.path());
        for event in events(path("a"), path("b")) {
            disk.follow(&event);
        }
        let files = disk.after_power_cut(None).into_iter();
        let name =
            |path: std::path::PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        files
            .map(|(path, bytes)| format!("{} {}", name(path), String::from_utf8(bytes).unwrap()))
            .collect()
    }

    fn write(name: &str, at: usize, text: &str) -> DiskEvent {
        DiskEvent::Write { name: name.to_owned(), at, data: text.into() }
    }

    fn sync(name: &str) -> [DiskEvent; 2] {
        let name = name.to_owned();
        [
            DiskEvent::SyncBegins { name: name.clone(), thread: 1 },
            DiskEvent::Synced { name, thread: 1 },
        ]
    }

    #[test]
    fn a_power_cut_loses_what_was_written_after_a_sync_began() {
        assert_eq!(after(|a, _| vec![write(&a, 1, "x")]), ["a ...."]);
        let synced = after(|a, _| {
            let [begins, done] = sync(&a);
            vec![write(&a, 1, "x"), begins, write(&a, 2, "y"), done]
        });
        assert_eq!(synced, ["a .x.."]);
    }

    #[test]
    fn a_power_cut_loses_what_a_failed_sync_covered() {
        let failed = after(|a, _| {
            let [begins, _] = sync(&a);
            let fails = DiskEvent::SyncFailed { name: a.clone(), thread: 1 };
            let later = [write(&a, 2, "y")].into_iter().chain(sync(&a));
            [write(&a, 1, "x"), begins, fails].into_iter().chain(later).collect()
        });
        assert_eq!(failed, ["a ..y."]);
    }

    #[test]
    fn a_power_cut_loses_a_name_whose_folder_was_not_synced() {
        let renamed = |a: &String, b: &String| DiskEvent::Rename { from: a.clone(), to: b.clone() };
        assert_eq!(after(|a, b| vec![renamed(&a, &b)]), ["a ...."]);
        let synced = after(|a, b| {
            let folder = std::path::Path::new(&a).parent().unwrap().display().to_string();
            [renamed(&a, &b)].into_iter().chain(sync(&folder)).collect()
        });
        assert_eq!(synced, ["b ...."]);
    }
}
