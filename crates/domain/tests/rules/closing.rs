//! Closing the books: what a closed period refuses, on every way to write, and what goes on.

use timelog_domain::*;

use crate::world::*;

/// The day of [`details`], and those around it.
const BEFORE: &str = "2025-01-14";
const DAY: &str = "2025-01-15";
const AFTER: &str = "2025-01-16";

fn day(text: &str) -> WorkDate {
    text.parse().unwrap()
}

fn close(project: Option<u128>, through: Option<&str>, reason: Option<&str>) -> Command {
    Command::Close(CloseBooks {
        project_id: project.map(id),
        through: through.map(day),
        reason: reason.map(text),
    })
}

/// A world in which entry 1 is loaded, with that status.
fn world(status: Status, project: Option<u128>, through: &str) -> World {
    let mut world = World::with_entry_that_is(status);
    world.ask(close(project, Some(through), None)).unwrap();
    world.ledger.take_changes();
    world
}

fn refused(through: &str, on: &str) -> Refusal {
    Refusal::PeriodClosed(PeriodClosed { through: day(through), day: day(on) })
}

fn moved_to(project: u128, patch: Patch) -> Command {
    let anywhere = Patch { ticket_id: Some(None), release_id: Some(None), ..patch };
    edit(1, Patch { project_id: Some(id(project)), ..anywhere })
}

fn on(text: &str) -> Patch {
    Patch { work_date: Some(day(text)), ..Patch::default() }
}

/// Everything that changes work on [`DAY`], each with the status that it needs.
fn changes() -> Vec<(&'static str, Status, Command)> {
    let longer = Details { duration: minutes(200), ..full_details() };
    let mut changes = vec![
        ("log", Status::Draft, Command::Log(log(100))),
        (
            "upsert",
            Status::Draft,
            Command::Log(LogTimeEntry { details: longer, ..log_as(100, "1") }),
        ),
        ("edit", Status::Draft, edit(1, shorter())),
        ("edit of a rejected one", Status::Rejected, edit(1, shorter())),
        ("edit away", Status::Draft, edit(1, on(AFTER))),
        ("move", Status::Draft, moved_to(OTHER_PROJECT, Patch::default())),
        ("move away", Status::Draft, moved_to(OTHER_PROJECT, on(AFTER))),
        ("delete", Status::Draft, delete(1)),
    ];
    let judged = [
        (Action::Submit, Status::Draft),
        (Action::Recall, Status::Submitted),
        (Action::Approve, Status::Submitted),
        (Action::Reject, Status::Submitted),
        (Action::Reopen, Status::Approved),
    ];
    changes.extend(judged.map(|(action, status)| (action.as_str(), status, apply(1, action))));
    changes
}

#[test]
fn nothing_that_says_what_was_worked_changes_in_a_closed_period() {
    for (name, status, command) in changes() {
        for project in [None, Some(PROJECT)] {
            for through in [DAY, AFTER] {
                let mut world = world(status, project, through);
                let asked = world.ask(command.clone());
                assert_eq!(asked, Err(refused(through, DAY)), "{name} {project:?} {through}");
                world.assert_untouched();
            }
            // The day before, and another project's books, are nothing to it.
            for (project, through) in [(project, BEFORE), (Some(99), AFTER)] {
                let mut world = World::with_entry_that_is(status);
                world.ledger.load_project(Project {
                    organization_id: id(ORGANIZATION),
                    id: id(99),
                    name: text("P"),
                    archived: false,
                });
                world.ask(close(project, Some(through), None)).unwrap();
                assert!(world.ask(command.clone()).is_ok(), "{name} {project:?} {through}");
            }
        }
    }
}

#[test]
fn an_entry_that_is_for_another_status_is_refused_for_the_closed_period_first() {
    for command in [edit(1, shorter()), delete(1), apply(1, Action::Approve)] {
        let mut world = world(Status::Approved, None, DAY);
        assert_eq!(world.ask(command), Err(refused(DAY, DAY)));
    }
}

