//! SQLite: one connection writes, several read beside it.

mod checkpoints;
mod connection;
mod files;
pub(crate) mod limit;
mod load;
mod log;
mod save;
mod statistics;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use timelog_domain::ports::Clock;
use timelog_domain::{OrganizationId, Request};
use tokio::task::spawn_blocking;

use self::checkpoints::Checkpoints;
pub(crate) use self::connection::AsyncSqlite;
use self::connection::Role;
use self::files::Files;
use self::limit::Limit;
use crate::admission::{Admission, Admitted, Kind};
use crate::cancellation::Cancellation;
use crate::checkout::checkout;
use crate::commit_queue::{Settled, decide};
use crate::error::DbError;
use crate::feed::RENEW_ON_SQLITE;
use crate::measure::count_stored;
use crate::migrations;
use crate::options::{DatabaseOptions, LOOK_UPS};

pub(crate) use self::files::companion;

/// How many connections are for single entries. Many are [read at once](crate::gathering), and one
/// connection has all pages in its memory that lead to them.
const FINDERS: usize = 1;

/// The connections to one SQLite file.
#[derive(Clone)]
pub(crate) struct SqlitePools {
    writer: Pool<AsyncSqlite>,
    finders: Pool<AsyncSqlite>,
    readers: Pool<AsyncSqlite>,
    /// For reads that do not wait for those of organizations.
    look_ups: Pool<AsyncSqlite>,
    /// For the [checkpoints].
    checkpointer: Pool<AsyncSqlite>,
    checkpoints: Checkpoints,
    admission: Admission,
    files: Files,
    /// The first connection. Nobody uses it, but while it is open, SQLite neither recovers the log
    /// nor deletes it.
    first: Arc<Mutex<Option<SqliteConnection>>>,
    wait: Duration,
    /// How long a read may take.
    time: Duration,
}

impl SqlitePools {
    pub(crate) async fn open(path: &Path, options: &DatabaseOptions) -> Result<Self, DbError> {
        let files = Files::at(path);
        let first = spawn_blocking({
            let (files, options) = (files.clone(), options.clone());
            move || connection::first(&files, &options)
        });
        let first = first.await.map_err(|error| DbError::Failed(error.to_string()))??;
        let pool = |role, connections| connection::pool(&files, role, connections, options);
        let (writer, checkpointer) = (pool(Role::Writer, 1)?, pool(Role::Writer, 1)?);
        let wait = options.lock_timeout;
        Ok(Self {
            finders: pool(Role::Finder, FINDERS)?,
            readers: pool(Role::Reader, options.read_connections)?,
            look_ups: pool(Role::Reader, LOOK_UPS)?,
            checkpoints: Checkpoints::start(checkpointer.clone(), writer.clone(), wait),
            checkpointer,
            writer,
            admission: Admission::new(options.read_connections, FINDERS, wait),
            files,
            first: Arc::new(Mutex::new(Some(first))),
            wait,
            time: options.statement_timeout,
        })
    }

    /// Closes every connection and returns when that is done. The last one of all processes moves
    /// what is in the log to the database file, which is then the only file.
    pub(crate) async fn close(&self) {
        if self.readers.is_closed() {
            return;
        }
        let mut held = Vec::new();
        // With every connection in hand, nobody else uses one.
        for pool in [&self.finders, &self.readers, &self.look_ups, &self.checkpointer, &self.writer]
        {
            let mut of_pool = Vec::new();
            for _ in 0..pool.status().max_size {
                match checkout(self.wait, pool.get()).await {
                    Ok(conn) => of_pool.push(conn),
                    // It stays in use for too long, or it cannot be opened.
                    Err(error) => tracing::debug!(%error, "a connection is not closed in order"),
                }
            }
            // Before any is taken out: whoever waits for one would open another in its place.
            pool.close();
            held.extend(of_pool.into_iter().map(Object::take));
        }
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let closed = spawn_blocking(move || {
            drop(held);
            drop(first);
        });
        if closed.await.is_err() || self.files.log().is_ok_and(|log| log.exists()) {
            tracing::info!(
                "somebody else uses the database, so its latest changes stay in the -wal file \
                 beside it"
            );
        }
    }

    /// Whether the path still names the files that are open. Checked after the work and before its
    /// answer: what was written to a deleted file is lost.
    pub(crate) fn check(&self) -> Result<(), DbError> {
        self.files.check()
    }

    pub(crate) async fn find(
        &self,
        organization: OrganizationId,
    ) -> Result<Admitted<Object<AsyncSqlite>>, DbError> {
        self.admission.admit(organization, Kind::Find, self.finders.get()).await
    }

    pub(crate) async fn read(
        &self,
        organization: OrganizationId,
    ) -> Result<Admitted<Object<AsyncSqlite>>, DbError> {
        self.admission.admit(organization, Kind::Page, self.readers.get()).await
    }

