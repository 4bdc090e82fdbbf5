//! Settings of a store.

use std::time::Duration;

/// How many connections are for keys, for readiness and for the reads of commands. The reads of
/// organizations do not use them.
pub(crate) const LOOK_UPS: usize = 2;

/// How the database is used.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// Whether to make a database that is not there. Otherwise opening it fails.
    pub create: bool,
    /// How many connections read for organizations at the same time. One alone gets half of them.
    pub read_connections: usize,
    /// How long to wait for a connection, and for a lock that somebody else holds.
    pub lock_timeout: Duration,
    /// How long one statement may take. On SQLite this ends only reads that may visit many rows;
    /// all others visit few.
    pub statement_timeout: Duration,
    /// How many transactions commit at the same time. PostgreSQL only: SQLite has one writer.
    pub lanes: usize,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            create: true,
            read_connections: 8,
            lock_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            lanes: 4,
        }
    }
}

/// How many requests may wait, and for how long.
#[derive(Debug, Clone)]
pub struct QueueOptions {
    /// The most requests that wait in one lane, [divided](crate::Shares) among organizations. One
    /// more is turned away at once.
    pub capacity: usize,
    /// The most requests in one transaction; the database's own best size where it is not given.
    pub batch_size: Option<usize>,
    /// A request that has waited longer than this is turned away instead of begun.
    pub max_wait: Duration,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self { capacity: 4096, batch_size: None, max_wait: Duration::from_secs(10) }
    }
}
