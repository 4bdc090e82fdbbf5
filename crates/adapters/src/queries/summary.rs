//! Totals. The database adds up by days at the finest; weeks and months are made of days here, by
//! the domain's calendar.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Untyped};
use diesel_async::RunQueryDsl;
use timelog_domain::ports::PortError;
use timelog_domain::summary::GroupValue;
use timelog_domain::{Filter, GroupBy, GroupKey, OrganizationId, Summary, Totals, WorkDate};

use super::filter::filtered;
use crate::database::{Database, on_database};
use crate::error::DbError;
use crate::schema::time_entries;
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
    entries: i64,
    minutes: i64,
    billable_minutes: i64,
}

/// The column that a key needs to be grouped by.
const fn column(key: GroupKey) -> &'static str {
    match key {
        GroupKey::User => "user_id",
        GroupKey::Ticket => "entry_id",
        GroupKey::Release => "release_id",
        GroupKey::WorkDate | GroupKey::Week | GroupKey::Month => "work_date",
        GroupKey::Status => "status",
        GroupKey::Billable => "billable",
    }
}

pub(super) async fn summarize(
    database: &Database,
    organization: OrganizationId,
    filter: Filter,
    by: GroupBy,
) -> Result<Summary, PortError> {
    let mut columns: Vec<_> = by.keys().map(column).collect();
    columns.dedup();
    // A column that is not grouped by is null, of its own type.
    let select = |name: &'static str, kind: &str| {
        if columns.contains(&name) { name.to_owned() } else { format!("CAST(NULL AS {kind})") }
    };
    let selection = (
        sql::<Nullable<Id>>(&select("user_id", "uuid")),
        sql::<Nullable<Id>>(&select("entry_id", "uuid")),
        sql::<Nullable<Id>>(&select("release_id", "uuid")),
        sql::<Nullable<Day>>(&select("work_date", "date")),
        sql::<Nullable<Text>>(&select("status", "text")),
        sql::<Nullable<Bool>>(&select("billable", "boolean")),
        sql::<BigInt>("count(*)"),
        sql::<BigInt>("coalesce(sum(minutes), 0)"),
        sql::<BigInt>("coalesce(sum(CASE WHEN billable THEN minutes ELSE 0 END), 0)"),
    );
    let group_by = columns.join(", ");
    let rows: Vec<Row> = on_database!(database, total(organization), |conn: Db| {
        let query = time_entries::table
            .group_by(sql::<Untyped>(&group_by))
            .select(selection)
            .into_boxed::<Db>();
        filtered!(query, organization, filter).load(conn).await
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
    summary.ok_or_else(|| DbError::Failed("a total has no group".to_owned()).into())
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
    })
}
