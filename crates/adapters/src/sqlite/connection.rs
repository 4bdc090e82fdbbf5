//! Opening SQLite: pragmas, pools, and the versions that must not be used.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use super::files::Files;
use super::limit::{self, Threads};
use super::log::Log;
use crate::error::DbError;
use crate::options::DatabaseOptions;

pub(crate) type AsyncSqlite = SyncConnectionWrapper<SqliteConnection, Threads>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    /// Reads single entries.
    Finder,
    Reader,
}

/// A pool of connections to files that the first connection has opened.
pub(super) fn pool(
    files: &Files,
    role: Role,
    connections: usize,
    options: &DatabaseOptions,
) -> Result<Pool<AsyncSqlite>, DbError> {
    let (files, pragmas) = (files.clone(), pragmas(role, options.lock_timeout));
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let (files, pragmas) = (files.clone(), pragmas.clone());
        Box::pin(async move {
            let opened = tokio::task::spawn_blocking(move || {
                let conn = establish(files.path(), false, &pragmas)?;
                // It must be the file that was opened first, and not one that replaced it.
                files.check().map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
                Ok(SyncConnectionWrapper::with_runtime(conn, Threads))
            });
            opened.await.map_err(|error| ConnectionError::BadConnection(error.to_string()))?
        })
    });
    Pool::builder(AsyncDieselConnectionManager::<AsyncSqlite>::new_with_config("", config))
        .max_size(connections)
        .build()
        .map_err(|error| DbError::Failed(error.to_string()))
}

/// Opens the files of a database and leaves them open. So they stay the same files, and no other
/// connection has to recover what a process left behind that died.
pub(super) fn first(files: &Files, options: &DatabaseOptions) -> Result<SqliteConnection, DbError> {
    if let Some(obstacle) = files.obstacle(options.create) {
        return Err(obstacle);
    }
    if options.create {
        files.make();
    }
    let open = || {
        let mut conn =
            establish(files.path(), options.create, &pragmas(Role::Writer, options.lock_timeout))?;
        refuse_corrupting_version(&sqlite_version(&mut conn)?)?;
        sync_what_was_found(&mut conn, files, options.lock_timeout)?;
        Ok(conn)
    };
    let conn = open().map_err(|error| files.explain(error))?;
    files.note_opened()?;
    Ok(conn)
}

/// A process that dies between writing a COMMIT and syncing it leaves a change that is only in the
/// machine's memory. The next process cannot tell it from others and may answer with it. So what is
/// in the log is synced first.
fn sync_what_was_found(
    conn: &mut SqliteConnection,
    files: &Files,
    lock_timeout: Duration,
) -> Result<(), DbError> {
    // This does not wait for other processes. What cannot be moved to the database because of them
    // is synced where it is.
    conn.batch_execute("PRAGMA busy_timeout = 0")?;
    let done = Log::ask(conn, "TRUNCATE")?;
    conn.batch_execute(&format!("PRAGMA busy_timeout = {}", lock_timeout.as_millis()))?;
    if done.busy == 0 || (done.pages >= 0 && done.pages == done.checkpointed) {
        return Ok(());
    }
    tracing::info!("another process uses the database, so its log is synced as it is");
    let log = files.log()?;
    let sync = |path: &Path| {
        let synced = File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|error| {
            DbError::Unavailable(format!("{} cannot be synced: {error}", crate::shown::path(path)))
        })
    };
    sync(&log)?;
    log.parent().map_or(Ok(()), sync)
}

fn establish(
    path: &Path,
    create: bool,
    pragmas: &str,
) -> Result<SqliteConnection, ConnectionError> {
    let mut conn = SqliteConnection::establish(&uri(path, create)?)?;
    conn.batch_execute(pragmas).map_err(ConnectionError::CouldntSetupConfiguration)?;
    limit::register(&conn).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// The path as a URI, because that can say that the file must exist
/// (<https://sqlite.org/uri.html>).
fn uri(path: &Path, create: bool) -> Result<String, ConnectionError> {
    let path = path.to_str().ok_or_else(|| {
        ConnectionError::InvalidConnectionUrl(
            "the path of the database must be UTF-8; move it to one that is".to_owned(),
        )
    })?;
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let authority = if path.starts_with('/') { "//" } else { "" };
    Ok(format!("file:{authority}{path}?mode={}", if create { "rwc" } else { "rw" }))
}

/// `synchronous = FULL` is what makes an answer durable: in WAL mode every COMMIT is synced before
/// it returns. [Checkpoints](super::checkpoints) are made beside the commits. The timeout comes
/// first, because the other pragmas may have to wait for a lock too.
fn pragmas(role: Role, lock_timeout: Duration) -> String {
    let timeout = lock_timeout.as_millis();
    let role = match role {
        Role::Writer => {
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
             PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -8192;"
        }
        Role::Finder => "PRAGMA query_only = ON; PRAGMA cache_size = -8192;",
        Role::Reader => "PRAGMA query_only = ON;",
    };
    format!(
        "PRAGMA busy_timeout = {timeout}; {role} PRAGMA trusted_schema = OFF; PRAGMA temp_store = \
         MEMORY;"
    )
}

pub(super) fn sqlite_version(conn: &mut SqliteConnection) -> QueryResult<String> {
    diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("sqlite_version()")).get_result(conn)
}

/// SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when two connections reset the log at
/// once (<https://sqlite.org/wal.html#walresetbug>).
pub(super) fn refuse_corrupting_version(version: &str) -> Result<(), DbError> {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let number = (next(), next(), next());
    if ((3, 7, 0)..=(3, 51, 2)).contains(&number) {
        return Err(DbError::Failed(format!(
            "SQLite {version} can corrupt a database in WAL mode; this program needs 3.51.3 or \
             later"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::Integer;

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

    #[test]
    fn it_is_built_in_as_the_flags_say() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let options = diesel::dsl::sql::<diesel::sql_types::Text>(
            "' ' || group_concat(compile_options, ' ') || ' ' FROM pragma_compile_options",
        );
        let options: String = diesel::select(options).get_result(&mut conn).unwrap();
        let there =
            ["THREADSAFE=2", "DEFAULT_MEMSTATUS=0", "DQS=0", "OMIT_SHARED_CACHE", "ENABLE_QPSG"];
        for option in there.map(|option| format!(" {option} ")) {
            assert!(options.contains(&option), "{option} is not among{options}");
        }
        for option in [" ENABLE_MEMORY_MANAGEMENT ", " ENABLE_API_ARMOR ", " ENABLE_STAT4 "] {
            assert!(!options.contains(option), "{option} is among{options}");
        }
    }

    /// The values of pragmas on a connection from the pool.
    async fn pragmas_of(pool: &Pool<AsyncSqlite>, names: [&'static str; 5]) -> [String; 5] {
        let mut conn = pool.get().await.unwrap();
        let read = move |conn: &mut SqliteConnection| {
            Ok(names.map(|name| {
                let value = diesel::dsl::sql::<diesel::sql_types::Text>(&format!(
                    "CAST({name} AS TEXT) FROM pragma_{name}"
                ));
                diesel::select(value).get_result::<String>(conn).unwrap()
            }))
        };
        conn.spawn_blocking(read).await.unwrap()
    }

    #[derive(QueryableByName)]
    struct Automatic {
        #[diesel(sql_type = Integer)]
        wal_autocheckpoint: i32,
    }

    #[tokio::test]
    async fn every_connection_of_a_pool_has_the_pragmas_of_its_role() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timelog.db");
        let options = DatabaseOptions {
            lock_timeout: Duration::from_millis(1500),
            ..DatabaseOptions::default()
        };
        let files = Files::at(&path);
        let _first = first(&files, &options).unwrap();
        let writer = pool(&files, Role::Writer, 1, &options).unwrap();
        let names = ["journal_mode", "synchronous", "foreign_keys", "query_only", "trusted_schema"];
        // 2 is FULL: every COMMIT is synced.
        assert_eq!(pragmas_of(&writer, names).await, ["wal", "2", "1", "0", "0"]);
        // No COMMIT moves what is in the log.
        let mut conn = writer.get().await.unwrap();
        let automatic = conn.spawn_blocking(|conn| {
            diesel::sql_query("PRAGMA wal_autocheckpoint").get_result::<Automatic>(conn)
        });
        assert_eq!(automatic.await.unwrap().wal_autocheckpoint, 0);
        drop(conn);
        let readers = pool(&files, Role::Reader, 2, &options).unwrap();
        assert_eq!(pragmas_of(&readers, names).await[3..], ["1", "0"]);
        let mut conn = writer.get().await.unwrap();
        let timeout = conn.spawn_blocking(|conn| {
            diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
                "timeout FROM pragma_busy_timeout",
            ))
            .get_result::<i64>(conn)
        });
        assert_eq!(timeout.await, Ok(1500));
    }
}
