//! What comes of a command.

use crate::refusal::Refusal;
use crate::time_entry::TimeEntry;

/// What came of a command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new entry was logged.
    Created(TimeEntry),
    /// An entry that existed was changed.
    Updated(TimeEntry),
    /// The entry already was as asked for.
    Unchanged(TimeEntry),
    /// The entry was deleted.
    Deleted,
    /// Many were asked for. What came of each, in the order they were asked for.
    Many(Vec<ItemOutcome>),
}

/// What came of one item of a command that asks for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemOutcome {
    /// A new entry was logged.
    Created(TimeEntry),
    /// An entry that existed was changed.
    Updated(TimeEntry),
    /// The entry already was as asked for.
    Unchanged(TimeEntry),
    /// It was refused.
    Refused(Refusal),
    /// It was invalid before anything could be decided. What is wrong with it, whoever read it
    /// knows.
    Invalid,
    /// It would have succeeded, had not another item failed in a command that is all or nothing.
    NotApplied,
}

impl Outcome {
    /// The entry as it is now; none where it was deleted, or where there are many.
    #[must_use]
    pub const fn time_entry(&self) -> Option<&TimeEntry> {
        match self {
            Self::Created(entry) | Self::Updated(entry) | Self::Unchanged(entry) => Some(entry),
            Self::Deleted | Self::Many(_) => None,
        }
    }
}

impl ItemOutcome {
    /// The entry as the command left it; none where the item did not succeed.
    #[must_use]
    pub const fn time_entry(&self) -> Option<&TimeEntry> {
        match self {
            Self::Created(entry) | Self::Updated(entry) | Self::Unchanged(entry) => Some(entry),
            Self::Refused(_) | Self::Invalid | Self::NotApplied => None,
        }
    }

    /// Whether the item failed by itself: it was refused or invalid.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Invalid)
    }
}

/// What became of one entry that was logged, edited or moved: the part that [`Outcome`] and
/// [`ItemOutcome`] share.
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
