//! Delivering to one webhook: event by event, in order, as long as there are any.

use std::sync::Arc;
use std::time::Duration;

use timelog_domain::delivery::{Attempt, DeliveryError, Verdict};
use timelog_domain::ports::{DeliveryProgress, PortError};
use timelog_domain::{Change, DeliveryFailure, FeedEpoch, FeedRequest, LeaseHolder, Seq, Webhook};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::message::Message;
use super::receivers::Receivers;
use crate::state::Ports;

/// How many changes are read at a time.
const PAGE: u32 = 32;

/// How often progress is stored. After a crash what came in between is delivered again.
const STORE: Duration = Duration::from_secs(1);

/// How old a lease may be when an event is sent. With the longest time that a receiver has, it does
/// not run out before the answer.
const RENEW: Duration = Duration::from_secs(10);

/// How long it is waited for further changes before the lease is given back.
const LINGER: Duration = Duration::from_secs(1);

/// What every delivery uses.
pub(super) struct Post {
    pub(super) ports: Ports,
    pub(super) receivers: Arc<Receivers>,
    pub(super) holder: LeaseHolder,
    pub(super) stopping: watch::Receiver<bool>,
}

/// Delivers to a webhook that was leased at that time, until there is nothing more to do now.
pub(super) async fn deliver(post: Arc<Post>, webhook: Webhook, leased: Instant) {
    let id = webhook.id;
    let mut delivering = Delivering { post: &post, webhook, noted: leased, is_new: false };
    if let Err(error) = delivering.run().await {
        tracing::debug!(%error, webhook = %id, "a delivery could not go on");
        // Where that fails too, the lease runs out, and what was not stored is delivered again.
        drop(delivering.note(None, true).await);
    }
}

struct Delivering<'a> {
    post: &'a Post,
    webhook: Webhook,
    /// When the lease was renewed and the progress stored.
    noted: Instant,
    /// Whether there is progress that is not stored yet.
    is_new: bool,
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    Stop,
}

impl Delivering<'_> {
    async fn run(&mut self) -> Result<(), PortError> {
        let feed = &self.post.ports.feed;
        let organization = self.webhook.organization_id;
        loop {
            let notice = feed.notice(organization);
            let page = feed.changes(organization, self.following(PAGE)).await?;
            // After the page: what was logged after a change of the webhook goes out by that change.
            if self.is_changed().await? {
                return self.note(None, true).await.map(drop);
            }
            for change in &page.changes {
                if self.is_stopping() {
                    return self.note(None, true).await.map(drop);
                }
                if self.deliver(change, page.epoch).await? == Then::Stop {
                    return Ok(());
                }
            }
            self.pass(page.through);
            if page.has_more() {
                continue;
            }
            // Whoever looks now sees that all is delivered, unless events come all the time.
            let is_stored = !self.is_new || self.noted.elapsed() < STORE;
            if !is_stored && !self.note(None, false).await? {
                return Ok(());
            }
            let mut stopping = self.post.stopping.clone();
            let was_noticed = tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => false,
                noticed = timeout(LINGER, notice) => noticed.is_ok(),
            };
            if !was_noticed {
                return self.note(None, true).await.map(drop);
            }
        }
    }

    async fn is_changed(&self) -> Result<bool, PortError> {
        let Webhook { organization_id, id, version, .. } = self.webhook;
        let stands = self.post.ports.webhooks.webhook(organization_id, id).await?;
        Ok(stands.is_none_or(|stands| stands.webhook.version != version))
    }

    fn is_stopping(&self) -> bool {
        *self.post.stopping.borrow()
    }

    fn following(&self, limit: u32) -> FeedRequest {
        let project_id = self.webhook.details.project_id;
        let after = self.webhook.delivery.delivered_through;
        FeedRequest { project_id, user_id: None, after, limit }
    }

    /// Delivers the event of a change, if the webhook wants it.
    async fn deliver(&mut self, change: &Change, epoch: FeedEpoch) -> Result<Then, PortError> {
        let event = change.record.event;
        if !self.webhook.wants(event) {
            self.pass(change.seq);
            return Ok(Then::GoOn);
        }
        if self.noted.elapsed() >= RENEW && !self.note(None, false).await? {
            return Ok(Then::Stop);
        }
        let Post { ports, receivers, .. } = self.post;
        let (details, secrets) = (&self.webhook.details, &self.webhook.secrets);
        let message = Message::of(change, epoch);
        let began = Instant::now();
        let answer =
            receivers.send(&details.destination, message, secrets, ports.clock.now()).await;
        count(answer.attempt, began.elapsed());
        let now = ports.clock.now();
        let delivery = &mut self.webhook.delivery;
        let verdict = delivery.note(change.seq, answer.attempt, &answer.error, now, chance());
        self.is_new = true;
        let is_held = match verdict {
            Verdict::GoOn => self.noted.elapsed() < STORE || self.note(None, false).await?,
            Verdict::PutAside => {
                metrics::counter!("timelog_webhook_events_put_aside_total").increment(1);
                let error = DeliveryError { at: now, message: answer.error };
                let time_entry_id = change.record.time_entry_id;
                let failure = DeliveryFailure { seq: change.seq, event, time_entry_id, error };
                self.note(Some(failure), false).await?
            }
            Verdict::TryAgain => {
                self.note(None, true).await?;
                false
            }
            Verdict::Disable(reason) => {
                self.note(None, true).await?;
                let Webhook { organization_id, id, .. } = &self.webhook;
                tracing::warn!(organization = %organization_id, webhook = %id, %reason,
                    "a webhook was given up");
                false
            }
        };
        Ok(if is_held { Then::GoOn } else { Then::Stop })
    }

    /// Everything up to here is done with.
    fn pass(&mut self, through: Seq) {
        if through > self.webhook.delivery.delivered_through {
            self.webhook.delivery.pass(through);
            self.is_new = true;
        }
    }

    /// Stores the progress and renews the lease, or gives it back. Whether it was still held, and
    /// the webhook was not changed meanwhile.
    async fn note(
        &mut self,
        put_aside: Option<DeliveryFailure>,
        release: bool,
    ) -> Result<bool, PortError> {
        let began = Instant::now();
        let progress = DeliveryProgress {
            webhook: self.webhook.key(),
            version: self.webhook.version,
            delivery: self.webhook.delivery.clone(),
            put_aside,
        };
        let deliveries = &self.post.ports.deliveries;
        let is_held = deliveries.note(self.post.holder, progress, release).await?;
        (self.noted, self.is_new) = (began, false);
        Ok(is_held)
    }
}

fn count(attempt: Attempt, took: Duration) {
    let outcome = attempt.as_str();
    metrics::counter!("timelog_webhook_deliveries_total", "outcome" => outcome).increment(1);
    metrics::histogram!("timelog_webhook_delivery_seconds").record(took);
}

/// A random number, for the time of the next attempt. Any will do.
fn chance() -> u8 {
    let [chance, ..] = getrandom::u32().unwrap_or_default().to_le_bytes();
    chance
}
