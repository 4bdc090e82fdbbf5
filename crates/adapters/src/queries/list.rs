//! One page of a list. It begins after a position, not after a number of rows, so it costs the same
//! wherever it is.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use timelog_domain::ports::PortError;
use timelog_domain::{OrganizationId, Page, PageRequest, Position, TimeEntry};

use super::lead::{MOST, few};
use super::search::{FIRST, Search};
use crate::database::{Database, on_database};
use crate::load_rows::LoadRows;
use crate::rows::TimeEntryRow;
use crate::schema::time_entries;

/// What was found for a page.
struct Found {
    rows: Vec<TimeEntryRow>,
    /// The entry up to which was looked, where there is more.
    end: Option<TimeEntryRow>,
}

/// The rows of a condition, in order.
macro_rules! rows {
    ($search:ident, $condition:expr, most $most:expr) => {
        time_entries::table
            .filter($condition)
            .order($search.order())
            .limit($most)
            .select(TimeEntryRow::as_select())
    };
}

/// Looks for the entries of a page, on a connection of either kind.
macro_rules! find {
    ($conn:ident, $search:ident) => {{
        let rows = $search.rows();
        let is_full = |found: &Vec<TimeEntryRow>| i64::try_from(found.len()) == Ok(rows);
        let all = |rows| QueryResult::Ok(Found { rows, end: None });
        async {
            if let Some(exact) = $search.exact() {
                return all($conn.rows(rows!($search, exact, most rows)).await?);
            }
            if !$search.asked.is_narrow() {
                let found = $conn.rows(rows!($search, $search.in_order(FIRST), most rows)).await?;
                if is_full(&found) {
                    return all(found);
                }
            }
            if let Some(lead) = few!($conn, $search.asked) {
                return all($conn.rows(rows!($search, $search.by(&lead), most rows)).await?);
            }
            let found = $conn.rows(rows!($search, $search.in_order(MOST), most rows)).await?;
            if is_full(&found) {
                return all(found);
            }
            let end = rows!($search, $search.walked(), most 1).offset(MOST - 1);
            Ok(Found { rows: found, end: $conn.rows(end).await?.pop() })
        }
        .await
    }};
}

pub(super) async fn list(
    database: &Database,
    organization: OrganizationId,
    page: PageRequest,
) -> Result<Page<TimeEntry, Position>, PortError> {
    if page.after.is_some_and(|after| !page.sort.has(&after)) {
        return Err(PortError::Internal("the position is one of another order".to_owned()));
    }
    let (limit, sort) = (page.limit, page.sort);
    let search = Search::new(organization, page);
    let found = on_database!(database, read(organization), |conn| find!(conn, search)).await?;
    let entries = found.rows.into_iter().map(TimeEntry::try_from).collect::<Result<_, _>>()?;
    let mut page = Page::of(entries, limit, |last| sort.position(last));
    if let Some(end) = found.end {
        page.next = Some(sort.position(&end.try_into()?));
    }
    Ok(page)
}
