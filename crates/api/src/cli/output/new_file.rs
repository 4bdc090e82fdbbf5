//! Files that get their name only when they are complete.

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
    /// Begins a file that gets its name when it is finished. Until then the old file keeps it.
    pub(in crate::cli) fn begin(self) -> anyhow::Result<NewFile> {
        match self.look()? {
            Found::Nothing => NewFile::begin(self, None),
            Found::File(file) => NewFile::begin(self, Some(file)),
            Found::Passage => bail!("cannot write {}: it is no file", shown::path(&self.path)),
        }
    }
}

/// A file that is not complete yet. It has a temporary name in its folder, and is deleted if it is
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
            // Only a privileged user may change the owner. Otherwise the owner is the current user.
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

    /// Gives the file its name, after its bytes are on the disk.
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

/// Gives a file a name, unless another file has it.
fn name(partial: NamedTempFile, path: &Path) -> io::Result<File> {
    let PersistError { error, file: partial } = match partial.persist_noclobber(path) {
        Ok(file) => return Ok(file),
        Err(failed) => failed,
    };
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Err(error);
    }
    // The file system has no hard links and no rename that fails if the name is taken. So an empty
    // file takes the name, and is then replaced.
    drop(File::create_new(path)?);
    partial.persist(path).map_err(|failed| {
        drop(fs::remove_file(path));
        failed.error
    })
}

/// Makes the new name durable. Some file systems cannot do that.
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
