//! Connecting to PostgreSQL: the pool, and what every session is set to.

use std::sync::Once;
use std::time::Duration;

use diesel::ConnectionError;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::PostgresUrl;
use super::{durability, refusal, tls};
use crate::error::DbError;
use crate::options::DatabaseOptions;

pub(super) fn pool(
    url: &PostgresUrl,
    connections: usize,
    options: &DatabaseOptions,
) -> Result<Pool<AsyncPgConnection>, DbError> {
    let (url, tls, settings) = (url.clone(), tls::connector(url)?, settings(options));
    let mut config = ManagerConfig::default();
    // A connection that broke is known without asking the server. A backend that was killed shows
    // at its next use.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let (url, tls, settings) = (url.clone(), tls.clone(), settings.clone());
        Box::pin(async move { connect(&url, tls, &settings).await })
    });
    Pool::builder(AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config("", config))
        .max_size(connections)
        .build()
        .map_err(|error| DbError::Failed(error.to_string()))
}

async fn connect(
    url: &PostgresUrl,
    tls: MakeRustlsConnect,
    settings: &str,
) -> Result<AsyncPgConnection, ConnectionError> {
    let (client, connection) =
        url.config().connect(tls).await.map_err(|error| refusal::connection_error(&error, url))?;
    let mut conn = AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
    conn.batch_execute(settings).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    // Has the server end its work for a program that is gone. On some systems it cannot notice that
    // and refuses the setting.
    drop(conn.batch_execute("SET client_connection_check_interval = '1s'").await);
    speak_english(&mut conn).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Commits are made for read committed: they find conflicts themselves. The role or the database
/// may default to another level, and to a COMMIT that does not wait for the disk.
///
/// Every read is by an index. What the server knows of a table may be old, and then it would rather
/// read all of it, and compile a plan that it takes for expensive.
fn settings(options: &DatabaseOptions) -> String {
    let (lock, statement) =
        (options.lock_timeout.as_millis(), options.statement_timeout.as_millis());
    // A transaction never waits for a client, so its program is gone where it idles.
    let idle = (options.statement_timeout + Duration::from_secs(30)).as_millis();
    format!(
        "SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only \
         = off; \
         SET lock_timeout = {lock}; SET statement_timeout = {statement}; \
         SET idle_in_transaction_session_timeout = {idle}; \
         SET enable_seqscan = off; SET jit = off; {SYNCHRONOUS}",
        SYNCHRONOUS = durability::SYNCHRONOUS
    )
}

/// Some errors are known only by their message, because the driver does not pass on every code. So
/// the messages must be English. Where this role may not set that, the operator is told.
async fn speak_english(conn: &mut AsyncPgConnection) -> QueryResult<()> {
    static TOLD: Once = Once::new();
    let language = diesel::dsl::sql::<Text>("current_setting('lc_messages')");
    let language: String = diesel::select(language).get_result(conn).await?;
    let english = ["C", "POSIX", "en"].iter().any(|prefix| language.starts_with(prefix))
        || language.is_empty();
    if !english && conn.batch_execute("SET lc_messages = 'C'").await.is_err() {
        TOLD.call_once(|| {
            tracing::warn!(
                language,
                "the server's messages are not English, so some passing errors look permanent: \
                 ALTER ROLE … SET lc_messages = 'C'"
            );
        });
    }
    Ok(())
}
