//! Where a command is to write, and what is there.

use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use timelog_adapters::shown;

use super::kept::{Kept, Place, folder_of};

/// The mode of a new file: only its owner reads and writes it, because entries and keys are
/// private.
const OWNER_ONLY: u32 = 0o600;
pub(super) const STANDARD_OUTPUT: &str = "/dev/stdout";
const STANDARD_ERROR: &str = "/dev/stderr";

/// Where a command is to write.
pub(in crate::cli) struct Target {
    pub(super) path: PathBuf,
    /// The argument that names it, for messages.
    pub(super) argument: &'static str,
    /// Whether a file that is there is replaced.
    pub(super) force: bool,
    pub(super) kept: Kept,
    pub(super) mode: u32,
}

/// What is there already.
pub(super) enum Found {
    Nothing,
    File(Metadata),
    /// A terminal, a pipe or the like, which passes on what is written.
    Passage,
}

impl Target {
    pub(in crate::cli) const fn new(
        path: PathBuf,
        argument: &'static str,
        force: bool,
        kept: Kept,
    ) -> Self {
        Self { path, argument, force, kept, mode: OWNER_ONLY }
    }

    /// Limits the mode of a new file.
    pub(in crate::cli) fn with_mode(self, mode: u32) -> Self {
        Self { mode: mode & OWNER_ONLY, ..self }
    }

    /// Fails if it is clear already that the file cannot be written. It does not open the file:
    /// opening and closing a file of SQLite would release the locks that this process has on it.
    pub(in crate::cli) fn check(&self) -> anyhow::Result<()> {
        self.look().map(drop)
    }

    pub(super) fn look(&self) -> anyhow::Result<Found> {
        self.kept.spare(self.argument, &self.path)?;
        let path = shown::path(&self.path);
        ensure!(!is_link(&self.path), "cannot write {path}: it is a link; name the file itself");
        let found = match fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = folder_of(&self.path);
                ensure!(
                    folder.is_dir(),
                    "cannot write {path}: there is no folder {}",
                    shown::path(folder)
                );
                return Ok(Found::Nothing);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot write {path}")),
        };
        let kind = found.file_type();
        if is_passage(&found) || self.own_stream().is_some() {
            return Ok(Found::Passage);
        }
        ensure!(!kind.is_dir(), "cannot write {path}: it is a folder");
        ensure!(kind.is_file(), "cannot write {path}: it is no file");
        ensure!(
            self.force,
            "cannot write {path}: it exists already; name another file, or replace it with --force"
        );
        Ok(Found::File(found))
    }

    /// Standard output or error, if the path leads there.
    pub(super) fn own_stream(&self) -> Option<Box<dyn Write + Send>> {
        let place = Place::of(&self.path);
        let leads_to = |stream: &str| Place::of(Path::new(stream)).is(&place);
        if leads_to(STANDARD_OUTPUT) {
            Some(Box::new(io::stdout()))
        } else if leads_to(STANDARD_ERROR) {
            Some(Box::new(io::stderr()))
        } else {
            None
        }
    }
}

/// Whether a path is a link, which somebody may have made so that another file is overwritten.
/// Links of the system, such as /dev/stdout, do not count.
fn is_link(path: &Path) -> bool {
    let of_the_system = || {
        let folder = folder_of(path).canonicalize();
        folder.is_ok_and(|folder| ["/dev", "/proc"].iter().any(|root| folder.starts_with(root)))
    };
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) && !of_the_system()
}

/// Whether it is a terminal, a pipe or the like.
pub(super) fn is_passage(found: &Metadata) -> bool {
    found.file_type().is_char_device() || found.file_type().is_fifo()
}
