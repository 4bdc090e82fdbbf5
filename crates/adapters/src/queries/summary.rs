//! Totals. The database adds up, and names a week or a month by a day in it; which one that is, the
//! domain's calendar says.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel_async::RunQueryDsl;
use timelog_domain::ports::PortError;
use timelog_domain::summary::GroupValue;
use timelog_domain::{
    Filter, GroupBy, GroupKey, MOST_GROUPS, OrganizationId, Summary, TooManyGroups, Totals,
    WorkDate,
};

use super::lead::{Asked, few};
use super::sql::{Period, Sql};
use crate::database::{Database, on_database};
use crate::error::DbError;
use crate::types::{Day, DayValue, Id, IdValue};

/// What a group has in common, as far as it was grouped by it, and what it adds up to.
#[derive(Queryable)]
struct Row {
    user_id: Option<IdValue>,
    entry_id: Option<IdValue>,
    release_id: Option<IdValue>,
    work_date: Option<DayValue>,
    status: Option<String>,
    billable: Option<bool>,
    project_id: Option<IdValue>,
    invoice_ref: Option<String>,
    entries: i64,
    minutes: i64,
    billable_minutes: i64,
}

type RowTypes = (
    Nullable<Id>,
    Nullable<Id>,
    Nullable<Id>,
    Nullable<Day>,
    Nullable<Text>,
    Nullable<Bool>,
    Nullable<Id>,
    Nullable<Text>,
    BigInt,
    BigInt,
    BigInt,
);

/// What can be grouped by, in the order of a [`Row`], and what is selected instead.
const COLUMNS: [(&str, &str); 8] = [
    ("user_id", "CAST(NULL AS uuid)"),
    ("entry_id", "CAST(NULL AS uuid)"),
    ("release_id", "CAST(NULL AS uuid)"),
    ("work_date", "CAST(NULL AS date)"),
    ("status", "CAST(NULL AS text)"),
    ("billable", "CAST(NULL AS boolean)"),
    ("project_id", "CAST(NULL AS uuid)"),
    ("invoice_ref", "CAST(NULL AS text)"),
];

/// The column that a key needs to be grouped by.
const fn column(key: GroupKey) -> &'static str {
    match key {
        GroupKey::User => "user_id",
        GroupKey::Ticket => "entry_id",
        GroupKey::Release => "release_id",
        GroupKey::WorkDate | GroupKey::Week | GroupKey::Month => WORK_DATE,
        GroupKey::Status => "status",
        GroupKey::Billable => "billable",
        GroupKey::Project => "project_id",
        GroupKey::Invoice => "invoice_ref",
    }
}

const WORK_DATE: &str = "work_date";

/// The period whose days are one group, where that is more than a day.
fn period(by: GroupBy) -> Option<Period> {
    let has = |key| by.keys().any(|other| other == key);
    match (has(GroupKey::WorkDate), has(GroupKey::Week), has(GroupKey::Month)) {
        (true, ..) | (_, false, false) => None,
        (_, true, false) => Some(Period::Week),
        (_, false, true) => Some(Period::Month),
        (_, true, true) => Some(Period::WeekOfMonth),
    }
}

/// The statement whose rows are the groups, or one more than there may be. The entries are added up
/// by days first, which an index has in order, and those to weeks or months.
fn statement(by: GroupBy, source: Sql) -> Sql {
    let mut columns: Vec<_> = by.keys().map(column).collect();
    // The day, the week and the month need the same one.
    columns.sort_unstable();
    columns.dedup();
    // A column that is not grouped by is null, of its own type.
    let select = |days: Option<Period>, sums: &'static str| {
        let expression = |name: &'static str| match days {
            Some(period) if name == WORK_DATE => Sql::begin_of(period),
            _ => Sql::text(name),
        };
        let column = |(name, null)| {
            if columns.contains(&name) { expression(name) } else { Sql::text(null) }
        };
        let grouping = Sql::join(columns.iter().map(|name| expression(name)), ", ");
        let selection = Sql::text("SELECT ").and(Sql::join(COLUMNS.into_iter().map(column), ", "));
        (selection.and_text(sums), Sql::text(" GROUP BY ").and(grouping))
    };
    let (selection, grouping) = select(
        None,
        ", count(*) AS entries, coalesce(sum(minutes), 0) AS minutes, \
         coalesce(sum(CASE WHEN billable THEN minutes ELSE 0 END), 0) AS billable_minutes",
    );
    let mut groups = selection.and(source).and(grouping);
    if let Some(period) = period(by) {
        let (selection, grouping) = select(
            Some(period),
            ", CAST(sum(entries) AS bigint), CAST(sum(minutes) AS bigint), \
             CAST(sum(billable_minutes) AS bigint)",
        );
        groups = selection.and_text(" FROM (").and(groups).and_text(") AS days").and(grouping);
    }
    groups.and_text(" LIMIT ").and_number(i64::try_from(MOST_GROUPS).unwrap_or(0) + 1)
}

pub(super) async fn summarize(
    database: &Database,
    organization: OrganizationId,
    filter: Filter,
    by: GroupBy,
) -> Result<Result<Summary, TooManyGroups>, PortError> {
    let asked = Asked::new(organization, filter);
    let rows: Vec<Row> = on_database!(database, total(organization), |conn| {
        async {
            let lead = few!(conn, asked);
            let groups = statement(by, asked.source(lead.as_ref()));
            groups.typed::<RowTypes>().load(conn).await
        }
        .await
    })
    .await?;
    let groups = rows.into_iter().map(|row| {
        let group = by.keys().map(|key| value(key, &row)).collect::<Option<Vec<_>>>();
        let totals = Totals {
            entries: row.entries.unsigned_abs(),
            minutes: row.minutes.unsigned_abs(),
            billable_minutes: row.billable_minutes.unsigned_abs(),
        };
        Some((group?, totals))
    });
    let summary = groups.collect::<Option<Summary>>();
    let summary = summary.ok_or_else(|| DbError::Failed("a total has no group".to_owned()))?;
    Ok(summary.bounded())
}

fn value(key: GroupKey, row: &Row) -> Option<GroupValue> {
    let day = row.work_date.map(WorkDate::from);
    Some(match key {
        GroupKey::User => GroupValue::User(row.user_id?.into()),
        GroupKey::Ticket => GroupValue::Ticket(row.entry_id.map(Into::into)),
        GroupKey::Release => GroupValue::Release(row.release_id.map(Into::into)),
        GroupKey::WorkDate => GroupValue::WorkDate(day?),
        GroupKey::Week => GroupValue::Week(day?.week()),
        GroupKey::Month => GroupValue::Month(day?.month()),
        GroupKey::Status => GroupValue::Status(row.status.as_deref()?.parse().ok()?),
        GroupKey::Billable => GroupValue::Billable(row.billable?),
        GroupKey::Project => GroupValue::Project(row.project_id?.into()),
        GroupKey::Invoice => {
            let invoice = row.invoice_ref.clone().map(TryInto::try_into).transpose();
            GroupValue::Invoice(invoice.ok()?)
        }
    })
}
