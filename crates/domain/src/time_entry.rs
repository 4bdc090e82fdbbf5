//! The time entry: who worked how long on which day, and its status.

use std::fmt;

use crate::details::{Details, Field, FieldChange, FieldValue};
use crate::external_ref::ExternalRef;
use crate::ids::{OrganizationId, ProjectId, TimeEntryId};
use crate::source::Source;
use crate::status::{Action, Status};
use crate::text::{InvoiceRef, Reason};
use crate::timestamp::Timestamp;
use crate::transition::Transition;

/// The number of an entry's changes, from 1. It is the `ETag` of the entry, and is compared when
/// the entry is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Version(i64);

impl Version {
    /// The version of an entry that was just logged.
    pub const FIRST: Self = Self(1);

    /// A version of that number.
    #[must_use]
    pub const fn new(version: i64) -> Self {
        Self(version)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The version after one more change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A time entry. Its fields are private: it changes only by [`amend`](Self::amend),
/// [`apply`](Self::apply) and [`delete`](Self::delete), so its status, version and update time
/// always agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeEntry(Record);

/// The fields of a [`TimeEntry`], for adapters that store and restore it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: TimeEntryId,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its details.
    pub details: Details,
    /// Its name in another system. It never changes.
    pub external_ref: Option<ExternalRef>,
    /// How it was created. It never changes.
    pub source: Source,
    /// Its status.
    pub status: Status,
    /// The reason that was given with its last action.
    pub reason: Option<Reason>,
    /// The invoice that it is on, where its status is invoiced.
    pub invoice_ref: Option<InvoiceRef>,
    /// The number of its changes.
    pub version: Version,
    /// When it was logged.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The entry's status does not allow editing or deleting it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an entry that is {status} cannot be changed or deleted, only one that is draft or rejected"
)]
pub struct NotEditable {
    /// The status it is in.
    pub status: Status,
}

/// The entry's status does not allow the action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry that is {status} cannot take the action {action}")]
pub struct InvalidTransition {
    /// The status it is in.
    pub status: Status,
    /// The action that is not allowed.
    pub action: Action,
    /// Whether the entry is billable, which decides what is possible instead.
    pub billable: bool,
}

impl InvalidTransition {
    /// The actions that the entry can take now.
    pub fn possible_actions(self) -> impl Iterator<Item = Action> {
        let may_take = move |action: &Action| self.billable || !action.needs_billable();
        self.status.possible_actions().filter(may_take)
    }
}

/// Why an entry cannot take an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImpossibleAction {
    /// Its status does not allow it.
    #[error(transparent)]
    Transition(#[from] InvalidTransition),
    /// It is not billable, so it cannot be put on an invoice.
    #[error("an entry that is not billable cannot be put on an invoice")]
    NotBillable,
}

impl TimeEntry {
    /// A new draft.
    #[must_use]
    pub fn log(
        id: TimeEntryId,
        organization_id: OrganizationId,
        project_id: ProjectId,
        details: Details,
        external_ref: Option<ExternalRef>,
        source: Source,
        now: Timestamp,
    ) -> Self {
        Self(Record {
            id,
            organization_id,
            project_id,
            details,
            external_ref,
            source,
            status: Status::Draft,
            reason: None,
            invoice_ref: None,
            version: Version::FIRST,
            created_at: now,
            updated_at: now,
        })
    }

    /// Restores an entry from storage. The record is not checked.
    #[must_use]
    pub const fn restore(record: Record) -> Self {
        Self(record)
    }

