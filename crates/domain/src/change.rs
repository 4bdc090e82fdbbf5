//! What changes in an entry, member by member.

/// One member that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The member's name on the wire, such as `workDate`.
    pub field: &'static str,
    /// Its value before.
    pub old: FieldValue,
    /// Its value after.
    pub new: FieldValue,
}

/// The value of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
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
