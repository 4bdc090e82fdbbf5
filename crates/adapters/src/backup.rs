//! Backing up an SQLite database while it is in use.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use timelog_domain::ports::PortError;

use crate::database::{Database, detached};
use crate::error::DbError;
use crate::store::Store;

/// Where a backup grows before it has its own name: a file of that name is always whole.
#[must_use]
pub fn partial_backup(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

impl Store {
    /// Writes the database, as it is at one moment, to a new file, and returns when that is on the disk. Requests go on
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the file exists or cannot be written, and on PostgreSQL, which has better means of its own.
    pub async fn backup(&self, path: PathBuf) -> Result<(), PortError> {
        let Database::Sqlite(pools) = self.database.clone() else {
            return Err(failed("only an SQLite database is backed up this way; use pg_dump or pg_basebackup").into());
        };
        detached(async move {
            let partial = partial_backup(&path);
            let text = partial.to_str().ok_or_else(|| failed("the path of the backup must be UTF-8"))?.to_owned();
            if path.exists() {
                return Err(failed(&format!("{} exists already", path.display())));
            }
            if partial.exists() {
                // Left by a backup that was cut off.
                fs::remove_file(&partial).map_err(|error| failed(&error))?;
            }
            pools.backup(text).await?;
            let published = tokio::task::spawn_blocking(move || publish(&partial, &path)).await;
            published.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
        })
        .await
    }
}

/// Gives a file its name, once its bytes are on the disk. A link, unlike a renaming, never replaces another file.
fn publish(partial: &Path, path: &Path) -> std::io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::hard_link(partial, path)?;
    fs::remove_file(partial)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn failed(error: &(impl ToString + ?Sized)) -> DbError {
    DbError::Failed(error.to_string())
}
