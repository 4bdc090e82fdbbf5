//! Laws of changes that exclude each other, asked for at the same moment from two programs on one
//! database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use timelog_domain::memory::MemoryStore;
use timelog_domain::ports::{TimeEntryQueries, TimeEntryRepository};
use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

const ROUNDS: u128 = 12;

/// What became of one entry: what was decided about the requests, the entry, and its history.
type Came = (Vec<Decision>, Option<TimeEntry>, Vec<HistoryRecord>);

/// What the requests come to in that order, one after the other, where the entry was logged and
/// moved on before.
async fn in_order(
    subject: &Subject,
    number: u128,
    before: &[Request],
    requests: &[Request],
    order: &[usize],
) -> Came {
    let store = MemoryStore::new(subject.clock.clone());
    populate(&store).await;
    for request in before {
        assert!(store.execute(request.clone()).await.unwrap().is_ok());
    }
    let mut decisions = vec![None; requests.len()];
    for index in order {
        decisions[*index] = Some(store.execute(requests[*index].clone()).await.unwrap());
    }
    let entry = TimeEntryRepository::find(&store, id(ORGANIZATION), id(number)).await.unwrap();
    let history = TimeEntryQueries::history(&store, id(ORGANIZATION), id(number)).await.unwrap();
    (decisions.into_iter().flatten().collect(), entry, history)
}

/// Has each of the requests asked for by a program of its own, again and again, and checks that
/// whatever comes of them is what comes of them in some order. Returns how many were carried out in
/// each round.
async fn race(
    subject: &Subject,
    status: Status,
    compete: impl Fn(u128) -> [Request; 2],
) -> Vec<usize> {
    let other = subject.opened_again().await;
    let mut carried_out = Vec::new();
    for number in 1001..1001 + ROUNDS {
        let mut before = vec![logged(log_as(number, &number.to_string()))];
        before.extend(way_to(status).iter().map(|action| apply(number, *action)));
        for request in &before {
            assert!(subject.time_entries.execute(request.clone()).await.unwrap().is_ok());
        }
        let requests = compete(number);
        let [first, second] = requests.clone();
        let (first, second) =
            tokio::join!(subject.time_entries.execute(first), other.time_entries.execute(second));
        let decisions = vec![first.unwrap(), second.unwrap()];
        let entry = other.time_entries.find(id(ORGANIZATION), id(number)).await.unwrap();
        assert!(
            entry
                .as_ref()
                .is_none_or(|entry| entry.invoiced() == (entry.status() == Status::Invoiced))
        );
        let history = subject.queries.history(id(ORGANIZATION), id(number)).await.unwrap();
        carried_out.push(decisions.iter().filter(|decision| decision.is_ok()).count());
        let came = (decisions, entry, history);
        let orders = [
            in_order(subject, number, &before, &requests, &[0, 1]).await,
            in_order(subject, number, &before, &requests, &[1, 0]).await,
        ];
        assert!(orders.contains(&came), "{came:#?} is neither of {orders:#?}");
    }
    carried_out
}

fn if_version(version: i64, request: Request) -> Request {
    let if_match = IfMatch::AnyOf(vec![Version::new(version)]);
    let command = match request.command {
        Command::Edit(edit) => Command::Edit(EditTimeEntry { if_match, ..edit }),
        Command::Delete(delete) => Command::Delete(DeleteTimeEntry { if_match, ..delete }),
        Command::Apply(apply) => Command::Apply(ApplyAction { if_match, ..apply }),
        other => panic!("{other:?} has no condition"),
    };
    Request { command, ..request }
}

fn shorter() -> Patch {
    Patch { duration: Some(WorkDuration::MIN), ..Patch::default() }
}

pub(crate) async fn of_an_approval_and_a_recall_one_wins(subject: Subject) {
    let compete = |number| [apply(number, Action::Approve), apply(number, Action::Recall)];
    assert_eq!(race(&subject, Status::Submitted, compete).await, [1; ROUNDS as usize]);
}

pub(crate) async fn of_a_deletion_and_a_submission_one_wins(subject: Subject) {
    let compete = |number| [delete(number), apply(number, Action::Submit)];
    assert_eq!(race(&subject, Status::Draft, compete).await, [1; ROUNDS as usize]);
}

