//! Queries of many entries: filters, orders and pages.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::external_ref::ExternalRef;
use crate::ids::{ProjectId, ReleaseId, TicketId, TimeEntryId, UserId};
use crate::named::{UnknownName, named};
use crate::source::Source;
use crate::status::Status;
use crate::text::{ExternalRefPart, InvoiceRef};
use crate::time_entry::TimeEntry;
use crate::timestamp::Timestamp;
use crate::work_date::WorkDate;

/// Which entries to read: those that meet every condition that is given.
///
/// ```
/// use timelog_domain::{Filter, Status};
///
/// let unsettled = Filter { statuses: [Status::Draft, Status::Rejected].into(), ..Filter::default() };
/// assert!(unsettled.statuses.contains(&Status::Draft));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Logged on this project.
    pub project_id: Option<ProjectId>,
    /// Of this user.
    pub user_id: Option<UserId>,
    /// Of this user too: the only one whose entries the reader may see.
    pub visible_of: Option<UserId>,
    /// Spent on this ticket, or on none.
    pub ticket_id: Option<Option<TicketId>>,
    /// Spent on this release, or on none.
    pub release_id: Option<Option<ReleaseId>>,
    /// In one of these statuses; in any status if this is empty.
    pub statuses: BTreeSet<Status>,
    /// Billable or not.
    pub billable: Option<bool>,
    /// Created in this way.
    pub source: Option<Source>,
    /// Worked on this day or later.
    pub from: Option<WorkDate>,
    /// Worked on this day or earlier.
    pub to: Option<WorkDate>,
    /// Last changed at this instant or later.
    pub updated_since: Option<Timestamp>,
    /// On this invoice.
    pub invoice_ref: Option<InvoiceRef>,
    /// With a reference of this provider.
    pub external_provider: Option<ExternalRefPart>,
    /// With a reference of this type.
    pub external_type: Option<ExternalRefPart>,
    /// With a reference of this id.
    pub external_id: Option<ExternalRefPart>,
}

impl Filter {
    /// Whether the entry meets every condition. Queries in a database must give the same result.
    #[must_use]
    pub fn matches(&self, entry: &TimeEntry) -> bool {
        let Self {
            project_id,
            user_id,
            visible_of,
            ticket_id,
            release_id,
            statuses,
            billable,
            source,
            from,
            to,
            updated_since,
            invoice_ref,
            external_provider,
            external_type,
            external_id,
        } = self;
        let details = entry.details();
        let reference = |part: &Option<ExternalRefPart>,
                         of: fn(&ExternalRef) -> &ExternalRefPart| {
            part.as_ref().is_none_or(|part| entry.external_ref().map(of) == Some(part))
        };
        project_id.is_none_or(|id| entry.project_id() == id)
            && user_id.is_none_or(|id| details.user_id == id)
            && visible_of.is_none_or(|id| details.user_id == id)
            && ticket_id.is_none_or(|id| details.ticket_id == id)
            && release_id.is_none_or(|id| details.release_id == id)
            && (statuses.is_empty() || statuses.contains(&entry.status()))
            && billable.is_none_or(|billable| details.billable == billable)
            && source.is_none_or(|source| entry.source() == source)
            && from.is_none_or(|from| details.work_date >= from)
            && to.is_none_or(|to| details.work_date <= to)
            && updated_since.is_none_or(|since| entry.updated_at() >= since)
            && invoice_ref.as_ref().is_none_or(|invoice| entry.invoice_ref() == Some(invoice))
            && reference(external_provider, |reference| &reference.provider)
            && reference(external_type, |reference| &reference.external_type)
            && reference(external_id, |reference| &reference.external_id)
    }
}

