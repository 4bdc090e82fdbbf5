//! The worker of a lane: it commits what waits, one transaction after the other.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use timelog_domain::Request;
use timelog_domain::ports::{Clock, PortError};

use super::batch::{CommitBatch, Settled};
use super::lane::{Batch, Job, Lane};
use crate::error::DbError;
use crate::measure::as_value;
use crate::notices::Notices;

/// How often a batch that met a conflict is decided again before it counts as failed.
const ATTEMPTS: u32 = 20;
/// How often it is decided without holding what it loads. That costs the others nothing, but a
/// large change would never come through where somebody else changes one of its entries each time.
const FREE: u32 = 2;
/// How often a batch is tried on another connection because its own broke.
const CONNECTIONS: u32 = 2;
/// How long a worker that ended stays down the first time, and at most when it keeps ending.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Worker<S> {
    pub(super) store: S,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) notices: Notices,
    pub(super) max_wait: Duration,
    pub(super) batch_size: usize,
    pub(super) lane: Arc<Lane>,
}

/// However a worker ends, nobody may wait in its lane after that.
impl<S> Drop for Worker<S> {
    fn drop(&mut self) {
        self.lane.abandon();
    }
}

impl<S: CommitBatch> Worker<S> {
    /// Works until there will be no more jobs. After a panic it starts again: the jobs that it was
    /// working on are told that the worker ended, and those that wait go on waiting.
    pub(super) async fn run_on(self) {
        while let Err(panic) = AssertUnwindSafe(self.run()).catch_unwind().await {
            let ends = self.lane.note_end();
            tracing::error!(reason = %DbError::panicked(&*panic), "a worker that commits changes \
                ended and is started again");
            metrics::counter!("timelog_worker_restarts_total", "worker" => "commit").increment(1);
            tokio::time::sleep(FIRST_PAUSE.saturating_mul(1 << ends.min(10)).min(LONGEST_PAUSE))
                .await;
            self.lane.note_restart();
        }
    }

    async fn run(&self) {
        while let Some(Batch { ready, late }) = self.lane.next(self.batch_size, self.max_wait).await
        {
            for job in late {
                job.answer(Err(PortError::Busy));
            }
            self.settle(ready).await;
        }
    }

    /// Commits the jobs together. If that fails for a reason that may lie in one of them, each half
    /// is tried on its own, so that one bad job never fails the others.
    async fn settle(&self, jobs: Vec<Job>) {
        let mut parts = vec![jobs];
        while let Some(mut part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let requests: Arc<[Request]> = part.iter().map(|job| job.request.clone()).collect();
            match self.commit(&requests).await {
                Ok(settled) => {
                    self.lane.note_commit();
                    let organizations = part.iter().map(|job| job.request.caller.organization_id);
                    let changed: HashSet<_> = organizations.collect();
                    part.into_iter().zip(settled).for_each(|(job, settled)| job.answer(settled));
                    for organization in changed {
                        self.notices.tell(organization);
                    }
                }
                Err(
                    error @ (DbError::Failed(_) | DbError::UnknownReference | DbError::Conflict(_)),
                ) if part.len() > 1 => {
                    tracing::warn!(%error, jobs = part.len(), "a batch failed and is tried again \
                        in halves");
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
                Err(error) => {
                    tracing::error!(%error, jobs = part.len(), "a batch could not be committed");
                    for job in part {
                        job.answer(Err(error.clone().into()));
                    }
                }
            }
        }
    }

    async fn commit(&self, requests: &Arc<[Request]>) -> Result<Vec<Settled>, DbError> {
        let began = Instant::now();
        let (mut attempts, mut connections) = (1, 1);
        loop {
            match self.store.commit(requests.clone(), &self.clock, attempts > FREE).await {
                Err(DbError::Conflict(reason)) if attempts < ATTEMPTS => {
                    metrics::counter!("timelog_commit_conflicts_total").increment(1);
                    tracing::debug!(reason, "a batch met a conflict and is decided again");
                    pause(attempts).await;
                    attempts += 1;
                }
                Err(DbError::Disconnected(reason)) if connections < CONNECTIONS => {
                    tracing::warn!(
                        reason,
                        "a connection broke before its batch was committed; another one is tried"
                    );
                    connections += 1;
                }
                settled => {
                    metrics::histogram!("timelog_commit_seconds").record(began.elapsed());
                    metrics::histogram!("timelog_commit_batch_size")
                        .record(as_value(requests.len() as u64));
                    return settled;
                }
            }
        }
    }
}

/// A random time, so that two programs do not meet over the same row again and again. The first try
/// comes at once.
async fn pause(attempts: u32) {
    if attempts > 1 {
        let chance = getrandom::u32().unwrap_or(attempts) % (1 << attempts.min(6));
        tokio::time::sleep(Duration::from_millis(chance.into())).await;
    }
}
