//! What can be asked for, what comes of it, and every way the domain says no.

use crate::external_ref::ExternalRef;
use crate::ids::{ProjectId, TimeEntryId};
use crate::source::Source;
use crate::status::Action;
use crate::text::{InvoiceRef, Reason};
use crate::time_entry::{Details, InvalidTransition, NotEditable, TimeEntry};

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Log a time entry, or update the one that has the same external reference.
    Log(LogTimeEntry),
    /// Move an entry through its life.
    Apply(ApplyAction),
}

/// Asks to log a time entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTimeEntry {
    /// The id the entry gets if it is new. Minted by the caller, because deciding is pure: deciding twice must come out the same.
    pub id: TimeEntryId,
    /// The project to log on.
    pub project_id: ProjectId,
    /// What the entry says.
    pub details: Details,
    /// Its name in another system.
    pub external_ref: Option<ExternalRef>,
    /// How it is being created.
    pub source: Source,
}

/// Asks to move an entry through its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyAction {
    /// The entry.
    pub id: TimeEntryId,
    /// What to do with it.
    pub action: Action,
    /// Why.
    pub reason: Option<Reason>,
    /// On which invoice.
    pub invoice_ref: Option<InvoiceRef>,
}

/// What came of a command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new entry was logged.
    Created(TimeEntry),
    /// An entry that existed was changed.
    Updated(TimeEntry),
    /// The entry already was as asked for.
    Unchanged(TimeEntry),
}

impl Outcome {
    /// The entry as it is now.
    #[must_use]
    pub const fn time_entry(&self) -> &TimeEntry {
        match self {
            Self::Created(entry) | Self::Updated(entry) | Self::Unchanged(entry) => entry,
        }
    }
}

/// Every way the domain says no. Nothing has changed then, and nothing is kept of the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The organization has no such project.
    #[error("there is no such project")]
    ProjectNotFound,
    /// The organization has no such time entry.
    #[error("there is no such time entry")]
    TimeEntryNotFound,
    /// The caller's key is bound to one user, and this is another user's entry.
    #[error("this key may change only the entries of its own user")]
    AnotherUsersEntry,
    /// The caller's key is bound to the user whose entry it would judge.
    #[error("this key may not approve, reject or reopen the entries of its own user")]
    OwnEntry,
    /// The entry would refer to what the directory does not have.
    #[error("the entry refers to what does not exist")]
    References(Vec<InvalidReference>),
    /// The project is archived and takes no more time.
    #[error("the project is archived and takes no more time")]
    ProjectArchived,
    /// The external reference names an entry of another project.
    #[error("the external reference already names an entry of another project")]
    ExternalRefConflict,
    /// The entry would change, and its status does not allow that.
    #[error(transparent)]
    NotEditable(#[from] NotEditable),
    /// The entry's status does not allow the action.
    #[error(transparent)]
    InvalidTransition(#[from] InvalidTransition),
    /// The idempotency key was used with another body, and the caller wants that refused.
    #[error("the idempotency key was used before with another body")]
    IdempotencyKeyReused,
}

/// A member that refers to what the directory does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// `userId` names no user of the organization.
    #[error("must name a user of the organization")]
    UnknownUser,
    /// `userId` names a user who is not active.
    #[error("must name an active user")]
    InactiveUser,
    /// `entryId` names no entry of the project.
    #[error("must name an entry of this project")]
    UnknownEntry,
    /// `releaseId` names no release of the project.
    #[error("must name a release of this project")]
    UnknownRelease,
}

impl InvalidReference {
    /// The member's name on the wire.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::UnknownUser | Self::InactiveUser => "userId",
            Self::UnknownEntry => "entryId",
            Self::UnknownRelease => "releaseId",
        }
    }
}
