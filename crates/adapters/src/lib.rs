//! The ports of [`timelog_domain`] on diesel.
//!
//! [`Store`] implements them all: changes go through a commit queue, which takes the requests that
//! wait as one batch and commits them in one transaction; reads go to a pool beside it, where
//! organizations take turns.

mod admission;
mod attendance;
mod backup;
mod checkout;
mod commit_queue;
mod copy;
mod database;
mod directory;
mod error;
mod external_digest;
mod idempotency;
mod keys;
mod measure;
mod migrations;
mod options;
mod postgres;
mod queries;
mod rows;
mod schema;
mod shares;
pub mod shown;
mod sqlite;
mod store;
mod sweeper;
mod time_entries;
mod turns;
mod turnstile;
mod types;
mod url;

pub use copy::{CopyProgress, copy};
pub use external_digest::digest_external_ref_part;
pub use keys::digest_key;
pub use options::{DatabaseOptions, QueueOptions};
pub use postgres::PostgresUrl;
pub use shares::{Share, Shares};
pub use store::Store;
pub use sweeper::sweep;
pub use url::{DatabaseUrl, InvalidDatabaseUrl};
