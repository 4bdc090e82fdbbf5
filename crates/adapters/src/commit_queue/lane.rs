//! A lane: the jobs that wait for one worker, and whether that runs.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use timelog_domain::ports::PortError;
use timelog_domain::{OrganizationId, Request};
use tokio::sync::{Notify, oneshot};

use super::batch::Settled;
use crate::fair_queue::{FairQueue, Taken};
use crate::measure::as_value;
use crate::shares::{Share, Shares};

/// A request that is to be answered.
pub(super) struct Job {
    pub(super) request: Request,
    since: Instant,
    reply: oneshot::Sender<Settled>,
}

impl Job {
    pub(super) fn answer(self, settled: Settled) {
        // The client may have hung up. Its request is carried out all the same.
        drop(self.reply.send(settled));
    }
}

/// A job, and the place that it takes while it waits.
struct Waiting {
    job: Job,
    _place: Share<OrganizationId>,
}

/// What is taken at once.
pub(super) struct Batch {
    /// To be committed together.
    pub(super) ready: Vec<Job>,
    /// What waited too long.
    pub(super) late: Vec<Job>,
}

/// What a worker does next.
enum Next {
    Batch(Batch),
    /// Nothing yet.
    Later,
    /// Nothing any more.
    Never,
}

pub(super) struct Lane {
    places: Shares<OrganizationId>,
    queue: Mutex<Queue>,
    /// Tells the worker that there is something to do.
    changed: Notify,
    /// The worker ended and is about to be started again.
    is_down: AtomicBool,
    /// How often the worker ended since it last committed something.
    ends: AtomicU32,
    jobs: metrics::Gauge,
    organizations: metrics::Gauge,
}

struct Queue {
    turns: FairQueue<Waiting>,
    entrance: Entrance,
}

#[derive(Clone, Copy)]
enum Entrance {
    Open,
    /// What waits is carried out, and nothing more is taken.
    Shut,
    /// The worker is gone for good.
    Abandoned,
}

impl Lane {
    pub(super) fn new(number: usize, capacity: usize) -> Self {
        let label = number.to_string();
        Self {
            places: Shares::new(capacity as u64),
            queue: Mutex::new(Queue { turns: FairQueue::default(), entrance: Entrance::Open }),
            changed: Notify::new(),
            is_down: AtomicBool::new(false),
            ends: AtomicU32::new(0),
            jobs: metrics::gauge!("timelog_commit_queue_length", "lane" => label.clone()),
            organizations: metrics::gauge!("timelog_commit_queue_organizations", "lane" => label),
        }
    }

    /// Puts a request at the end of its organization's line. Its decision comes through the
    /// receiver.
    pub(super) fn enter(&self, request: Request) -> Result<oneshot::Receiver<Settled>, PortError> {
        let (reply, answer) = oneshot::channel();
        let (organization, weight) = (request.caller.organization_id, request.weight());
        let mut queue = self.lock();
        if !matches!(queue.entrance, Entrance::Open) {
            return Err(shutting_down());
        }
        let place = self.places.take(&organization, 1).ok_or(PortError::Busy)?;
        let job = Job { request, since: Instant::now(), reply };
        queue.turns.push(organization, weight, Waiting { job, _place: place });
        self.count(&queue);
        drop(queue);
        self.changed.notify_one();
        Ok(answer)
    }

    /// Waits for jobs and takes those that are to be committed together. None when there will be no
    /// more.
    pub(super) async fn next(&self, most_jobs: usize, max_wait: Duration) -> Option<Batch> {
        loop {
            match self.take(most_jobs, max_wait) {
                Next::Batch(batch) => return Some(batch),
                Next::Never => return None,
                // A change between the two is not missed: it ends the next wait at once.
                Next::Later => self.changed.notified().await,
            }
        }
    }

    fn take(&self, most_jobs: usize, max_wait: Duration) -> Next {
        let mut queue = self.lock();
        if queue.turns.jobs() == 0 {
            return if matches!(queue.entrance, Entrance::Open) {
                Next::Later
            } else {
                Next::Never
            };
        }
        let Taken { ready, late, .. } =
            queue.turns.take(most_jobs, |waiting| waiting.job.since.elapsed() > max_wait);
        self.count(&queue);
        drop(queue);
        let leave =
            |waiting: Vec<Waiting>| waiting.into_iter().map(|waiting| waiting.job).collect();
        Next::Batch(Batch { ready: leave(ready), late: leave(late) })
    }

    /// Takes no more requests. Those that wait are carried out.
    pub(super) fn shut(&self) {
        self.shut_as(Entrance::Shut);
        self.changed.notify_one();
    }

    fn shut_as(&self, entrance: Entrance) {
        let mut queue = self.lock();
        if matches!(queue.entrance, Entrance::Open) {
            queue.entrance = entrance;
        }
    }

    /// Drops the jobs that wait, when the worker is gone for good.
    pub(super) fn abandon(&self) {
        self.shut_as(Entrance::Abandoned);
        let mut queue = self.lock();
        let left = std::mem::take(&mut queue.turns);
        self.count(&queue);
        drop(queue);
        drop(left);
    }

    /// Whether the worker runs.
    pub(super) fn check(&self) -> Result<(), PortError> {
        match self.lock().entrance {
            Entrance::Shut => Err(shutting_down()),
            Entrance::Open if !self.is_down.load(Ordering::Acquire) => Ok(()),
            Entrance::Open | Entrance::Abandoned => {
                Err(PortError::Unavailable("a worker that commits changes has ended".to_owned()))
            }
        }
    }

    /// Notes that the worker ended, and returns how often it did before since its last commit.
    pub(super) fn note_end(&self) -> u32 {
        self.is_down.store(true, Ordering::Release);
        self.ends.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn note_restart(&self) {
        self.is_down.store(false, Ordering::Release);
    }

    pub(super) fn note_commit(&self) {
        self.ends.store(0, Ordering::Relaxed);
    }

    fn count(&self, queue: &Queue) {
        self.jobs.set(as_value(queue.turns.jobs() as u64));
        self.organizations.set(as_value(queue.turns.organizations() as u64));
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn shutting_down() -> PortError {
    PortError::Unavailable("the service is shutting down".to_owned())
}
