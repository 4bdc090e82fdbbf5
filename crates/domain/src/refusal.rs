//! Every way the domain says no.

use crate::field::Field;
use crate::outcome::ItemOutcome;
use crate::permission::Permission;
use crate::time_entry::{ImpossibleAction, InvalidTransition, NotEditable};

/// Every way the domain says no. Nothing has changed then, and nothing is kept of the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The caller's key lacks the permission.
    #[error("this API key lacks the permission \"{0}\"")]
    LacksPermission(Permission),
    /// The caller's key is limited to one project, and the request concerns all of them.
    #[error("this API key is limited to one project, and this concerns all of them")]
    ConcernsAllProjects,
    /// The organization has no such project.
    #[error("there is no such project")]
    ProjectNotFound,
    /// The organization has no such time entry.
    #[error("there is no such time entry")]
    TimeEntryNotFound,
    /// The caller's key is limited to one project, and this is another. Said of entries that exist
    /// and, before it is known whether they exist, of projects.
    #[error("this key is limited to one project, and this is another")]
    OutOfScope,
    /// The caller's key is bound to one user, and this is another user's entry.
    #[error("this key may change only the entries of its own user")]
    AnotherUsersEntry,
    /// The caller's key is bound to the user whose entry it would judge.
    #[error("this key may not approve, reject or reopen the entries of its own user")]
    OwnEntry,
    /// The entry's version is none of those that the caller would change.
    #[error("the entry has changed, and its version is none of those that If-Match names")]
    PreconditionFailed,
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
    /// The entry would be put on an invoice, and it is not billable.
    #[error("{}", ImpossibleAction::NotBillable)]
    NotBillable,
    /// Some of many failed, and all or none were to succeed. Says of each what it came to; those
    /// that would have succeeded are [`NotApplied`](ItemOutcome::NotApplied).
    #[error("some items failed, so none took effect")]
    BatchFailed(Vec<ItemOutcome>),
    /// The idempotency key was used with another body, and the caller wants that refused.
    #[error("the idempotency key was used before with another body")]
    IdempotencyKeyReused,
}

impl From<ImpossibleAction> for Refusal {
    fn from(impossible: ImpossibleAction) -> Self {
        match impossible {
            ImpossibleAction::Transition(invalid) => Self::InvalidTransition(invalid),
            ImpossibleAction::NotBillable => Self::NotBillable,
        }
    }
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
    UnknownTicket,
    /// `releaseId` names no release of the project.
    #[error("must name a release of this project")]
    UnknownRelease,
}

impl InvalidReference {
    /// The member.
    #[must_use]
    pub const fn field(self) -> Field {
        match self {
            Self::UnknownUser | Self::InactiveUser => Field::UserId,
            Self::UnknownTicket => Field::TicketId,
            Self::UnknownRelease => Field::ReleaseId,
        }
    }
}
