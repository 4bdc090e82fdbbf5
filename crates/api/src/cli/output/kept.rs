//! Files that a command must not overwrite, under any name.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::bail;
use timelog_adapters::DatabaseUrl;

/// The file that a path leads to. Two paths that lead to one file have the same place.
pub(super) struct Place {
    /// The file's device and inode, if there is a file.
    file: Option<(u64, u64)>,
    /// The device and inode of the folder, and the name in it: the file may be made at any moment.
    name: Option<(u64, u64, OsString)>,
}

impl Place {
    pub(super) fn of(path: &Path) -> Self {
        let folder = fs::metadata(folder_of(path)).ok();
        let name = folder
            .zip(path.file_name())
            .map(|(folder, name)| (folder.dev(), folder.ino(), name.to_owned()));
        Self { file: fs::metadata(path).ok().map(|file| (file.dev(), file.ino())), name }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        let same_file = self.file.is_some() && self.file == other.file;
        same_file || (self.name.is_some() && self.name == other.name)
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Files that a command uses, and so must not overwrite, even with `--force`.
#[derive(Default)]
pub(in crate::cli) struct Kept(Vec<(PathBuf, &'static str)>);

impl Kept {
    /// The database that the command works on.
    pub(in crate::cli) fn database(url: &DatabaseUrl) -> Self {
        Self(
            url.files()
                .into_iter()
                .map(|file| (file, "the database, or a file that belongs to it"))
                .collect(),
        )
    }

    /// Adds a file, with what the command uses it for.
    pub(in crate::cli) fn and(mut self, file: &Path, what: &'static str) -> Self {
        self.0.push((file.to_owned(), what));
        self
    }

    /// What a path leads to, if it is one of them.
    pub(in crate::cli) fn find(&self, path: &Path) -> Option<&'static str> {
        let place = Place::of(path);
        self.0.iter().find(|(kept, _)| Place::of(kept).is(&place)).map(|(_, what)| *what)
    }

    /// Fails if a path leads to one of them.
    pub(super) fn spare(&self, argument: &str, path: &Path) -> anyhow::Result<()> {
        match self.find(path) {
            Some(what) => bail!("{argument} would overwrite {what}; name another file"),
            None => Ok(()),
        }
    }
}
