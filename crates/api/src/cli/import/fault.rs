//! Faults of a row.

use std::fmt;

use timelog_adapters::shown;

/// One thing that is wrong with a row, for the owner of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The member of the entry that is wrong; empty if the fault concerns the whole row.
    pub(super) field: String,
    /// What is wrong.
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(field: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self { field: field.to_string(), message: message.to_string() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.message),
            field => write!(f, "{field}: {}", self.message),
        }
    }
}

/// Faults with the places and messages of a problem over HTTP.
pub(super) fn faults(reasons: Vec<(String, String)>) -> Vec<Fault> {
    reasons.into_iter().map(|(field, message)| Fault { field, message }).collect()
}

/// The beginning of a cell, for a message about it.
pub(super) fn quoted(cell: &str) -> String {
    const MOST: usize = 40;
    format!("“{}”", shown::escaped(&shown::cut(cell, MOST), |_| false))
}
