//! The results of a kind of disturbance, and the table of all kinds.

use std::fmt;

/// What was counted on one database.
#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) cycles: usize,
    pub(super) requests: usize,
    pub(super) acknowledged: usize,
    pub(super) lost: usize,
    pub(super) doubled: usize,
    pub(super) server_errors: usize,
    /// Answers and rows that must not be.
    faults: Vec<String>,
    /// What else was measured.
    pub(super) measured: String,
}

impl Results {
    pub(super) fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// Adds what another one counted.
    pub(super) fn add(&mut self, other: Self) {
        self.cycles += other.cycles;
        self.requests += other.requests;
        self.acknowledged += other.acknowledged;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.server_errors += other.server_errors;
        self.faults.extend(other.faults);
    }

    pub(super) fn is_sound(&self) -> bool {
        self.lost + self.doubled + self.faults.len() == 0
    }

    /// The first of what is wrong.
    pub(super) fn faults(&self) -> String {
        let some = self
            .faults
            .iter()
            .take(5)
            .map(|fault| format!("\n    {}", fault.chars().take(600).collect::<String>()));
        some.collect()
    }
}

/// The lines of a table in Markdown.
pub(super) const HEAD: &str = "\
| kind | database | cycles | requests | acknowledged | lost | doubled | wrong | 5xx | measured |
|---|---|---|---|---|---|---|---|---|---|";

pub(super) struct Line<'a>(pub(super) &'a str, pub(super) &'a str, pub(super) &'a Results);

impl fmt::Display for Line<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(kind, database, results) = self;
        let Results {
            cycles,
            requests,
            acknowledged,
            lost,
            doubled,
            server_errors,
            faults,
            measured,
        } = results;
        write!(
            out,
            "| {kind} | {database} | {cycles} | {requests} | {acknowledged} | {lost} | {doubled} \
             | {} ",
            faults.len()
        )?;
        write!(out, "| {server_errors} | {measured} |")
    }
}
