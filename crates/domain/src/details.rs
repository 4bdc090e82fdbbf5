//! The members of an entry that may be edited, patches of them, and their changes. All lists of
//! members are in this file, so that a new member is added to each.

use crate::duration::WorkDuration;
use crate::ids::{ProjectId, ReleaseId, TicketId, UserId};
use crate::named::named;
use crate::text::Description;
use crate::work_date::WorkDate;

/// The part of a time entry that may be edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Who worked.
    pub user_id: UserId,
    /// On which day.
    pub work_date: WorkDate,
    /// How long.
    pub duration: WorkDuration,
    /// On what, in words.
    pub description: Option<Description>,
    /// Whether a customer pays for it.
    pub billable: bool,
    /// The ticket it was spent on.
    pub ticket_id: Option<TicketId>,
    /// The release it was spent on.
    pub release_id: Option<ReleaseId>,
}

impl Details {
    /// Details with only the required members: billable, without optional members.
    #[must_use]
    pub const fn new(user_id: UserId, work_date: WorkDate, duration: WorkDuration) -> Self {
        Self {
            user_id,
            work_date,
            duration,
            description: None,
            billable: true,
            ticket_id: None,
            release_id: None,
        }
    }

    /// The members and their values. The pattern is exhaustive, so no new member is forgotten.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (Field, FieldValue)> {
        fn text(value: Option<impl ToString>) -> FieldValue {
            value.map_or(FieldValue::Null, |value| FieldValue::Text(value.to_string()))
        }
        let Self { user_id, work_date, duration, description, billable, ticket_id, release_id } =
            self;
        [
            (Field::UserId, text(Some(user_id))),
            (Field::WorkDate, text(Some(work_date))),
            (Field::Minutes, FieldValue::Integer(duration.minutes())),
            (Field::Description, text(description.as_ref())),
            (Field::Billable, FieldValue::Boolean(*billable)),
            (Field::TicketId, text(*ticket_id)),
            (Field::ReleaseId, text(*release_id)),
        ]
        .into_iter()
    }

    /// The members in which the two differ.
    pub(crate) fn changes_to(&self, new: &Self) -> Vec<FieldChange> {
        self.fields()
            .zip(new.fields())
            .filter(|((_, old), (_, new))| old != new)
            .map(|((field, old), (_, new))| FieldChange { field, old, new })
            .collect()
    }
}

/// Changes of an entry. A member that is `None` does not change. For an optional member,
/// `Some(None)` removes the value.
///
/// ```
/// # use timelog_domain::*;
/// # let user_id = "3fa85f64-5717-4562-b3fc-2c963f66afa6".parse()?;
/// # let details = Details::new(user_id, "2025-01-15".parse()?, WorkDuration::from_minutes(150)?);
/// # let details = Details { description: Some("Login flow".parse()?), ..details };
/// let patch = Patch { billable: Some(false), description: Some(None), ..Patch::default() };
///
/// let patched = patch.applied_to(&details);
/// assert_eq!((patched.billable, patched.description), (false, None));
/// assert_eq!(patched.duration, details.duration);
/// assert_eq!(Patch::default().applied_to(&details), details);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    /// The project to move the entry to.
    pub project_id: Option<ProjectId>,
    /// Who worked.
    pub user_id: Option<UserId>,
    /// On which day.
    pub work_date: Option<WorkDate>,
    /// How long.
    pub duration: Option<WorkDuration>,
    /// On what, in words.
    pub description: Option<Option<Description>>,
    /// Whether a customer pays for it.
    pub billable: Option<bool>,
    /// The ticket it was spent on.
    pub ticket_id: Option<Option<TicketId>>,
    /// The release it was spent on.
    pub release_id: Option<Option<ReleaseId>>,
}

impl Patch {
    /// The details after the patch. The project is none of them.
    #[must_use]
    pub fn applied_to(&self, details: &Details) -> Details {
        let Self {
            project_id: _,
            user_id,
            work_date,
            duration,
            description,
            billable,
            ticket_id,
            release_id,
        } = self;
        Details {
            user_id: user_id.unwrap_or(details.user_id),
            work_date: work_date.unwrap_or(details.work_date),
            duration: duration.unwrap_or(details.duration),
            description: description.as_ref().unwrap_or(&details.description).clone(),
            billable: billable.unwrap_or(details.billable),
            ticket_id: ticket_id.unwrap_or(details.ticket_id),
            release_id: release_id.unwrap_or(details.release_id),
        }
    }
}

named! {
    /// A member of an entry that may be edited, named as on the wire.
    pub enum Field {
        /// The project.
        ProjectId = "projectId",
        /// Who worked.
        UserId = "userId",
        /// On which day.
        WorkDate = "workDate",
        /// How long.
        Minutes = "minutes",
        /// On what, in words.
        Description = "description",
        /// Whether a customer pays for it.
        Billable = "billable",
        /// The ticket it was spent on.
        TicketId = "entryId",
        /// The release it was spent on.
        ReleaseId = "releaseId",
    }
}

/// One member that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The member.
    pub field: Field,
    /// Its value before.
    pub old: FieldValue,
    /// Its value after.
    pub new: FieldValue,
}

/// The value of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
pub enum FieldValue {
    /// No value.
    Null,
    /// A text, an id or a date.
    Text(String),
    /// A number.
    Integer(u16),
    /// Yes or no.
    Boolean(bool),
}
