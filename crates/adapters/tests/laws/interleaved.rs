//! Laws of two programs, one of which is held in the middle of a transaction: it has loaded what it
//! decides on, and saved nothing.

use std::sync::Arc;
use std::time::Duration;

use timelog_adapters::{DatabaseOptions, DatabaseUrl, QueueOptions, Store};
use timelog_domain::memory::ManualClock;
use timelog_domain::ports::{PortError, TimeEntryRepository};
use timelog_domain::*;
use tokio::task::JoinHandle;

use crate::pausable_clock::{PausableClock, Pause};
use crate::subject::Subject;
use crate::world::*;

/// Begins a request in another program, and returns when it is held between loading and saving.
async fn hold(
    subject: &Subject,
    request: Request,
) -> (JoinHandle<Result<Decision, PortError>>, Pause) {
    let clock = PausableClock::new(ManualClock::at(subject.clock.time()));
    let options =
        DatabaseOptions { lock_timeout: Duration::from_mins(1), ..DatabaseOptions::default() };
    let url = &subject.database().url;
    let other = Arc::new(
        Store::open(url, &options, &QueueOptions::default(), clock.clone()).await.unwrap(),
    );
    let pause = clock.pause_next();
    let held = tokio::spawn(async move { other.execute(request).await });
    (held, pause.reached().await)
}

/// Whether one transaction keeps all others waiting.
fn has_one_writer(subject: &Subject) -> bool {
    matches!(subject.database().url, DatabaseUrl::Sqlite(_))
}

/// Lets the held request go on, before or after what was begun meanwhile: whoever cannot commit
/// beside it waits for it.
async fn let_go<T>(subject: &Subject, mut meanwhile: JoinHandle<T>, pause: Pause) -> T {
    if has_one_writer(subject) {
        let early = tokio::time::timeout(Duration::from_millis(50), &mut meanwhile).await;
        assert!(early.is_err(), "it did not wait for the transaction that is held");
        pause.resume();
        return meanwhile.await.unwrap();
    }
    let done = meanwhile.await.unwrap();
    pause.resume();
    done
}

pub(crate) async fn what_a_request_only_reads_is_as_it_was_while_it_ran(subject: Subject) {
    let (held, pause) = hold(&subject, logged(log(1001))).await;
    let directory = subject.directory.clone();
    let archiving =
        tokio::spawn(async move { directory.put_project(project(PROJECT, true)).await });
    // On a database where transactions run beside each other, the project is archived before the
    // time is logged on it.
    assert_eq!(let_go(&subject, archiving, pause).await, Ok(false));
    let entry = done(held.await.unwrap().unwrap());
    assert_eq!(subject.time_entries.find(id(ORGANIZATION), id(1001)).await, Ok(Some(entry)));
    // Whatever begins after the answer sees it.
    let after = subject.time_entries.execute(logged(log(1002))).await;
    assert_eq!(after, Ok(Err(Refusal::ProjectArchived)));
}

pub(crate) async fn what_a_request_changes_is_decided_again_where_somebody_else_changed_it(
    subject: Subject,
) {
    done(subject.time_entries.execute(logged(log(1001))).await.unwrap());
    let shorter = Patch { duration: Some(WorkDuration::MIN), ..Patch::default() };
    let (held, pause) = hold(&subject, edit(1001, shorter)).await;
    let time_entries = subject.time_entries.clone();
    let submitting =
        tokio::spawn(async move { time_entries.execute(apply(1001, Action::Submit)).await });
    done(let_go(&subject, submitting, pause).await.unwrap());
    let edited = held.await.unwrap().unwrap();
    // Edited and then submitted, or submitted and then no longer to be edited: never both as if
    // alone.
    let stored = subject.time_entries.find(id(ORGANIZATION), id(1001)).await.unwrap().unwrap();
    assert_eq!(stored.status(), Status::Submitted);
    if has_one_writer(&subject) {
        assert_eq!(done(edited).details(), stored.details());
    } else {
        assert_eq!(edited, Err(Refusal::NotEditable(NotEditable { status: Status::Submitted })));
        assert_eq!(stored.details(), &log(1001).details);
    }
}
