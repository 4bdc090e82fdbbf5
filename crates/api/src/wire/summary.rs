//! Totals on the wire.

use serde::{Serialize, Serializer};
use timelog_domain::summary::GroupValue;
use timelog_domain::{
    GroupBy, GroupKey, InvoiceRef, Month, ProjectId, ReleaseId, Status, Summary, SummaryRow,
    TicketId, Totals, UserId, Week, WorkDate,
};
use utoipa::openapi::schema::ObjectBuilder;
use utoipa::openapi::{RefOr, Schema};

use super::schema::{self, Described, Schemas};
use super::{Answered, answer, query};

query! {
    /// What entries are grouped by.
    pub(crate) struct GroupQuery {
        /// What to group by: one to three of these, separated by commas, the outer one first. There
        /// are at most 100000 groups.
        /// Without it there is the total alone.
        group_by: Option<GroupBy> = "groupBy", example ["user", "month"];
    }
}

answer! {
    /// What entries add up to.
    pub(crate) struct SummaryBody = "Summary" {
        /// The groups that have an entry, in the order of their values, those without a value
        /// first. Empty without `groupBy`.
        data: Vec<RowBody>,
        /// All entries together.
        total: TotalsBody,
    }
}

answer! {
    /// What some entries add up to.
    pub(crate) struct TotalsBody = "Totals" {
        /// How many entries.
        entries: u64,
        /// Their minutes.
        minutes: u64,
        /// The same in hours, derived once from the sum: rounded half up to two decimals and
        /// without trailing zeros.
        hours: TotalHours,
        /// The minutes of those among them that are billable.
        billable_minutes: u64,
    }
}

answer! {
    /// What the entries of one group add up to.
    pub(crate) struct RowBody = "SummaryRow" {
        group: Group,
        /// How many entries.
        entries: u64,
        /// Their minutes.
        minutes: u64,
        /// The same in hours, derived once from the sum: rounded half up to two decimals and
        /// without trailing zeros.
        hours: TotalHours,
        /// The minutes of those among them that are billable.
        billable_minutes: u64,
    }
}

impl SummaryBody {
    /// The total, and the groups where there are some.
    pub(crate) fn new(by: Option<GroupBy>, summary: Summary) -> Self {
        let Summary { rows, total } = summary;
        let data = by.map(|by| rows.into_iter().map(|row| RowBody::new(by, row)).collect());
        Self { data: data.unwrap_or_default(), total: total.into() }
    }
}

impl RowBody {
    fn new(by: GroupBy, row: SummaryRow) -> Self {
        let TotalsBody { entries, minutes, hours, billable_minutes } = row.totals.into();
        let group = Group(by.keys().zip(row.group).collect());
        Self { group, entries, minutes, hours, billable_minutes }
    }
}

impl From<Totals> for TotalsBody {
    fn from(totals: Totals) -> Self {
        let Totals { entries, minutes, billable_minutes } = totals;
        Self { entries, minutes, hours: TotalHours(totals.hours()), billable_minutes }
    }
}

/// The hours of any number of minutes.
#[derive(Serialize)]
pub(crate) struct TotalHours(String);

impl Described for TotalHours {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("")
            .pattern(Some("^(0|[1-9][0-9]*)(\\.[0-9]?[1-9])?$"))
            .examples([serde_json::json!("37.5")])
            .into()
    }
}

impl Answered for TotalHours {}

/// What the entries of a group have in common.
pub(crate) struct Group(Vec<(GroupKey, GroupValue)>);

impl Serialize for Group {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl Described for Group {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        schemas.named("Group", |schemas| {
            let about = "What the entries of a group have in common: a member for each name in \
                `groupBy`.";
            let group = ObjectBuilder::new().description(Some(about));
            let group = GroupKey::ALL.iter().fold(group, |group, key| {
                let value = match key {
                    GroupKey::User => <UserId as Described>::schema(schemas),
                    GroupKey::Project => <ProjectId as Described>::schema(schemas),
                    GroupKey::Ticket => {
                        let about = &["The ticket; null for the entries without one."];
                        schema::with(<Option<TicketId>>::schema(schemas), about, None)
                    }
                    GroupKey::Release => {
                        let about = &["The release; null for the entries without one."];
                        schema::with(<Option<ReleaseId>>::schema(schemas), about, None)
                    }
                    GroupKey::WorkDate => <WorkDate as Described>::schema(schemas),
                    GroupKey::Week => Week::schema(schemas),
                    GroupKey::Month => Month::schema(schemas),
                    GroupKey::Status => <Status as Described>::schema(schemas),
                    GroupKey::Billable => <bool as Described>::schema(schemas),
                    GroupKey::Invoice => {
                        let about = &["The invoice; null for the entries that are on none."];
                        schema::with(<Option<InvoiceRef>>::schema(schemas), about, None)
                    }
                };
                group.property(key.as_str(), value)
            });
            schema::closed(group.min_properties(Some(1)).max_properties(Some(GroupBy::MOST_KEYS)))
        })
    }
}

impl Answered for Group {}
