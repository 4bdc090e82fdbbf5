//! The in-memory adapter: a [`Ledger`] in a mutex. For tests of code that embeds this crate; nothing outlives it.

use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::directory::{Entry, Project, Release, User};
use crate::handle::handle;
use crate::history::HistoryRecord;
use crate::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::ids::{OrganizationId, TimeEntryId};
use crate::ledger::Ledger;
use crate::ports::{Clock, Directory, IdempotencyCache, PortError, PortFuture, TimeEntryRepository};
use crate::request::{Decision, Request};
use crate::text::Name;
use crate::time_entry::TimeEntry;
use crate::timestamp::Timestamp;

/// Implements the ports in memory. Its futures are ready at once.
///
/// ```
/// use timelog_domain::memory::{ManualClock, MemoryStore};
///
/// let clock = ManualClock::default();
/// let store = MemoryStore::new(clock.clone());
/// clock.advance(std::time::Duration::from_secs(60));
/// assert!(store.history().is_empty());
/// ```
pub struct MemoryStore {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    history: Vec<HistoryRecord>,
}

impl MemoryStore {
    /// An empty store that tells the time by `clock`.
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self { state: Mutex::default(), clock: Arc::new(clock) }
    }

    /// Everything that happened, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<HistoryRecord> {
        self.state().history.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of a ledger is whole, so one that was abandoned by a panic is still consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, load: impl FnOnce(&mut Ledger)) -> PortFuture<'_, ()> {
        load(&mut self.state().ledger);
        Box::pin(ready(Ok(())))
    }
}

impl TimeEntryRepository for MemoryStore {
    fn execute(&self, request: Request) -> PortFuture<'_, Decision> {
        let State { ledger, history } = &mut *self.state();
        let now = self.clock.now();
        let savepoint = ledger.savepoint();
        let decided = catch_unwind(AssertUnwindSafe(|| handle(&request, ledger, now))).map_err(|_| {
            ledger.roll_back_to(savepoint);
            PortError::Internal("a decision panicked".to_owned())
        });
        history.extend(ledger.take_changes().history);
        Box::pin(ready(decided))
    }

    fn find(&self, organization: OrganizationId, id: TimeEntryId) -> PortFuture<'_, Option<TimeEntry>> {
        let found = self.state().ledger.time_entry(organization, id).cloned();
        Box::pin(ready(Ok(found)))
    }
}

impl IdempotencyCache for MemoryStore {
    fn find<'a>(&'a self, scope: &'a IdempotencyScope, now: Timestamp) -> PortFuture<'a, Option<IdempotencyRecord>> {
        let found = self.state().ledger.answer(scope).filter(|record| record.is_live(now)).cloned();
        Box::pin(ready(Ok(found)))
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> PortFuture<'_, u64> {
        let swept = self.state().ledger.sweep_answers(now, limit);
        Box::pin(ready(Ok(swept)))
    }
}

impl Directory for MemoryStore {
    fn put_organization(&self, _: OrganizationId, _: Name) -> PortFuture<'_, ()> {
        self.load(|_| ())
    }

    fn put_project(&self, project: Project) -> PortFuture<'_, ()> {
        self.load(|ledger| ledger.load_project(project))
    }

    fn put_user(&self, user: User) -> PortFuture<'_, ()> {
        self.load(|ledger| ledger.load_user(user))
    }

    fn put_entry(&self, entry: Entry) -> PortFuture<'_, ()> {
        self.load(|ledger| ledger.load_entry(&entry))
    }

    fn put_release(&self, release: Release) -> PortFuture<'_, ()> {
        self.load(|ledger| ledger.load_release(&release))
    }
}

/// A clock that stands still until it is told to move. Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl Default for ManualClock {
    /// Starts at 1970-01-01T00:00:00.000Z.
    fn default() -> Self {
        Self::at(Timestamp::from_unix_millis(0).unwrap_or(Timestamp::MIN))
    }
}

impl ManualClock {
    /// Starts at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Sets the time, forwards or back.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the time forwards.
    pub fn advance(&self, by: std::time::Duration) {
        self.set(self.now().saturating_add(by));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
