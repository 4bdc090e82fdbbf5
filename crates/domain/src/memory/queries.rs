//! Queries in memory, which look at all entries.

use super::{MemoryStore, answer};
use crate::history::HistoryRecord;
use crate::ids::{OrganizationId, TimeEntryId};
use crate::ports::{PortError, PortFuture, TimeEntryQueries};
use crate::query::{Filter, Page, PageRequest, Position};
use crate::summary::{GroupBy, Summary, TooManyGroups, Totals};
use crate::time_entry::TimeEntry;

impl MemoryStore {
    fn matching(&self, organization: OrganizationId, filter: &Filter) -> Vec<TimeEntry> {
        let state = self.state();
        state
            .ledger
            .time_entries_of(organization)
            .filter(|entry| filter.matches(entry))
            .cloned()
            .collect()
    }
}

impl TimeEntryQueries for MemoryStore {
    fn list(
        &self,
        organization: OrganizationId,
        page: PageRequest,
    ) -> PortFuture<'_, Page<TimeEntry, Position>> {
        let PageRequest { filter, sort, after, limit } = page;
        if after.is_some_and(|after| !sort.has(&after)) {
            return answer(Err(PortError::Internal(
                "the position is one of another order".to_owned(),
            )));
        }
        let mut entries = self.matching(organization, &filter);
        entries.sort_by(|one, other| sort.compare(&sort.position(one), &sort.position(other)));
        entries.retain(|entry| {
            after.is_none_or(|after| sort.compare(&sort.position(entry), &after).is_gt())
        });
        answer(Ok(Page::of(entries, limit, |last| sort.position(last))))
    }

    fn count(&self, organization: OrganizationId, filter: Filter) -> PortFuture<'_, u64> {
        answer(Ok(self.matching(organization, &filter).len() as u64))
    }

    fn summarize(
        &self,
        organization: OrganizationId,
        filter: Filter,
        by: GroupBy,
    ) -> PortFuture<'_, Result<Summary, TooManyGroups>> {
        let entries = self.matching(organization, &filter);
        let parts = entries.iter().map(|entry| (by.group(entry), Totals::from(entry)));
        answer(Ok(parts.collect::<Summary>().bounded()))
    }

    fn history(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> PortFuture<'_, Vec<HistoryRecord>> {
        let of_entry = |record: &&HistoryRecord| {
            record.organization_id == organization && record.time_entry_id == id
        };
        answer(Ok(self.state().history.iter().filter(of_entry).cloned().collect()))
    }
}
