//! The ports of [`timelog_domain`] on diesel.
//!
//! [`Store`] implements them all. Changes go through a commit queue, which commits the requests
//! that wait as one batch, in one transaction. Reads use connections of their own, which
//! organizations share.

mod admission;
mod backup;
mod cancellation;
mod checkout;
mod closings;
mod commit_queue;
mod copy;
mod database;
mod digests;
mod directory;
mod error;
mod fair_queue;
mod fair_semaphore;
mod feed;
mod gathering;
mod idempotency;
mod keep_prepared;
mod keys;
mod load_rows;
mod measure;
mod migrations;
mod notices;
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
mod types;
mod url;
mod webhooks;

pub use copy::{CopyProgress, copy};
pub use digests::{digest, digest_external_ref_part};
pub use keys::digest_key;
pub use options::{DatabaseOptions, QueueOptions};
pub use postgres::PostgresUrl;
pub use shares::{Share, Shares};
pub use store::Store;
pub use sweeper::sweep;
pub use url::{DatabaseUrl, InvalidDatabaseUrl};
