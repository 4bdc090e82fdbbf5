//! Backing up an SQLite database while it is in use.

use std::fs::File;
use std::path::PathBuf;

use timelog_domain::ports::PortError;

use crate::database::{Database, detached};
use crate::error::DbError;
use crate::store::Store;

impl Store {
    /// Writes the database, as it is at one moment, into an empty file, and returns when that is on
    /// the disk. Requests go on meanwhile.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the file is not empty or cannot be written, and on PostgreSQL, which has
    /// better means of its own.
    pub async fn backup(&self, path: PathBuf) -> Result<(), PortError> {
        let Database::Sqlite(pools) = self.database.clone() else {
            return Err(failed("only an SQLite database is backed up this way").into());
        };
        detached(async move {
            let text = path
                .to_str()
                .ok_or_else(|| failed("the path of the backup must be UTF-8"))?
                .to_owned();
            pools.backup(text).await?;
            let synced = tokio::task::spawn_blocking(move || File::open(path)?.sync_all()).await;
            synced.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
        })
        .await
    }
}

fn failed(error: &(impl ToString + ?Sized)) -> DbError {
    DbError::Failed(error.to_string())
}
