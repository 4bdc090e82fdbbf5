//! A service that embeds the rules: it logs an entry, repeats the request, updates the entry by its
//! external reference and takes it to an invoice. The store is the in-memory one; with another
//! adapter only the line that opens it changes.
//!
//! ```sh
//! cargo run -p timelog-domain --example embed --features test-support
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use timelog_domain::memory::{ManualClock, MemoryStore};
use timelog_domain::ports::{Directory, PortError, TimeEntryRepository};
use timelog_domain::{
    Action, ApplyAction, Caller, Claim, Command, Decision, Details, ExternalRef, Fingerprint,
    Given, IdempotencyKey, IdempotencyScope, IfMatch, InvalidId, LogTimeEntry, MismatchPolicy,
    Name, OrganizationId, Outcome, Project, Reply, Request, Source, Status, StoredAnswer,
    TimeEntry, TimeEntryId, Timestamp, Transition, User, WorkDuration,
};

const ORGANIZATION: &str = "7b1e2c3d-0000-0000-0000-000000000001";
const PROJECT: &str = "9a8b7c6d-0000-0000-0000-000000000002";
const DEVELOPER: &str = "9a8b7c6d-0000-0000-0000-000000000003";
const KEY: &str = "01941a2e-5c00-7000-8000-000000000002";

fn main() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::at(Timestamp::from_unix_millis(1_736_928_000_000)?);
    let store = MemoryStore::new(clock.clone());
    put_directory(&store)?;

    // A worker that retries sends the same request twice. The second answer is the first one.
    let request = |id: &str, hours: &str, key: &str| -> Result<Request, Box<dyn Error>> {
        Ok(Request {
            caller: caller()?,
            command: Command::Log(worklog(id, hours)?),
            claim: Some(claim(key, hours)?),
        })
    };
    show(
        "log 2.5 hours",
        &run(store.execute(request("01941a2e-5c00-7000-8000-0000000000a1", "2.5", "k-1")?))?,
    );
    clock.advance(Duration::from_mins(5));
    show(
        "send it again",
        &run(store.execute(request("01941a2e-5c00-7000-8000-0000000000a2", "2.5", "k-1")?))?,
    );

    // The other system's entry was edited. It has the same name there, so the same entry changes
    // here.
    show(
        "log 3 hours",
        &run(store.execute(request("01941a2e-5c00-7000-8000-0000000000a3", "3", "k-2")?))?,
    );

    let id: TimeEntryId = "01941a2e-5c00-7000-8000-0000000000a1".parse()?;
    for action in [Action::Submit, Action::Approve, Action::Invoice] {
        clock.advance(Duration::from_hours(1));
        let invoice_ref = action.needs_invoice_ref().then(|| "2025-001".to_owned());
        let transition = Transition::new(action, Given::Absent, invoice_ref.into())
            .map_err(|wrong| format!("{wrong:?}"))?;
        let command = Command::Apply(ApplyAction { id, transition, if_match: IfMatch::Any });
        show(
            action.as_str(),
            &run(store.execute(Request { caller: caller()?, command, claim: None }))?,
        );
    }

    // What is on an invoice cannot be changed any more.
    show(
        "log 4 hours",
        &run(store.execute(request("01941a2e-5c00-7000-8000-0000000000a4", "4", "k-3")?))?,
    );

    println!("\nhistory");
    for record in store.all_history() {
        let from = record.from.map_or("nothing", Status::as_str);
        let to = record.to.map_or("nothing", Status::as_str);
        println!("  {}  version {}  {from} -> {to}", record.at, record.version);
    }
    Ok(())
}

fn put_directory(store: &impl Directory) -> Result<(), Box<dyn Error>> {
    let (organization_id, name): (OrganizationId, Name) =
        (ORGANIZATION.parse()?, "Example".parse()?);
    run(store.put_organization(organization_id, name.clone()))?;
    run(store.put_project(Project {
        organization_id,
        id: PROJECT.parse()?,
        name: name.clone(),
        archived: false,
    }))?;
    run(store.put_user(User { organization_id, id: DEVELOPER.parse()?, name, active: true }))?;
    Ok(())
}

fn caller() -> Result<Caller, InvalidId> {
    Ok(Caller::new(ORGANIZATION.parse()?, KEY.parse()?))
}

/// Asks to log hours under a name that stays the same. The service mints the id, which counts only
/// if the entry is new.
fn worklog(id: &str, hours: &str) -> Result<LogTimeEntry, Box<dyn Error>> {
    let duration = WorkDuration::from_hours(hours)?;
    Ok(LogTimeEntry {
        id: id.parse()?,
        project_id: PROJECT.parse()?,
        details: Details {
            description: Some("Implemented login flow.".parse()?),
            ..Details::new(DEVELOPER.parse()?, "2025-01-15".parse()?, duration)
        },
        external_ref: Some(ExternalRef {
            provider: "jira".parse()?,
            external_type: "worklog".parse()?,
            external_id: "10042".parse()?,
        }),
        source: Source::Import,
    })
}

/// A claim on an idempotency key. What is kept under it is whatever this service answers with, byte
/// for byte.
fn claim(key: &str, body: &str) -> Result<Claim, Box<dyn Error>> {
    // A service takes a cryptographic digest of the body. This one trusts its callers.
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    let fingerprint = u128::from(hasher.finish()).to_be_bytes();
    Ok(Claim {
        scope: IdempotencyScope {
            organization_id: ORGANIZATION.parse()?,
            key_id: KEY.parse()?,
            operation: "log".to_owned(),
            key: IdempotencyKey::try_from(key.to_owned())?,
        },
        fingerprint: Fingerprint(fingerprint),
        on_mismatch: MismatchPolicy::Replay,
        render: Arc::new(|outcome| StoredAnswer {
            status: if matches!(outcome, Outcome::Created(_)) { 201 } else { 200 },
            location: None,
            etag: None,
            body: outcome.time_entry().map(describe).unwrap_or_default().into_bytes(),
        }),
    })
}

fn describe(entry: &TimeEntry) -> String {
    format!(
        "{} h, {}, version {}",
        entry.details().duration.hours(),
        entry.status(),
        entry.version()
    )
}

fn show(what: &str, decision: &Decision) {
    let answer = match decision {
        Ok(Reply::Done { outcome: Outcome::Created(entry), .. }) => {
            format!("created    {}", describe(entry))
        }
        Ok(Reply::Done { outcome: Outcome::Updated(entry), .. }) => {
            format!("updated    {}", describe(entry))
        }
        Ok(Reply::Done { outcome: Outcome::Unchanged(entry), .. }) => {
            format!("unchanged  {}", describe(entry))
        }
        Ok(Reply::Done { .. }) => "done".to_owned(),
        Ok(Reply::Replayed { answer, .. }) => {
            format!("replayed   {}", String::from_utf8_lossy(&answer.body))
        }
        Err(refusal) => format!("refused    {refusal}"),
    };
    println!("{what:<14} {answer}");
}

/// Drives a port's future. Those of the in-memory store are ready at once; a service has a runtime
/// that waits.
fn run<T>(future: impl Future<Output = Result<T, PortError>>) -> Result<T, PortError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(PortError::Busy),
    }
}
