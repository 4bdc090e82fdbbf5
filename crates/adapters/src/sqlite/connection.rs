//! Opening SQLite: pragmas, pools, and the versions that must not be used.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use super::AsyncSqlite;
use crate::error::DbError;
use crate::options::DatabaseOptions;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
}

pub(super) fn pool(
    path: &Path,
    role: Role,
    connections: usize,
    options: &DatabaseOptions,
) -> Result<Pool<AsyncSqlite>, DbError> {
    let pragmas = pragmas(role, options.lock_timeout);
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |path| {
        let (path, pragmas) = (path.to_owned(), pragmas.clone());
        Box::pin(async move {
            let opened = tokio::task::spawn_blocking(move || {
                let mut conn = SqliteConnection::establish(&path)?;
                conn.batch_execute(&pragmas).map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(SyncConnectionWrapper::new(conn))
            });
            opened.await.map_err(|error| ConnectionError::BadConnection(error.to_string()))?
        })
    });
    let path = path.to_str().ok_or_else(|| DbError::Failed("the path of the database must be UTF-8".to_owned()))?;
    Pool::builder(AsyncDieselConnectionManager::<AsyncSqlite>::new_with_config(path, config))
        .max_size(connections)
        .build()
        .map_err(|error| DbError::Failed(error.to_string()))
}

/// `synchronous = FULL` is what makes an answer durable: in WAL mode every COMMIT is synced before it returns. The timeout
/// comes first, because the other pragmas may have to wait for a lock too.
fn pragmas(role: Role, lock_timeout: Duration) -> String {
    let timeout = lock_timeout.as_millis();
    let role = match role {
        Role::Writer => "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        Role::Reader => "PRAGMA query_only = ON;",
    };
    format!("PRAGMA busy_timeout = {timeout}; {role} PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;")
}

pub(super) fn sqlite_version(conn: &mut SqliteConnection) -> QueryResult<String> {
    diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("sqlite_version()")).get_result(conn)
}

/// SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when two connections reset the log at once
/// (<https://sqlite.org/wal.html#walresetbug>).
pub(super) fn refuse_corrupting_version(version: &str) -> Result<(), DbError> {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let number = (next(), next(), next());
    if ((3, 7, 0)..=(3, 51, 2)).contains(&number) {
        return Err(DbError::Failed(format!(
            "SQLite {version} can corrupt a database in WAL mode; this program needs 3.51.3 or later"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_with_the_wal_reset_bug_are_refused() {
        for version in ["3.7.0", "3.45.1", "3.51.2"] {
            assert!(refuse_corrupting_version(version).is_err(), "{version}");
        }
        for version in ["3.51.3", "3.53.2", "4.0.0"] {
            assert!(refuse_corrupting_version(version).is_ok(), "{version}");
        }
    }

    #[test]
    fn the_version_that_is_built_in_is_safe() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let version = sqlite_version(&mut conn).unwrap();
        refuse_corrupting_version(&version).unwrap();
    }

    /// The values of pragmas on a connection from the pool.
    async fn pragmas_of(pool: &Pool<AsyncSqlite>, names: [&'static str; 5]) -> [String; 5] {
        let mut conn = pool.get().await.unwrap();
        let read = move |conn: &mut SqliteConnection| {
            Ok(names.map(|name| {
                let value =
                    diesel::dsl::sql::<diesel::sql_types::Text>(&format!("CAST({name} AS TEXT) FROM pragma_{name}"));
                diesel::select(value).get_result::<String>(conn).unwrap()
            }))
        };
        conn.spawn_blocking(read).await.unwrap()
    }

    #[tokio::test]
    async fn every_connection_of_a_pool_has_the_pragmas_of_its_role() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timelog.db");
        let options = DatabaseOptions { lock_timeout: Duration::from_millis(1500), ..DatabaseOptions::default() };
        let writer = pool(&path, Role::Writer, 1, &options).unwrap();
        let names = ["journal_mode", "synchronous", "foreign_keys", "query_only", "trusted_schema"];
        // 2 is FULL: every COMMIT is synced.
        assert_eq!(pragmas_of(&writer, names).await, ["wal", "2", "1", "0", "0"]);
        let readers = pool(&path, Role::Reader, 2, &options).unwrap();
        assert_eq!(pragmas_of(&readers, names).await[3..], ["1", "0"]);
        let mut conn = writer.get().await.unwrap();
        let timeout = conn.spawn_blocking(|conn| {
            diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>("timeout FROM pragma_busy_timeout"))
                .get_result::<i64>(conn)
        });
        assert_eq!(timeout.await, Ok(1500));
    }
}
