#![doc = include_str!("../README.md")]

pub mod access;
pub mod change;
pub mod command;
pub mod directory;
pub mod duration;
pub mod external_ref;
mod handle;
pub mod history;
pub mod idempotency;
pub mod ids;
pub mod ledger;
#[cfg(feature = "test-support")]
pub mod memory;
mod named;
pub mod ports;
pub mod request;
pub mod source;
pub mod status;
pub mod text;
pub mod time_entry;
pub mod timestamp;
pub mod work_date;

pub use access::{ApiKey, Caller, Permission, Permissions, UnknownPermission};
pub use change::{FieldChange, FieldValue};
pub use command::{ApplyAction, Command, InvalidReference, LogTimeEntry, Outcome, Refusal};
pub use directory::{Entry, Project, Release, User};
pub use duration::{InvalidDuration, WorkDuration, hours_of_minutes};
pub use external_ref::ExternalRef;
pub use handle::{handle, replay};
pub use history::{Event, HistoryRecord};
pub use idempotency::{
    Claim, Fingerprint, IdempotencyKey, IdempotencyRecord, IdempotencyScope, MismatchPolicy, StoredAnswer,
};
pub use ids::{EntryId, InvalidId, KeyId, OrganizationId, ProjectId, ReleaseId, TimeEntryId, UserId};
pub use ledger::{Changes, Ledger, Touches};
pub use request::{Decision, Reply, Request};
pub use source::Source;
pub use status::{Action, Status};
pub use text::{Description, ExternalRefPart, InvalidText, InvoiceRef, Name, Reason};
pub use time_entry::{Details, InvalidTransition, NotEditable, Record, TimeEntry, Version};
pub use timestamp::Timestamp;
pub use work_date::{InvalidWorkDate, WorkDate};
