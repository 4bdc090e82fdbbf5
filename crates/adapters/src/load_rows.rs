//! Loading rows on a connection of either kind.

use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use diesel_async::AsyncPgConnection;

use crate::sqlite::AsyncSqlite;

/// Loads the rows of a query. On SQLite they are read where the statement runs: diesel-async would
/// copy every value of every row to hand it over.
pub(crate) trait LoadRows<Q, R> {
    fn rows(&mut self, query: Q) -> impl Future<Output = QueryResult<Vec<R>>> + Send;
}

impl<Q, R> LoadRows<Q, R> for AsyncSqlite
where
    Q: diesel::query_dsl::LoadQuery<'static, SqliteConnection, R> + Send + 'static,
    R: Send + 'static,
{
    fn rows(&mut self, query: Q) -> impl Future<Output = QueryResult<Vec<R>>> + Send {
        self.spawn_blocking(move |conn| diesel::RunQueryDsl::load(query, conn))
    }
}

impl<Q, R> LoadRows<Q, R> for AsyncPgConnection
where
    Q: diesel_async::methods::LoadQuery<'static, Self, R> + Send + 'static,
    R: Send + 'static,
{
    fn rows(&mut self, query: Q) -> impl Future<Output = QueryResult<Vec<R>>> + Send {
        diesel_async::RunQueryDsl::load(query, self)
    }
}
