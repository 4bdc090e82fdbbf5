//! The result of a command: an outcome or a refusal. They share a file because each can have the
//! other in its items.

use crate::closing::{Closing, PeriodClosed};
use crate::details::Field;
use crate::feed::Seq;
use crate::found::FoundTooMany;
use crate::ids::TimeEntryId;
use crate::permission::Permission;
use crate::time_entry::{ImpossibleAction, InvalidTransition, NotEditable, TimeEntry};
use crate::webhook::WebhookState;

/// The result of a command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new entry was logged.
    Created(TimeEntry),
    /// An entry that existed was changed.
    Updated(TimeEntry),
    /// The entry already had these details.
    Unchanged(TimeEntry),
    /// The entry was deleted.
    Deleted,
    /// The results of the items of a command for many entries, in order.
    Many(Vec<ItemOutcome>),
    /// The results of a command that changes many entries, in order.
    Changed(Vec<Changed>),
    /// The closing that counts now; none where the books were never closed.
    Books(Option<Closing>),
    /// The webhook as it is now.
    Webhook(Box<WebhookState>),
    /// It was noted.
    Noted,
}

/// An entry that was to be changed, and the result.
pub type Changed = (TimeEntryId, ItemOutcome);

/// The result of one item of a command for many entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemOutcome {
    /// A new entry was logged.
    Created(TimeEntry),
    /// An entry that existed was changed.
    Updated(TimeEntry),
    /// The entry already had these details.
    Unchanged(TimeEntry),
    /// It was deleted.
    Deleted,
    /// It was refused.
    Refused(Refusal),
    /// It was not valid, so nothing was decided. The edge knows its violations.
    Invalid,
    /// It did not fail, but another item of an atomic command did.
    NotApplied,
}

impl Outcome {
    /// The entry as it is now; none where it was deleted, or where there are many.
    #[must_use]
    pub const fn time_entry(&self) -> Option<&TimeEntry> {
        match self {
            Self::Created(entry) | Self::Updated(entry) | Self::Unchanged(entry) => Some(entry),
            Self::Deleted
            | Self::Many(_)
            | Self::Changed(_)
            | Self::Books(_)
            | Self::Webhook(_)
            | Self::Noted => None,
        }
    }
}

impl ItemOutcome {
    /// The entry as the command left it; none where the item did not succeed.
    #[must_use]
    pub const fn time_entry(&self) -> Option<&TimeEntry> {
        match self {
            Self::Created(entry) | Self::Updated(entry) | Self::Unchanged(entry) => Some(entry),
            Self::Deleted | Self::Refused(_) | Self::Invalid | Self::NotApplied => None,
        }
    }

    /// Whether the item itself was refused or invalid.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Invalid)
    }
}

/// Why the domain refuses a command. A refused command changes nothing, and no answer is stored.
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
    /// The organization has no such webhook.
    #[error("there is no such webhook")]
    WebhookNotFound,
    /// The webhook cannot be as it is asked to be.
    #[error("the webhook cannot be like this")]
    InvalidWebhook(Vec<InvalidWebhook>),
    /// The caller's key is limited to one project, and this is another. A project is refused before
    /// it is looked up, an entry only if it exists.
    #[error("this API key is limited to one project, and this is another")]
    OutOfScope,
    /// The caller's key is bound to one user, and this is another user's entry.
    #[error("this key may change only the entries of its own user")]
    AnotherUsersEntry,
    /// The caller's key is bound to the user of the entry, and may not judge it.
    #[error("this key may not approve, reject or reopen the entries of its own user")]
    OwnEntry,
    /// The entry's version is not one of those that the caller named.
    #[error("the entry has changed, and its version is none of those that If-Match names")]
    PreconditionFailed,
    /// The entry refers to something that the directory does not have.
    #[error("the entry refers to what does not exist")]
    References(Vec<InvalidReference>),
    /// The project is archived and takes no more time.
    #[error("the project is archived and takes no more time")]
    ProjectArchived,
    /// The books are closed on a day that the change concerns.
    #[error(transparent)]
    PeriodClosed(#[from] PeriodClosed),
    /// The books would be closed through an earlier day than before, and no reason was given.
    #[error("a reason is needed to open what was closed")]
    ReopeningNeedsReason,
    /// The external reference names an entry of another project.
    #[error("the external reference already names an entry of another project")]
    ExternalRefConflict,
    /// The entry's status does not allow a change.
    #[error(transparent)]
    NotEditable(#[from] NotEditable),
    /// The entry's status does not allow the action.
    #[error(transparent)]
    InvalidTransition(#[from] InvalidTransition),
    /// The entry is not billable, so it cannot be put on an invoice.
    #[error("{}", ImpossibleAction::NotBillable)]
    NotBillable,
    /// Some items of an atomic command failed. It has the result of each item; those that did not
    /// fail are [`NotApplied`](ItemOutcome::NotApplied).
    #[error("some items failed, so none took effect")]
    BatchFailed(Vec<ItemOutcome>),
    /// Likewise, of a command that changes many entries.
    #[error("some entries failed, so none was changed")]
    ChangesFailed(Vec<Changed>),
    /// The patch for many entries refers to what the directory does not have, whichever they are.
    #[error("the patch refers to what does not exist")]
    PatchReferences(Vec<InvalidReference>),
    /// The filter finds too many entries.
    #[error(transparent)]
    FoundTooMany(#[from] FoundTooMany),
    /// The idempotency key was used with another body, and the claim does not allow that.
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

/// A member that refers to something that the directory does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// `projectId` names no project of the organization.
    #[error("must name a project of the organization")]
    UnknownProject,
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
            Self::UnknownProject => Field::ProjectId,
            Self::UnknownUser | Self::InactiveUser => Field::UserId,
            Self::UnknownTicket => Field::TicketId,
            Self::UnknownRelease => Field::ReleaseId,
        }
    }
}

/// A member of a webhook that names what is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWebhook {
    /// `projectId` names no project of the organization.
    #[error("must name a project of the organization")]
    UnknownProject,
    /// `deliveredThrough` is greater than the number of the last change.
    #[error("must be at most {end}, the number of the last change")]
    BeyondTheEnd {
        /// That number.
        end: Seq,
    },
}

/// The result of logging, editing or moving one entry: what [`Outcome`] and [`ItemOutcome`] share.
#[derive(Debug)]
pub(crate) enum Written {
    Created(TimeEntry),
    Updated(TimeEntry),
    Unchanged(TimeEntry),
}

impl From<Written> for Outcome {
    fn from(written: Written) -> Self {
        match written {
            Written::Created(entry) => Self::Created(entry),
            Written::Updated(entry) => Self::Updated(entry),
            Written::Unchanged(entry) => Self::Unchanged(entry),
        }
    }
}

impl From<Written> for ItemOutcome {
    fn from(written: Written) -> Self {
        match written {
            Written::Created(entry) => Self::Created(entry),
            Written::Updated(entry) => Self::Updated(entry),
            Written::Unchanged(entry) => Self::Unchanged(entry),
        }
    }
}
