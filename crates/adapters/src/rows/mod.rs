//! Rows as they are stored, one struct for every database. Reading one refuses values that the
//! domain does not know.

mod api_key;
mod directory;
mod history;
mod idempotency;
mod kept_body;
mod time_entry;

pub(crate) use api_key::{ApiKeyRow, FormerSecretRow};
pub(crate) use directory::{OrganizationRow, ProjectRow, ReleaseRow, TicketRow, UserRow};
pub(crate) use history::HistoryRow;
pub(crate) use idempotency::IdempotencyRow;
pub(crate) use time_entry::TimeEntryRow;

use crate::error::DbError;

/// A stored value that the domain refuses. It means that something else writes to the database, or
/// an older program reads it.
fn corrupt(table: &str, column: &str, error: impl std::fmt::Display) -> DbError {
    DbError::Failed(format!("{table}.{column} holds a value that is not known: {error}"))
}
