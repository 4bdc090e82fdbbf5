//! A database for one test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use tempfile::TempDir;
use timelog_domain::OrganizationId;

use super::postgres::{self, Cluster};

/// Every table but that of the migrations.
pub(crate) const TABLES: [&str; 13] = [
    "organizations",
    "projects",
    "users",
    "project_entries",
    "project_releases",
    "api_keys",
    "former_secrets",
    "time_entries",
    "time_entry_history",
    "closings",
    "idempotency_keys",
    "webhooks",
    "webhook_failures",
];

/// A column of a table.
#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// The result of a checkpoint.
#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    busy: i32,
}

/// The kinds of database that a test runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// A new, empty database of this kind.
    pub(crate) fn create(self) -> TestDatabase {
        match self {
            Self::Sqlite => TestDatabase::Sqlite(
                tempfile::tempdir().expect("a temporary folder can be made").into(),
            ),
            Self::Postgres => {
                TestDatabase::Postgres(postgres::shared().clone(), postgres::url_of_new_database())
            }
        }
    }
}

/// A database that is removed with the test. Clones are the same database.
#[derive(Clone)]
pub(crate) enum TestDatabase {
    Sqlite(Arc<TempDir>),
    /// On that server, by its URL.
    Postgres(Arc<Cluster>, String),
}

impl TestDatabase {
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", file(folder).display()),
            Self::Postgres(_, url) => url.clone(),
        }
    }

    /// The file of an SQLite database.
    pub(crate) fn path(&self) -> PathBuf {
        let Self::Sqlite(folder) = self else { panic!("PostgreSQL has no file of its own") };
        file(folder)
    }

    /// Another new, empty database of the same kind.
    pub(crate) fn another(&self) -> Self {
        match self {
            Self::Sqlite(_) => Database::Sqlite.create(),
            Self::Postgres(..) => Database::Postgres.create(),
        }
    }

    /// How many rows a table has, over a connection of its own.
    pub(crate) fn count(&self, table: &str) -> i64 {
        let sql = format!("(SELECT count(*) FROM {table})");
        match self {
            Self::Sqlite(folder) => {
                diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&sql))
                    .get_result(&mut connect(folder))
                    .expect("the rows can be counted")
            }
            Self::Postgres(cluster, url) => {
                cluster.query(url, &format!("SELECT {sql}")).parse().expect("it is a number")
            }
        }
    }

    /// The number of rows of each table, as one text to compare.
    pub(crate) fn counts(&self) -> String {
        let counts: Vec<_> =
            TABLES.iter().map(|table| format!("(SELECT count(*) FROM {table})")).collect();
        let sql = format!("({})", counts.join(" || ' ' || "));
        match self {
            Self::Sqlite(folder) => {
                diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(&sql))
                    .get_result(&mut connect(folder))
                    .expect("the rows can be counted")
            }
            Self::Postgres(cluster, url) => cluster.query(url, &format!("SELECT {sql}")),
        }
    }

    /// The rows of a statement that selects one text.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        match self {
            Self::Sqlite(folder) => texts_of(&file(folder), sql).expect("the rows can be read"),
            Self::Postgres(cluster, url) => {
                cluster.query(url, sql).lines().map(str::to_owned).collect()
            }
        }
    }

    /// Changes what is stored behind the service's back.
    pub(crate) fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => {
                connect(folder).batch_execute(sql).expect("the statement works");
            }
            Self::Postgres(cluster, url) => drop(cluster.query(url, sql)),
        }
    }

    /// Holds every read of many entries of that organization until they are
    /// [freed](Self::free_reads). Reads that have begun by then stay held. On SQLite the reads of
    /// all organizations are held, and nobody can write.
    ///
    /// On SQLite every row is billable then, so a read of others searches for ever and finds
    /// nothing.
    pub(crate) fn hold_reads(&self, organization: OrganizationId) {
        let view = match self {
            Self::Sqlite(folder) => format!(
                "WITH RECURSIVE numbers (number) AS NOT MATERIALIZED \
                 (SELECT 1 UNION ALL SELECT number + 1 FROM numbers) \
                 SELECT number AS rowid, {}, number > 0 AS billable FROM numbers CROSS JOIN \
                 kept_time_entries",
                other_columns(folder).join(", ")
            ),
            Self::Postgres(..) => format!(
                "SELECT * FROM kept_time_entries \
                 WHERE organization_id <> '{organization}' OR (SELECT pg_sleep(86400)::text) \
                 IS NULL"
            ),
        };
        self.execute(&format!(
            "BEGIN; ALTER TABLE time_entries RENAME TO kept_time_entries; CREATE VIEW \
             time_entries AS {view}; COMMIT"
        ));
    }

    /// Ends the holding of new reads. On SQLite this works also while others are held.
    pub(crate) fn free_reads(&self) {
        self.execute(
            "BEGIN; DROP VIEW time_entries; ALTER TABLE kept_time_entries RENAME TO \
            time_entries; COMMIT",
        );
    }

    /// Whether anybody reads entries at this moment, or on SQLite anything.
    pub(crate) fn is_being_read(&self) -> bool {
        match self {
            Self::Sqlite(folder) => {
                // While a read is open, a checkpoint cannot move the whole log. Something must be
                // in the log for that.
                let mut connection = connect(folder);
                connection
                    .batch_execute("PRAGMA user_version = 1; PRAGMA busy_timeout = 0")
                    .expect("it can be written");
                let busy = diesel::sql_query("PRAGMA wal_checkpoint(RESTART)")
                    .get_result::<Checkpoint>(&mut connection);
                busy.expect("the log can be moved").busy != 0
            }
            Self::Postgres(cluster, url) => {
                let name = url.rsplit('/').next().unwrap_or(url);
                let sql = format!(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND state = \
                     'active' \
                     AND query LIKE '%time_entries%' AND pid <> pg_backend_pid()"
                );
                cluster.query(url, &sql) != "0"
            }
        }
    }

    /// Takes SQLite's write lock, as another program might, until the connection is dropped.
    pub(crate) fn lock_against_writing(&self) -> SqliteConnection {
        let Self::Sqlite(folder) = self else {
            panic!("PostgreSQL has no lock against all writing")
        };
        let mut connection = connect(folder);
        connection.batch_execute("BEGIN IMMEDIATE").expect("nobody else holds the lock");
        connection
    }
}

/// The rows of a statement that selects one text, from an SQLite file.
pub(crate) fn texts_of(file: &Path, sql: &str) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let rows: Vec<Row> =
        diesel::sql_query(format!("SELECT text FROM ({sql})")).load(&mut open(file))?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("timelog.db")
}

fn connect(folder: &TempDir) -> SqliteConnection {
    open(&file(folder))
}

fn open(file: &Path) -> SqliteConnection {
    let mut connection =
        SqliteConnection::establish(file.to_str().expect("the path is UTF-8")).expect("it opens");
    connection.batch_execute("PRAGMA busy_timeout = 60000").expect("it can wait");
    connection
}

/// The columns of an entry on SQLite, without whether it is billable.
fn other_columns(folder: &TempDir) -> Vec<String> {
    let names = "SELECT name FROM pragma_table_info('time_entries') WHERE name <> 'billable'";
    let columns = diesel::sql_query(names).load::<Column>(&mut connect(folder));
    columns.expect("the table has columns").into_iter().map(|column| column.name).collect()
}
