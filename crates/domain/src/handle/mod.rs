//! The decisions. Everything the service promises about a time entry is decided here, without I/O
//! and without a clock.

mod apply;
mod delete;
mod edit;
mod log;
mod many;
mod references;

use crate::access::Caller;
use crate::command::{ApplyAction, Command, IfMatch};
use crate::details::FieldChange;
use crate::history::{Event, HistoryRecord};
use crate::idempotency::{ANSWER_LIFETIME, Claim, IdempotencyRecord, MismatchPolicy, StoredAnswer};
use crate::ids::TimeEntryId;
use crate::ledger::Ledger;
use crate::outcome::{Outcome, Refusal};
use crate::request::{Decision, Reply, Request};
use crate::status::Status;
use crate::time_entry::TimeEntry;
use crate::timestamp::Timestamp;

/// Decides one request on the ledger.
///
/// A live answer under the request's idempotency key is replayed and nothing else happens.
/// Otherwise the command is decided; if it is carried out, its changes and the answer to keep are
/// in the ledger together, and if it is refused the ledger is as it was before.
///
/// Deciding is pure: the same request on the same ledger at the same time comes out the same. So an
/// adapter whose save met a conflict loads again and decides again.
///
/// # Errors
///
/// A [`Refusal`], which says what is wrong. Checks come in the order: stored answer, existence,
/// scope, ownership, version, references, state. Where a project is named its scope comes before
/// its existence.
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
            let answer = claim.as_ref().map(|claim| keep_answer(claim, &outcome, ledger, now));
            Ok(Reply::Done { outcome, answer })
        }
        Err(refusal) => {
            ledger.roll_back_to(savepoint);
            Err(refusal)
        }
    }
}

/// Answers a repeat from the record of the request it repeats. The record must be live.
///
/// # Errors
///
/// [`Refusal::IdempotencyKeyReused`] where the body is another and the claim wants that refused.
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
        Command::ApplyMany(command) => {
            many::apply_many(command, context, ledger).map(Outcome::Many)
        }
    }
}

fn keep_answer(
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

/// What every decision depends on beside its command and the ledger.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    caller: &'a Caller,
    now: Timestamp,
}

impl Context<'_> {
    /// The entry that the caller names by its id.
    fn find(self, id: TimeEntryId, ledger: &Ledger) -> Result<&TimeEntry, Refusal> {
        let entry =
            ledger.time_entry(self.caller.organization_id, id).ok_or(Refusal::TimeEntryNotFound)?;
        self.caller.check_scope(entry.project_id())?;
        Ok(entry)
    }
}

fn check_version(if_match: &IfMatch, entry: &TimeEntry) -> Result<(), Refusal> {
    if if_match.allows(entry.version()) { Ok(()) } else { Err(Refusal::PreconditionFailed) }
}

/// The history of a change that was just made to `entry`, which came from the status `from`.
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
