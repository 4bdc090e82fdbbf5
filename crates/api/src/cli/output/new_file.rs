//! Files that have their name only once they are whole.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tempfile::{NamedTempFile, PersistError};
use timelog_adapters::shown;

use super::kept::folder_of;
use super::target::{Found, Target};

impl Target {
    /// Begins a file that gets its name when it is finished. Whatever is there keeps it until then.
    pub(in crate::cli) fn begin(self) -> anyhow::Result<NewFile> {
        match self.look()? {
            Found::Nothing => NewFile::begin(self, None),
            Found::File(file) => NewFile::begin(self, Some(file)),
            Found::Passage => bail!("cannot write {}: it is no file", shown::path(&self.path)),
        }
    }
}

/// A file that is not whole yet. It has a name of its own in its folder, and is deleted if it is
/// never finished.
pub(in crate::cli) struct NewFile {
    pub(super) partial: NamedTempFile,
    path: PathBuf,
    target: Target,
}

impl NewFile {
    fn begin(target: Target, old: Option<Metadata>) -> anyhow::Result<Self> {
        let cannot_write = || format!("cannot write {}", shown::path(&target.path));
        let folder = folder_of(&target.path).canonicalize().with_context(cannot_write)?;
        let path = folder.join(target.path.file_name().with_context(cannot_write)?);
        let partial = tempfile::Builder::new()
            .prefix(".timelog-")
            .suffix(".partial")
            .permissions(Permissions::from_mode(target.mode))
            .tempfile_in(&folder)
            .with_context(cannot_write)?;
        if let Some(old) = old {
            // Only some may give a file to another user. Whoever may not keeps it.
            drop(fchown(partial.as_file(), Some(old.uid()), Some(old.gid())));
            partial.as_file().set_permissions(old.permissions()).with_context(cannot_write)?;
        }
        Ok(Self { partial, path, target })
    }

    /// Where it is until it is finished.
    pub(in crate::cli) fn partial(&self) -> &Path {
        self.partial.path()
    }

    /// How long it is by now.
    pub(in crate::cli) fn size(&self) -> u64 {
        self.partial.as_file().metadata().map_or(0, |file| file.len())
    }

    /// Gives the file its name, once its bytes are on the disk.
    pub(in crate::cli) fn finish(self) -> anyhow::Result<()> {
        let Self { partial, path, target } = self;
        target.kept.spare(target.argument, &path)?;
        publish(partial, &path, target.force)
            .with_context(|| format!("cannot write {}", shown::path(&target.path)))
    }
}

fn publish(partial: NamedTempFile, path: &Path, replace: bool) -> io::Result<()> {
    partial.as_file().sync_all()?;
    if replace {
        partial.persist(path)?;
    } else {
        name(partial, path)?;
    }
    sync_folder(folder_of(path))
}

/// Gives a file a name that nobody has.
fn name(partial: NamedTempFile, path: &Path) -> io::Result<File> {
    let PersistError { error, file: partial } = match partial.persist_noclobber(path) {
        Ok(file) => return Ok(file),
        Err(failed) => failed,
    };
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Err(error);
    }
    // The file system has neither links nor a renaming that replaces nothing. So an empty file
    // takes the name, and is then replaced.
    drop(File::create_new(path)?);
    partial.persist(path).map_err(|failed| {
        drop(fs::remove_file(path));
        failed.error
    })
}

/// Makes a new name last. Some file systems cannot, and then there is nothing more to do.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}
