//! The changes that decisions made and an adapter saves.

use crate::closing::Closing;
use crate::feed::Seq;
use crate::history::HistoryRecord;
use crate::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::ids::{OrganizationId, TimeEntryKey, WebhookKey};
use crate::time_entry::{TimeEntry, Version};
use crate::webhook::Webhook;

/// What an adapter must save, in one transaction and in the order of the fields, because a new
/// entry may have the external reference of a deleted one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Entries to delete, in the order of their keys. Their history stays.
    pub deletions: Vec<TimeEntryDeletion>,
    /// Entries to store, each once, in the order of their keys.
    pub time_entries: Vec<TimeEntryChange>,
    /// New history, oldest first. It may have records of an entry that was logged and deleted in
    /// this batch, and so is not in the other fields.
    pub history: Vec<HistoryRecord>,
    /// The books that these decisions were made on: of each organization whose entries or closings
    /// change, how many closings there were. If there are more now, the save is a conflict.
    pub books: Vec<(OrganizationId, Version)>,
    /// New closings, in the order of their numbers.
    pub closings: Vec<Closing>,
    /// New answers, each scope once, in order. One may replace an expired answer.
    pub answers: Vec<(IdempotencyScope, IdempotencyRecord)>,
    /// Webhooks to store or to delete, each once, in the order of their keys.
    pub webhooks: Vec<WebhookChange>,
    /// Events that a webhook had refused and has taken. They may not be there any more.
    pub taken: Vec<(WebhookKey, Seq)>,
}

/// One entry to save. The stored version must still be the one that was loaded, or the save is a
/// conflict.
#[derive(Debug, PartialEq, Eq)]
pub struct TimeEntryChange {
    /// The version that was loaded; none where the entry is new.
    pub loaded: Option<Version>,
    /// What to store.
    pub time_entry: TimeEntry,
}

/// One entry to delete. The stored version must still be the one that was loaded, or the save is a
/// conflict.
#[derive(Debug, PartialEq, Eq)]
pub struct TimeEntryDeletion {
    /// Which one.
    pub key: TimeEntryKey,
    /// The version that was loaded.
    pub loaded: Version,
}

/// One webhook to save. The stored version must still be the one that was loaded, or the save is a
/// conflict.
#[derive(Debug, PartialEq, Eq)]
pub struct WebhookChange {
    /// Which one.
    pub key: WebhookKey,
    /// The version that was loaded; none where the webhook is new.
    pub loaded: Option<Version>,
    /// What to store; none where it is deleted, with the events that it refused.
    pub webhook: Option<Webhook>,
}

impl Changes {
    /// Whether there is nothing to save.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.deletions.is_empty()
            && self.time_entries.is_empty()
            && self.history.is_empty()
            && self.closings.is_empty()
            && self.answers.is_empty()
            && self.webhooks.is_empty()
            && self.taken.is_empty()
    }
}
