//! PostgreSQL: several lanes write, readers beside them, from any number of programs on one
//! database.

mod connection;
mod durability;
mod load;
mod refusal;
mod save;
mod statement;
mod tls;
mod url;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::FutureExt;
use futures_util::future::join;
use timelog_domain::ports::Clock;
use timelog_domain::{Ledger, OrganizationId, Request, Touches};
use tokio::time::error::Elapsed;
use tokio_postgres_rustls::MakeRustlsConnect;

pub use self::url::PostgresUrl;

use crate::admission::{Admission, Admitted, Kind};
use crate::cancellation::Cancellation;
use crate::checkout::checkout;
use crate::commit_queue::{Settled, decide};
use crate::error::DbError;
use crate::measure::count_stored;
use crate::migrations;
use crate::options::{DatabaseOptions, LOOK_UPS};
use crate::queries::found;

diesel::table! {
    // What diesel keeps of the migrations it applied.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// Connections beside the lanes' own that write: for the directory, the keys and the sweeper.
pub(crate) const OTHER_WRITERS: usize = 2;

/// How many connections are for single entries. They are few, because many are [read at
/// once](crate::gathering), and one that is slow must not keep all others waiting.
const FINDERS: usize = 2;

/// How long a cancelled read may still go on. Most finish by then, which costs less than to end
/// them.
const GRACE: Duration = Duration::from_millis(100);

/// The connections to one PostgreSQL database.
#[derive(Clone)]
pub(crate) struct PostgresPools {
    writers: Pool<AsyncPgConnection>,
    finders: Pool<AsyncPgConnection>,
    readers: Pool<AsyncPgConnection>,
    /// For reads that do not wait for those of organizations.
    look_ups: Pool<AsyncPgConnection>,
    admission: Admission,
    /// For asking the server to end a statement, which takes a connection of its own.
    tls: MakeRustlsConnect,
    wait: Duration,
    /// How long a server may stay silent on a connection that is in use.
    patience: Duration,
}

impl PostgresPools {
    pub(crate) async fn open(
        url: &PostgresUrl,
        options: &DatabaseOptions,
    ) -> Result<Self, DbError> {
        let pools = Self {
            writers: connection::pool(url, options.lanes + OTHER_WRITERS, options)?,
            finders: connection::pool(url, FINDERS, options)?,
            readers: connection::pool(url, options.read_connections, options)?,
            look_ups: connection::pool(url, LOOK_UPS, options)?,
            admission: Admission::new(options.read_connections, FINDERS, options.lock_timeout),
            tls: tls::connector(url)?,
            wait: options.lock_timeout,
            // The server ends a statement that takes too long. This is for one that does not answer
            // at all.
            patience: options.statement_timeout + options.lock_timeout,
        };
        // Whether the database is there shows now, and not at the first request.
        drop(pools.look_up().await?);
        Ok(pools)
    }

    pub(crate) async fn find(&self, organization: OrganizationId) -> Result<Reader, DbError> {
        self.admission.admit(organization, Kind::Find, self.finders.get()).await
    }

    pub(crate) async fn read(&self, organization: OrganizationId) -> Result<Reader, DbError> {
        self.admission.admit(organization, Kind::Page, self.readers.get()).await
    }

    pub(crate) async fn total(&self, organization: OrganizationId) -> Result<Reader, DbError> {
        self.admission.admit(organization, Kind::Total, self.readers.get()).await
    }

    pub(crate) async fn look_up(&self) -> Result<Reader, DbError> {
        Ok(Admitted::at_once(checkout(self.wait, self.look_ups.get()).await?))
    }

    pub(crate) async fn write(&self) -> Result<Object<AsyncPgConnection>, DbError> {
        checkout(self.wait, self.writers.get()).await
    }

    pub(crate) async fn migrate(&self) -> Result<Vec<String>, DbError> {
        migrations::run_postgres(Object::take(self.write().await?)).await
    }

    pub(crate) async fn has_pending_migrations(&self) -> Result<bool, DbError> {
        let needed = migrations::postgres_versions()?;
        let mut reader = self.look_up().await?.connection;
        let asked = self.ask(has_pending_migrations(&mut reader, &needed)).await;
        hand_back(reader, asked)
    }

    /// What the operator should know of the server.
    pub(crate) async fn warnings(&self) -> Result<Vec<String>, DbError> {
        let mut reader = self.look_up().await?.connection;
        let asked = self.ask(durability::warnings(&mut reader)).await;
        hand_back(reader, asked)
    }

    /// Whether any migration was ever applied.
    pub(crate) async fn was_migrated(&self) -> Result<bool, DbError> {
        let mut reader = self.look_up().await?.connection;
        let asked = self.ask(was_migrated(&mut reader)).await;
        hand_back(reader, asked)
    }

    /// Closes the connections that are not in use now, and the others after their use.
    pub(crate) fn close(&self) {
        self.writers.close();
        self.finders.close();
        self.readers.close();
        self.look_ups.close();
    }

    /// Waits for the server's answer, for a bounded time. The result must go to [`hand_back`].
    pub(crate) async fn ask<T>(&self, work: impl Future<Output = Result<T, DbError>>) -> Asked<T> {
        tokio::time::timeout(self.patience, work).await
    }

    /// [Asks](Self::ask), until the caller stops waiting. The result must go to
    /// [`take_back`](Self::take_back).
    pub(crate) async fn limit<T>(
        &self,
        cancellation: Cancellation,
        read: impl Future<Output = Result<T, DbError>>,
    ) -> Asked<T> {
        let cancelled = async {
            cancellation.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            asked = self.ask(read) => asked,
            () = cancelled => Ok(Err(DbError::Cancelled)),
        }
    }

    /// The result of a read, whose connection goes back to the pool. A cancelled read still runs in
    /// the server, so the server is told to end it. Its connection is closed: the next to use it
    /// would get the answer to this read.
    pub(crate) async fn take_back<T>(
        &self,
        conn: Object<AsyncPgConnection>,
        asked: Asked<T>,
    ) -> Result<T, DbError> {
        if !matches!(asked, Ok(Err(DbError::Cancelled))) {
            return hand_back(conn, asked);
        }
        let conn = Object::take(conn);
        match tokio::time::timeout(self.wait, conn.cancel_token().cancel_query(self.tls.clone()))
            .await
        {
            Ok(Ok(())) => {}
            // The server will notice that the connection is closed.
            Ok(Err(error)) => {
                tracing::debug!(%error, "a cancelled read could not be ended");
            }
            Err(_) => tracing::debug!("a cancelled read could not be ended in time"),
        }
        Err(DbError::Cancelled)
    }

    /// Loads, decides and saves a batch in one transaction.
    pub(crate) async fn commit(
        &self,
        requests: &[Request],
        clock: &dyn Clock,
        holding: bool,
    ) -> Result<Vec<Settled>, DbError> {
        let writer = self.write().await?;
        let committed = self.ask(commit(&writer, requests, clock, holding)).await;
        let committed = committed.unwrap_or_else(|_| {
            Err(DbError::Unavailable(
                "the database did not answer in time; whether it committed is unknown".to_owned(),
            ))
        });
        if !matches!(committed, Ok(_) | Err(DbError::Conflict(_))) {
            // The connection may be in any state, so the next batch starts on another one.
            drop(Object::take(writer));
        }
        committed
    }
}

/// A connection to read on.
type Reader = Admitted<Object<AsyncPgConnection>>;

/// What the server answered, unless it stayed silent.
pub(crate) type Asked<T> = Result<Result<T, DbError>, Elapsed>;

/// The result of work outside a transaction, whose connection goes back to the pool. It is closed
/// where it broke, or where the server stayed silent: the next to use it would get the answer to
/// this.
pub(crate) fn hand_back<T>(conn: Object<AsyncPgConnection>, asked: Asked<T>) -> Result<T, DbError> {
    let answer = asked.unwrap_or_else(|_| {
        Err(DbError::Disconnected("the database did not answer in time".to_owned()))
    });
    if matches!(answer, Err(DbError::Disconnected(_))) {
        drop(Object::take(conn));
    }
    answer
}

async fn was_migrated(conn: &mut AsyncPgConnection) -> Result<bool, DbError> {
    let known =
        diesel::select(sql::<Bool>("to_regclass('__diesel_schema_migrations') IS NOT NULL"));
    Ok(known.get_result(conn).await?)
}

async fn has_pending_migrations(
    conn: &mut AsyncPgConnection,
    needed: &[String],
) -> Result<bool, DbError> {
    if !was_migrated(conn).await? {
        return Ok(true);
    }
    let count = __diesel_schema_migrations::table
        .filter(__diesel_schema_migrations::version.eq_any(needed))
        .count()
        .get_result::<i64>(conn)
        .await?;
    Ok(usize::try_from(count) != Ok(needed.len()))
}

/// The transaction is begun and ended by itself, so that what is loaded first can be sent with its
/// beginning: nothing is waited for in vain.
async fn commit(
    conn: &AsyncPgConnection,
    requests: &[Request],
    clock: &dyn Clock,
    holding: bool,
) -> Result<Vec<Settled>, DbError> {
    let work = AssertUnwindSafe(work(conn, requests, clock, holding)).catch_unwind();
    match work.await.unwrap_or_else(|panic| Err(DbError::panicked(&*panic))) {
        Ok((settled, bytes)) => {
            execute(conn, "COMMIT").await.map_err(|error| match error {
                conflict @ DbError::Conflict(_) => conflict,
                // It must not be tried again here. Only the client's retry, under its idempotency
                // key, can find out.
                error => DbError::Unavailable(format!(
                    "whether the transaction committed is unknown: {error}"
                )),
            })?;
            count_stored(bytes);
            Ok(settled)
        }
        Err(error) => match execute(conn, "ROLLBACK").await {
            // The connection would go on in the middle of a transaction.
            Err(broken) if matches!(error, DbError::Conflict(_)) => {
                Err(DbError::Disconnected(broken.to_string()))
            }
            // Where it broke there is nothing to roll back, and the first error says why.
            _ => Err(error),
        },
    }
}

async fn execute(mut conn: &AsyncPgConnection, statement: &str) -> Result<(), DbError> {
    Ok(conn.batch_execute(statement).await?)
}

/// The decisions, and how many bytes of answers are stored.
async fn work(
    conn: &AsyncPgConnection,
    requests: &[Request],
    clock: &dyn Clock,
    holding: bool,
) -> Result<(Vec<Settled>, u64), DbError> {
    let mut ledger = Ledger::default();
    let touched = Touches::from_iter(requests);
    let beginning = execute(conn, "BEGIN ISOLATION LEVEL READ COMMITTED");
    let loading = load::load(conn, &touched, holding, &mut ledger);
    let (begun, loaded) = join(beginning, loading).await;
    begun.and(loaded)?;
    found::load_on_postgres(conn, &touched.filters, holding, &mut ledger).await?;
    let following = Touches::following(requests, &ledger);
    load::load(conn, &following, holding, &mut ledger).await?;
    let now = clock.now();
    let settled = decide(requests, &mut ledger, now);
    let bytes = save::save(conn, ledger.take_changes(), now).await?;
    Ok((settled, bytes))
}
