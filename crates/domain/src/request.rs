//! A request to the domain, and its reply.

use std::borrow::Cow;

use crate::access::Caller;
use crate::command::{Command, LogMany, LogTimeEntry, MOST_ITEMS, Selection};
use crate::idempotency::{Claim, StoredAnswer};
use crate::outcome::{Outcome, Refusal};
use crate::timestamp::Timestamp;

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
    /// The request as if it was made at `now`: the ids of its new entries have
    /// [that time](crate::TimeEntryId::made_at), if they have one. Where every request is decided so, at
    /// the time of its decision, the order of ids is the order of creation.
    #[must_use]
    pub fn made_at(&self, now: Timestamp) -> Cow<'_, Self> {
        let anew =
            |entry: &LogTimeEntry| LogTimeEntry { id: entry.id.made_at(now), ..entry.clone() };
        let command = match &self.command {
            Command::Log(entry) => Command::Log(anew(entry)),
            Command::LogMany(many) => {
                let items = many.items.iter().map(|item| item.as_ref().map(anew)).collect();
                Command::LogMany(LogMany {
                    items,
                    project_id: many.project_id,
                    atomic: many.atomic,
                })
            }
            Command::Edit(_)
            | Command::Delete(_)
            | Command::Apply(_)
            | Command::ChangeMany(_)
            | Command::Close(_)
            | Command::Webhook(_) => return Cow::Borrowed(self),
        };
        Cow::Owned(Self { caller: self.caller, command, claim: self.claim.clone() })
    }

    /// The work of the request: the number of its entries, at least 1. It limits the size of a
    /// batch.
    #[must_use]
    pub fn weight(&self) -> usize {
        match &self.command {
            Command::LogMany(log) => log.items.len().max(1),
            Command::ChangeMany(change) => match &change.entries {
                Selection::Ids(ids) => ids.len().max(1),
                // How many it is, shows only then. It is decided alone.
                Selection::Filter(_) => MOST_ITEMS + 1,
            },
            Command::Log(_)
            | Command::Edit(_)
            | Command::Delete(_)
            | Command::Apply(_)
            | Command::Close(_)
            | Command::Webhook(_) => 1,
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