    /// The fields.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.0
    }

    /// Replaces the details, and makes a rejected entry a draft again. Returns the changes. Equal
    /// details change nothing, and are allowed in every status.
    ///
    /// # Errors
    ///
    /// [`NotEditable`] where the details differ and the entry is neither draft nor rejected.
    ///
    /// ```
    /// # use timelog_domain::*;
    /// # fn entry() -> Result<TimeEntry, Box<dyn std::error::Error>> {
    /// #     let id = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
    /// #     let duration = WorkDuration::from_minutes(150)?;
    /// #     let details = Details::new(id.parse()?, "2025-01-15".parse()?, duration);
    /// #     let now = Timestamp::from_unix_millis(1_736_928_000_000)?;
    /// #     Ok(TimeEntry::log(id.parse()?, id.parse()?, id.parse()?, details, None, Source::Api, now))
    /// # }
    /// # let now = Timestamp::from_unix_millis(1_736_928_000_001)?;
    /// let mut entry = entry()?;
    /// let details = Details { duration: WorkDuration::from_minutes(90)?, ..entry.details().clone() };
    ///
    /// let changes = entry.amend(details.clone(), now)?;
    /// assert_eq!(changes.len(), 1);
    /// assert!(entry.amend(details, now)?.is_empty());
    /// assert_eq!(entry.version().get(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn amend(
        &mut self,
        details: Details,
        now: Timestamp,
    ) -> Result<Vec<FieldChange>, NotEditable> {
        if self.0.details == details {
            return Ok(Vec::new());
        }
        self.check_editable()?;
        let changes = self.0.details.changes_to(&details);
        self.0.details = details;
        self.0.status = Status::Draft;
        self.touch(now);
        Ok(changes)
    }

    /// Moves the entry to another project, with these details, and makes a rejected entry a draft
    /// again. Returns the changes. In its own project it is [amended](Self::amend).
    ///
    /// # Errors
    ///
    /// [`NotEditable`] where something changes and the entry is neither draft nor rejected.
    pub fn move_to(
        &mut self,
        project_id: ProjectId,
        details: Details,
        now: Timestamp,
    ) -> Result<Vec<FieldChange>, NotEditable> {
        let left = std::mem::replace(&mut self.0.project_id, project_id);
        if left == project_id {
            return self.amend(details, now);
        }
        if let Err(error) = self.check_editable() {
            self.0.project_id = left;
            return Err(error);
        }
        let text = |id: ProjectId| FieldValue::Text(id.to_string());
        let moved = FieldChange { field: Field::ProjectId, old: text(left), new: text(project_id) };
        let changes = [moved].into_iter().chain(self.0.details.changes_to(&details)).collect();
        self.0.details = details;
        self.0.status = Status::Draft;
        self.touch(now);
        Ok(changes)
    }

    /// Moves the entry to another status, and keeps the reason, and the invoice that it is put on.
    ///
    /// # Errors
    ///
    /// [`ImpossibleAction`] where the status does not allow the action, or where the action puts an
    /// entry on an invoice that is not billable.
    pub fn apply(
        &mut self,
        transition: &Transition,
        now: Timestamp,
    ) -> Result<(), ImpossibleAction> {
        let action = transition.action();
        let (status, billable) = (self.0.status, self.0.details.billable);
        let next = status.after(action).ok_or(InvalidTransition { status, action, billable })?;
        if action.needs_billable() && !billable {
            return Err(ImpossibleAction::NotBillable);
        }
        self.0.status = next;
        self.0.reason = transition.reason().cloned();
        self.0.invoice_ref = transition.invoice_ref().filter(|_| self.invoiced()).cloned();
        self.touch(now);
        Ok(())
    }

    /// Makes the last change of an entry that is deleted. Returns all members with their last
    /// values. The caller removes the entry from the store.
    ///
    /// # Errors
    ///
    /// [`NotEditable`] where the entry is neither draft nor rejected.
    pub fn delete(&mut self, now: Timestamp) -> Result<Vec<FieldChange>, NotEditable> {
        self.check_editable()?;
        self.touch(now);
        let gone = self.0.details.fields();
        Ok(gone.map(|(field, old)| FieldChange { field, old, new: FieldValue::Null }).collect())
    }

    /// The only check that an entry may be edited or deleted.
    const fn check_editable(&self) -> Result<(), NotEditable> {
        let status = self.0.status;
        if status.is_editable() { Ok(()) } else { Err(NotEditable { status }) }
    }

    fn touch(&mut self, now: Timestamp) {
        self.0.version = self.0.version.next();
        // Times of changes never go backwards, even if the clock was set back.
        self.0.updated_at = now.max(self.0.updated_at);
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> TimeEntryId {
        self.0.id
    }

    /// The organization it belongs to.
    #[must_use]
    pub const fn organization_id(&self) -> OrganizationId {
        self.0.organization_id
    }

    /// The project it belongs to.
    #[must_use]
    pub const fn project_id(&self) -> ProjectId {
        self.0.project_id
    }

    /// Its details.
    #[must_use]
    pub const fn details(&self) -> &Details {
        &self.0.details
    }

    /// Its name in another system.
    #[must_use]
    pub const fn external_ref(&self) -> Option<&ExternalRef> {
        self.0.external_ref.as_ref()
    }

    /// How it was created.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.0.source
    }

    /// Its status.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.0.status
    }

    /// The reason that was given with its last action, if one was.
    #[must_use]
    pub const fn reason(&self) -> Option<&Reason> {
        self.0.reason.as_ref()
    }

    /// The invoice that it is on, if it is on one.
    #[must_use]
    pub const fn invoice_ref(&self) -> Option<&InvoiceRef> {
        self.0.invoice_ref.as_ref()
    }

    /// Whether it is on an invoice.
    #[must_use]
    pub const fn invoiced(&self) -> bool {
        matches!(self.0.status, Status::Invoiced)
    }

    /// The number of its changes.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.0.version
    }

    /// When it was logged.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When it last changed.
    #[must_use]
    pub const fn updated_at(&self) -> Timestamp {
        self.0.updated_at
    }
}
