//! The decisions. Everything the service promises about a time entry is decided here, without I/O and without a clock.

use crate::access::{Caller, Permission};
use crate::change::FieldChange;
use crate::command::{ApplyAction, Command, InvalidReference, LogTimeEntry, Outcome, Refusal};
use crate::history::{Circumstances, Event, HistoryRecord};
use crate::idempotency::{ANSWER_LIFETIME, Claim, IdempotencyRecord, MismatchPolicy, StoredAnswer};
use crate::ledger::Ledger;
use crate::request::{Decision, Reply, Request};
use crate::status::Status;
use crate::time_entry::{Details, TimeEntry};
use crate::timestamp::Timestamp;

/// Decides one request on the ledger.
///
/// A live answer under the request's idempotency key is replayed and nothing else happens. Otherwise the command is decided;
/// if it is carried out, its changes and the answer to keep are in the ledger together, and if it is refused the ledger is as
/// it was before.
///
/// Deciding is pure: the same request on the same ledger at the same time comes out the same. So an adapter whose save met
/// a conflict loads again and decides again.
///
/// # Errors
///
/// A [`Refusal`], which says what is wrong. Checks come in the order: stored answer, existence, ownership, references, state.
pub fn handle(request: &Request, ledger: &mut Ledger, now: Timestamp) -> Decision {
    if let Some(claim) = &request.claim
        && let Some(record) = ledger.answer(&claim.scope)
        && record.is_live(now)
    {
        return replay(claim, record);
    }
    let savepoint = ledger.savepoint();
    let decided = match &request.command {
        Command::Log(command) => log(command, &request.caller, ledger, now),
        Command::Apply(command) => apply(command, &request.caller, ledger, now),
    };
    match decided {
        Ok(outcome) => {
            let answer = request.claim.as_ref().map(|claim| keep_answer(claim, &outcome, ledger, now));
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

fn keep_answer(claim: &Claim, outcome: &Outcome, ledger: &mut Ledger, now: Timestamp) -> StoredAnswer {
    let answer = (claim.render)(outcome);
    let record = IdempotencyRecord {
        fingerprint: claim.fingerprint,
        answer: answer.clone(),
        expires_at: now.saturating_add(ANSWER_LIFETIME),
    };
    ledger.put_answer(claim.scope.clone(), record);
    answer
}

fn log(command: &LogTimeEntry, caller: &Caller, ledger: &mut Ledger, now: Timestamp) -> Result<Outcome, Refusal> {
    let organization = caller.organization_id;
    let project = ledger.project(organization, command.project_id).ok_or(Refusal::ProjectNotFound)?;
    let existing =
        command.external_ref.as_ref().and_then(|reference| ledger.time_entry_by_ref(organization, reference));
    let mut owners = existing.map(|entry| entry.details().user_id).into_iter().chain([command.details.user_id]);
    if !owners.all(|user| caller.may_act_for(user)) {
        return Err(Refusal::AnotherUsersEntry);
    }
    // A repeat that asks for nothing new succeeds whatever has become of the user or the project since.
    if let Some(entry) = existing
        && entry.project_id() == command.project_id
        && *entry.details() == command.details
    {
        return Ok(Outcome::Unchanged(entry.clone()));
    }
    check_references(command, caller, ledger)?;
    if project.archived {
        return Err(Refusal::ProjectArchived);
    }
    let circumstances = Circumstances { caller, at: now, reason: None, invoice_ref: None };
    match existing.cloned() {
        Some(entry) if entry.project_id() != command.project_id => Err(Refusal::ExternalRefConflict),
        Some(entry) => amend(entry, command.details.clone(), ledger, circumstances),
        None => Ok(create(command, ledger, circumstances)),
    }
}

fn check_references(command: &LogTimeEntry, caller: &Caller, ledger: &Ledger) -> Result<(), Refusal> {
    let (organization, project) = (caller.organization_id, command.project_id);
    let Details { user_id, entry_id, release_id, .. } = command.details;
    let user = match ledger.user(organization, user_id) {
        None => Some(InvalidReference::UnknownUser),
        Some(user) if !user.active => Some(InvalidReference::InactiveUser),
        Some(_) => None,
    };
    let entry =
        entry_id.filter(|id| !ledger.has_entry(organization, project, *id)).map(|_| InvalidReference::UnknownEntry);
    let release = release_id
        .filter(|id| !ledger.has_release(organization, project, *id))
        .map(|_| InvalidReference::UnknownRelease);
    let invalid: Vec<_> = [user, entry, release].into_iter().flatten().collect();
    if invalid.is_empty() { Ok(()) } else { Err(Refusal::References(invalid)) }
}

fn create(command: &LogTimeEntry, ledger: &mut Ledger, circumstances: Circumstances<'_>) -> Outcome {
    let entry = TimeEntry::log(
        command.id,
        circumstances.caller.organization_id,
        command.project_id,
        command.details.clone(),
        command.external_ref.clone(),
        command.source,
        circumstances.at,
    );
    record(ledger, &entry, Event::Log, None, Vec::new(), circumstances);
    Outcome::Created(entry)
}

fn amend(
    mut entry: TimeEntry,
    details: Details,
    ledger: &mut Ledger,
    circumstances: Circumstances<'_>,
) -> Result<Outcome, Refusal> {
    let from = entry.status();
    let changes = entry.amend(details, circumstances.at)?;
    record(ledger, &entry, Event::Amend, Some(from), changes, circumstances);
    Ok(Outcome::Updated(entry))
}

fn apply(command: &ApplyAction, caller: &Caller, ledger: &mut Ledger, now: Timestamp) -> Result<Outcome, Refusal> {
    let entry = ledger.time_entry(caller.organization_id, command.id).ok_or(Refusal::TimeEntryNotFound)?;
    let owner = entry.details().user_id;
    let action = command.action;
    if action.is_judgement() && caller.user_id == Some(owner) {
        return Err(Refusal::OwnEntry);
    }
    if action.permission() == Permission::Write && !caller.may_act_for(owner) {
        return Err(Refusal::AnotherUsersEntry);
    }
    let mut entry = entry.clone();
    let from = entry.status();
    entry.apply(action, now)?;
    let circumstances =
        Circumstances { caller, at: now, reason: command.reason.as_ref(), invoice_ref: command.invoice_ref.as_ref() };
    record(ledger, &entry, Event::Action(action), Some(from), Vec::new(), circumstances);
    Ok(Outcome::Updated(entry))
}

/// Puts the entry into the ledger together with the record of how it came to be so.
fn record(
    ledger: &mut Ledger,
    entry: &TimeEntry,
    event: Event,
    from: Option<Status>,
    changes: Vec<FieldChange>,
    circumstances: Circumstances<'_>,
) {
    let history = HistoryRecord {
        organization_id: entry.organization_id(),
        time_entry_id: entry.id(),
        version: entry.version(),
        event,
        at: entry.updated_at(),
        key_id: circumstances.caller.key_id,
        user_id: circumstances.caller.user_id,
        reason: circumstances.reason.cloned(),
        invoice_ref: circumstances.invoice_ref.cloned(),
        from,
        to: Some(entry.status()),
        changes,
    };
    ledger.put_time_entry(entry.clone(), history);
}
