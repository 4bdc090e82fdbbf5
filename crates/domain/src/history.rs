//! What happened to an entry: who changed what, when and why.

use crate::access::Caller;
use crate::change::FieldChange;
use crate::ids::{KeyId, OrganizationId, TimeEntryId, UserId};
use crate::status::{Action, Status};
use crate::text::{InvoiceRef, Reason};
use crate::time_entry::Version;
use crate::timestamp::Timestamp;

/// One change of an entry. Records are only ever added, and outlive the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRecord {
    /// The organization of the entry.
    pub organization_id: OrganizationId,
    /// The entry that changed.
    pub time_entry_id: TimeEntryId,
    /// The version that the change made.
    pub version: Version,
    /// What was done.
    pub event: Event,
    /// When.
    pub at: Timestamp,
    /// With which key.
    pub key_id: KeyId,
    /// For which user, where that key is bound to one.
    pub user_id: Option<UserId>,
    /// Why, where that was said.
    pub reason: Option<Reason>,
    /// On which invoice, where one was named.
    pub invoice_ref: Option<InvoiceRef>,
    /// The status before; none before the first change.
    pub from: Option<Status>,
    /// The status after.
    pub to: Option<Status>,
    /// The members whose values changed.
    pub changes: Vec<FieldChange>,
}

/// What was done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// It was logged.
    Log,
    /// Its content was changed.
    Amend,
    /// It moved through its life.
    Action(Action),
}

/// What a [`HistoryRecord`] is told beside what can be read off the entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub caller: &'a Caller,
    pub at: Timestamp,
    pub reason: Option<&'a Reason>,
    pub invoice_ref: Option<&'a InvoiceRef>,
}
