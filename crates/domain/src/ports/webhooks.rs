//! The ports of webhooks.

use super::PortFuture;
use crate::delivery::{Delivery, DeliveryFailure};
use crate::feed::Seq;
use crate::ids::{LeaseHolder, OrganizationId, WebhookId, WebhookKey};
use crate::query::Page;
use crate::time_entry::Version;
use crate::timestamp::Timestamp;
use crate::webhook::{Webhook, WebhookState};

/// Reads webhooks. [`TimeEntryRepository::execute`](super::TimeEntryRepository::execute) changes them.
///
/// No method MUST ever see another organization's, and each MUST see every change that was answered
/// before it was called.
pub trait Webhooks: Send + Sync {
    /// The webhook of that id.
    fn webhook(
        &self,
        organization: OrganizationId,
        id: WebhookId,
    ) -> PortFuture<'_, Option<WebhookState>>;

    /// A page of the organization's webhooks, in ascending order of ids, of at most `limit`, after
    /// the id that is given.
    fn webhooks(
        &self,
        organization: OrganizationId,
        after: Option<WebhookId>,
        limit: u32,
    ) -> PortFuture<'_, Page<WebhookState, WebhookId>>;

    /// A page of the events that a webhook refused, in ascending order of their numbers, of at most
    /// `limit`, after the number that is given.
    fn failures(
        &self,
        webhook: WebhookKey,
        after: Seq,
        limit: u32,
    ) -> PortFuture<'_, Page<DeliveryFailure, Seq>>;
}

/// Lets one program at a time deliver to a webhook.
///
/// Who delivers holds a lease, which MUST run out [by itself](LEASE), by a clock that all programs
/// share, so that another one goes on when it is gone.
pub trait Deliveries: Send + Sync {
    /// Leases webhooks to `holder` that have something to deliver at `now`, at most `limit`. It MUST
    /// NOT lease one that somebody else holds.
    fn lease(
        &self,
        holder: LeaseHolder,
        now: Timestamp,
        limit: u32,
    ) -> PortFuture<'_, Vec<Webhook>>;

    /// Stores how far the delivery to a webhook is. The lease is renewed, or with `release` given
    /// back. Whether that was done: nothing MUST change where the holder has no lease any more. Where
    /// the webhook is at another version than that, the lease MUST be given back, and nothing else
    /// change.
    fn note(
        &self,
        holder: LeaseHolder,
        progress: DeliveryProgress,
        release: bool,
    ) -> PortFuture<'_, bool>;

    /// The organizations that have an enabled webhook.
    fn watched(&self) -> PortFuture<'_, Vec<OrganizationId>>;

    /// How much is to be delivered to all enabled webhooks.
    fn backlog(&self) -> PortFuture<'_, Backlog>;
}

/// How long a lease lasts that is not renewed.
pub const LEASE: std::time::Duration = std::time::Duration::from_secs(30);

/// How far the delivery to a webhook is, as who delivers knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryProgress {
    /// The webhook.
    pub webhook: WebhookKey,
    /// The version that was delivered to.
    pub version: Version,
    /// How far it is.
    pub delivery: Delivery,
    /// An event that is to be put aside.
    pub put_aside: Option<DeliveryFailure>,
}

/// What there is to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// How many changes enabled webhooks have not got to yet.
    pub behind: u64,
    /// When the oldest of them happened.
    pub oldest: Option<Timestamp>,
    /// How many webhooks were given up and not enabled again.
    pub given_up: u64,
}
