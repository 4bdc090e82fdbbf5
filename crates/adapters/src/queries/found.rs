//! What a command finds by a filter, within its transaction: all of it, or how much it is. Like a
//! page, it reads a bounded number of entries.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use diesel_async::AsyncPgConnection;
use timelog_domain::{
    Direction, Filter, FoundTooMany, Ledger, MOST_FOUND, OrganizationId, PageRequest, Sort, SortKey,
};

use super::lead::MOST;
use super::search::Search;
use crate::error::DbError;
use crate::rows::{Load, TimeEntryRow};
use crate::schema::time_entries;

fn search(organization: OrganizationId, filter: &Filter) -> Search {
    let sort = Sort { key: SortKey::WorkDate, direction: Direction::Ascending };
    let limit = u32::try_from(MOST_FOUND).unwrap_or(u32::MAX);
    Search::new(organization, PageRequest { filter: filter.clone(), sort, after: None, limit })
}

/// How many there are, of which at most [`MOST`] were counted.
fn counted(number: i64) -> FoundTooMany {
    if number < MOST {
        FoundTooMany::Exactly(number.unsigned_abs())
    } else {
        FoundTooMany::MoreThan(MOST.unsigned_abs() - 1)
    }
}

/// Puts what each filter finds into the ledger. `$load` loads rows, `$count` one number.
macro_rules! load_found {
    ($filters:ident, $ledger:ident, |$rows:ident| $load:expr, |$number:ident| $count:expr) => {
        for (organization, filter) in $filters {
            let search = search(*organization, filter);
            let mut way = search.exact().zip(search.exact_lead());
            if way.is_none() {
                for lead in search.asked.leads(None) {
                    let $number = lead.count();
                    let number: i64 = $count;
                    if number < MOST {
                        way = Some((search.by(&lead), lead));
                        break;
                    }
                }
            }
            let Some((condition, lead)) = way else {
                $ledger.load_too_many(*organization, filter.clone(), counted(MOST));
                continue;
            };
            let $rows = time_entries::table
                .filter(condition)
                .limit(search.rows())
                .select(TimeEntryRow::as_select());
            let found: Vec<TimeEntryRow> = $load;
            if found.len() > MOST_FOUND {
                let $number = search.count(&lead);
                let number: i64 = $count;
                $ledger.load_too_many(*organization, filter.clone(), counted(number));
            } else {
                found.into_iter().try_for_each(|row| row.load_into($ledger))?;
            }
        }
    };
}

pub(crate) fn load_on_sqlite(
    conn: &mut SqliteConnection,
    filters: &[(OrganizationId, Filter)],
    ledger: &mut Ledger,
) -> Result<(), DbError> {
    load_found!(filters, ledger, |rows| rows.load(conn)?, |number| number.get_result(conn)?);
    Ok(())
}

/// With `holding` it waits for those who change them, and nobody else does before the end of the
/// transaction. The order of the locks is that of [loading](crate::postgres) by id.
pub(crate) async fn load_on_postgres(
    conn: &AsyncPgConnection,
    filters: &[(OrganizationId, Filter)],
    holding: bool,
    ledger: &mut Ledger,
) -> Result<(), DbError> {
    load_found!(
        filters,
        ledger,
        |rows| if holding {
            let held = rows.order(time_entries::id).for_update();
            diesel_async::RunQueryDsl::load(held, &mut &*conn).await?
        } else {
            diesel_async::RunQueryDsl::load(rows, &mut &*conn).await?
        },
        |number| diesel_async::RunQueryDsl::get_result(number, &mut &*conn).await?
    );
    Ok(())
}
