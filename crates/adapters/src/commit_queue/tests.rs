use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use futures_util::future::join_all;
use timelog_domain::memory::ManualClock;
use timelog_domain::{
    Caller, Command, DeleteTimeEntry, Details, IfMatch, KeyId, Ledger, LogMany, LogTimeEntry, Name,
    OrganizationId, Outcome, Project, ProjectId, Refusal, Reply, Source, TimeEntryId, Timestamp,
    User, UserId, WorkDuration,
};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::worker::FIRST_PAUSE;
use super::*;
use crate::error::DbError;

/// A store that panics in its driver, where nobody knows what was committed, before it works.
#[derive(Clone, Default)]
struct Broken {
    panics_left: Arc<AtomicUsize>,
    committed: Arc<AtomicUsize>,
}

impl CommitBatch for Broken {
    async fn commit(
        &self,
        requests: Arc<[Request]>,
        _: &Arc<dyn Clock>,
        _: bool,
    ) -> Result<Vec<Settled>, DbError> {
        if self
            .panics_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok()
        {
            // Resumed rather than raised, which would write to standard error.
            std::panic::resume_unwind(Box::new("the driver broke"));
        }
        self.committed.fetch_add(requests.len(), Ordering::SeqCst);
        Ok(requests.iter().map(|_| Ok(Err(Refusal::TimeEntryNotFound))).collect())
    }
}

fn queue(store: &Broken) -> CommitQueue {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    CommitQueue::start(store, &clock, &Notices::default(), 1, 1, &QueueOptions::default())
}

fn request() -> Request {
    let nil = Uuid::nil();
    let organization_id = OrganizationId::new(nil);
    let caller = Caller::new(organization_id, KeyId::new(nil));
    let command =
        Command::Delete(DeleteTimeEntry { id: TimeEntryId::new(nil), if_match: IfMatch::Any });
    Request { caller, command, claim: None }
}

fn log(id: TimeEntryId) -> Request {
    let nil = Uuid::nil();
    let duration = WorkDuration::from_minutes(60).unwrap();
    let log = LogTimeEntry {
        id,
        project_id: ProjectId::new(nil),
        details: Details::new(UserId::new(nil), "2025-01-15".parse().unwrap(), duration),
        external_ref: None,
        source: Source::Api,
    };
    Request { command: Command::Log(log), ..request() }
}

fn is_unknown(settled: &Settled) -> bool {
    matches!(settled, Err(PortError::Unavailable(reason)) if reason.contains("unknown"))
}

#[test]
fn ids_are_in_the_order_of_the_decisions() {
    let nil = Uuid::nil();
    let name: Name = "x".parse().unwrap();
    let (organization_id, project_id) = (OrganizationId::new(nil), ProjectId::new(nil));
    let mut ledger = Ledger::default();
    let project = Project { organization_id, id: project_id, name: name.clone(), archived: false };
    ledger.load_project(project);
    ledger.load_user(User { organization_id, id: UserId::new(nil), name, active: true });
    let mut now = Timestamp::from_unix_millis(1_736_928_000_000).unwrap();
    let mut ids = Vec::new();
    // Those who asked first are decided last.
    for id in ["01946900-ffff-7000-8000-000000000001", "01946900-0000-7000-8000-000000000002"] {
        let request = log(id.parse().unwrap());
        let [Ok(Ok(Reply::Done { outcome: Outcome::Created(entry), .. }))] =
            &decide(&[request], &mut ledger, now)[..]
        else {
            panic!("not created");
        };
        ids.push(entry.id());
        now = now.saturating_add(FIRST_PAUSE);
    }
    assert!(ids.is_sorted(), "{ids:?}");
}

