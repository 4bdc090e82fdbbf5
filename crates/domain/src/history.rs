//! The history of an entry: who changed what, when and why.

use std::fmt;
use std::str::FromStr;

use crate::details::FieldChange;
use crate::ids::{KeyId, OrganizationId, ProjectId, TimeEntryId, UserId};
use crate::status::{Action, Status};
use crate::text::{InvoiceRef, Reason};
use crate::time_entry::Version;
use crate::timestamp::Timestamp;

/// One change of an entry. Records are only ever added, and outlive the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRecord {
    /// The organization of the entry.
    pub organization_id: OrganizationId,
    /// The project of the entry after the change.
    pub project_id: ProjectId,
    /// The project that it left, where the change moved it.
    pub left_project_id: Option<ProjectId>,
    /// The user who had it before, where the change gave it to another, moved it or deleted it.
    pub left_user_id: Option<UserId>,
    /// The entry that changed.
    pub time_entry_id: TimeEntryId,
    /// The version that the change made.
    pub version: Version,
    /// What was done.
    pub event: Event,
    /// When.
    pub at: Timestamp,
    /// With which key.
    pub key_id: KeyId,
    /// For which user, where that key is bound to one.
    pub user_id: Option<UserId>,
    /// The reason, where one was given.
    pub reason: Option<Reason>,
    /// The invoice, where one was named.
    pub invoice_ref: Option<InvoiceRef>,
    /// The status before; none before the first change.
    pub from: Option<Status>,
    /// The status after; none after the last change, when the entry was deleted.
    pub to: Option<Status>,
    /// The members whose values changed: none when the entry is logged, all when it is deleted, so
    /// that the history has what was deleted.
    pub changes: Vec<FieldChange>,
}

/// What was done to an entry.
///
/// ```
/// use timelog_domain::{Action, Event};
///
/// assert_eq!(Event::Action(Action::Submit).to_string(), "submit");
/// assert_eq!("delete".parse(), Ok(Event::Delete));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// It was logged.
    Log,
    /// Its details were changed.
    Edit,
    /// It was deleted.
    Delete,
    /// It moved to another project.
    Move,
    /// It moved to another status.
    Action(Action),
}

/// The text does not name an [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be log, edit, delete, move or an action")]
pub struct UnknownEvent;

impl Event {
    /// Every event.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [Self::Log, Self::Edit, Self::Delete, Self::Move].into_iter();
        others.chain(Action::ALL.iter().copied().map(Self::Action))
    }

    /// Whether it changes what was worked, or whether that counts. In a closed period nothing of
    /// that happens; what was counted may still be locked and invoiced.
    ///
    /// ```
    /// use timelog_domain::{Action, Event};
    ///
    /// assert!(Event::Action(Action::Reopen).changes_work());
    /// assert!(!Event::Action(Action::Invoice).changes_work());
    /// ```
    #[must_use]
    pub const fn changes_work(self) -> bool {
        match self {
            Self::Log | Self::Edit | Self::Delete | Self::Move => true,
            Self::Action(action) => match action {
                Action::Submit
                | Action::Recall
                | Action::Approve
                | Action::Reject
                | Action::Reopen => true,
                Action::Lock | Action::Unlock | Action::Invoice | Action::ReleaseInvoice => false,
            },
        }
    }

    /// The name in the [feed](crate::feed): what has happened.
    ///
    /// ```
    /// use timelog_domain::{Action, Event};
    ///
    /// assert_eq!(Event::Log.feed_name(), "time.logged");
    /// assert_eq!(Event::Action(Action::ReleaseInvoice).feed_name(), "time.invoice_released");
    /// ```
    #[must_use]
    pub const fn feed_name(self) -> &'static str {
        match self {
            Self::Log => "time.logged",
            Self::Edit => "time.updated",
            Self::Delete => "time.deleted",
            Self::Move => "time.moved",
            Self::Action(action) => match action {
                Action::Submit => "time.submitted",
                Action::Recall => "time.recalled",
                Action::Approve => "time.approved",
                Action::Reject => "time.rejected",
                Action::Reopen => "time.reopened",
                Action::Lock => "time.locked",
                Action::Unlock => "time.unlocked",
                Action::Invoice => "time.invoiced",
                Action::ReleaseInvoice => "time.invoice_released",
            },
        }
    }

    /// The name in the history and in the database. The event of an action has the action's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Move => "move",
            Self::Action(action) => action.as_str(),
        }
    }
}

crate::text_form::serialize!(Event: |event| event.as_str());

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Event {
    type Err = UnknownEvent;

    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        match text {
            "log" => Ok(Self::Log),
            "edit" => Ok(Self::Edit),
            "delete" => Ok(Self::Delete),
            "move" => Ok(Self::Move),
            action => action.parse().map(Self::Action).map_err(|_| UnknownEvent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_parsed_from_its_name() {
        for event in Event::all() {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
        assert_eq!("amend".parse::<Event>(), Err(UnknownEvent));
    }
}