#[test]
fn nothing_comes_into_a_closed_period() {
    for (command, project) in [
        (edit(1, on(BEFORE)), PROJECT),
        (moved_to(OTHER_PROJECT, on(BEFORE)), OTHER_PROJECT),
        (moved_to(OTHER_PROJECT, Patch { billable: Some(false), ..on(BEFORE) }), OTHER_PROJECT),
        (
            Command::Log(LogTimeEntry {
                details: Details { work_date: day(BEFORE), ..full_details() },
                ..log_as(100, "1")
            }),
            PROJECT,
        ),
        (
            Command::Log(LogTimeEntry {
                details: Details { work_date: day(BEFORE), ..full_details() },
                ..log(100)
            }),
            PROJECT,
        ),
    ] {
        for closed in [None, Some(project)] {
            let mut world = world(Status::Draft, closed, BEFORE);
            assert_eq!(world.ask(command.clone()), Err(refused(BEFORE, BEFORE)), "{command:?}");
            world.assert_untouched();
        }
    }
    // An entry that only moves comes to the closed day of the other project.
    let mut world = world(Status::Draft, Some(OTHER_PROJECT), DAY);
    let asked = world.ask(moved_to(OTHER_PROJECT, Patch::default()));
    assert_eq!(asked, Err(refused(DAY, DAY)));
}

fn outcomes(changed: Vec<Changed>) -> Vec<ItemOutcome> {
    changed.into_iter().map(|(_, outcome)| outcome).collect()
}

#[test]
fn items_of_batches_are_refused_one_by_one() {
    let mut world = world(Status::Draft, None, DAY);
    let late = Details { work_date: day(AFTER), ..full_details() };
    world.load(2, Status::Draft, late.clone());
    let items = vec![Some(log(100)), Some(LogTimeEntry { details: late, ..log(101) })];
    let log_many = |atomic| {
        Command::LogMany(LogMany { project_id: id(PROJECT), items: items.clone(), atomic })
    };
    for (command, is_atomic) in [
        (log_many(false), false),
        (log_many(true), true),
        (apply_many(&[1, 2], Action::Submit, false), false),
        (apply_many(&[1, 2], Action::Submit, true), true),
        (change_many(&[1, 2], EachChange::Edit(shorter()), false), false),
        (change_many(&[1, 2], EachChange::Edit(shorter()), true), true),
        (change_many(&[1, 2], EachChange::Delete, false), false),
        (change_many(&[1, 2], EachChange::Delete, true), true),
    ] {
        let savepoint = world.ledger.savepoint();
        let results = match world.ask(command) {
            Ok(Outcome::Many(results)) if !is_atomic => results,
            Err(Refusal::BatchFailed(results)) if is_atomic => results,
            Ok(Outcome::Changed(results)) if !is_atomic => outcomes(results),
            Err(Refusal::ChangesFailed(results)) if is_atomic => outcomes(results),
            other => panic!("{other:?}"),
        };
        assert_eq!(results[0], ItemOutcome::Refused(refused(DAY, DAY)));
        assert_eq!(results[1] == ItemOutcome::NotApplied, is_atomic, "{results:?}");
        world.ledger.roll_back_to(savepoint);
    }
}

#[test]
fn locking_and_invoicing_go_on_in_a_closed_period() {
    for (status, action) in [
        (Status::Approved, Action::Lock),
        (Status::Locked, Action::Unlock),
        (Status::Approved, Action::Invoice),
        (Status::Locked, Action::Invoice),
        (Status::Invoiced, Action::ReleaseInvoice),
    ] {
        let mut world = world(status, None, AFTER);
        assert!(world.ask(apply(1, action)).is_ok(), "{action}");
    }
}

#[test]
fn a_repeat_that_changes_nothing_succeeds_in_a_closed_period() {
    let mut world = world(Status::Approved, None, AFTER);
    for command in [
        Command::Log(log_as(100, "1")),
        edit(1, Patch::default()),
        edit(1, Patch { project_id: Some(id(PROJECT)), billable: Some(true), ..on(DAY) }),
    ] {
        assert!(matches!(world.ask(command), Ok(Outcome::Unchanged(_))));
    }
    world.assert_untouched();
}