#[tokio::test]
async fn those_who_wait_for_changes_are_told_of_a_commit() {
    let (recorder, notices) = (Recorder::default(), Notices::default());
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let queue = CommitQueue::start(&recorder, &clock, &notices, 1, 1, &QueueOptions::default());
    let notice = notices.of(request().caller.organization_id);
    recorder.let_on.add_permits(1);
    drop(queue.submit(request()).await);
    // The answer leaves first.
    tokio::task::yield_now().await;
    assert!(notice.now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_ends_is_started_again_and_goes_on_with_what_waits() {
    let store = Broken::default();
    store.panics_left.store(2, Ordering::SeqCst);
    let queue = queue(&store);
    let settled =
        tokio::join!(queue.submit(request()), queue.submit(request()), queue.submit(request()));
    // Whether the first two were committed nobody knows; the third waited and was carried out.
    assert!(is_unknown(&settled.0) && is_unknown(&settled.1), "{settled:?}");
    assert_eq!(settled.2, Ok(Err(Refusal::TimeEntryNotFound)));
    assert_eq!(store.committed.load(Ordering::SeqCst), 1);
    assert_eq!(queue.check(), Ok(()));
    queue.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_whose_worker_is_down_is_not_ready_until_it_is_up_again() {
    let store = Broken::default();
    let queue = queue(&store);
    assert_eq!(queue.check(), Ok(()));
    store.panics_left.store(1, Ordering::SeqCst);
    assert!(is_unknown(&queue.submit(request()).await));
    // The answer leaves as the worker ends. Time stands still until everybody waits.
    tokio::task::yield_now().await;
    assert!(matches!(queue.check(), Err(PortError::Unavailable(_))));
    tokio::time::sleep(FIRST_PAUSE * 2).await;
    assert_eq!(queue.check(), Ok(()));
    queue.drain().await;
    assert!(queue.check().is_err(), "one that takes no more is not ready either");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_keeps_ending_stays_down_longer_and_longer() {
    let store = Broken::default();
    store.panics_left.store(4, Ordering::SeqCst);
    let queue = queue(&store);
    let began = tokio::time::Instant::now();
    for _ in 0..5 {
        drop(queue.submit(request()).await);
    }
    assert!(began.elapsed() >= FIRST_PAUSE * (1 + 2 + 4 + 8));
    assert_eq!(queue.lanes[0].note_end(), 0, "what is committed ends the count");
    queue.drain().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_worker_that_is_gone_for_good_is_told() {
    let store = Recorder::default();
    let queue = store.queue(8);
    let waiting = [begin(&queue, 1, 1), begin(&queue, 1, 1)];
    tokio::task::yield_now().await;
    queue.workers.lock().unwrap()[0].abort();
    for settled in join_all(waiting).await {
        assert!(is_unknown(&settled.unwrap()));
    }
    assert!(matches!(queue.check(), Err(PortError::Unavailable(_))));
    assert!(matches!(queue.submit(of(1, 1)).await, Err(PortError::Unavailable(_))));
}

/// The requests of a transaction, as organizations and numbers of entries.
type Transaction = Vec<(u128, usize)>;

/// A store that notes what is committed together, when it is let.
#[derive(Clone)]
struct Recorder {
    let_on: Arc<Semaphore>,
    transactions: Arc<Mutex<Vec<Transaction>>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { let_on: Arc::new(Semaphore::new(0)), transactions: Arc::default() }
    }
}

impl CommitBatch for Recorder {
    async fn commit(
        &self,
        requests: Arc<[Request]>,
        _: &Arc<dyn Clock>,
        _: bool,
    ) -> Result<Vec<Settled>, DbError> {
        self.let_on.acquire().await.unwrap().forget();
        let of =
            |request: &Request| (request.caller.organization_id.uuid().as_u128(), request.weight());
        self.transactions.lock().unwrap().push(requests.iter().map(of).collect());
        Ok(requests.iter().map(|_| Ok(Err(Refusal::TimeEntryNotFound))).collect())
    }
}

impl Recorder {
    fn queue(&self, capacity: usize) -> Arc<CommitQueue> {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let options = QueueOptions { capacity, ..QueueOptions::default() };
        Arc::new(CommitQueue::start(self, &clock, &Notices::default(), 1, 32, &options))
    }

    /// Lets so many transactions commit.
    async fn let_on(&self, transactions: usize) {
        let before = self.transactions.lock().unwrap().len();
        self.let_on.add_permits(transactions);
        for _ in 0..10_000 {
            if self.transactions.lock().unwrap().len() == before + transactions {
                // Their answers leave now.
                return tokio::task::yield_now().await;
            }
            tokio::task::yield_now().await;
        }
        panic!("nobody commits");
    }

    fn transactions(&self) -> Vec<Transaction> {
        self.transactions.lock().unwrap().clone()
    }
}

/// An organization's request for so many entries.
fn of(organization: u128, entries: usize) -> Request {
    let nil = request();
    let caller = Caller {
        organization_id: OrganizationId::new(Uuid::from_u128(organization)),
        ..nil.caller
    };
    let project_id = ProjectId::new(Uuid::nil());
    let command =
        Command::LogMany(LogMany { project_id, items: vec![None; entries], atomic: false });
    Request { caller, command, claim: None }
}

/// Puts it into the queue, where it waits.
fn begin(queue: &Arc<CommitQueue>, organization: u128, entries: usize) -> JoinHandle<Settled> {
    let queue = queue.clone();
    let mut waiting = Box::pin(async move { queue.submit(of(organization, entries)).await });
    let first = waiting.as_mut().now_or_never();
    tokio::spawn(async move {
        match first {
            Some(settled) => settled,
            None => waiting.await,
        }
    })
}

#[tokio::test(start_paused = true)]
async fn an_entry_is_committed_next_and_alone_though_1200_batches_of_somebody_else_wait() {
    let store = Recorder::default();
    let queue = store.queue(4096);
    let batches: Vec<_> = (0..1200).map(|_| begin(&queue, 1, 500)).collect();
    tokio::task::yield_now().await;
    let entry = begin(&queue, 2, 1);
    // The first batch was under way when it came.
    store.let_on(2).await;
    assert_eq!(store.transactions(), [[(1, 500)], [(2, 1)]]);
    assert_eq!(entry.now_or_never().unwrap().unwrap(), Ok(Err(Refusal::TimeEntryNotFound)));
    store.let_on(1199).await;
    queue.drain().await;
    for settled in join_all(batches).await {
        assert_eq!(settled.unwrap(), Ok(Err(Refusal::TimeEntryNotFound)));
    }
    assert_eq!(store.transactions().concat().len(), 1201);
}

#[tokio::test(start_paused = true)]
async fn who_has_used_up_its_share_of_the_places_leaves_the_rest_to_others() {
    let store = Recorder::default();
    let queue = store.queue(8);
    let first = begin(&queue, 1, 1);
    tokio::task::yield_now().await;
    // That one is being committed and takes no place any more. Of the eight, one organization gets
    // half.
    let waiting: Vec<_> = (0..4).map(|_| begin(&queue, 1, 1)).collect();
    assert_eq!(queue.submit(of(1, 1)).now_or_never(), Some(Err(PortError::Busy)));
    let others: Vec<_> = [2, 2, 3].map(|organization| begin(&queue, organization, 1)).into();
    assert_eq!(queue.submit(of(2, 1)).now_or_never(), Some(Err(PortError::Busy)));
    store.let_on(1).await;
    tokio::task::yield_now().await;
    // Those that waited are being committed, and every place is free again.
    let more: Vec<_> = (0..4).map(|_| begin(&queue, 1, 1)).collect();
    assert_eq!(queue.submit(of(1, 1)).now_or_never(), Some(Err(PortError::Busy)));
    store.let_on(2).await;
    for settled in join_all(waiting.into_iter().chain(others).chain(more).chain([first])).await {
        assert_eq!(settled.unwrap(), Ok(Err(Refusal::TimeEntryNotFound)));
    }
    queue.drain().await;
}
