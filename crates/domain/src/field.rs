//! The members of an entry that may be edited, and what changes in them.

use crate::named::named;

/// A member of an entry that may be edited, named as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Who worked.
    UserId,
    /// On which day.
    WorkDate,
    /// How long.
    Minutes,
    /// On what, in words.
    Description,
    /// Whether a customer pays for it.
    Billable,
    /// The ticket it was spent on.
    TicketId,
    /// The release it was spent on.
    ReleaseId,
}

named!(Field, UnknownField, "member", {
    UserId => "userId",
    WorkDate => "workDate",
    Minutes => "minutes",
    Description => "description",
    Billable => "billable",
    TicketId => "entryId",
    ReleaseId => "releaseId",
});

/// One member that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The member.
    pub field: Field,
    /// Its value before.
    pub old: FieldValue,
    /// Its value after.
    pub new: FieldValue,
}

/// The value of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(untagged))]
pub enum FieldValue {
    /// No value.
    Null,
    /// A text, an id or a date.
    Text(String),
    /// A number.
    Integer(u16),
    /// Yes or no.
    Boolean(bool),
}
