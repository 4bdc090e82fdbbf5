//! The statuses of an entry, and the actions that move it from one to another.

use crate::named::named;
use crate::permission::Permission;

named! {
    /// The status of an entry.
    pub enum Status {
        /// Being written; may be edited.
        Draft = "draft",
        /// Waiting for approval.
        Submitted = "submitted",
        /// Accepted.
        Approved = "approved",
        /// Not approved; may be edited, which makes it a draft again.
        Rejected = "rejected",
        /// Closed for accounting.
        Locked = "locked",
        /// On an invoice.
        Invoiced = "invoiced",
    }
}

named! {
    /// What moves an entry from one status to another.
    pub enum Action {
        /// Submit the entry for approval.
        Submit = "submit",
        /// Make a submitted entry a draft again.
        Recall = "recall",
        /// Approve a submitted entry.
        Approve = "approve",
        /// Reject a submitted entry, with a reason.
        Reject = "reject",
        /// Make an approved entry a draft again, with a reason.
        Reopen = "reopen",
        /// Close an approved entry for accounting.
        Lock = "lock",
        /// Undo a lock, with a reason.
        Unlock = "unlock",
        /// Put an entry on an invoice, whose name is given.
        Invoice = "invoice",
        /// Remove an entry from its invoice, with a reason.
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

    /// Whether an entry with this status may be edited.
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

    /// Whether it judges somebody's work. A key bound to a user may not take such an action on that
    /// user's entries.
    #[must_use]
    pub const fn is_judgement(self) -> bool {
        matches!(self, Self::Approve | Self::Reject | Self::Reopen)
    }
}
