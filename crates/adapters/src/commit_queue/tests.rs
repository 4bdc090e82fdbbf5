use std::sync::atomic::AtomicUsize;

use timelog_domain::memory::ManualClock;
use timelog_domain::{Caller, Command, DeleteTimeEntry, IfMatch, KeyId, OrganizationId, Refusal, TimeEntryId};
use uuid::Uuid;

use super::*;

/// A store that panics in its driver, where nobody knows what was committed, before it works.
#[derive(Clone, Default)]
struct Broken {
    panics_left: Arc<AtomicUsize>,
    committed: Arc<AtomicUsize>,
}

impl CommitBatch for Broken {
    async fn commit(&self, requests: Arc<[Request]>, _: &Arc<dyn Clock>) -> Result<Vec<Settled>, DbError> {
        if self.panics_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            // Resumed rather than raised, which would write to standard error.
            std::panic::resume_unwind(Box::new("the driver broke"));
        }
        self.committed.fetch_add(requests.len(), Ordering::SeqCst);
        Ok(requests.iter().map(|_| Ok(Err(Refusal::TimeEntryNotFound))).collect())
    }
}

fn queue(store: &Broken) -> CommitQueue {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    CommitQueue::start(store, &clock, 1, 1, &QueueOptions::default())
}

fn request() -> Request {
    let nil = Uuid::nil();
    let organization_id = OrganizationId::new(nil);
    let caller = Caller { organization_id, key_id: KeyId::new(nil), project_id: None, user_id: None };
    let command = Command::Delete(DeleteTimeEntry { id: TimeEntryId::new(nil), if_match: IfMatch::Any });
    Request { caller, command, claim: None }
}

fn is_unknown(settled: &Settled) -> bool {
    matches!(settled, Err(PortError::Unavailable(reason)) if reason.contains("unknown"))
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_ends_is_started_again_and_goes_on_with_what_waits() {
    let store = Broken::default();
    store.panics_left.store(2, Ordering::SeqCst);
    let queue = queue(&store);
    let settled = tokio::join!(queue.submit(request()), queue.submit(request()), queue.submit(request()));
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
    assert_eq!(queue.lanes[0].ends.load(Ordering::SeqCst), 0, "what is committed ends the count");
    queue.drain().await;
}
