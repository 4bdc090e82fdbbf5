//! The decisions on time entries, closings and webhooks, without I/O and without a clock.

mod apply;
mod close;
mod delete;
mod edit;
mod log;
mod many;
mod references;
mod webhooks;

use crate::access::Caller;
use crate::command::{ApplyAction, Command, IfMatch};
use crate::details::FieldChange;
use crate::history::{Event, HistoryRecord};
use crate::idempotency::{ANSWER_LIFETIME, Claim, IdempotencyRecord, MismatchPolicy, StoredAnswer};
use crate::ids::{ProjectId, TimeEntryId};
use crate::ledger::{Ledger, Open};
use crate::outcome::{Outcome, Refusal};
use crate::request::{Decision, Reply, Request};
use crate::status::Status;
use crate::time_entry::TimeEntry;
use crate::timestamp::Timestamp;
use crate::work_date::WorkDate;

/// Decides one request on the ledger.
///
/// If the request's idempotency key has a live stored answer, that is replayed and nothing changes.
/// Otherwise the command is decided. If it is carried out, the ledger has its changes and its
/// stored answer. If it is refused, the ledger does not change.
///
/// Deciding is pure: the same request on the same ledger at the same time has the same result. So
/// an adapter that meets a conflict when saving can load and decide again.
///
/// # Errors
///
/// A [`Refusal`]. The order of the checks is: stored answer, existence, scope, ownership, version,
/// references, state. For a project the scope is checked before its existence.
pub fn handle(request: &Request, ledger: &mut Ledger, now: Timestamp) -> Decision {
    let Request { caller, command, claim } = request;
    if let Some(claim) = claim
        && let Some(record) = ledger.answer(&claim.scope)
        && record.is_live(now)
    {
        return replay(claim, record);
    }
    let savepoint = ledger.savepoint();
    match decide(command, caller, ledger, now) {
        Ok(outcome) => {
            let answer = claim.as_ref().map(|claim| store_answer(claim, &outcome, ledger, now));
            Ok(Reply::Done { outcome, answer })
        }
        Err(refusal) => {
            ledger.roll_back_to(savepoint);
            Err(refusal)
        }
    }
}

/// Answers a repeat from the record of the first request. The record must be live.
///
/// # Errors
///
/// [`Refusal::IdempotencyKeyReused`] where the body differs and the claim does not allow that.
pub fn replay(claim: &Claim, record: &IdempotencyRecord) -> Decision {
    let same_body = record.fingerprint == claim.fingerprint;
    if !same_body && claim.on_mismatch == MismatchPolicy::Reject {
        return Err(Refusal::IdempotencyKeyReused);
    }
    Ok(Reply::Replayed { answer: record.answer.clone(), same_body })
}

fn decide(
    command: &Command,
    caller: &Caller,
    ledger: &mut Ledger,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    let context = Context { caller, now };
    match command {
        Command::Log(command) => log::log(command, context, ledger).map(Outcome::from),
        Command::LogMany(command) => many::log_many(command, context, ledger).map(Outcome::Many),
        Command::Edit(command) => edit::edit(command, context, ledger).map(Outcome::from),
        Command::Delete(command) => {
            delete::delete(command, context, ledger).map(|()| Outcome::Deleted)
        }
        Command::Apply(ApplyAction { id, transition, if_match }) => {
            apply::apply(*id, transition, if_match, context, ledger).map(Outcome::from)
        }
        Command::ChangeMany(command) => {
            many::change_many(command, context, ledger).map(Outcome::Changed)
        }
        Command::Close(command) => close::close(command, context, ledger).map(Outcome::Books),
        Command::Webhook(command) => webhooks::change(command, context, ledger),
    }
}

fn store_answer(
    claim: &Claim,
    outcome: &Outcome,
    ledger: &mut Ledger,
    now: Timestamp,
) -> StoredAnswer {
    let answer = (claim.render)(outcome);
    let record = IdempotencyRecord {
        fingerprint: claim.fingerprint,
        answer: answer.clone(),
        expires_at: now.saturating_add(ANSWER_LIFETIME),
    };
    ledger.put_answer(claim.scope.clone(), record);
    answer
}

/// What a decision depends on, besides its command and the ledger.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    caller: &'a Caller,
    now: Timestamp,
}

impl Context<'_> {
    /// The entry that the caller names by its id.
    fn find(self, id: TimeEntryId, ledger: &Ledger) -> Result<&TimeEntry, Refusal> {
        let entry = ledger.time_entry(self.caller.organization_id, id);
        let entry = entry.filter(|entry| self.caller.sees(entry));
        let entry = entry.ok_or(Refusal::TimeEntryNotFound)?;
        self.caller.check_scope(entry.project_id())?;
        Ok(entry)
    }

    /// Asks the books whether they are open for an event at these places.
    fn open(
        self,
        event: Event,
        places: &[(ProjectId, WorkDate)],
        ledger: &Ledger,
    ) -> Result<Open, Refusal> {
        Ok(ledger.open(event, self.caller.organization_id, places)?)
    }
}

/// Where an entry stands in the books.
fn place(entry: &TimeEntry) -> (ProjectId, WorkDate) {
    (entry.project_id(), entry.details().work_date)
}

fn check_version(if_match: &IfMatch, entry: &TimeEntry) -> Result<(), Refusal> {
    if if_match.allows(entry.version()) { Ok(()) } else { Err(Refusal::PreconditionFailed) }
}

/// The record of the last change of `entry`, whose status was `from` before it.
fn record(
    entry: &TimeEntry,
    event: Event,
    from: Option<Status>,
    changes: Vec<FieldChange>,
    caller: &Caller,
) -> HistoryRecord {
    HistoryRecord {
        organization_id: entry.organization_id(),
        project_id: entry.project_id(),
        left_project_id: None,
        left_user_id: None,
        time_entry_id: entry.id(),
        version: entry.version(),
        event,
        at: entry.updated_at(),
        key_id: caller.key_id,
        user_id: caller.user_id,
        reason: None,
        invoice_ref: None,
        from,
        to: Some(entry.status()),
        changes,
    }
}