#[test]
fn a_project_is_closed_through_the_later_of_two_days() {
    for (all, own) in [(BEFORE, AFTER), (AFTER, BEFORE)] {
        let mut world = world(Status::Draft, None, all);
        world.ask(close(Some(PROJECT), Some(own), None)).unwrap();
        assert_eq!(world.ask(delete(1)), Err(refused(AFTER, DAY)));
        let closed = world.ledger.closed_through(id(ORGANIZATION), id(OTHER_PROJECT));
        assert_eq!(closed, Some(day(all)));
        assert_eq!(world.ledger.closed_through(id(OTHER_ORGANIZATION), id(PROJECT)), None);
    }
}

#[test]
fn the_books_are_opened_with_a_reason_alone() {
    for through in [Some(BEFORE), None] {
        let mut world = world(Status::Draft, None, DAY);
        let asked = world.ask(close(None, through, None));
        assert_eq!(asked, Err(Refusal::ReopeningNeedsReason));
        world.assert_untouched();
        world.ask(close(None, through, Some("late"))).unwrap();
        assert!(world.ask(delete(1)).is_ok());
    }
    // Not before any day, and not to a later one.
    let mut world = World::new();
    assert_eq!(world.ask(close(None, None, None)), Ok(Outcome::Books(None)));
    world.assert_untouched();
    for through in ["0001-01-01", DAY, "9999-12-31"] {
        assert!(world.ask(close(None, Some(through), None)).is_ok());
    }
}

#[test]
fn closings_are_numbered_and_a_repeat_is_none() {
    let mut world = World::new();
    let number = |outcome: Result<Outcome, Refusal>| match outcome {
        Ok(Outcome::Books(Some(closing))) => closing.number.get(),
        other => panic!("{other:?}"),
    };
    assert_eq!(number(world.ask(close(None, Some(DAY), None))), 1);
    assert_eq!(number(world.ask(close(None, Some(DAY), None))), 1);
    assert_eq!(number(world.ask(close(Some(PROJECT), Some(AFTER), Some("early")))), 2);
    assert_eq!(number(world.ask(close(Some(PROJECT), Some(AFTER), None))), 2);
    assert_eq!(number(world.ask(close(Some(PROJECT), Some(AFTER), Some("early")))), 2);
    assert_eq!(number(world.ask(close(Some(PROJECT), Some(AFTER), Some("another")))), 3);
    let changes = world.ledger.take_changes();
    // The books as they were before.
    assert_eq!(changes.books, [(id(ORGANIZATION), Version::new(0))]);
    let days: Vec<_> = changes.closings.iter().map(|closing| closing.through).collect();
    assert_eq!(days, [DAY, AFTER, AFTER].map(|text| Some(day(text))));
    world
        .ask(Command::Log(LogTimeEntry {
            id: id(7),
            details: Details { work_date: day("2025-02-01"), ..full_details() },
            ..log(7)
        }))
        .unwrap();
    assert_eq!(world.ledger.take_changes().books, [(id(ORGANIZATION), Version::new(3))]);
}

#[test]
fn a_closing_that_is_rolled_back_leaves_no_trace() {
    let mut world = world(Status::Draft, Some(PROJECT), BEFORE);
    let savepoint = world.ledger.savepoint();
    world.ask(close(Some(PROJECT), Some(AFTER), None)).unwrap();
    world.ask(close(None, Some(AFTER), None)).unwrap();
    world.ledger.roll_back_to(savepoint);
    world.assert_untouched();
    assert_eq!(world.ledger.books(id(ORGANIZATION)).version, Version::new(1));
    assert!(world.ask(delete(1)).is_ok());
}

#[test]
fn only_a_project_that_is_there_and_in_scope_is_closed() {
    let mut world = World::new();
    let unknown = close(Some(NO_PROJECT), Some(DAY), None);
    assert_eq!(world.ask(unknown), Err(Refusal::ProjectNotFound));
    let other = close(Some(OTHER_PROJECT), Some(DAY), None);
    assert_eq!(world.ask_as(limited_to(PROJECT), other), Err(Refusal::OutOfScope));
    world.assert_untouched();
}