    pub(crate) async fn total(
        &self,
        organization: OrganizationId,
    ) -> Result<Admitted<Object<AsyncSqlite>>, DbError> {
        self.admission.admit(organization, Kind::Total, self.readers.get()).await
    }

    pub(crate) async fn look_up(&self) -> Result<Admitted<Object<AsyncSqlite>>, DbError> {
        Ok(Admitted::at_once(checkout(self.wait, self.look_ups.get()).await?))
    }

    /// Runs a read until it takes too long or its caller stops waiting.
    pub(crate) async fn limit<T>(
        &self,
        cancellation: Cancellation,
        read: impl Future<Output = T>,
    ) -> T {
        Limit::new(self.time, cancellation).hold(read).await
    }

    pub(crate) async fn write(&self) -> Result<Object<AsyncSqlite>, DbError> {
        self.checkpoints.note_write();
        checkout(self.wait, self.writer.get()).await
    }

    pub(crate) async fn migrate(&self) -> Result<Vec<String>, DbError> {
        let mut writer = self.write().await?;
        // Two programs may start at once. The second one waits for the lock, and then finds nothing
        // left to do.
        let migrate = |conn: &mut SqliteConnection| {
            let applied = migrations::run_sqlite(conn)?;
            statistics::tell(conn)?;
            Ok(applied)
        };
        writer.spawn_blocking(move |conn| Ok(conn.immediate_transaction(migrate))).await?
    }

    pub(crate) async fn has_pending_migrations(&self) -> Result<bool, DbError> {
        let mut reader = self.look_up().await?.connection;
        let pending =
            reader.spawn_blocking(|conn| Ok(migrations::sqlite_has_pending(conn))).await?;
        self.check()?;
        pending
    }

    /// Whether any migration was ever applied.
    pub(crate) async fn was_migrated(&self) -> Result<bool, DbError> {
        let mut reader = self.look_up().await?.connection;
        reader.spawn_blocking(|conn| Ok(migrations::sqlite_was_migrated(conn))).await?
    }

    /// Writes rows in one transaction.
    pub(crate) async fn write_rows(
        &self,
        write: impl FnOnce(&mut SqliteConnection) -> QueryResult<()> + Send + 'static,
    ) -> Result<(), DbError> {
        let mut writer = self.write().await?;
        writer.spawn_blocking(move |conn| conn.immediate_transaction(write)).await?;
        self.check()
    }

    /// Copies the database, as it is at one moment, into a new file, with feeds of its own. Reads
    /// and writes go on.
    pub(crate) async fn backup(&self, path: String) -> Result<(), DbError> {
        // A connection of its own, because readers may not write, not even a file of their own.
        let mut reader = Object::take(self.look_up().await?.connection);
        let backup = move |conn: &mut SqliteConnection| {
            conn.batch_execute("PRAGMA query_only = OFF")?;
            let copy = diesel::sql_query("VACUUM INTO ?");
            copy.bind::<diesel::sql_types::Text, _>(&path).execute(conn)?;
            Ok(path)
        };
        let path = reader.spawn_blocking(backup).await?;
        let renewed = spawn_blocking(move || {
            let mut copy = SqliteConnection::establish(&path)?;
            // Nothing else is to stand beside the file.
            copy.batch_execute("PRAGMA journal_mode = DELETE")?;
            Ok(copy.batch_execute(RENEW_ON_SQLITE)?)
        });
        renewed.await.map_err(|error| DbError::Failed(error.to_string()))?
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
            // Whatever can panic before COMMIT is caught there.
            .map_err(|error| {
                DbError::Unavailable(format!(
                    "whether the transaction committed is unknown: {error}"
                ))
            })
            .and_then(|committed| committed)
            .and_then(|settled| self.check().map(|()| settled));
        if committed.is_err() {
            // The connection may be in any state, so the next batch starts on a new one.
            drop(Object::take(writer));
        }
        committed
    }
}

fn commit(
    conn: &mut SqliteConnection,
    requests: &[Request],
    clock: &dyn Clock,
) -> Result<Vec<Settled>, DbError> {
    // A deferred BEGIN would fail at the first write, whatever the timeout, if somebody else wrote
    // since its first read.
    AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
    let work = AssertUnwindSafe(|| {
        let mut ledger = load::load(conn, requests)?;
        let settled = decide(requests, &mut ledger, clock.now());
        let bytes = save::save(conn, ledger.take_changes())?;
        Ok((settled, bytes))
    });
    let settled = catch_unwind(work).unwrap_or_else(|panic| Err(DbError::panicked(&*panic)));
    match settled {
        Ok((settled, bytes)) => {
            // A COMMIT that fails may still have reached the disk. It must not be tried again here.
            // Only the client's retry, under its idempotency key, can find out.
            AnsiTransactionManager::commit_transaction(conn).map_err(|error| {
                DbError::Unavailable(format!("the transaction could not be committed: {error}"))
            })?;
            count_stored(bytes);
            Ok(settled)
        }
        Err(error) => {
            AnsiTransactionManager::rollback_transaction(conn)?;
            Err(error)
        }
    }
}
