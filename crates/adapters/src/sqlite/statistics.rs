//! What SQLite's planner is told of the time entries: how many there are, and how many are alike in
//! the first column of an index, in its first two, and so on.
//!
//! It is told at each start, where it knows something else: it forgets an index that is dropped
//! and made again, and `ANALYZE` tells it of the entries that there are at that moment, such as
//! that all belong to one organization. Then it would sort an organization's entries rather than
//! read them in order.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;

/// By the names of the indexes.
const STATISTICS: [(&str, &str); 11] = [
    ("sqlite_autoindex_time_entries_1", "5000000 1000000 1"),
    ("time_entries_by_entry", "2500000 500000 100 10 1"),
    ("time_entries_by_external_ref", "5000000 1000000 500000 500000 1"),
    ("time_entries_by_invoice", "1000000 200000 500 50 1"),
    ("time_entries_by_project_and_updated_at", "5000000 1000000 10000 2 1"),
    ("time_entries_by_project_and_work_date", "5000000 1000000 10000 20 1"),
    ("time_entries_by_release", "2500000 500000 2500 20 1"),
    ("time_entries_by_status", "5000000 1000000 200000 100000 50000 100 1"),
    ("time_entries_by_updated_at", "5000000 1000000 2 1"),
    ("time_entries_by_user_and_work_date", "5000000 1000000 5000 5 1"),
    ("time_entries_by_work_date", "5000000 1000000 1000 1"),
];

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Text)]
    idx: String,
    #[diesel(sql_type = Text)]
    stat: String,
}

/// Tells the planner, where it knows something else. Within a transaction.
pub(super) fn tell(conn: &mut SqliteConnection) -> QueryResult<()> {
    let told = "SELECT idx, stat FROM sqlite_stat1 WHERE tbl = 'time_entries' ORDER BY idx";
    let told: Vec<Told> = diesel::sql_query(told).load(conn)?;
    if told.iter().map(|told| (told.idx.as_str(), told.stat.as_str())).eq(STATISTICS) {
        return Ok(());
    }
    tracing::debug!("the planner of SQLite is told of the time entries");
    conn.batch_execute("DELETE FROM sqlite_stat1 WHERE tbl = 'time_entries'")?;
    for (index, numbers) in STATISTICS {
        let tell = "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('time_entries', ?, ?)";
        diesel::sql_query(tell).bind::<Text, _>(index).bind::<Text, _>(numbers).execute(conn)?;
    }
    conn.batch_execute("ANALYZE sqlite_schema")
}
