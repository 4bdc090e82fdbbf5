//! Queries that never end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use timelog_domain::ports::{PortFuture, TimeEntryQueries};
use timelog_domain::{
    Filter, GroupBy, HistoryRecord, OrganizationId, Page, PageRequest, Position, Summary,
    TimeEntry, TimeEntryId, TooManyGroups,
};

/// Never answers a count or a total, and counts who waits for a total.
pub(crate) struct EndlessQueries {
    pub(crate) queries: Arc<dyn TimeEntryQueries>,
    pub(crate) waiting: Arc<AtomicUsize>,
}

struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl TimeEntryQueries for EndlessQueries {
    fn list(
        &self,
        organization: OrganizationId,
        page: PageRequest,
    ) -> PortFuture<'_, Page<TimeEntry, Position>> {
        self.queries.list(organization, page)
    }

    fn count(&self, _: OrganizationId, _: Filter) -> PortFuture<'_, u64> {
        Box::pin(std::future::pending())
    }

    fn summarize(
        &self,
        _: OrganizationId,
        _: Filter,
        _: GroupBy,
    ) -> PortFuture<'_, Result<Summary, TooManyGroups>> {
        Box::pin(async {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let _waiting = Waiting(self.waiting.clone());
            std::future::pending().await
        })
    }

    fn history(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> PortFuture<'_, Vec<HistoryRecord>> {
        self.queries.history(organization, id)
    }
}
