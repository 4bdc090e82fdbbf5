//! A command with who gives it, and the reply it gets.

use crate::access::Caller;
use crate::command::Command;
use crate::idempotency::{Claim, StoredAnswer};
use crate::outcome::{Outcome, Refusal};

/// A command, who gives it, and the idempotency key it came with.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// For what.
    pub command: Command,
    /// Under which idempotency key, if any.
    pub claim: Option<Claim>,
}

impl Request {
    /// How much work the request is: the number of entries it asks for, at least 1. A batch of
    /// requests is bounded by the sum.
    #[must_use]
    pub fn weight(&self) -> usize {
        match &self.command {
            Command::LogMany(log) => log.items.len().max(1),
            Command::ApplyMany(apply) => apply.ids.len().max(1),
            Command::Log(_) | Command::Edit(_) | Command::Delete(_) | Command::Apply(_) => 1,
        }
    }
}

/// How a request was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It was carried out now.
    Done {
        /// What came of it.
        outcome: Outcome,
        /// The rendered answer, where the request had an idempotency key.
        answer: Option<StoredAnswer>,
    },
    /// It repeats one that was carried out before.
    Replayed {
        /// The answer of that one.
        answer: StoredAnswer,
        /// Whether it had the same body.
        same_body: bool,
    },
}

/// What is decided about a request.
pub type Decision = Result<Reply, Refusal>;
