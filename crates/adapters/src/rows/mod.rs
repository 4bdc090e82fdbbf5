//! Rows as they are stored, one struct for every database. Reading one refuses values that the
//! domain does not know.

mod api_key;
mod closing;
mod directory;
mod history;
mod idempotency;
mod load;
mod packed_answer;
mod row;
mod time_entry;
mod webhook;

pub(crate) use api_key::{ApiKeyRow, FormerSecretRow};
pub(crate) use closing::{ClosingRow, load_books};
pub(crate) use directory::{OrganizationRow, ProjectRow, ReleaseRow, TicketRow, UserRow};
pub(crate) use history::{FeedEndRow, HistoryRow};
pub(crate) use idempotency::{IdempotencyRow, digest_key, digest_scope};
pub(crate) use load::Load;
pub(crate) use row::{Row, Values, Written, values};
pub(crate) use time_entry::TimeEntryRow;
pub(crate) use webhook::{DeliveryRow, FailureRow, WebhookRow};