pub(crate) async fn a_deletion_never_takes_what_is_being_approved(subject: Subject) {
    let compete = |number| [delete(number), apply(number, Action::Approve)];
    assert_eq!(race(&subject, Status::Submitted, compete).await, [1; ROUNDS as usize]);
}

pub(crate) async fn an_edit_never_changes_what_was_submitted(subject: Subject) {
    let compete = |number| [edit(number, shorter()), apply(number, Action::Submit)];
    let carried_out = race(&subject, Status::Rejected, compete).await;
    assert!(carried_out.iter().all(|number| [1, 2].contains(number)));
}

pub(crate) async fn of_two_changes_of_one_version_one_wins(subject: Subject) {
    let compete = |number| {
        [if_version(1, edit(number, shorter())), if_version(1, apply(number, Action::Submit))]
    };
    assert_eq!(race(&subject, Status::Draft, compete).await, [1; ROUNDS as usize]);
}

pub(crate) async fn an_entry_is_put_on_one_invoice(subject: Subject) {
    let compete = |number| [apply(number, Action::Invoice), apply(number, Action::Invoice)];
    assert_eq!(race(&subject, Status::Locked, compete).await, [1; ROUNDS as usize]);
}

pub(crate) async fn an_entry_that_is_being_reopened_is_not_invoiced(subject: Subject) {
    let compete = |number| [apply(number, Action::Invoice), apply(number, Action::Reopen)];
    assert_eq!(race(&subject, Status::Approved, compete).await, [1; ROUNDS as usize]);
}

pub(crate) async fn a_reference_passes_from_a_deleted_entry_to_a_new_one(subject: Subject) {
    // Whichever comes first, the update or the deletion, one entry or none has the reference in the
    // end.
    let other = subject.opened_again().await;
    for round in 0..ROUNDS {
        let (old, new, name) = (1001 + round, 2001 + round, round.to_string());
        done(subject.time_entries.execute(logged(log_as(old, &name))).await.unwrap());
        let again = other.time_entries.execute(logged(lasting(90, log_as(new, &name))));
        let (deleted, again) = tokio::join!(subject.time_entries.execute(delete(old)), again);
        let (deleted, again) = (deleted.unwrap(), done(again.unwrap()));
        assert!(deleted.is_ok(), "{deleted:?}");
        let filter = Filter { external_id: Some(text(&name)), ..Filter::default() };
        let left = u64::from(again.id() == id(new));
        assert_eq!(subject.queries.count(id(ORGANIZATION), filter).await, Ok(left), "{again:?}");
    }
}

/// Entries that another program changes one by one, without a pause.
const MANY: u128 = 300;

pub(crate) async fn many_are_changed_while_others_change_them_one_by_one(subject: Subject) {
    let other = subject.opened_again().await;
    let entry = |number: u128| {
        let details = Details { work_date: "2025-03-03".parse().unwrap(), ..log(number).details };
        Some(LogTimeEntry { details, ..log(number) })
    };
    let numbers = 1001..1001 + MANY;
    let entries = numbers.clone().map(entry).collect();
    assert!(subject.time_entries.execute(log_many(entries, true)).await.unwrap().is_ok());
    let text =
        |text: String| Patch { description: Some(Some(self::text(&text))), ..Patch::default() };
    let is_over = Arc::new(AtomicBool::new(false));
    let one_by_one = tokio::spawn({
        let is_over = is_over.clone();
        async move {
            let mut changed = 0_u128;
            while !is_over.load(Ordering::Relaxed) {
                let patch = text(format!("one by one {changed}"));
                let edited = other.time_entries.execute(edit(1001 + changed % MANY, patch)).await;
                done(edited.unwrap());
                changed += 1;
            }
            changed
        }
    });
    for round in 0..6 {
        let change = EachChange::Edit(text(format!("all {round}")));
        let day = "2025-03-03".parse().ok();
        let entries = if round % 2 == 0 {
            Selection::Filter(Filter { from: day, to: day, ..Filter::default() })
        } else {
            Selection::Ids(numbers.clone().map(id).collect())
        };
        let command = Command::ChangeMany(ChangeMany { entries, change, atomic: true });
        let decision = subject.time_entries.execute(plain(command)).await.unwrap();
        let Ok(Reply::Done { outcome: Outcome::Changed(items), .. }) = decision else {
            panic!("{decision:?}")
        };
        assert_eq!(items.len() as u128, MANY);
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(one_by_one.await.unwrap() > 0);
}
