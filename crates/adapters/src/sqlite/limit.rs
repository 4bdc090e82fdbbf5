//! Ending a read that takes too long, or whose caller stopped waiting.
//!
//! SQLite ends a statement when a function in it fails. So queries that may visit many rows have a
//! [condition](CANCEL_CONDITION) that calls a function of this program now and then.

use std::time::{Duration, Instant};

use diesel::QueryResult;
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::Bool;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel_async::sync_connection_wrapper::SpawnBlocking;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::cancellation::Cancellation;
use crate::error::{SQLITE_CANCELLED, SQLITE_TIMED_OUT};

/// Calls the function for about one row in a thousand. 1009 is a prime: where the entries of
/// several organizations alternate in the table, each organization still has its share of such
/// rows. This is the first condition, so that it also sees the rows that the others leave out.
/// Every index has the `rowid`.
pub(crate) const CANCEL_CONDITION: &str = "(time_entries.rowid % 1009 <> 0 OR is_wanted())";

diesel::define_sql_function! {
    /// True while the read may go on. Then it fails, and the statement with it.
    fn is_wanted() -> Bool;
}

tokio::task_local! {
    /// The limit of the read that runs in this task, or on this thread for it.
    static LIMIT: Limit;
}

/// Until when a read may go on.
#[derive(Clone)]
pub(super) struct Limit {
    until: Instant,
    cancellation: Cancellation,
}

impl Limit {
    pub(super) fn new(time: Duration, cancellation: Cancellation) -> Self {
        Self { until: Instant::now() + time, cancellation }
    }

    /// Runs a read under this limit.
    pub(super) async fn hold<T>(self, read: impl Future<Output = T>) -> T {
        LIMIT.scope(self, read).await
    }

    fn verdict(&self) -> Verdict {
        if self.cancellation.is_cancelled() {
            Verdict(Err(SQLITE_CANCELLED))
        } else if Instant::now() >= self.until {
            Verdict(Err(SQLITE_TIMED_OUT))
        } else {
            Verdict(Ok(()))
        }
    }
}

/// Whether a read may go on, or why not.
#[derive(Debug)]
struct Verdict(Result<(), &'static str>);

impl ToSql<Bool, Sqlite> for Verdict {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> diesel::serialize::Result {
        self.0?;
        out.set_value(1_i32);
        Ok(IsNull::No)
    }
}

/// Adds the function to a connection. Without a limit it is always true.
pub(super) fn register(conn: &SqliteConnection) -> QueryResult<()> {
    is_wanted_utils::register_nondeterministic_impl(conn, || {
        LIMIT.try_with(Limit::verdict).unwrap_or(Verdict(Ok(())))
    })
}

/// Runs blocking work on tokio's threads for it, under the limit of the task that asks for it.
pub(crate) struct Threads;

impl SpawnBlocking for Threads {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn std::error::Error + Send + Sync>>> {
        let running = match LIMIT.try_with(Limit::clone) {
            Ok(limit) => tokio::task::spawn_blocking(move || LIMIT.sync_scope(limit, task)),
            Err(_) => tokio::task::spawn_blocking(task),
        };
        running.map(|done| done.map_err(Into::into)).boxed()
    }

    fn get_runtime() -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Waker};

    use diesel::dsl::sql;
    use diesel::sql_types::BigInt;
    use diesel_async::RunQueryDsl;
    use tempfile::TempDir;
    use timelog_domain::OrganizationId;
    use timelog_domain::ports::PortError;
    use uuid::Uuid;

    use super::super::SqlitePools;
    use super::*;
    use crate::cancellation::cancellable;
    use crate::error::DbError;
    use crate::options::DatabaseOptions;

    /// Counts until something ends it.
    const ENDLESS: &str = "(WITH RECURSIVE numbers (n) AS (\
        SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n % 1009 <> 0 OR is_wanted()) SELECT \
        count(*) FROM numbers)";

    /// A database that one reads at a time.
    async fn database(time: Duration) -> (TempDir, SqlitePools) {
        let folder = tempfile::tempdir().unwrap();
        let wait = Duration::from_mins(1);
        let options = DatabaseOptions {
            read_connections: 1,
            lock_timeout: wait,
            statement_timeout: time,
            create: true,
            lanes: 1,
        };
        let pools = SqlitePools::open(&folder.path().join("timelog.db"), &options).await.unwrap();
        (folder, pools)
    }

    async fn read(pools: &SqlitePools, query: &'static str) -> Result<i64, PortError> {
        let pools = pools.clone();
        let mut reader = pools.read(OrganizationId::new(Uuid::nil())).await?;
        let read = cancellable(|cancellation| async move {
            let query = diesel::select(sql::<BigInt>(query));
            let read =
                async { query.get_result(&mut *reader.connection).await.map_err(DbError::from) };
            pools.limit(cancellation, read).await
        });
        read.await
    }

    /// Goes on with a read as far as it gets now. It has to go on later.
    fn waits<F: Future>(read: &mut Pin<Box<F>>) -> bool {
        read.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    #[tokio::test]
    async fn a_read_that_takes_too_long_is_ended_and_its_connection_goes_on() {
        let (_folder, pools) = database(Duration::from_millis(20)).await;
        for _ in 0..3 {
            assert_eq!(
                read(&pools, ENDLESS).await,
                Err(PortError::Unavailable(SQLITE_TIMED_OUT.to_owned()))
            );
            assert_eq!(read(&pools, "(SELECT 7)").await, Ok(7));
        }
    }

    #[tokio::test]
    async fn a_read_that_nobody_waits_for_is_ended_and_its_connection_goes_on() {
        let (_folder, pools) = database(Duration::from_hours(24)).await;
        for _ in 0..3 {
            let mut reading = Box::pin(read(&pools, ENDLESS));
            while pools.readers.status().available > 0 || pools.readers.status().size == 0 {
                assert!(waits(&mut reading));
                tokio::task::yield_now().await;
            }
            assert!(waits(&mut reading));
            drop(reading);
            assert_eq!(read(&pools, "(SELECT 7)").await, Ok(7));
        }
    }

    #[tokio::test]
    async fn whoever_stops_waiting_for_a_connection_leaves_it_to_the_next() {
        let (_folder, pools) = database(Duration::from_hours(24)).await;
        let mut reading = Box::pin(read(&pools, ENDLESS));
        assert!(waits(&mut reading));
        let mut waiting = Box::pin(read(&pools, ENDLESS));
        assert!(waits(&mut waiting));
        let mut next = Box::pin(read(&pools, "(SELECT 7)"));
        assert!(waits(&mut next));
        drop(waiting);
        drop(reading);
        assert_eq!(next.await, Ok(7));
    }
}