named! {
    /// What entries are sorted by. Entries with equal values are sorted by their ids, in the same
    /// direction.
    #[derive(Default)]
    pub enum SortKey {
        /// The day the work was done on.
        #[default]
        WorkDate = "workDate",
        /// When they were logged, which is the order of their ids.
        CreatedAt = "createdAt",
        /// When they last changed.
        UpdatedAt = "updatedAt",
    }
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Direction {
    /// The smallest or oldest.
    Ascending,
    /// The largest or newest.
    #[default]
    Descending,
}

/// An order of entries. It is total, because no two entries have the same id.
///
/// Written as the name of its key, with `-` before it for descending.
///
/// ```
/// use timelog_domain::{Direction, Sort, SortKey};
///
/// let sort: Sort = "-updatedAt".parse()?;
/// assert_eq!((sort.key, sort.direction), (SortKey::UpdatedAt, Direction::Descending));
/// assert_eq!(Sort::default().to_string(), "-workDate");
/// assert!("+workDate".parse::<Sort>().is_err());
/// # Ok::<(), timelog_domain::InvalidSort>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Which end comes first.
    pub direction: Direction,
}

/// The text is not a [`Sort`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}, after - for descending")]
pub struct InvalidSort(#[from] UnknownName);

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.direction == Direction::Descending { "-" } else { "" };
        write!(f, "{sign}{}", self.key)
    }
}

impl FromStr for Sort {
    type Err = InvalidSort;

    fn from_str(text: &str) -> Result<Self, InvalidSort> {
        let (name, direction) = match text.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (text, Direction::Ascending),
        };
        Ok(Self { key: name.parse()?, direction })
    }
}

impl Sort {
    /// The position of the entry in this order.
    #[must_use]
    pub const fn position(self, entry: &TimeEntry) -> Position {
        let value = match self.key {
            SortKey::WorkDate => SortValue::Day(entry.details().work_date),
            SortKey::CreatedAt => SortValue::Instant(entry.created_at()),
            SortKey::UpdatedAt => SortValue::Instant(entry.updated_at()),
        };
        Position { value, id: entry.id() }
    }

    /// Which of two positions comes first in this order.
    #[must_use]
    pub fn compare(self, one: &Position, other: &Position) -> Ordering {
        let ascending = match self.key {
            SortKey::CreatedAt => one.id.cmp(&other.id),
            SortKey::WorkDate | SortKey::UpdatedAt => one.cmp(other),
        };
        match self.direction {
            Direction::Ascending => ascending,
            Direction::Descending => ascending.reverse(),
        }
    }

    /// Whether the position can be one of this order: its value must have the type of the sort key.
    #[must_use]
    pub const fn has(self, position: &Position) -> bool {
        match self.key {
            SortKey::WorkDate => matches!(position.value, SortValue::Day(_)),
            SortKey::CreatedAt | SortKey::UpdatedAt => {
                matches!(position.value, SortValue::Instant(_))
            }
        }
    }
}

/// A position in an order of entries, just after an entry. It does not move when that entry is
/// changed or deleted, so a reader that continues there gets no unchanged entry twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The value of the sort key.
    pub value: SortValue,
    /// The id, which orders equal values.
    pub id: TimeEntryId,
}

/// The value of a sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SortValue {
    /// Of [`SortKey::WorkDate`].
    Day(WorkDate),
    /// Of [`SortKey::CreatedAt`] and [`SortKey::UpdatedAt`].
    Instant(Timestamp),
}

/// Asks for one page of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Which entries.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// The position in that [order](Sort::has) after which the page begins; none for the first
    /// page.
    pub after: Option<Position>,
    /// The most entries on the page, at least 1.
    pub limit: u32,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, P> {
    /// The items, in order.
    pub items: Vec<T>,
    /// The position after which the next page begins; none if this is the last one.
    pub next: Option<P>,
}

impl<T, P> Page<T, P> {
    /// Makes a page of at most `limit` items. `items` are in order and have one more item if
    /// another page follows.
    ///
    /// ```
    /// use timelog_domain::Page;
    ///
    /// assert_eq!(Page::of(vec![3, 5, 8], 2, |item| *item), Page { items: vec![3, 5], next: Some(5) });
    /// assert_eq!(Page::of(vec![3, 5], 2, |item| *item), Page { items: vec![3, 5], next: None });
    /// ```
    #[must_use]
    pub fn of(mut items: Vec<T>, limit: u32, position: impl FnOnce(&T) -> P) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(position);
        Self { items, next }
    }
}
