//! The files of an SQLite database: whether they can be used, and whether they are still there.
//!
//! A file that is deleted or replaced stays open, and SQLite goes on writing to it. What is written
//! then is lost with the process, so it must not be answered.

use std::fmt;
use std::fs::{self, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::DbError;
use crate::shown;

/// A file that SQLite keeps beside a database and names after it. The path must be where the
/// database really is.
pub(crate) fn companion(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The files of one database. Clones know the same of them.
#[derive(Clone)]
pub(super) struct Files {
    path: PathBuf,
    opened: Arc<OnceLock<Vec<(PathBuf, Identity)>>>,
}

/// Tells a file from every other, whatever its name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for Identity {
    fn from(file: &Metadata) -> Self {
        Self { device: file.dev(), inode: file.ino() }
    }
}

impl Files {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), opened: Arc::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The log of changes that are not in the database file yet.
    pub(super) fn log(&self) -> Result<PathBuf, DbError> {
        self.companion("-wal")
    }

    /// A file beside the database. SQLite puts it where the database really is, and not beside a
    /// link to it.
    fn companion(&self, ending: &str) -> Result<PathBuf, DbError> {
        let database = fs::canonicalize(&self.path).map_err(|error| self.gone(&error))?;
        Ok(companion(&database, ending))
    }

    /// Makes an empty file, which only its owner may read and write, where there is none. One that
    /// SQLite makes can be read by everybody, and the files beside it get the mode of this one.
    pub(super) fn make(&self) {
        let made =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.real_path());
        if let Err(error) = made
            && error.kind() != ErrorKind::AlreadyExists
        {
            tracing::debug!(%error, "the database file cannot be made");
        }
    }

    /// Where links lead, also those to a file that is not there yet.
    fn real_path(&self) -> PathBuf {
        /// As many as Linux follows.
        const LINKS: usize = 40;
        let mut path = self.path.clone();
        for _ in 0..LINKS {
            let Ok(target) = fs::read_link(&path) else { break };
            path = path.parent().unwrap_or(Path::new("")).join(target);
        }
        path
    }

    /// Notes which files are open, once the first connection has opened them all.
    pub(super) fn note_opened(&self) -> Result<(), DbError> {
        let mut opened = Vec::with_capacity(3);
        for path in [self.path.clone(), self.log()?, self.companion("-shm")?] {
            let file = fs::metadata(&path).map_err(|error| self.gone(&error))?;
            opened.push((path, Identity::from(&file)));
        }
        // Set once, by the connection that opens first.
        drop(self.opened.set(opened));
        self.check()
    }

    /// Whether the path still names the files that are open, and they may be written.
    pub(super) fn check(&self) -> Result<(), DbError> {
        for (path, opened) in self.opened.get().into_iter().flatten() {
            let file = fs::metadata(path).map_err(|error| self.gone(&error))?;
            if Identity::from(&file) != *opened {
                return Err(self.gone(&format!("{} is another file now", shown::path(path))));
            }
            if file.permissions().readonly() {
                return Err(DbError::Unavailable(format!(
                    "{} was made read-only",
                    shown::path(path)
                )));
            }
        }
        Ok(())
    }

    fn gone(&self, why: &dyn fmt::Display) -> DbError {
        DbError::Unavailable(format!(
            "the database file {} was deleted or replaced while it was open, so nothing is stored \
             any more; put back the file \
             that was there, or start the service again ({why})",
            shown::path(&self.path)
        ))
    }

    /// Why the database cannot be opened, where waiting does not mend that.
    pub(super) fn obstacle(&self, create: bool) -> Option<DbError> {
        let path = shown::path(&self.path);
        let unusable = |reason: String| Some(DbError::Unusable(reason));
        match fs::metadata(&self.path) {
            Ok(file) if file.is_dir() => {
                unusable(format!("{path} is a folder; name a file, such as \
                    sqlite:{path}/timelog.db"))
            }
            Ok(file) if !file.is_file() => unusable(format!("{path} is no file")),
            Ok(file) if file.permissions().readonly() => {
                unusable(format!("{path} is read-only; allow writing to it, for example with \
                    chmod u+w"))
            }
            Ok(_) => None,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => match self.folder() {
                _ if !create => unusable(
                    "there is no database; look at --database-url and at the folder, or make one \
                     with \"timelog migrate\""
                        .to_owned(),
                ),
                folder if !folder.exists() => {
                    unusable(format!("the folder {} does not exist; make it \
                        first", shown::path(folder)))
                }
                folder if !folder.is_dir() => unusable(format!("{} is no folder", shown::path(folder))),
                _ => None,
            },
            Err(error) => unusable(format!("{path} cannot be looked at: {error}")),
        }
    }

    /// What SQLite's error means when it could not open the database.
    pub(super) fn explain(&self, error: DbError) -> DbError {
        let (DbError::Unavailable(reason) | DbError::Failed(reason)) = &error else { return error };
        let path = shown::path(&self.path);
        if reason.contains("file is not a database") {
            return DbError::Unusable(format!(
                "{path} is a file, but no SQLite database; name another one"
            ));
        }
        let refused = ["unable to open database file", "attempt to write a readonly database"];
        if !refused.iter().any(|text| reason.contains(text)) {
            return error;
        }
        // Closing a file releases this process's locks on it, but nothing else has this one open.
        let tried = OpenOptions::new().read(true).write(true).open(&self.path);
        let why = tried.err().map_or_else(|| reason.clone(), |error| error.to_string());
        DbError::Unusable(format!(
            "{path} and the folder {} must be readable and writable for the user that the program \
             runs as: {why}",
            shown::path(self.folder())
        ))
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }
}
