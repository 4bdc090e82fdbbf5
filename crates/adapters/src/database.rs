//! The database behind the ports. Its URL says which kind it is, and only this enum knows.

use timelog_domain::Request;
use timelog_domain::ports::{Clock, PortError};

use crate::commit_queue::{CommitBatch, Settled};
use crate::error::DbError;
use crate::options::DatabaseOptions;
use crate::postgres::PostgresPools;
use crate::sqlite::SqlitePools;
use crate::url::DatabaseUrl;

/// Connections to one database. Clones share them.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite(SqlitePools),
    Postgres(PostgresPools),
}

impl Database {
    pub(crate) async fn open(
        url: &DatabaseUrl,
        options: &DatabaseOptions,
    ) -> Result<Self, DbError> {
        match url {
            DatabaseUrl::Sqlite(path) => Ok(Self::Sqlite(SqlitePools::open(path, options).await?)),
            DatabaseUrl::Postgres(url) => {
                Ok(Self::Postgres(PostgresPools::open(url, options).await?))
            }
        }
    }

    pub(crate) async fn migrate(&self) -> Result<Vec<String>, DbError> {
        match self {
            Self::Sqlite(pools) => pools.migrate().await,
            Self::Postgres(pools) => pools.migrate().await,
        }
    }

    pub(crate) async fn has_pending_migrations(&self) -> Result<bool, DbError> {
        match self {
            Self::Sqlite(pools) => pools.has_pending_migrations().await,
            Self::Postgres(pools) => pools.has_pending_migrations().await,
        }
    }

    /// The settings of the server with which answered changes may be lost.
    pub(crate) async fn warnings(&self) -> Result<Vec<String>, DbError> {
        match self {
            // Each connection sets what its durability needs.
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres(pools) => pools.warnings().await,
        }
    }

    /// Whether any migration was ever applied.
    pub(crate) async fn was_migrated(&self) -> Result<bool, DbError> {
        match self {
            Self::Sqlite(pools) => pools.was_migrated().await,
            Self::Postgres(pools) => pools.was_migrated().await,
        }
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pools) => pools.close().await,
            Self::Postgres(pools) => pools.close(),
        }
    }

    /// How many may write at the same time beside the lanes, which share their connections.
    pub(crate) const fn other_writers(&self) -> usize {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(_) => crate::postgres::OTHER_WRITERS,
        }
    }

    /// The most requests that one transaction takes: beyond this, larger batches no longer raise
    /// throughput.
    pub(crate) const fn batch_size(&self) -> usize {
        match self {
            Self::Sqlite(_) => 32,
            Self::Postgres(_) => 128,
        }
    }
}

impl CommitBatch for Database {
    async fn commit(
        &self,
        requests: std::sync::Arc<[Request]>,
        clock: &std::sync::Arc<dyn Clock>,
        holding: bool,
    ) -> Result<Vec<Settled>, DbError> {
        match self {
            // Nobody else writes meanwhile in any case.
            Self::Sqlite(pools) => pools.commit(requests, clock.clone()).await,
            Self::Postgres(pools) => pools.commit(&requests, &**clock, holding).await,
        }
    }
}

/// Runs database work in a task of its own, to its end, also when its caller stops waiting: a
/// connection must not be dropped in the middle of a statement. Reads are
/// [cancelled](crate::cancellation) instead.
pub(crate) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, DbError>> + Send + 'static,
) -> Result<T, PortError> {
    match tokio::spawn(work).await {
        Ok(result) => result.map_err(PortError::from),
        Err(error) => Err(PortError::Internal(error.to_string())),
    }
}

/// Runs a query, written once, on a pooled connection of either kind. The query's value is a
/// `QueryResult`; the whole is a future of `Result<_, PortError>`. With `|conn: Db|`, `Db` names
/// the kind, for queries that are put together at run time.
///
/// - `on_database!(db, find(organization), |conn| …)`: a read of single entries.
/// - `on_database!(db, read(organization), |conn| …)`: a read of an organization, which waits for
///   its turn.
/// - `on_database!(db, total(organization), |conn| …)`: likewise, where everything is added up.
/// - `on_database!(db, look_up, |conn| …)`: a read that does not wait for those of organizations:
///   of keys, or of a command.
/// - `on_database!(db, write, |conn| …)`: a write beside the commit queue, which runs to its end.
///
/// Reads end when their caller stops waiting.
macro_rules! on_database {
    ($database:expr, write, |$conn:ident| $query:expr) => {{
        let database = $database.clone();
        $crate::database::detached(async move {
            match database {
                $crate::database::Database::Sqlite(pools) => {
                    let mut pooled = pools.write().await?;
                    let $conn = &mut *pooled;
                    let done = $query.map_err($crate::error::DbError::from)?;
                    pools.check().map(|()| done)
                }
                $crate::database::Database::Postgres(pools) => {
                    let mut pooled = pools.write().await?;
                    let asked = pools.ask(async {
                        let $conn = &mut *pooled;
                        $query.map_err($crate::error::DbError::from)
                    });
                    let asked = asked.await;
                    $crate::postgres::hand_back(pooled, asked)
                }
            }
        })
    }};
    ($database:expr, $pool:ident $(($organization:expr))?, |$conn:ident $(: $db:ident)?| $query:expr) => {{
        let database = $database.clone();
        async move {
            match database {
                $crate::database::Database::Sqlite(pools) => {
                    $(type $db = diesel::sqlite::Sqlite;)?
                    let mut reader = pools.$pool($($organization)?).await?;
                    let read = $crate::cancellation::cancellable(|cancellation| async move {
                        let read = pools.limit(cancellation, async {
                            let $conn = &mut *reader.connection;
                            $query.map_err($crate::error::DbError::from)
                        });
                        let done = read.await?;
                        pools.check().map(|()| done)
                    });
                    read.await
                }
                $crate::database::Database::Postgres(pools) => {
                    $(type $db = diesel::pg::Pg;)?
                    let mut reader = pools.$pool($($organization)?).await?;
                    let read = $crate::cancellation::cancellable(|cancellation| async move {
                        let read = pools.limit(cancellation, async {
                            let $conn = &mut *reader.connection;
                            $query.map_err($crate::error::DbError::from)
                        });
                        let asked = read.await;
                        pools.take_back(reader.connection, asked).await
                    });
                    read.await
                }
            }
        }
    }};
}

pub(crate) use on_database;
