//! Time entries on diesel.

use timelog_domain::ports::{PortFuture, TimeEntryRepository};
use timelog_domain::{Decision, OrganizationId, Request, TimeEntry, TimeEntryId};

use crate::store::Store;

impl TimeEntryRepository for Store {
    fn execute(&self, request: Request) -> PortFuture<'_, Decision> {
        Box::pin(self.queue.submit(request))
    }

    fn find(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> PortFuture<'_, Option<TimeEntry>> {
        Box::pin(self.gathering.find(&self.database, organization, id))
    }
}
