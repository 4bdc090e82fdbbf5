//! The in-memory adapter: a [`Ledger`] in a mutex, for tests.

mod clock;
mod closings;
mod directory;
mod feed;
mod queries;
#[cfg(test)]
mod tests;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

pub use clock::ManualClock;

use crate::closing::Closing;
use crate::directory::{Project, Release, Ticket, User};
use crate::handle::handle;
use crate::history::HistoryRecord;
use crate::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::ids::{OrganizationId, ProjectId, ReleaseId, TicketId, TimeEntryId, UserId, WebhookKey};
use crate::ledger::Ledger;
use crate::ports::{Clock, IdempotencyCache, PortError, PortFuture, TimeEntryRepository};
use crate::request::{Decision, Request};
use crate::time_entry::TimeEntry;
use crate::timestamp::Timestamp;
use webhooks::Kept;

/// Implements the ports in memory. Its futures are ready at once.
///
/// It is as simple as possible, so that the adapters of databases can be compared with it.
///
/// ```
/// use timelog_domain::memory::{ManualClock, MemoryStore};
///
/// let clock = ManualClock::default();
/// let store = MemoryStore::new(clock.clone());
/// clock.advance(std::time::Duration::from_secs(60));
/// assert!(store.all_history().is_empty());
/// ```
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    history: Vec<HistoryRecord>,
    closings: Vec<Closing>,
    /// Those that wait for the next change.
    waiting: Vec<Waker>,
    webhooks: BTreeMap<WebhookKey, Kept>,
    organizations: BTreeSet<OrganizationId>,
    projects: BTreeMap<(OrganizationId, ProjectId), Project>,
    users: BTreeMap<(OrganizationId, UserId), User>,
    tickets: BTreeMap<(OrganizationId, ProjectId, TicketId), Ticket>,
    releases: BTreeMap<(OrganizationId, ProjectId, ReleaseId), Release>,
}

impl MemoryStore {
    /// An empty store with this clock.
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self { state: Arc::default(), clock: Arc::new(clock) }
    }

    /// The history of all entries, oldest first.
    #[must_use]
    pub fn all_history(&self) -> Vec<HistoryRecord> {
        self.state().history.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Each change of a ledger is complete, so the ledger is consistent after a panic.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A future that is ready.
fn answer<'a, T: Send + 'a>(answer: Result<T, PortError>) -> PortFuture<'a, T> {
    Box::pin(ready(answer))
}

impl TimeEntryRepository for MemoryStore {
    fn execute(&self, request: Request) -> PortFuture<'_, Decision> {
        let state = &mut *self.state();
        state.load_webhooks(request.caller.organization_id);
        let State { ledger, history, closings, waiting, webhooks, .. } = state;
        let now = self.clock.now();
        let savepoint = ledger.savepoint();
        let decided =
            catch_unwind(AssertUnwindSafe(|| handle(&request, ledger, now))).map_err(|_| {
                ledger.roll_back_to(savepoint);
                PortError::Internal("a decision panicked".to_owned())
            });
        let changes = ledger.take_changes();
        history.extend(changes.history);
        closings.extend(changes.closings);
        webhooks::store(webhooks, changes.webhooks, &changes.taken);
        waiting.drain(..).for_each(Waker::wake);
        answer(decided)
    }

    fn find(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> PortFuture<'_, Option<TimeEntry>> {
        let found = self.state().ledger.time_entry(organization, id).cloned();
        answer(Ok(found))
    }
}

impl IdempotencyCache for MemoryStore {
    fn find<'a>(
        &'a self,
        scope: &'a IdempotencyScope,
        now: Timestamp,
    ) -> PortFuture<'a, Option<IdempotencyRecord>> {
        let found = self.state().ledger.answer(scope).filter(|record| record.is_live(now)).cloned();
        answer(Ok(found))
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> PortFuture<'_, u64> {
        let swept = self.state().ledger.sweep_answers(now, limit);
        answer(Ok(swept))
    }
}
