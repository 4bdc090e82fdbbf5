//! The commit queue: requests that wait are taken together, decided together and committed in one transaction, so that one
//! sync of the disk serves them all. Nobody waits for company: an idle queue commits a single request at once. Where the
//! database commits several transactions at a time, the queue has as many lanes, and an organization always takes the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use timelog_domain::ports::{Clock, PortError};
use timelog_domain::{Decision, Ledger, Request, Timestamp, handle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::error::DbError;
use crate::options::QueueOptions;

/// What became of one request of a batch.
pub(crate) type Settled = Result<Decision, PortError>;

/// Runs one transaction: load what the requests touch, [`decide`] them in order, save what changed, commit.
pub(crate) trait CommitBatch: Send + Sync + 'static {
    /// Returns only after the commit is durable. On an error nothing is stored, except that after
    /// [`DbError::Unavailable`] it is unknown.
    fn commit(
        &self,
        requests: Arc<[Request]>,
        clock: &Arc<dyn Clock>,
    ) -> impl Future<Output = Result<Vec<Settled>, DbError>> + Send;
}

/// Decides the requests of a batch one after the other. One that panics fails alone, and leaves no trace in the ledger.
pub(crate) fn decide(requests: &[Request], ledger: &mut Ledger, now: Timestamp) -> Vec<Settled> {
    let decide = |request| {
        let savepoint = ledger.savepoint();
        catch_unwind(AssertUnwindSafe(|| handle(request, ledger, now))).map_err(|_| {
            ledger.roll_back_to(savepoint);
            PortError::Internal("a decision panicked".to_owned())
        })
    };
    requests.iter().map(decide).collect()
}

struct Job {
    request: Request,
    since: Instant,
    reply: oneshot::Sender<Settled>,
}

/// The entrances of the lanes, and the handles to their ends.
pub(crate) struct CommitQueue {
    entrances: Mutex<Vec<mpsc::Sender<Job>>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    lanes: Vec<Arc<Lane>>,
}

/// How a lane is.
#[derive(Default)]
struct Lane {
    /// Its worker ended and is about to be started again.
    is_down: AtomicBool,
    /// How often it ended since it last committed something.
    ends: AtomicU32,
}

impl CommitQueue {
    /// Starts each lane in a task of its own.
    pub(crate) fn start<S: CommitBatch + Clone>(
        store: &S,
        clock: &Arc<dyn Clock>,
        lanes: usize,
        batch_size: usize,
        options: &QueueOptions,
    ) -> Self {
        let (mut entrances, mut workers) = (Vec::new(), Vec::new());
        let lanes: Vec<Arc<Lane>> = (0..lanes.max(1)).map(|_| Arc::default()).collect();
        for (number, lane) in lanes.iter().enumerate() {
            let (entrance, jobs) = mpsc::channel(options.capacity);
            let waiting = metrics::gauge!("timelog_commit_queue_length", "lane" => number.to_string());
            let (store, clock) = (store.clone(), clock.clone());
            let worker = Worker { store, clock, max_wait: options.max_wait, waiting, batch_size, lane: lane.clone() };
            entrances.push(entrance);
            workers.push(tokio::spawn(worker.run_on(jobs)));
        }
        Self { entrances: Mutex::new(entrances), workers: Mutex::new(workers), lanes }
    }

    /// Puts a request into its lane and waits for what becomes of it. From here on it is carried out, whether or not
    /// anybody still waits.
    pub(crate) async fn submit(&self, request: Request) -> Settled {
        let (reply, answer) = oneshot::channel();
        let job = Job { request, since: Instant::now(), reply };
        match lane(&lock(&self.entrances), &job.request).map(mpsc::Sender::try_reserve) {
            Some(Ok(place)) => place.send(job),
            Some(Err(mpsc::error::TrySendError::Full(()))) => return Err(PortError::Busy),
            Some(Err(mpsc::error::TrySendError::Closed(()))) | None => return Err(shutting_down()),
        }
        answer.await.unwrap_or_else(|_| {
            Err(PortError::Unavailable("its worker ended; whether it was committed is unknown".to_owned()))
        })
    }

    /// Whether every lane commits. One whose worker ended does not, until it is started again.
    pub(crate) fn check(&self) -> Result<(), PortError> {
        let entrances = lock(&self.entrances);
        if entrances.is_empty() {
            return Err(shutting_down());
        }
        let is_down = |lane: &Arc<Lane>| lane.is_down.load(Ordering::Acquire);
        if entrances.iter().any(mpsc::Sender::is_closed) || self.lanes.iter().any(is_down) {
            return Err(PortError::Unavailable("a worker that commits changes has ended".to_owned()));
        }
        Ok(())
    }

    /// Takes no more requests, carries out those that wait, and returns when all are answered.
    pub(crate) async fn drain(&self) {
        lock(&self.entrances).clear();
        let workers = std::mem::take(&mut *lock(&self.workers));
        for worker in workers {
            if let Err(error) = worker.await {
                tracing::error!(%error, "a lane of the commit queue did not end well");
            }
        }
    }
}

/// An organization's requests meet in one lane, so that those of one program do not conflict with each other.
fn lane<'a>(entrances: &'a [mpsc::Sender<Job>], request: &Request) -> Option<&'a mpsc::Sender<Job>> {
    let lanes = entrances.len() as u128;
    let lane = request.caller.organization_id.uuid().as_u128().checked_rem(lanes)?;
    entrances.get(usize::try_from(lane).ok()?)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shutting_down() -> PortError {
    PortError::Unavailable("the service is shutting down".to_owned())
}

