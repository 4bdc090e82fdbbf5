//! Looks for webhooks that have something to deliver, and delivers to each in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select_all;
use timelog_domain::ports::{Backlog, PortError};
use timelog_domain::{LeaseHolder, OrganizationId, Webhook};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::delivery::{Post, deliver};
use super::receivers::Receivers;
use crate::state::Ports;

/// How often it is looked for webhooks that are due, where nothing is heard of changes.
const INTERVAL: Duration = Duration::from_secs(1);

/// The first look: after the first requests, which need not wait for it.
const BEGINNING: Duration = Duration::from_millis(200);

/// The shortest time from one look to the next.
const GAP: Duration = Duration::from_millis(50);

/// How often the backlog is measured.
const MEASURE: Duration = Duration::from_secs(5);

/// How many webhooks are leased at once. Each of them waits for the others.
const MOST_AT_ONCE: usize = 64;

/// To how many webhooks one program delivers at the same time.
const MOST: usize = 1024;

/// A deliverer that runs.
pub(crate) struct Deliverer {
    stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Deliverer {
    /// Begins to deliver.
    pub(crate) fn start(ports: Ports, receivers: Arc<Receivers>) -> Self {
        let stop = watch::Sender::new(false);
        let holder = LeaseHolder::new(Uuid::now_v7());
        let post = Arc::new(Post { ports, receivers, holder, stopping: stop.subscribe() });
        let running = tokio::spawn(async move {
            while let Err(error) = tokio::spawn(run(post.clone())).await {
                note_panic(&error);
                sleep(INTERVAL).await;
            }
        });
        Self { stop, running }
    }

    /// Ends once what was sent is answered, or the receiver had its time.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        drop(self.running.await);
    }
}

async fn run(post: Arc<Post>) {
    let mut stopping = post.stopping.clone();
    drop(timeout(BEGINNING, stopping.changed()).await);
    let mut deliveries = JoinSet::new();
    let (mut watched, mut measured): (Vec<OrganizationId>, _) = (Vec::new(), None);
    while !*stopping.borrow_and_update() {
        // Asked for before the look, so that a change that comes during it ends the wait.
        let notices = watched.iter().map(|organization| post.ports.feed.notice(*organization));
        let notices: Vec<_> = notices.collect();
        while let Some(ended) = deliveries.try_join_next() {
            ended.unwrap_or_else(|error| note_panic(&error));
        }
        let free = MOST_AT_ONCE.min(MOST - deliveries.len());
        let began = Instant::now();
        match look(&post, free).await {
            Ok(due) => {
                let is_all = due.len() < free || due.is_empty();
                for webhook in due {
                    deliveries.spawn(deliver(post.clone(), webhook, began));
                }
                if !is_all {
                    continue;
                }
            }
            Err(error) => tracing::debug!(%error, "webhooks could not be looked for"),
        }
        if measured.is_none_or(|at: Instant| at.elapsed() >= MEASURE) {
            measured = Some(Instant::now());
            measure(&post).await;
        }
        let changed = async {
            if notices.is_empty() {
                std::future::pending::<()>().await;
            }
            select_all(notices).await;
            sleep(GAP).await;
        };
        tokio::select! {
            _ = stopping.changed() => {}
            () = changed => {}
            () = sleep(INTERVAL) => match post.ports.deliveries.watched().await {
                Ok(found) => watched = found,
                Err(error) => tracing::debug!(%error, "webhooks could not be looked for"),
            },
        }
    }
    while let Some(ended) = deliveries.join_next().await {
        ended.unwrap_or_else(|error| note_panic(&error));
    }
}

async fn look(post: &Post, free: usize) -> Result<Vec<Webhook>, PortError> {
    let limit = u32::try_from(free).unwrap_or(u32::MAX);
    if limit == 0 {
        return Ok(Vec::new());
    }
    post.ports.deliveries.lease(post.holder, post.ports.clock.now(), limit).await
}

/// What has panicked is begun again. Until then it holds the leases that it had, which run out.
fn note_panic(error: &JoinError) {
    metrics::counter!("timelog_worker_restarts_total", "worker" => "webhook").increment(1);
    tracing::error!(%error, "a delivery to webhooks ended and is started again");
}

/// Tells how much there is to deliver.
async fn measure(post: &Post) {
    let Ok(Backlog { behind, oldest, given_up }) = post.ports.deliveries.backlog().await else {
        return;
    };
    let now = post.ports.clock.now();
    let age = oldest.map_or(0, |oldest| now.unix_millis().saturating_sub(oldest.unix_millis()));
    set("timelog_webhooks_behind", behind);
    set("timelog_webhooks_given_up", given_up);
    let age = Duration::from_millis(age.max(0).unsigned_abs());
    metrics::gauge!("timelog_webhooks_oldest_age_seconds").set(age.as_secs_f64());
}

fn set(gauge: &'static str, number: u64) {
    // Exact up to 2^53.
    #[expect(clippy::cast_precision_loss, reason = "there are never so many")]
    metrics::gauge!(gauge).set(number as f64);
}
