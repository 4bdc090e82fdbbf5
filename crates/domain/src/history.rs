//! What happened to an entry: who changed what, when and why.

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
    /// The project of the entry. Kept here because the entry may be gone when its history is asked
    /// for.
    pub project_id: ProjectId,
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
    /// Why, where that was said.
    pub reason: Option<Reason>,
    /// On which invoice, where one was named.
    pub invoice_ref: Option<InvoiceRef>,
    /// The status before; none before the first change.
    pub from: Option<Status>,
    /// The status after; none after the last change, when the entry was deleted.
    pub to: Option<Status>,
    /// The members whose values changed. None are listed when the entry is logged; when it is
    /// deleted all are, so that the history tells what is gone.
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
    /// Its content was changed.
    Edit,
    /// It was deleted.
    Delete,
    /// It moved through its life.
    Action(Action),
}

/// The text names no [`Event`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be log, edit, delete or an action")]
pub struct UnknownEvent;

impl Event {
    /// The name, as it stands on the wire and in the database. An action's event has the action's
    /// name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Action(action) => action.as_str(),
        }
    }
}

crate::text_form::serialize!(Event);

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
            action => action.parse().map(Self::Action).map_err(|_| UnknownEvent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_reads_what_it_writes() {
        let actions = Action::ALL.iter().copied().map(Event::Action);
        for event in [Event::Log, Event::Edit, Event::Delete].into_iter().chain(actions) {
            assert_eq!(event.to_string().parse(), Ok(event));
        }
        assert_eq!("amend".parse::<Event>(), Err(UnknownEvent));
    }
}
