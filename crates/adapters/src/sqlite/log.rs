//! The log of SQLite, which holds what was committed until a checkpoint moves it.

use diesel::prelude::*;
use diesel::sql_types::Integer;
use diesel::sqlite::SqliteConnection;

/// What SQLite says of its log: <https://sqlite.org/pragma.html#pragma_wal_checkpoint>.
#[derive(QueryableByName)]
pub(super) struct Log {
    /// Whether somebody kept the checkpoint from being complete.
    #[diesel(sql_type = Integer)]
    pub(super) busy: i32,
    /// How many pages are in it; -1 where there is none.
    #[diesel(sql_type = Integer, column_name = "log")]
    pub(super) pages: i32,
    /// How many of them are in the database too.
    #[diesel(sql_type = Integer)]
    pub(super) checkpointed: i32,
}

impl Log {
    /// Makes a checkpoint of a kind.
    pub(super) fn ask(conn: &mut SqliteConnection, kind: &str) -> QueryResult<Self> {
        diesel::sql_query(format!("PRAGMA wal_checkpoint({kind})")).get_result(conn)
    }

    pub(super) fn look(conn: &mut SqliteConnection) -> QueryResult<Self> {
        Self::ask(conn, "NOOP")
    }

    /// How many are only in the log.
    pub(super) const fn rest(&self) -> i32 {
        self.pages - self.checkpointed
    }
}
