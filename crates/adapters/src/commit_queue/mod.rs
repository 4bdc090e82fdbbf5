//! The commit queue: requests that wait are taken as one batch, decided together and committed in
//! one transaction, so that one sync of the disk serves them all. An idle queue commits a single
//! request at once. Where the database commits several transactions at a time, the queue has as
//! many lanes, and an organization always uses the same one. In a lane, organizations [take
//! turns](crate::fair_queue), and its places are [divided](crate::shares) among them.

mod batch;
mod lane;
mod worker;

use std::sync::{Arc, Mutex, PoisonError};

use timelog_domain::Request;
use timelog_domain::ports::{Clock, PortError};
use tokio::task::JoinHandle;

pub(crate) use self::batch::{CommitBatch, Settled, decide};
use self::lane::{Lane, shutting_down};
use self::worker::Worker;
use crate::notices::Notices;
use crate::options::QueueOptions;

/// The lanes and their workers.
pub(crate) struct CommitQueue {
    lanes: Vec<Arc<Lane>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl CommitQueue {
    /// Starts the worker of each lane in a task of its own.
    pub(crate) fn start<S: CommitBatch + Clone>(
        store: &S,
        clock: &Arc<dyn Clock>,
        notices: &Notices,
        lanes: usize,
        batch_size: usize,
        options: &QueueOptions,
    ) -> Self {
        let lanes: Vec<_> =
            (0..lanes.max(1)).map(|number| Arc::new(Lane::new(number, options.capacity))).collect();
        let worker = |lane: &Arc<Lane>| {
            let (store, clock, lane) = (store.clone(), clock.clone(), lane.clone());
            let (notices, max_wait) = (notices.clone(), options.max_wait);
            tokio::spawn(Worker { store, clock, notices, max_wait, batch_size, lane }.run_on())
        };
        let workers = Mutex::new(lanes.iter().map(worker).collect());
        Self { lanes, workers }
    }

    /// Puts a request into its lane and waits for its decision. From here on it is carried out,
    /// also when its caller stops waiting.
    pub(crate) async fn submit(&self, request: Request) -> Settled {
        let answer = self.lane(&request).ok_or_else(shutting_down)?.enter(request)?;
        answer.await.unwrap_or_else(|_| {
            Err(PortError::Unavailable(
                "its worker ended; whether it was committed is unknown".to_owned(),
            ))
        })
    }

    /// Whether every lane commits. One whose worker ended does not until that is started again.
    pub(crate) fn check(&self) -> Result<(), PortError> {
        self.lanes.iter().try_for_each(|lane| lane.check())
    }

    /// Takes no more requests, carries out those that wait, and returns when all are answered.
    pub(crate) async fn drain(&self) {
        for lane in &self.lanes {
            lane.shut();
        }
        let workers =
            std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            if let Err(error) = worker.await {
                tracing::error!(%error, "a lane of the commit queue did not end well");
            }
        }
    }

    /// An organization's requests meet in one lane, so that those of one program do not conflict
    /// with each other.
    fn lane(&self, request: &Request) -> Option<&Lane> {
        let lanes = self.lanes.len() as u128;
        let lane = request.caller.organization_id.uuid().as_u128().checked_rem(lanes)?;
        self.lanes.get(usize::try_from(lane).ok()?).map(|lane| &**lane)
    }
}

#[cfg(test)]
mod tests;
