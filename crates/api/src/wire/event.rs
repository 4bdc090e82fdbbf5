//! Events on the wire, as webhooks deliver them.

use timelog_domain::{
    Change, EventId, InvoiceRef, ProjectId, Reason, Seq, Status, TimeEntryId, Timestamp, UserId,
    Version, WebhookId,
};

use super::change::{FeedEntryBody, FeedEvent};
use super::history::Changes;
use super::include::Include;
use super::{Word, answer};

/// The version of the form of events.
const SCHEMA_VERSION: u64 = 1;

/// What is sent when a webhook is tested.
pub(crate) const PING: &str = "webhook.ping";

answer! {
    /// What a webhook delivers: something has happened to a time entry.
    pub(crate) struct EventBody<'a> = "WebhookEvent" {
        /// The event: the same on every attempt to deliver it, and for every webhook that gets it.
        id: EventId,
        /// What has happened.
        event_name: FeedEvent,
        /// The version of this form. It is 1.
        schema_version: u64,
        /// What it has happened to.
        entity_type: Word,
        /// The entry.
        entity_id: TimeEntryId,
        /// When.
        occurred_at: Timestamp,
        /// The user that the key is bound to with which it was done, if any.
        actor_user_id: Option<UserId>,
        payload: EventPayload<'a>,
    }
}

answer! {
    /// The change, as the feed has it.
    pub(crate) struct EventPayload<'a> = "WebhookPayload" {
        /// The number of the change.
        seq: Seq,
        /// The version that the change made.
        version: Version,
        /// The project of the entry.
        project_id: ProjectId,
        /// The status before; null when it was logged.
        from: Option<Status>,
        /// The status after; null when it was deleted.
        to: Option<Status>,
        /// Why, if that was said.
        reason: Option<&'a Reason>,
        /// The invoice, if one was named.
        invoice_ref: Option<&'a InvoiceRef>,
        /// The members whose values changed, as in the history of the entry.
        changes: Changes<'a>,
        /// The entry as it stands when the event is sent, which may be after later changes; null if
        /// it is gone.
        entry: Option<FeedEntryBody<'a>>,
    }
}

answer! {
    /// What a webhook gets when it is tested.
    pub(crate) struct PingBody = "WebhookPing" {
        /// The event.
        id: EventId,
        /// That it is a test.
        event_name: Word,
        /// The version of this form. It is 1.
        schema_version: u64,
        /// What it is about.
        entity_type: Word,
        /// The webhook.
        entity_id: WebhookId,
        /// When it was sent.
        occurred_at: Timestamp,
        /// The user that the key is bound to with which it was asked for, if any.
        actor_user_id: Option<UserId>,
        payload: PingPayload,
    }
}

answer! {
    /// The webhook.
    pub(crate) struct PingPayload = "WebhookPingPayload" {
        webhook_id: WebhookId,
    }
}

impl<'a> EventBody<'a> {
    pub(crate) fn new(id: EventId, change: &'a Change) -> Self {
        let record = &change.record;
        Self {
            id,
            event_name: FeedEvent(record.event),
            schema_version: SCHEMA_VERSION,
            entity_type: Word("time_entry"),
            entity_id: record.time_entry_id,
            occurred_at: record.at,
            actor_user_id: record.user_id,
            payload: EventPayload {
                seq: change.seq,
                version: record.version,
                project_id: record.project_id,
                from: record.from,
                to: record.to,
                reason: record.reason.as_ref(),
                invoice_ref: record.invoice_ref.as_ref(),
                changes: Changes(&record.changes),
                entry: change
                    .entry
                    .as_ref()
                    .map(|entry| FeedEntryBody::new(entry, Include::default())),
            },
        }
    }
}

impl PingBody {
    pub(crate) fn new(
        id: EventId,
        webhook_id: WebhookId,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            event_name: Word(PING),
            schema_version: SCHEMA_VERSION,
            entity_type: Word("webhook"),
            entity_id: webhook_id,
            occurred_at: now,
            actor_user_id: user,
            payload: PingPayload { webhook_id },
        }
    }
}
