//! The read side: lists, counts, totals and history. Every query begins with the organization.

mod filter;
pub(crate) mod found;
mod index;
mod lead;
mod list;
mod search;
pub(crate) mod sql;
mod summary;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use timelog_domain::ports::{PortFuture, TimeEntryQueries};
use timelog_domain::{
    Filter, GroupBy, HistoryRecord, OrganizationId, Page, PageRequest, Position, Summary,
    TimeEntry, TimeEntryId, TooManyGroups,
};

use self::lead::{Asked, few};
use self::sql::{Sql, asked};
use crate::database::on_database;
use crate::rows::HistoryRow;
use crate::schema::time_entry_history;
use crate::store::Store;
use crate::types::IdValue;

impl TimeEntryQueries for Store {
    fn list(
        &self,
        organization: OrganizationId,
        page: PageRequest,
    ) -> PortFuture<'_, Page<TimeEntry, Position>> {
        Box::pin(list::list(&self.database, organization, page))
    }

    fn count(&self, organization: OrganizationId, filter: Filter) -> PortFuture<'_, u64> {
        Box::pin(async move {
            let asked = Asked::new(organization, filter);
            let count = on_database!(self.database, total(organization), |conn| {
                async {
                    let lead = few!(conn, asked);
                    let count = Sql::text("SELECT count(*)").and(asked.source(lead.as_ref()));
                    count.typed::<BigInt>().get_result::<i64>(conn).await
                }
                .await
            });
            Ok(count.await?.unsigned_abs())
        })
    }

    fn summarize(
        &self,
        organization: OrganizationId,
        filter: Filter,
        by: GroupBy,
    ) -> PortFuture<'_, Result<Summary, TooManyGroups>> {
        Box::pin(summary::summarize(&self.database, organization, filter, by))
    }

    fn history(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> PortFuture<'_, Vec<HistoryRecord>> {
        Box::pin(async move {
            let query = time_entry_history::table
                .filter(time_entry_history::organization_id.eq(asked(organization)))
                .filter(time_entry_history::time_entry_id.eq(IdValue::from(id)))
                .order(time_entry_history::version);
            let rows = on_database!(self.database, read(organization), |conn| {
                query.select(HistoryRow::as_select()).load(conn).await
            })
            .await?;
            Ok(rows.into_iter().map(HistoryRecord::try_from).collect::<Result<_, _>>()?)
        })
    }
}
