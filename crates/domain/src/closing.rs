//! Closing the books: up to which day nothing may change any more that says what was worked.

use crate::ids::{KeyId, OrganizationId, ProjectId, UserId};
use crate::text::Reason;
use crate::time_entry::Version;
use crate::timestamp::Timestamp;
use crate::work_date::WorkDate;

/// What is closed: every project of an organization, or one project.
pub type ClosingKey = (OrganizationId, Option<ProjectId>);

/// A closing of the books, or an opening. Those of an organization are numbered 1, 2, 3, …, and of
/// each [key](Self::key) the last one counts. A project is closed through the later of two days: its
/// own and that of its organization.
///
/// In a closed period nothing changes that [says what was worked](crate::Event::changes_work), or
/// whether it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its number among the closings of the organization.
    pub number: Version,
    /// The only project that is closed; none for all of them.
    pub project_id: Option<ProjectId>,
    /// The last day that is closed; none where the books are open.
    pub through: Option<WorkDate>,
    /// When it was closed.
    pub at: Timestamp,
    /// With which key.
    pub key_id: KeyId,
    /// For which user, where that key is bound to one.
    pub user_id: Option<UserId>,
    /// The reason, where one was given.
    pub reason: Option<Reason>,
}

impl Closing {
    /// What it closes.
    #[must_use]
    pub const fn key(&self) -> ClosingKey {
        (self.organization_id, self.project_id)
    }
}

/// The books of an organization, as far as decisions have to know them beside the
/// [closings](Closing) that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Books {
    /// How many closings there are. It tells whether decisions were made on the last one.
    pub version: Version,
    /// Whether any project has a closing of its own.
    pub by_project: bool,
}

impl Books {
    /// Those that were never closed.
    pub const OPEN: Self = Self { version: Version::new(0), by_project: false };
}

/// The books are closed on a day that a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the books of the project are closed through {through}, and {day} is not after that")]
pub struct PeriodClosed {
    /// The last day that is closed.
    pub through: WorkDate,
    /// The day that the change concerns.
    pub day: WorkDate,
}
