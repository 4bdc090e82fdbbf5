//! SQLite: one connection writes, several read beside it.

mod connection;
mod load;
mod save;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use timelog_domain::Request;
use timelog_domain::ports::Clock;

use crate::checkout::checkout;
use crate::commit_queue::{Settled, decide};
use crate::error::DbError;
use crate::migrations;
use crate::options::DatabaseOptions;

type AsyncSqlite = SyncConnectionWrapper<SqliteConnection>;

/// The connections to one SQLite file.
#[derive(Clone)]
pub(crate) struct SqlitePools {
    writer: Pool<AsyncSqlite>,
    readers: Pool<AsyncSqlite>,
    wait: Duration,
}

impl SqlitePools {
    pub(crate) async fn open(path: &Path, options: &DatabaseOptions) -> Result<Self, DbError> {
        let writer = connection::pool(path, connection::Role::Writer, 1, options)?;
        let readers = connection::pool(path, connection::Role::Reader, options.read_connections, options)?;
        let pools = Self { writer, readers, wait: options.lock_timeout };
        // The first connection creates the file and puts it into WAL mode, before anybody reads.
        let version = pools.write().await?.spawn_blocking(connection::sqlite_version).await?;
        connection::refuse_corrupting_version(&version)?;
        Ok(pools)
    }

    pub(crate) async fn read(&self) -> Result<Object<AsyncSqlite>, DbError> {
        checkout(self.wait, self.readers.get()).await
    }

    pub(crate) async fn write(&self) -> Result<Object<AsyncSqlite>, DbError> {
        checkout(self.wait, self.writer.get()).await
    }

    pub(crate) async fn migrate(&self) -> Result<Vec<String>, DbError> {
        let mut writer = self.write().await?;
        // Two programs may start at once: the lock makes the second one wait and find nothing left to do.
        writer.spawn_blocking(|conn| Ok(conn.immediate_transaction(migrations::run_sqlite))).await?
    }

    pub(crate) async fn has_pending_migrations(&self) -> Result<bool, DbError> {
        let mut reader = self.read().await?;
        reader.spawn_blocking(|conn| Ok(migrations::sqlite_has_pending(conn))).await?
    }

    /// Writes rows in one transaction.
    pub(crate) async fn write_rows(
        &self,
        write: impl FnOnce(&mut SqliteConnection) -> QueryResult<()> + Send + 'static,
    ) -> Result<(), DbError> {
        let mut writer = self.write().await?;
        Ok(writer.spawn_blocking(move |conn| conn.immediate_transaction(write)).await?)
    }

    /// Copies the database, as it is at one moment, into a new file. Nobody who reads or writes waits for it.
    pub(crate) async fn backup(&self, path: String) -> Result<(), DbError> {
        // A connection of its own, because readers may not write, not even a file of their own.
        let mut reader = Object::take(self.read().await?);
        let backup = diesel::sql_query("VACUUM INTO ?").bind::<diesel::sql_types::Text, _>(path);
        let backup = move |conn: &mut SqliteConnection| {
            conn.batch_execute("PRAGMA query_only = OFF")?;
            backup.execute(conn)
        };
        reader.spawn_blocking(backup).await?;
        Ok(())
    }

    /// Loads, decides and saves a batch in one transaction, in one hop to a blocking thread.
    pub(crate) async fn commit(
        &self,
        requests: Arc<[Request]>,
        clock: Arc<dyn Clock>,
    ) -> Result<Vec<Settled>, DbError> {
        let mut writer = self.write().await?;
        let committed = writer
            .spawn_blocking(move |conn| Ok(commit(conn, &requests, &*clock)))
            .await
            .map_err(DbError::from)
            .and_then(|committed| committed);
        if committed.is_err() {
            // Whatever state the connection is in, the next batch starts on a new one.
            drop(Object::take(writer));
        }
        committed
    }
}

fn commit(conn: &mut SqliteConnection, requests: &[Request], clock: &dyn Clock) -> Result<Vec<Settled>, DbError> {
    // A deferred BEGIN would fail at the first write if anybody wrote since its first read, whatever the timeout.
    AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
    let settled = load::load(conn, requests).and_then(|mut ledger| {
        let settled = decide(requests, &mut ledger, clock.now());
        save::save(conn, ledger.take_changes())?;
        Ok(settled)
    });
    match settled {
        Ok(settled) => {
            // A COMMIT that fails may still have reached the disk. It must not be tried again here: only the client's retry,
            // under its idempotency key, can find out.
            AnsiTransactionManager::commit_transaction(conn)
                .map_err(|error| DbError::Unavailable(format!("the transaction could not be committed: {error}")))?;
            Ok(settled)
        }
        Err(error) => {
            AnsiTransactionManager::rollback_transaction(conn)?;
            Err(error)
        }
    }
}
