//! What is promised on SQLite and has no counterpart elsewhere.

mod failures;
mod limits;
mod locks;
mod log;
mod rows;
mod schema;
mod statistics;

use std::path::PathBuf;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;

use crate::subject::Subject;

/// The file of the subject's database.
fn file(subject: &Subject) -> PathBuf {
    let url = subject.database().url.to_string();
    PathBuf::from(url.strip_prefix("sqlite:").unwrap())
}

/// A connection of somebody else's to the subject's database.
fn outsider(subject: &Subject) -> SqliteConnection {
    SqliteConnection::establish(file(subject).to_str().unwrap()).unwrap()
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// The rows of a query for one column of texts named `line`.
fn lines(conn: &mut SqliteConnection, query: &str) -> Vec<String> {
    let rows: Vec<Line> = diesel::sql_query(query).load(conn).unwrap();
    rows.into_iter().map(|row| row.line).collect()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How many rows the tables of entries, of their history and of answers have.
fn counts(conn: &mut SqliteConnection) -> [i64; 3] {
    ["time_entries", "time_entry_history", "idempotency_keys"].map(|table| {
        let query = format!("SELECT count(*) AS count FROM {table}");
        diesel::sql_query(query).get_result::<Count>(conn).unwrap().count
    })
}
