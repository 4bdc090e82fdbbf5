//! The changes that decisions make to a ledger: each can be undone, and all of them are returned.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ledger, Open, Savepoint};
use crate::changes::{Changes, TimeEntryChange, TimeEntryDeletion, WebhookChange};
use crate::closing::{Books, Closing};
use crate::feed::Seq;
use crate::history::HistoryRecord;
use crate::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::ids::{TimeEntryKey, WebhookKey};
use crate::time_entry::TimeEntry;
use crate::webhook::Webhook;

/// How to undo one change. The journal of these is also the list of all changes.
#[derive(Debug)]
pub(super) enum Undo {
    TimeEntry {
        key: TimeEntryKey,
        before: Option<TimeEntry>,
        history: HistoryRecord,
    },
    Answer {
        scope: IdempotencyScope,
        before: Option<IdempotencyRecord>,
    },
    Closing {
        closing: Closing,
        before: Option<Closing>,
        books: Books,
    },
    Webhook {
        key: WebhookKey,
        before: Option<Webhook>,
    },
    /// An event that was taken after all. Nothing of it is loaded, so there is nothing to undo.
    Failure {
        key: WebhookKey,
        seq: Seq,
    },
}

/// Changing, rolling back, and returning the changes.
impl Ledger {
    /// Puts a new or changed entry, with the record of that change.
    pub(crate) fn put_time_entry(&mut self, entry: TimeEntry, history: HistoryRecord, _: Open) {
        let key = (entry.organization_id(), entry.id());
        let before = self.insert(entry);
        self.journal.push(Undo::TimeEntry { key, before, history });
    }

    /// Deletes an entry, with the record of that change. This frees its external reference.
    pub(crate) fn delete_time_entry(&mut self, key: TimeEntryKey, history: HistoryRecord, _: Open) {
        let before = self.remove(&key);
        self.journal.push(Undo::TimeEntry { key, before, history });
    }

    /// Puts a new closing, which is the last of its organization.
    pub(crate) fn put_closing(&mut self, closing: Closing) {
        let books = self.books(closing.organization_id);
        let by_project = books.by_project || closing.project_id.is_some();
        let after = Books { version: closing.number, by_project };
        self.books.insert(closing.organization_id, after);
        let before = self.closings.insert(closing.key(), closing.clone());
        self.journal.push(Undo::Closing { closing, before, books });
    }

    /// Puts a new or changed webhook.
    pub(crate) fn put_webhook(&mut self, webhook: Webhook) {
        let key = webhook.key();
        let before = self.webhooks.insert(key, webhook);
        self.journal.push(Undo::Webhook { key, before });
    }

    /// Deletes a webhook, with the events that it refused.
    pub(crate) fn delete_webhook(&mut self, key: WebhookKey) {
        let before = self.webhooks.remove(&key);
        self.journal.push(Undo::Webhook { key, before });
    }

    /// Forgets that a receiver refused an event.
    pub(crate) fn forget_failure(&mut self, key: WebhookKey, seq: Seq) {
        self.journal.push(Undo::Failure { key, seq });
    }

    /// Puts the answer of a request with an idempotency key.
    pub(crate) fn put_answer(&mut self, scope: IdempotencyScope, record: IdempotencyRecord) {
        let before = self.answers.insert(scope.clone(), record);
        self.journal.push(Undo::Answer { scope, before });
    }

    /// Marks the present state.
    #[must_use]
    pub const fn savepoint(&self) -> Savepoint {
        Savepoint(self.journal.len())
    }

    /// Undoes every change made since the savepoint.
    pub fn roll_back_to(&mut self, savepoint: Savepoint) {
        for undo in self.journal.split_off(savepoint.0.min(self.journal.len())).into_iter().rev() {
            match undo {
                Undo::TimeEntry { key, before, .. } => {
                    self.remove(&key);
                    if let Some(entry) = before {
                        self.insert(entry);
                    }
                }
                Undo::Answer { scope, before } => match before {
                    Some(record) => drop(self.answers.insert(scope, record)),
                    None => drop(self.answers.remove(&scope)),
                },
                Undo::Closing { closing, before, books } => {
                    self.books.insert(closing.organization_id, books);
                    match before {
                        Some(before) => drop(self.closings.insert(closing.key(), before)),
                        None => drop(self.closings.remove(&closing.key())),
                    }
                }
                Undo::Webhook { key, before } => match before {
                    Some(webhook) => drop(self.webhooks.insert(key, webhook)),
                    None => drop(self.webhooks.remove(&key)),
                },
                Undo::Failure { .. } => {}
            }
        }
    }

    /// Returns the changes since the last call. From here on they count as stored.
    pub fn take_changes(&mut self) -> Changes {
        let mut entries = BTreeMap::new();
        let mut answers = BTreeSet::new();
        let mut webhooks = BTreeMap::new();
        let mut books = BTreeMap::new();
        let mut changes = Changes::default();
        for undo in self.journal.drain(..) {
            match undo {
                Undo::TimeEntry { key, before, history: record } => {
                    // The state before the first change of an entry is what was loaded.
                    entries.entry(key).or_insert_with(|| before.as_ref().map(TimeEntry::version));
                    books.entry(key.0).or_insert(None);
                    changes.history.push(record);
                }
                Undo::Closing { closing, books: before, .. } => {
                    let loaded = books.entry(closing.organization_id).or_insert(None);
                    *loaded = loaded.or(Some(before.version));
                    changes.closings.push(closing);
                }
                Undo::Answer { scope, .. } => {
                    answers.insert(scope);
                }
                Undo::Webhook { key, before } => {
                    webhooks.entry(key).or_insert_with(|| before.map(|webhook| webhook.version));
                }
                Undo::Failure { key, seq } => changes.taken.push((key, seq)),
            }
        }
        for (key, loaded) in entries {
            match (self.time_entries.get(&key), loaded) {
                (Some(entry), _) => {
                    changes
                        .time_entries
                        .push(TimeEntryChange { loaded, time_entry: entry.clone() });
                }
                (None, Some(loaded)) => changes.deletions.push(TimeEntryDeletion { key, loaded }),
                // An entry that was logged and deleted: only its history is stored.
                (None, None) => {}
            }
        }
        let books = books.into_iter().map(|(organization, loaded)| {
            (organization, loaded.unwrap_or(self.books(organization).version))
        });
        changes.books = books.collect();
        let answers = answers.into_iter().filter_map(|scope| {
            let record = self.answers.get(&scope)?.clone();
            Some((scope, record))
        });
        changes.answers = answers.collect();
        let webhooks = webhooks.into_iter().map(|(key, loaded)| {
            let webhook = self.webhooks.get(&key).cloned();
            WebhookChange { key, loaded, webhook }
        });
        // One that was made and deleted was never there.
        let is_change =
            |change: &WebhookChange| change.loaded.is_some() || change.webhook.is_some();
        changes.webhooks = webhooks.filter(is_change).collect();
        changes
    }
}
