//! Webhooks in memory.

use std::collections::{BTreeMap, BTreeSet};

use super::{MemoryStore, State, answer};
use crate::changes::WebhookChange;
use crate::delivery::DeliveryFailure;
use crate::feed::Seq;
use crate::ids::{LeaseHolder, OrganizationId, WebhookId, WebhookKey};
use crate::ports::{Backlog, Deliveries, DeliveryProgress, LEASE, PortFuture, Webhooks};
use crate::query::Page;
use crate::timestamp::Timestamp;
use crate::webhook::{Webhook, WebhookState};

/// A webhook, with what only its delivery knows.
pub(super) struct Kept {
    webhook: Webhook,
    failures: BTreeMap<Seq, DeliveryFailure>,
    lease: Option<(LeaseHolder, Timestamp)>,
}

/// Stores what decisions have changed.
pub(super) fn store(
    webhooks: &mut BTreeMap<WebhookKey, Kept>,
    changes: Vec<WebhookChange>,
    taken: &[(WebhookKey, Seq)],
) {
    for WebhookChange { key, webhook, .. } in changes {
        match (webhook, webhooks.get_mut(&key)) {
            (None, _) => drop(webhooks.remove(&key)),
            (Some(webhook), Some(kept)) => kept.webhook = webhook,
            (Some(webhook), None) => {
                let kept = Kept { webhook, failures: BTreeMap::new(), lease: None };
                webhooks.insert(key, kept);
            }
        }
    }
    for (key, seq) in taken {
        webhooks.get_mut(key).and_then(|kept| kept.failures.remove(seq));
    }
}

impl State {
    /// Gives the ledger what decisions on webhooks of the organization need.
    pub(super) fn load_webhooks(&mut self, organization: OrganizationId) {
        let end = self.end(organization);
        self.ledger.load_feed_end(organization, end);
        for kept in self.webhooks.values() {
            self.ledger.load_webhook(kept.webhook.clone());
        }
    }

    fn end(&self, organization: OrganizationId) -> Seq {
        self.numbered(organization).last().map_or(Seq::START, |(seq, _)| seq)
    }

    fn shown(&self, webhook: &Webhook) -> WebhookState {
        WebhookState { webhook: webhook.clone(), end: self.end(webhook.organization_id) }
    }
}

impl Webhooks for MemoryStore {
    fn webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
    ) -> PortFuture<'_, Option<WebhookState>> {
        let state = self.state();
        let found = state.webhooks.get(&(organization, id));
        answer(Ok(found.map(|kept| state.shown(&kept.webhook))))
    }

    fn webhooks(
        &self,
        organization: OrganizationId,
        after: Option<WebhookId>,
        limit: u32,
    ) -> PortFuture<'_, Page<WebhookState, WebhookId>> {
        let state = self.state();
        let all = state.webhooks.values().filter(|kept| {
            let webhook = &kept.webhook;
            webhook.organization_id == organization && Some(webhook.id) > after
        });
        let all = all.map(|kept| state.shown(&kept.webhook)).collect();
        answer(Ok(Page::of(all, limit, |last| last.webhook.id)))
    }

    fn failures(
        &self,
        webhook: WebhookKey,
        after: Seq,
        limit: u32,
    ) -> PortFuture<'_, Page<DeliveryFailure, Seq>> {
        let state = self.state();
        let all = state.webhooks.get(&webhook).into_iter().flat_map(|kept| kept.failures.values());
        let rest = all.filter(|failure| failure.seq > after).cloned().collect();
        answer(Ok(Page::of(rest, limit, |last| last.seq)))
    }
}

impl Deliveries for MemoryStore {
    fn lease(
        &self,
        holder: LeaseHolder,
        now: Timestamp,
        limit: u32,
    ) -> PortFuture<'_, Vec<Webhook>> {
        let mut state = self.state();
        let ends: BTreeMap<_, _> =
            state.webhooks.keys().map(|key| (*key, state.end(key.0))).collect();
        let due = state.webhooks.iter_mut().filter(|(key, kept)| {
            let Webhook { delivery, .. } = &kept.webhook;
            kept.webhook.is_enabled()
                && delivery.is_due(now)
                && delivery.delivered_through < ends[*key]
                && kept.lease.is_none_or(|(_, until)| until <= now)
        });
        let leased = due.take(limit as usize).map(|(_, kept)| {
            kept.lease = Some((holder, now.saturating_add(LEASE)));
            kept.webhook.clone()
        });
        let leased = leased.collect();
        answer(Ok(leased))
    }

    fn note(
        &self,
        holder: LeaseHolder,
        progress: DeliveryProgress,
        release: bool,
    ) -> PortFuture<'_, bool> {
        let DeliveryProgress { webhook, version, delivery, put_aside } = progress;
        let now = self.clock.now();
        let mut state = self.state();
        let kept = state.webhooks.get_mut(&webhook);
        let held = kept.filter(|kept| kept.lease.is_some_and(|(held, _)| held == holder));
        let Some(kept) = held else { return answer(Ok(false)) };
        if kept.webhook.version != version {
            kept.lease = None;
            return answer(Ok(false));
        }
        kept.webhook.delivery = delivery;
        kept.lease = (!release).then(|| (holder, now.saturating_add(LEASE)));
        kept.failures.extend(put_aside.map(|failure| (failure.seq, failure)));
        answer(Ok(true))
    }

    fn watched(&self) -> PortFuture<'_, Vec<OrganizationId>> {
        let state = self.state();
        let enabled = state.webhooks.values().filter(|kept| kept.webhook.is_enabled());
        let watched: BTreeSet<_> = enabled.map(|kept| kept.webhook.organization_id).collect();
        answer(Ok(watched.into_iter().collect()))
    }

    fn backlog(&self) -> PortFuture<'_, Backlog> {
        let state = self.state();
        let mut backlog = Backlog::default();
        for Kept { webhook, .. } in state.webhooks.values() {
            if webhook.delivery.disabled.is_some() {
                backlog.given_up += 1;
            }
            if webhook.is_enabled() {
                let through = webhook.delivery.delivered_through;
                let changes = state.numbered(webhook.organization_id);
                for (_, change) in changes.filter(|(seq, _)| *seq > through) {
                    backlog.behind += 1;
                    backlog.oldest = Some(backlog.oldest.map_or(change.at, |at| at.min(change.at)));
                }
            }
        }
        answer(Ok(backlog))
    }
}
