//! Taking a connection from a pool, for a bounded time.

use std::time::Duration;

use diesel_async::pooled_connection::deadpool::PoolError;

use crate::error::DbError;

/// A connection, if one is free or can be opened in time.
pub(crate) async fn checkout<T>(
    wait: Duration,
    connection: impl Future<Output = Result<T, PoolError>>,
) -> Result<T, DbError> {
    match tokio::time::timeout(wait, connection).await {
        Ok(connection) => Ok(connection?),
        Err(_) => Err(DbError::Unavailable(
            "no connection to the database became free in time".to_owned(),
        )),
    }
}
