//! A command with who gives it, and the reply it gets.

use crate::access::Caller;
use crate::command::{Command, Outcome, Refusal};
use crate::idempotency::{Claim, StoredAnswer};

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
