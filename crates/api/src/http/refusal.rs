//! The one place that gives refusals of the domain and errors of ports their codes.

use actix_web::http::header;
use timelog_domain::ports::PortError;
use timelog_domain::{InvalidReference, InvalidWebhook, Refusal};

use super::code::Code;
use super::problem::Problem;
use super::stored_answer;
use crate::wire::Violation;

/// When to try again after a 503, in seconds.
const RETRY_AFTER: &str = "1";

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = sentence(&refusal.to_string());
        match refusal {
            Refusal::ProjectNotFound | Refusal::TimeEntryNotFound | Refusal::WebhookNotFound => {
                Self::new(Code::NotFound, detail)
            }
            Refusal::OutOfScope | Refusal::ConcernsAllProjects => {
                Self::new(Code::ScopeViolation, detail)
            }
            Refusal::LacksPermission(_) | Refusal::AnotherUsersEntry | Refusal::OwnEntry => {
                Self::new(Code::Forbidden, detail)
            }
            Refusal::PreconditionFailed => Self::new(Code::PreconditionFailed, detail),
            Refusal::BatchFailed(_) | Refusal::ChangesFailed(_) => {
                Self::new(Code::BatchFailed, detail)
            }
            Refusal::References(invalid) => {
                Self::invalid(invalid.into_iter().map(|invalid| violation("", invalid)).collect())
            }
            Refusal::PatchReferences(invalid) => {
                let violation = |invalid| violation("/patch", invalid);
                Self::invalid(invalid.into_iter().map(violation).collect())
            }
            Refusal::FoundTooMany(found) => {
                Self::invalid(vec![Violation::at("/filter", "out_of_range", found.to_string())])
            }
            Refusal::InvalidWebhook(invalid) => {
                Self::invalid(invalid.into_iter().map(violation_of_webhook).collect())
            }
            Refusal::PeriodClosed(_) => Self::new(Code::PeriodClosed, detail),
            Refusal::ReopeningNeedsReason => {
                let message = "is required where the day is earlier than before, or null";
                Self::invalid(vec![Violation::at("/reason", "required", message)])
            }
            Refusal::ProjectArchived => Self::new(Code::ProjectArchived, detail),
            Refusal::ExternalRefConflict => Self::new(Code::ExternalRefConflict, detail),
            Refusal::NotEditable(_) => Self::new(Code::EntryNotEditable, detail),
            Refusal::InvalidTransition(invalid) => {
                let possible: Vec<_> =
                    invalid.possible_actions().map(timelog_domain::Action::as_str).collect();
                let possible = possible.join(", ");
                Self::new(Code::InvalidTransition, format!("{detail} Possible now: {possible}."))
            }
            Refusal::NotBillable => Self::new(Code::NotBillable, detail),
            Refusal::IdempotencyKeyReused => Self::new(Code::IdempotencyKeyReused, detail),
        }
    }
}

/// What is wrong with a member of the object that is at that place.
fn violation(object: &str, invalid: InvalidReference) -> Violation {
    let code = match invalid {
        InvalidReference::InactiveUser => "inactive_user",
        InvalidReference::UnknownProject
        | InvalidReference::UnknownUser
        | InvalidReference::UnknownTicket
        | InvalidReference::UnknownRelease => "unknown_reference",
    };
    Violation::at(format!("{object}/{}", invalid.field()), code, invalid.to_string())
}

fn violation_of_webhook(invalid: InvalidWebhook) -> Violation {
    let (pointer, code) = match invalid {
        InvalidWebhook::UnknownProject => ("/projectId", "unknown_reference"),
        InvalidWebhook::BeyondTheEnd { .. } => ("/deliveredThrough", "out_of_range"),
    };
    Violation::at(pointer, code, invalid.to_string())
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        let problem = match error {
            PortError::Busy => {
                Self::new(Code::Unavailable, "Too many requests are waiting. Try again shortly.")
                    .with_header(header::RETRY_AFTER, RETRY_AFTER)
            }
            PortError::Unavailable(_) => {
                Self::new(Code::Unavailable, "The database is not available. Try again shortly.")
                    .with_header(header::RETRY_AFTER, RETRY_AFTER)
            }
            // The domain checks references before anything is stored, so an unknown one here is a
            // bug.
            PortError::Internal(_) | PortError::UnknownReference => Self::new(
                Code::Internal,
                "The request could not be carried out. The request id finds it in the log.",
            ),
        };
        problem.with_failure(error)
    }
}

impl Problem {
    /// Logs and counts what the answer does not tell.
    pub(crate) fn note(&self) {
        let turned_away = |why| metrics::counter!("timelog_turned_away_total", "why" => why);
        match self.failure.as_deref() {
            Some(PortError::Busy) => turned_away("busy").increment(1),
            Some(PortError::Unavailable(reason)) => {
                turned_away("unavailable").increment(1);
                tracing::warn!(reason, "the store is unavailable");
            }
            Some(error @ (PortError::Internal(_) | PortError::UnknownReference)) => {
                tracing::error!(%error, "the store failed");
            }
            None if self.code() == Code::IdempotencyKeyReused => stored_answer::note_mismatch(),
            None => {}
        }
    }
}

/// The domain's messages are clauses; an answer has whole sentences.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}
