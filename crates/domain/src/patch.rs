//! A change of some members of an entry, which leaves the others as they are.

use crate::duration::WorkDuration;
use crate::ids::{ReleaseId, TicketId, UserId};
use crate::text::Description;
use crate::time_entry::Details;
use crate::work_date::WorkDate;

/// What to change in an entry. A member that is none stays as it is; one that may be without a
/// value has two layers, and `Some(None)` takes its value away.
///
/// ```
/// # use timelog_domain::*;
/// # fn details() -> Result<Details, Box<dyn std::error::Error>> {
/// #     Ok(Details {
/// #         user_id: "3fa85f64-5717-4562-b3fc-2c963f66afa6".parse()?, work_date: "2025-01-15".parse()?,
/// #         duration: WorkDuration::from_minutes(150)?, description: Some("Login flow".parse()?), billable: true,
/// #         ticket_id: None, release_id: None,
/// #     })
/// # }
/// let details = details()?;
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
    /// What an entry says after the patch.
    #[must_use]
    pub fn applied_to(&self, details: &Details) -> Details {
        let Self { user_id, work_date, duration, description, billable, ticket_id, release_id } =
            self;
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
