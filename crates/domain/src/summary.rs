//! Totals of entries, by groups.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use crate::duration::hours_of_minutes;
use crate::ids::{ProjectId, ReleaseId, TicketId, UserId};
use crate::named::{UnknownName, named};
use crate::status::Status;
use crate::text::InvoiceRef;
use crate::time_entry::TimeEntry;
use crate::work_date::{Month, Week, WorkDate};

named! {
    /// What entries are grouped by.
    pub enum GroupKey {
        /// Who worked.
        User = "user",
        /// The project.
        Project = "project",
        /// The ticket.
        Ticket = "entry",
        /// The release.
        Release = "release",
        /// The day the work was done on.
        WorkDate = "workDate",
        /// The ISO week of that day.
        Week = "week",
        /// The month of that day.
        Month = "month",
        /// The status.
        Status = "status",
        /// Whether a customer pays for them.
        Billable = "billable",
        /// The invoice that they are on.
        Invoice = "invoice",
    }
}

/// The value that all entries of a group have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
pub enum GroupValue {
    /// Of [`GroupKey::User`].
    User(UserId),
    /// Of [`GroupKey::Project`].
    Project(ProjectId),
    /// Of [`GroupKey::Ticket`]; none for those without.
    Ticket(Option<TicketId>),
    /// Of [`GroupKey::Release`]; none for those without.
    Release(Option<ReleaseId>),
    /// Of [`GroupKey::WorkDate`].
    WorkDate(WorkDate),
    /// Of [`GroupKey::Week`].
    Week(Week),
    /// Of [`GroupKey::Month`].
    Month(Month),
    /// Of [`GroupKey::Status`].
    Status(Status),
    /// Of [`GroupKey::Billable`].
    Billable(bool),
    /// Of [`GroupKey::Invoice`]; none for those on no invoice.
    Invoice(Option<InvoiceRef>),
}

impl GroupKey {
    /// The value of an entry.
    #[must_use]
    pub fn value(self, entry: &TimeEntry) -> GroupValue {
        let details = entry.details();
        match self {
            Self::User => GroupValue::User(details.user_id),
            Self::Project => GroupValue::Project(entry.project_id()),
            Self::Ticket => GroupValue::Ticket(details.ticket_id),
            Self::Release => GroupValue::Release(details.release_id),
            Self::WorkDate => GroupValue::WorkDate(details.work_date),
            Self::Week => GroupValue::Week(details.work_date.week()),
            Self::Month => GroupValue::Month(details.work_date.month()),
            Self::Status => GroupValue::Status(entry.status()),
            Self::Billable => GroupValue::Billable(details.billable),
            Self::Invoice => GroupValue::Invoice(entry.invoice_ref().cloned()),
        }
    }
}

/// One to three different keys to group by, the outer one first, written with commas between them.
///
/// ```
/// use timelog_domain::{GroupBy, GroupKey};
///
/// let by: GroupBy = "user,month".parse()?;
/// assert!(by.keys().eq([GroupKey::User, GroupKey::Month]));
/// assert_eq!(by.and(GroupKey::Status)?.to_string(), "user,month,status");
/// for wrong in ["", "user,", "user,user", "user,month,status,release", "person"] {
///     assert!(wrong.parse::<GroupBy>().is_err());
/// }
/// # Ok::<(), timelog_domain::InvalidGroupBy>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupBy {
    first: GroupKey,
    others: [Option<GroupKey>; Self::MOST_KEYS - 1],
}

/// The text is not a [`GroupBy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGroupBy {
    /// A name is not that of a [`GroupKey`].
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// There are more than three names.
    #[error("must name at most three groups")]
    TooMany,
    /// Two names are the same.
    #[error("must name different groups")]
    Repeated,
}

impl GroupBy {
    /// The most keys that there may be.
    pub const MOST_KEYS: usize = 3;

    /// Groups by one key.
    #[must_use]
    pub const fn one(key: GroupKey) -> Self {
        Self { first: key, others: [None; Self::MOST_KEYS - 1] }
    }

    /// Groups by one more key, within the others.
    ///
    /// # Errors
    ///
    /// [`InvalidGroupBy::Repeated`] where it is one of them, [`InvalidGroupBy::TooMany`] where there
    /// are three already.
    pub fn and(mut self, key: GroupKey) -> Result<Self, InvalidGroupBy> {
        if self.keys().any(|known| known == key) {
            return Err(InvalidGroupBy::Repeated);
        }
        let free = self.others.iter_mut().find(|other| other.is_none());
        *free.ok_or(InvalidGroupBy::TooMany)? = Some(key);
        Ok(self)
    }

