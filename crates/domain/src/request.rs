//! A request to the domain, and its reply.

use crate::access::Caller;
use crate::command::Command;
use crate::idempotency::{Claim, StoredAnswer};
use crate::outcome::{Outcome, Refusal};

/// A command, its caller and its idempotency key.
#[derive(Debug, Clone)]
pub struct Request {
    /// The caller.
    pub caller: Caller,
    /// The command.
    pub command: Command,
    /// The claim on an idempotency key, if the request has one.
    pub claim: Option<Claim>,
}

impl Request {
    /// The work of the request: the number of its entries, at least 1. It limits the size of a
    /// batch.
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
        /// Its outcome.
        outcome: Outcome,
        /// The rendered answer, where the request had an idempotency key.
        answer: Option<StoredAnswer>,
    },
    /// It repeats a request that was carried out before.
    Replayed {
        /// The stored answer.
        answer: StoredAnswer,
        /// Whether that request had the same body.
        same_body: bool,
    },
}

/// The decision on a request.
pub type Decision = Result<Reply, Refusal>;
