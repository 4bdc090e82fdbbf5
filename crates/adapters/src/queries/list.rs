//! One page of a list. It begins after a position, not after a number of rows, so it costs the same
//! wherever it is.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use timelog_domain::ports::PortError;
use timelog_domain::query::SortValue;
use timelog_domain::{Direction, OrganizationId, Page, PageRequest, Position, SortKey, TimeEntry};

use super::filter::filtered;
use crate::database::{Database, on_database};
use crate::rows::TimeEntryRow;
use crate::schema::time_entries;
use crate::types::{Day, DayValue, Id, IdValue, Instant, InstantValue};

/// Puts the query in an order and begins it after a position, if there is one.
macro_rules! ordered {
    ($query:expr, $column:ident, $sign:literal, $direction:ident, $after:expr) => {{
        let query =
            $query.order((time_entries::$column.$direction(), time_entries::id.$direction()));
        match $after {
            None => query,
            Some(Position { value, id }) => {
                let after = sql::<Bool>(concat!("(", stringify!($column), ", id) ", $sign, " ("));
                let id = IdValue::from(id);
                match value {
                    SortValue::Day(day) => query.filter(
                        after
                            .bind::<Day, _>(DayValue::from(day))
                            .sql(", ")
                            .bind::<Id, _>(id)
                            .sql(")"),
                    ),
                    SortValue::Instant(instant) => query.filter(
                        after
                            .bind::<Instant, _>(InstantValue::from(instant))
                            .sql(", ")
                            .bind::<Id, _>(id)
                            .sql(")"),
                    ),
                }
            }
        }
    }};
}

pub(super) async fn list(
    database: &Database,
    organization: OrganizationId,
    page: PageRequest,
) -> Result<Page<TimeEntry, Position>, PortError> {
    let PageRequest { filter, sort, after, limit } = page;
    if after.is_some_and(|after| !sort.has(&after)) {
        return Err(PortError::Internal("the position is one of another order".to_owned()));
    }
    let rows: Vec<TimeEntryRow> = on_database!(database, read(organization), |conn: Db| {
        let query = filtered!(time_entries::table.into_boxed::<Db>(), organization, filter);
        let query = match (sort.key, sort.direction) {
            (SortKey::WorkDate, Direction::Ascending) => {
                ordered!(query, work_date, ">", asc, after)
            }
            (SortKey::WorkDate, Direction::Descending) => {
                ordered!(query, work_date, "<", desc, after)
            }
            (SortKey::CreatedAt, Direction::Ascending) => {
                ordered!(query, created_at, ">", asc, after)
            }
            (SortKey::CreatedAt, Direction::Descending) => {
                ordered!(query, created_at, "<", desc, after)
            }
            (SortKey::UpdatedAt, Direction::Ascending) => {
                ordered!(query, updated_at, ">", asc, after)
            }
            (SortKey::UpdatedAt, Direction::Descending) => {
                ordered!(query, updated_at, "<", desc, after)
            }
        };
        query.limit(i64::from(limit) + 1).select(TimeEntryRow::as_select()).load(conn).await
    })
    .await?;
    let entries = rows.into_iter().map(TimeEntry::try_from).collect::<Result<_, _>>()?;
    Ok(Page::of(entries, limit, |last| sort.position(last)))
}
