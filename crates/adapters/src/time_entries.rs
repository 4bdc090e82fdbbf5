//! Time entries on diesel.

use diesel::prelude::*;
use timelog_domain::ports::{PortFuture, TimeEntryRepository};
use timelog_domain::{Decision, OrganizationId, Request, TimeEntry, TimeEntryId};

use crate::database::on_database;
use crate::load_rows::LoadRows;
use crate::rows::TimeEntryRow;
use crate::schema::time_entries;
use crate::store::Store;
use crate::types::IdValue;

impl TimeEntryRepository for Store {
    fn execute(&self, request: Request) -> PortFuture<'_, Decision> {
        Box::pin(self.queue.submit(request))
    }

    fn find(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> PortFuture<'_, Option<TimeEntry>> {
        Box::pin(async move {
            let query = time_entries::table.find((IdValue::from(organization), IdValue::from(id)));
            let rows = on_database!(self.database, read(organization), |conn| {
                conn.rows(query.select(TimeEntryRow::as_select())).await
            });
            Ok(rows.await?.pop().map(TimeEntry::try_from).transpose()?)
        })
    }
}