    /// The keys, the outer one first.
    pub fn keys(self) -> impl Iterator<Item = GroupKey> {
        [self.first].into_iter().chain(self.others.into_iter().flatten())
    }

    /// The values of an entry, one for each key.
    #[must_use]
    pub fn group(self, entry: &TimeEntry) -> Vec<GroupValue> {
        self.keys().map(|key| key.value(entry)).collect()
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.others.iter().flatten().try_for_each(|other| write!(f, ",{other}"))
    }
}

impl FromStr for GroupBy {
    type Err = InvalidGroupBy;

    fn from_str(text: &str) -> Result<Self, InvalidGroupBy> {
        let (first, others) =
            text.split_once(',').map_or((text, None), |(first, others)| (first, Some(others)));
        let others = others.into_iter().flat_map(|others| others.split(','));
        others
            .map(str::parse::<GroupKey>)
            .try_fold(Self::one(first.parse()?), |by, key| by.and(key?))
    }
}

/// The most groups of one [`Summary`].
pub const MOST_GROUPS: usize = 100_000;

/// There are more groups than [`MOST_GROUPS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("makes more than {MOST_GROUPS} groups; name a shorter time, or group by less")]
pub struct TooManyGroups;

/// Sums over entries. Only minutes are added; hours are computed once, from the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Totals {
    /// How many entries.
    pub entries: u64,
    /// Their minutes.
    pub minutes: u64,
    /// The minutes of billable entries.
    pub billable_minutes: u64,
}

impl Totals {
    /// The minutes as decimal hours.
    #[must_use]
    pub fn hours(&self) -> String {
        hours_of_minutes(self.minutes)
    }
}

impl From<&TimeEntry> for Totals {
    /// The totals of one entry.
    fn from(entry: &TimeEntry) -> Self {
        let minutes = u64::from(entry.details().duration.minutes());
        Self {
            entries: 1,
            minutes,
            billable_minutes: if entry.details().billable { minutes } else { 0 },
        }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.minutes += other.minutes;
        self.billable_minutes += other.billable_minutes;
    }
}

/// The totals of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRow {
    /// The values that all entries have, one for each key of the [`GroupBy`], in its order.
    pub group: Vec<GroupValue>,
    /// Their totals.
    pub totals: Totals,
}

/// The totals of entries, by group and altogether.
///
/// It is collected from groups and totals in any order; totals of the same group are added up. Rows
/// are in the order of their groups, those without a value first.
///
/// ```
/// use timelog_domain::{GroupValue, Summary, Totals};
///
/// let part = |billable, minutes| {
///     let totals = Totals { entries: 1, minutes, billable_minutes: if billable { minutes } else { 0 } };
///     (vec![GroupValue::Billable(billable)], totals)
/// };
/// let summary: Summary = [part(true, 50), part(false, 20), part(true, 50)].into_iter().collect();
/// assert_eq!(summary.rows.len(), 2);
/// assert_eq!(summary.rows[1].totals.hours(), "1.67");
/// assert_eq!(summary.total.hours(), "2");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Each group that has an entry.
    pub rows: Vec<SummaryRow>,
    /// The totals of all entries.
    pub total: Totals,
}

impl Summary {
    /// Itself, unless it has too many groups.
    ///
    /// # Errors
    ///
    /// [`TooManyGroups`] where there are more than [`MOST_GROUPS`].
    pub fn bounded(self) -> Result<Self, TooManyGroups> {
        if self.rows.len() > MOST_GROUPS { Err(TooManyGroups) } else { Ok(self) }
    }
}

impl FromIterator<(Vec<GroupValue>, Totals)> for Summary {
    fn from_iter<I: IntoIterator<Item = (Vec<GroupValue>, Totals)>>(parts: I) -> Self {
        let mut groups = BTreeMap::<_, Totals>::new();
        let mut total = Totals::default();
        for (group, totals) in parts {
            *groups.entry(group).or_default() += totals;
            total += totals;
        }
        let rows = groups.into_iter().map(|(group, totals)| SummaryRow { group, totals });
        Self { rows: rows.collect(), total }
    }
}
