//! A disk as a power cut would leave it.

use std::fs;
use std::path::{Path, PathBuf};

use super::Random;
use super::disk::DiskEvent;

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
