//! A small directory to log time in, and short ways to ask for things.

use std::panic::resume_unwind;
use std::sync::Arc;

use timelog_domain::ports::Directory;
use timelog_domain::*;

pub(crate) use crate::values::*;

/// Two organizations with the same ids inside, so that whatever crosses from one to the other is
/// noticed.
pub(crate) const ORGANIZATION: u128 = 1;
pub(crate) const OTHER_ORGANIZATION: u128 = 2;
pub(crate) const PROJECT: u128 = 10;
pub(crate) const OTHER_PROJECT: u128 = 11;
pub(crate) const USER: u128 = 20;
pub(crate) const OTHER_USER: u128 = 21;
pub(crate) const TICKET: u128 = 30;
pub(crate) const OTHER_TICKET: u128 = 31;
pub(crate) const RELEASE: u128 = 40;

pub(crate) fn project(number: u128, archived: bool) -> Project {
    Project { organization_id: id(ORGANIZATION), id: id(number), name: text("Project"), archived }
}

pub(crate) fn user(number: u128, active: bool) -> User {
    User { organization_id: id(ORGANIZATION), id: id(number), name: text("User"), active }
}

pub(crate) fn ticket(number: u128) -> Ticket {
    Ticket {
        organization_id: id(ORGANIZATION),
        project_id: id(PROJECT),
        id: id(number),
        title: text("Ticket"),
    }
}

pub(crate) fn release(number: u128) -> Release {
    Release {
        organization_id: id(ORGANIZATION),
        project_id: id(PROJECT),
        id: id(number),
        name: text("Release"),
    }
}

/// Puts the directory of both organizations.
pub(crate) async fn populate(directory: &dyn Directory) {
    for organization in [ORGANIZATION, OTHER_ORGANIZATION] {
        let organization_id = id(organization);
        directory.put_organization(organization_id, text("Organization")).await.unwrap();
        for number in [PROJECT, OTHER_PROJECT] {
            directory
                .put_project(Project { organization_id, ..project(number, false) })
                .await
                .unwrap();
        }
        for number in [USER, OTHER_USER] {
            directory.put_user(User { organization_id, ..user(number, true) }).await.unwrap();
        }
        directory.put_ticket(Ticket { organization_id, ..ticket(TICKET) }).await.unwrap();
        directory.put_release(Release { organization_id, ..release(RELEASE) }).await.unwrap();
    }
}

pub(crate) fn caller() -> Caller {
    Caller::new(id(ORGANIZATION), id(50))
}

/// Asks to log an hour. The number is that of the id which the entry gets if it is new.
pub(crate) fn log(number: u128) -> LogTimeEntry {
    LogTimeEntry {
        id: id(number),
        project_id: id(PROJECT),
        details: Details::new(
            id(USER),
            "2025-01-15".parse().unwrap(),
            WorkDuration::from_minutes(60).unwrap(),
        ),
        external_ref: None,
        source: Source::Api,
    }
}

/// Likewise, under an external reference.
pub(crate) fn log_as(number: u128, external_id: &str) -> LogTimeEntry {
    LogTimeEntry { external_ref: Some(reference(external_id)), ..log(number) }
}

/// The same request for so many minutes.
pub(crate) fn lasting(minutes: i64, command: LogTimeEntry) -> LogTimeEntry {
    let duration = WorkDuration::from_minutes(minutes).unwrap();
    LogTimeEntry { details: Details { duration, ..command.details }, ..command }
}

/// Asks for an action, with the reason and the invoice that some of them need.
pub(crate) fn apply(number: u128, action: Action) -> Request {
    let transition = transition(action);
    plain(Command::Apply(ApplyAction { id: id(number), transition, if_match: IfMatch::Any }))
}

/// Puts an entry on that invoice.
pub(crate) fn invoice(number: u128, invoice: &str) -> Request {
    let invoice = Given::Is(invoice.to_owned());
    let transition = Transition::new(Action::Invoice, Given::Absent, invoice).unwrap();
    plain(Command::Apply(ApplyAction { id: id(number), transition, if_match: IfMatch::Any }))
}

/// Asks for an edit, whatever the version.
pub(crate) fn edit(number: u128, patch: Patch) -> Request {
    plain(Command::Edit(EditTimeEntry { id: id(number), patch, if_match: IfMatch::Any }))
}

/// Asks for a deletion, whatever the version.
pub(crate) fn delete(number: u128) -> Request {
    plain(Command::Delete(DeleteTimeEntry { id: id(number), if_match: IfMatch::Any }))
}

pub(crate) fn log_many(items: Vec<Option<LogTimeEntry>>, atomic: bool) -> Request {
    plain(Command::LogMany(LogMany { project_id: id(PROJECT), items, atomic }))
}

pub(crate) fn apply_many(numbers: &[u128], action: Action, atomic: bool) -> Request {
    let entries = Selection::Ids(numbers.iter().map(|number| id(*number)).collect());
    let change = EachChange::Apply(transition(action));
    plain(Command::ChangeMany(ChangeMany { entries, change, atomic }))
}

/// A request without an idempotency key.
pub(crate) fn plain(command: Command) -> Request {
    Request { caller: caller(), command, claim: None }
}

pub(crate) fn logged(command: LogTimeEntry) -> Request {
    plain(Command::Log(command))
}

/// A request with an idempotency key.
pub(crate) fn keyed(command: LogTimeEntry, key: &str) -> Request {
    Request { claim: Some(claim(key)), ..logged(command) }
}

/// A request with an idempotency key, whose answer cannot be rendered.
pub(crate) fn panicking(command: LogTimeEntry, key: &str) -> Request {
    // Resumed rather than raised, which would write to standard error.
    let render: timelog_domain::idempotency::Render =
        Arc::new(|_| resume_unwind(Box::new("no answer")));
    Request { claim: Some(Claim { render, ..claim(key) }), ..logged(command) }
}

pub(crate) fn claim(key: &str) -> Claim {
    Claim {
        scope: scope(key),
        fingerprint: Fingerprint([7; 16]),
        on_mismatch: MismatchPolicy::Replay,
        render: Arc::new(render),
    }
}

pub(crate) fn scope(key: &str) -> IdempotencyScope {
    IdempotencyScope {
        organization_id: id(ORGANIZATION),
        key_id: caller().key_id,
        operation: "POST /projects/10/time-entries".to_owned(),
        key: IdempotencyKey::try_from(key.to_owned()).unwrap(),
    }
}

/// Renders an answer that names everything, so that no two are alike by chance. Its body is not
/// UTF-8.
pub(crate) fn render(outcome: &Outcome) -> StoredAnswer {
    let entry = outcome.time_entry();
    let created = matches!(outcome, Outcome::Created(_));
    let mut body = format!("{outcome:?}").into_bytes();
    body.extend([0, 0xff]);
    StoredAnswer {
        status: if created { 201 } else { 200 },
        location: entry.filter(|_| created).map(|entry| format!("/time-entries/{}", entry.id())),
        etag: entry.map(|entry| format!("\"{}\"", entry.version())),
        body,
    }
}

/// The entry of a request that was carried out now.
pub(crate) fn done(decision: Decision) -> TimeEntry {
    match decision.unwrap() {
        Reply::Done { outcome, .. } => outcome.time_entry().unwrap().clone(),
        Reply::Replayed { .. } => panic!("replayed instead of carried out"),
    }
}