/// How often a batch that met a conflict is decided again before it counts as failed.
const ATTEMPTS: u32 = 20;
/// How often a batch is tried on another connection because its own broke.
const CONNECTIONS: u32 = 2;
/// How long a worker that ended stays down the first time, and at most when it keeps ending.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

struct Worker<S> {
    store: S,
    clock: Arc<dyn Clock>,
    max_wait: Duration,
    waiting: metrics::Gauge,
    batch_size: usize,
    lane: Arc<Lane>,
}

impl<S: CommitBatch> Worker<S> {
    /// Works until there will be no more jobs. Whatever ends the work before, it is told and begun again: the jobs that were in
    /// hand get no answer but this, and those that wait go on waiting.
    async fn run_on(self, mut jobs: mpsc::Receiver<Job>) {
        while let Err(panic) = AssertUnwindSafe(self.run(&mut jobs)).catch_unwind().await {
            self.lane.is_down.store(true, Ordering::Release);
            let ends = self.lane.ends.fetch_add(1, Ordering::Relaxed);
            tracing::error!(reason = %DbError::panicked(&*panic), "a worker that commits changes ended and is started again");
            metrics::counter!("timelog_worker_restarts_total", "worker" => "commit").increment(1);
            tokio::time::sleep(FIRST_PAUSE.saturating_mul(1 << ends.min(10)).min(LONGEST_PAUSE)).await;
            self.lane.is_down.store(false, Ordering::Release);
        }
    }

    async fn run(&self, jobs: &mut mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(self.batch_size);
        while jobs.recv_many(&mut batch, self.batch_size).await > 0 {
            self.waiting.set(u32::try_from(jobs.len()).unwrap_or(u32::MAX));
            let (late, ready): (Vec<_>, Vec<_>) = batch.drain(..).partition(|job| job.since.elapsed() > self.max_wait);
            for job in late {
                answer(job, Err(PortError::Busy));
            }
            self.settle(by_weight(ready)).await;
        }
    }

    /// Commits the jobs of each part together. If that fails for a reason that may lie in one of them, halves are tried on their own, so
    /// that one bad job never sinks its neighbours.
    async fn settle(&self, mut parts: Vec<Vec<Job>>) {
        parts.reverse();
        while let Some(mut part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let requests: Arc<[Request]> = part.iter().map(|job| job.request.clone()).collect();
            match self.commit(&requests).await {
                Ok(settled) => {
                    self.lane.ends.store(0, Ordering::Relaxed);
                    part.into_iter().zip(settled).for_each(|(job, settled)| answer(job, settled));
                }
                Err(error @ (DbError::Failed(_) | DbError::UnknownReference | DbError::Conflict(_)))
                    if part.len() > 1 =>
                {
                    tracing::warn!(%error, jobs = part.len(), "a batch failed and is tried again in halves");
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
                Err(error) => {
                    tracing::error!(%error, jobs = part.len(), "a batch could not be committed");
                    for job in part {
                        answer(job, Err(error.clone().into()));
                    }
                }
            }
        }
    }

    async fn commit(&self, requests: &Arc<[Request]>) -> Result<Vec<Settled>, DbError> {
        let began = Instant::now();
        let (mut attempts, mut connections) = (1, 1);
        loop {
            match self.store.commit(requests.clone(), &self.clock).await {
                Err(DbError::Conflict(reason)) if attempts < ATTEMPTS => {
                    metrics::counter!("timelog_commit_conflicts_total").increment(1);
                    tracing::debug!(reason, "a batch met a conflict and is decided again");
                    pause(attempts).await;
                    attempts += 1;
                }
                Err(DbError::Disconnected(reason)) if connections < CONNECTIONS => {
                    tracing::warn!(reason, "a connection broke before its batch was committed; another one is tried");
                    connections += 1;
                }
                settled => {
                    metrics::histogram!("timelog_commit_seconds").record(began.elapsed());
                    metrics::histogram!("timelog_commit_batch_size").record(size(requests.len()));
                    return settled;
                }
            }
        }
    }
}

/// The most entries that the requests of one transaction ask for, unless a single one asks for more. It keeps those who log
/// one entry from waiting for many batches of hundreds.
const MOST_ENTRIES: usize = 512;

/// Divides jobs, in their order, into parts that may be committed together.
fn by_weight(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut parts: Vec<Vec<Job>> = Vec::new();
    let mut weight = 0;
    for job in jobs {
        let added = job.request.weight();
        match parts.last_mut() {
            Some(part) if weight + added <= MOST_ENTRIES => {
                part.push(job);
                weight += added;
            }
            _ => {
                parts.push(vec![job]);
                weight = added;
            }
        }
    }
    parts
}

/// Two programs that keep meeting over one row must fall out of step. The first time they try again at once.
async fn pause(attempts: u32) {
    if attempts > 1 {
        let chance = getrandom::u32().unwrap_or(attempts) % (1 << attempts.min(6));
        tokio::time::sleep(Duration::from_millis(chance.into())).await;
    }
}

fn size(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

fn answer(job: Job, settled: Settled) {
    // The client may have hung up. Its request was carried out all the same.
    drop(job.reply.send(settled));
}

#[cfg(test)]
mod tests;
