//! Time entries on diesel.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use timelog_domain::ports::{PortFuture, TimeEntryRepository};
use timelog_domain::{Decision, OrganizationId, Request, TimeEntry, TimeEntryId};

use crate::database::on_database;
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
            let row = on_database!(self.database, read(organization), |conn| query
                .select(TimeEntryRow::as_select())
                .first(conn)
                .await
                .optional())
            .await?;
            Ok(row.map(TimeEntry::try_from).transpose()?)
        })
    }
}
