//! A database for one test.

use std::path::PathBuf;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use tempfile::TempDir;

use super::postgres::{self, Cluster};

/// Every table but that of the migrations.
pub(crate) const TABLES: [&str; 10] = [
    "organizations",
    "projects",
    "users",
    "project_entries",
    "project_releases",
    "api_keys",
    "former_secrets",
    "time_entries",
    "time_entry_history",
    "idempotency_keys",
];

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
            Self::Sqlite => TestDatabase::Sqlite(tempfile::tempdir().expect("a temporary folder can be made").into()),
            Self::Postgres => TestDatabase::Postgres(postgres::shared().clone(), postgres::url_of_new_database()),
        }
    }
}

/// A database that goes with the test. Clones are the same database.
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
            Self::Sqlite(folder) => diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&sql))
                .get_result(&mut connect(folder))
                .expect("the rows can be counted"),
            Self::Postgres(cluster, url) => {
                cluster.query(url, &format!("SELECT {sql}")).parse().expect("it is a number")
            }
        }
    }

    /// How many rows each table has: equal texts mean equal numbers.
    pub(crate) fn counts(&self) -> String {
        let counts: Vec<_> = TABLES.iter().map(|table| format!("(SELECT count(*) FROM {table})")).collect();
        let sql = format!("({})", counts.join(" || ' ' || "));
        match self {
            Self::Sqlite(folder) => diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(&sql))
                .get_result(&mut connect(folder))
                .expect("the rows can be counted"),
            Self::Postgres(cluster, url) => cluster.query(url, &format!("SELECT {sql}")),
        }
    }

    /// Changes what is stored behind the service's back.
    pub(crate) fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite(folder) => connect(folder).batch_execute(sql).expect("the statement works"),
            Self::Postgres(cluster, url) => drop(cluster.query(url, sql)),
        }
    }

    /// Takes SQLite's write lock, as another program might, until what is returned is dropped.
    pub(crate) fn lock_against_writing(&self) -> SqliteConnection {
        let Self::Sqlite(folder) = self else { panic!("PostgreSQL has no lock against all writing") };
        let mut connection = connect(folder);
        connection.batch_execute("BEGIN IMMEDIATE").expect("nobody else holds the lock");
        connection
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("timelog.db")
}

fn connect(folder: &TempDir) -> SqliteConnection {
    let path = file(folder);
    let mut connection = SqliteConnection::establish(path.to_str().expect("the path is UTF-8")).expect("it opens");
    connection.batch_execute("PRAGMA busy_timeout = 60000").expect("it can wait");
    connection
}
