//! What can be asked for.

use crate::details::{Details, Patch};
use crate::external_ref::ExternalRef;
use crate::ids::{ProjectId, TimeEntryId};
use crate::source::Source;
use crate::time_entry::Version;
use crate::transition::Transition;

/// The most entries that one command may log or move. Whoever reads a request refuses one that asks
/// for more.
pub const MOST_ITEMS: usize = 500;

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Log a time entry, or update the one that has the same external reference.
    Log(LogTimeEntry),
    /// Log many time entries on one project.
    LogMany(LogMany),
    /// Change what an entry says.
    Edit(EditTimeEntry),
    /// Delete an entry.
    Delete(DeleteTimeEntry),
    /// Move an entry through its life.
    Apply(ApplyAction),
    /// Move many entries through their lives.
    ApplyMany(ApplyMany),
}

/// Asks to log a time entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTimeEntry {
    /// The id the entry gets if it is new. Minted by the caller, because deciding is pure: deciding
    /// twice must come out the same.
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

/// Asks to log many time entries. They are decided in their order, each on what the ones before it
/// left, so the later of two with one external reference wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogMany {
    /// The project to log on. An item for another project fails.
    pub project_id: ProjectId,
    /// The entries, at most [`MOST_ITEMS`]; none where what was sent is no valid entry. Such an
    /// item fails, in its place.
    pub items: Vec<Option<LogTimeEntry>>,
    /// Whether one failure is to keep all from being logged.
    pub atomic: bool,
}

/// Asks to change what an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditTimeEntry {
    /// The entry.
    pub id: TimeEntryId,
    /// What to change.
    pub patch: Patch,
    /// Which versions may be changed.
    pub if_match: IfMatch,
}

/// Asks to delete an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteTimeEntry {
    /// The entry.
    pub id: TimeEntryId,
    /// Which versions may be deleted.
    pub if_match: IfMatch,
}

/// Asks to move an entry through its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyAction {
    /// The entry.
    pub id: TimeEntryId,
    /// What to do with it.
    pub transition: Transition,
    /// Which versions may be moved.
    pub if_match: IfMatch,
}

/// Asks to move many entries through their lives, all by the same action. They are decided in their
/// order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyMany {
    /// The entries, at most [`MOST_ITEMS`].
    pub ids: Vec<TimeEntryId>,
    /// What to do with them.
    pub transition: Transition,
    /// Whether one failure is to keep all from being moved.
    pub atomic: bool,
}

/// A condition on the version that an entry has when it is changed.
///
/// ```
/// use timelog_domain::{IfMatch, Version};
///
/// assert!(IfMatch::Any.allows(Version::new(7)));
/// assert!(IfMatch::AnyOf(vec![Version::new(6), Version::new(7)]).allows(Version::new(7)));
/// assert!(!IfMatch::AnyOf(vec![]).allows(Version::new(7)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IfMatch {
    /// No condition: any version will do.
    #[default]
    Any,
    /// It must be one of these. A tag that can be no version is left out, so an empty list is never
    /// met.
    AnyOf(Vec<Version>),
}

impl IfMatch {
    /// Whether an entry of that version may be changed.
    #[must_use]
    pub fn allows(&self, current: Version) -> bool {
        match self {
            Self::Any => true,
            Self::AnyOf(versions) => versions.contains(&current),
        }
    }
}

impl Command {
    /// The one entry that the command names by its id.
    pub(crate) const fn time_entry_id(&self) -> Option<TimeEntryId> {
        match self {
            Self::Edit(edit) => Some(edit.id),
            Self::Delete(delete) => Some(delete.id),
            Self::Apply(apply) => Some(apply.id),
            Self::Log(_) | Self::LogMany(_) | Self::ApplyMany(_) => None,
        }
    }

    /// Every entry that the command asks to log.
    pub(crate) fn logs(&self) -> impl Iterator<Item = &LogTimeEntry> {
        let (one, many) = match self {
            Self::Log(log) => (Some(log), &[][..]),
            Self::LogMany(log) => (None, &log.items[..]),
            Self::Edit(_) | Self::Delete(_) | Self::Apply(_) | Self::ApplyMany(_) => {
                (None, &[][..])
            }
        };
        one.into_iter().chain(many.iter().flatten())
    }
}
