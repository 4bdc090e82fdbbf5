//! The feed in memory: the history, in its order.

use std::future::poll_fn;
use std::task::Poll;

use super::{MemoryStore, State, answer, lock};
use crate::feed::{FeedPage, FeedRequest, Seq};
use crate::history::HistoryRecord;
use crate::ids::{FeedEpoch, OrganizationId};
use crate::ports::{ChangeFeed, Notice, PortError, PortFuture};

impl State {
    /// The changes of an organization, with their numbers.
    pub(super) fn numbered(
        &self,
        organization: OrganizationId,
    ) -> impl Iterator<Item = (Seq, &HistoryRecord)> {
        let own = self.history.iter().filter(move |record| record.organization_id == organization);
        (1..).map(Seq::new).zip(own)
    }
}

impl MemoryStore {
    fn page(
        &self,
        organization: OrganizationId,
        request: FeedRequest,
    ) -> Result<FeedPage, PortError> {
        let state = self.state();
        if !state.organizations.contains(&organization) {
            return Err(PortError::UnknownReference);
        }
        let numbered: Vec<_> = state.numbered(organization).collect();
        let end = numbered.last().map_or(Seq::START, |(seq, _)| *seq);
        let entry =
            |record: &HistoryRecord| state.ledger.time_entry(organization, record.time_entry_id);
        let seen = numbered
            .into_iter()
            .filter(|(seq, record)| *seq > request.after && request.sees(record, entry(record)));
        let changes: Vec<_> = seen
            .take(request.limit as usize)
            .map(|(seq, record)| request.show(seq, record.clone(), entry(record)))
            .collect();
        let is_full = changes.len() == request.limit as usize;
        let through = if is_full { changes.last().map(|change| change.seq) } else { None };
        let through = through.unwrap_or(end).max(request.after);
        Ok(FeedPage { epoch: FeedEpoch::new(organization.uuid()), changes, through, end })
    }
}

impl ChangeFeed for MemoryStore {
    fn changes(
        &self,
        organization: OrganizationId,
        request: FeedRequest,
    ) -> PortFuture<'_, FeedPage> {
        answer(self.page(organization, request))
    }

    fn notice(&self, _: OrganizationId) -> Notice {
        let state = self.state.clone();
        let before = lock(&state).history.len();
        Box::pin(poll_fn(move |context| {
            let mut state = lock(&state);
            if state.history.len() > before {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        }))
    }
}
