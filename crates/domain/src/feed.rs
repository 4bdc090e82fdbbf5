//! The feed: every change of every entry of an organization, in the order of their commits.

use std::fmt;

use crate::details::{Field, FieldChange};
use crate::history::HistoryRecord;
use crate::ids::{FeedEpoch, ProjectId, UserId};
use crate::time_entry::TimeEntry;

/// The number of a change within its organization. They count 1, 2, 3, …, without a gap, in the
/// order of commits: whoever has seen a number never meets a smaller one later.
///
/// ```
/// use timelog_domain::Seq;
///
/// assert_eq!(Seq::START.plus(1), Seq::new(1));
/// assert!(Seq::new(9) < Seq::new(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Seq(i64);

impl Seq {
    /// Before the first change.
    pub const START: Self = Self(0);

    /// The number of a change. One below 0 counts as 0.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(if number < 0 { 0 } else { number })
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The number of so many changes later.
    #[must_use]
    pub const fn plus(self, changes: u32) -> Self {
        Self(self.0.saturating_add(changes as i64))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which changes a reader asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedRequest {
    /// The only project to see; none for all of the organization.
    pub project_id: Option<ProjectId>,
    /// The only user whose entries to see; none for those of all.
    pub user_id: Option<UserId>,
    /// The change after which to begin.
    pub after: Seq,
    /// How many changes to read at most.
    pub limit: u32,
}

impl FeedRequest {
    /// Whether the reader sees this change. `entry` is the entry as it stands now, if it is there.
    ///
    /// Who sees the project that an entry leaves sees that, as the last change of the entry. Who sees
    /// one user's entries alone sees the changes of those that are the user's now, and those by which
    /// an entry ceased to be, or left the project.
    #[must_use]
    pub fn sees(&self, record: &HistoryRecord, entry: Option<&TimeEntry>) -> bool {
        let projects = [Some(record.project_id), record.left_project_id];
        let users = [entry.map(|entry| entry.details().user_id), record.left_user_id];
        (self.project_id.is_none() || projects.contains(&self.project_id))
            && (self.user_id.is_none() || users.contains(&self.user_id))
    }

    /// A change as the reader sees it. `entry` is as above.
    ///
    /// Of a change by which an entry ceased to be a user's, who sees that user's entries alone is
    /// told no more than that: the rest is about another's entry.
    #[must_use]
    pub fn show(&self, seq: Seq, mut record: HistoryRecord, entry: Option<&TimeEntry>) -> Change {
        let entry = entry.filter(|entry| self.may_see(entry)).cloned();
        let is_given = |change: &FieldChange| change.field == Field::UserId;
        let is_lost = record.to.is_some() && record.changes.iter().any(is_given);
        if is_lost
            && entry.is_none()
            && self.user_id.is_some_and(|own| record.left_user_id == Some(own))
        {
            record
                .changes
                .retain(|change| matches!(change.field, Field::ProjectId | Field::UserId));
        }
        Change { seq, record, entry }
    }

    /// Whether the reader may see this entry.
    #[must_use]
    pub fn may_see(&self, entry: &TimeEntry) -> bool {
        self.project_id.is_none_or(|project| entry.project_id() == project)
            && self.user_id.is_none_or(|user| entry.details().user_id == user)
    }
}

/// A change as the feed has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub seq: Seq,
    /// What was changed, by whom, when and why.
    pub record: HistoryRecord,
    /// The entry as it stands when it is read, which may be after later changes. None where it is
    /// gone, or where the reader may no longer see it.
    ///
    /// So whoever applies every change to a copy, and keeps the entry of the highest version, has
    /// an exact copy once there is no further change.
    pub entry: Option<TimeEntry>,
}

/// Some changes of a feed, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// In which life of the feed it was read.
    pub epoch: FeedEpoch,
    /// The changes that the reader sees.
    pub changes: Vec<Change>,
    /// The last change that was looked at. The next page begins after it.
    pub through: Seq,
    /// The last change that there is.
    pub end: Seq,
}

impl FeedPage {
    /// Whether there are changes that were not looked at yet.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.through < self.end
    }
}
