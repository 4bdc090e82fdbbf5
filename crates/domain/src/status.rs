//! The life of an entry: its statuses, and the actions that move it from one to the next.

use crate::named::named;
use crate::permission::Permission;

named! {
    /// Where an entry stands in its life.
    pub enum Status {
        /// Being written; may be changed.
        Draft = "draft",
        /// Handed in, waiting for approval.
        Submitted = "submitted",
        /// Accepted.
        Approved = "approved",
        /// Sent back; may be changed, which makes it a draft again.
        Rejected = "rejected",
        /// Closed for the books.
        Locked = "locked",
        /// On an invoice.
        Invoiced = "invoiced",
    }
}

named! {
    /// What moves an entry from one status to another.
    pub enum Action {
        /// Hand the entry in for approval.
        Submit = "submit",
        /// Take a submitted entry back.
        Recall = "recall",
        /// Accept a submitted entry.
        Approve = "approve",
        /// Send a submitted entry back, with a reason.
        Reject = "reject",
        /// Make an approved entry a draft again, with a reason.
        Reopen = "reopen",
        /// Close an approved entry for the books.
        Lock = "lock",
        /// Undo a lock, with a reason.
        Unlock = "unlock",
        /// Put an entry on an invoice, which is named.
        Invoice = "invoice",
        /// Take an entry off its invoice, with a reason.
        ReleaseInvoice = "release-invoice",
    }
}

impl Status {
    /// The status after `action`, or `None` where the action is not possible now. This is the whole
    /// transition table.
    ///
    /// ```
    /// use timelog_domain::{Action, Status};
    ///
    /// assert_eq!(Status::Submitted.after(Action::Approve), Some(Status::Approved));
    /// assert_eq!(Status::Invoiced.after(Action::Recall), None);
    /// ```
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "one line is one row of the table")]
    pub const fn after(self, action: Action) -> Option<Self> {
        match (action, self) {
            (Action::Submit, Self::Draft | Self::Rejected) => Some(Self::Submitted),
            (Action::Recall, Self::Submitted) => Some(Self::Draft),
            (Action::Approve, Self::Submitted) => Some(Self::Approved),
            (Action::Reject, Self::Submitted) => Some(Self::Rejected),
            (Action::Reopen, Self::Approved) => Some(Self::Draft),
            (Action::Lock, Self::Approved) => Some(Self::Locked),
            (Action::Unlock, Self::Locked) => Some(Self::Approved),
            (Action::Invoice, Self::Approved | Self::Locked) => Some(Self::Invoiced),
            (Action::ReleaseInvoice, Self::Invoiced) => Some(Self::Locked),
            _ => None,
        }
    }

    /// The actions that are possible now.
    pub fn possible_actions(self) -> impl Iterator<Item = Action> {
        Action::ALL.iter().copied().filter(move |action| self.after(*action).is_some())
    }

    /// Whether the entry's content may be changed: only as a draft or rejected.
    #[must_use]
    pub const fn is_editable(self) -> bool {
        matches!(self, Self::Draft | Self::Rejected)
    }
}

impl Action {
    /// The permission a key needs for it.
    #[must_use]
    pub const fn permission(self) -> Permission {
        match self {
            Self::Submit | Self::Recall => Permission::Write,
            Self::Approve | Self::Reject | Self::Reopen | Self::Lock | Self::Unlock => {
                Permission::Approve
            }
            Self::Invoice | Self::ReleaseInvoice => Permission::Bill,
        }
    }

    /// Whether a reason must be given.
    #[must_use]
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Reject | Self::Reopen | Self::Unlock | Self::ReleaseInvoice)
    }

    /// Whether the invoice must be named.
    #[must_use]
    pub const fn needs_invoice_ref(self) -> bool {
        matches!(self, Self::Invoice)
    }

    /// Whether the entry must be billable.
    #[must_use]
    pub const fn needs_billable(self) -> bool {
        matches!(self, Self::Invoice)
    }

    /// Whether it judges somebody's work, which a key bound to a user may not do to that user's own
    /// entries, nor undo.
    #[must_use]
    pub const fn is_judgement(self) -> bool {
        matches!(self, Self::Approve | Self::Reject | Self::Reopen)
    }
}
