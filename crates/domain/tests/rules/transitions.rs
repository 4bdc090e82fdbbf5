//! Moving an entry to another status.

use std::time::Duration;

use timelog_domain::*;

use crate::vectors::after;
use crate::world::*;

#[test]
fn every_action_in_every_status_has_the_result_of_the_table() {
    for status in Status::ALL {
        for action in Action::ALL {
            let mut world = World::new();
            let before = world.entry_that_is(*status, "1");
            let now = world.wait(Duration::from_secs(1));
            let decided = world.apply(anyone(), before.id(), *action);
            let case = format!("{action} of {status}");
            let Some(to) = after(*status, *action) else {
                let refusal =
                    InvalidTransition { status: *status, action: *action, billable: true };
                assert_eq!(decided, Err(Refusal::InvalidTransition(refusal)), "{case}");
                assert_eq!(world.stored(before.id()), Some(&before), "{case}");
                assert!(world.ledger.take_changes().is_empty(), "{case}");
                continue;
            };
            let expected = Record {
                status: to,
                reason: transition(*action).reason().cloned(),
                invoice_ref: transition(*action).invoice_ref().cloned(),
                version: Version::new(before.version().get() + 1),
                updated_at: now,
                ..before.record().clone()
            };
            let after = TimeEntry::restore(expected);
            assert_eq!(decided, Ok(Outcome::Updated(after.clone())), "{case}");
            assert_eq!(after.invoiced(), to == Status::Invoiced, "{case}");
            assert_eq!(world.stored(before.id()), Some(&after), "{case}");
        }
    }
}

#[test]
fn a_key_bound_to_the_owner_moves_the_entry_but_does_not_judge_it() {
    for status in Status::ALL {
        for action in Action::ALL {
            let mut world = World::new();
            let entry = world.entry_that_is(*status, "1");
            let decided = world.apply(bound_to(ANN), entry.id(), *action);
            let case = format!("{action} of {status}");
            if matches!(action, Action::Approve | Action::Reject | Action::Reopen) {
                // Also where the status does not allow the action: ownership is checked first.
                assert_eq!(decided, Err(Refusal::OwnEntry), "{case}");
                assert_eq!(world.stored(entry.id()), Some(&entry), "{case}");
            } else {
                assert_eq!(decided.is_ok(), after(*status, *action).is_some(), "{case}");
            }
        }
    }
}

#[test]
fn a_key_bound_to_another_user_judges_the_entry_but_does_not_submit_or_recall_it() {
    for status in Status::ALL {
        for action in Action::ALL {
            let mut world = World::new();
            let entry = world.entry_that_is(*status, "1");
            let decided = world.apply(bound_to(BEN), entry.id(), *action);
            let case = format!("{action} of {status}");
            if matches!(action, Action::Submit | Action::Recall) {
                assert_eq!(decided, Err(Refusal::AnotherUsersEntry), "{case}");
                assert_eq!(world.stored(entry.id()), Some(&entry), "{case}");
            } else {
                assert_eq!(decided.is_ok(), after(*status, *action).is_some(), "{case}");
            }
        }
    }
}

#[test]
fn an_entry_that_does_not_exist_cannot_be_moved() {
    let mut world = World::new();
    for action in Action::ALL {
        for caller in [anyone(), bound_to(ANN)] {
            assert_eq!(
                world.apply(caller, id(404), *action),
                Err(Refusal::TimeEntryNotFound),
                "{action}"
            );
        }
    }
}

#[test]
fn each_change_of_an_entry_has_a_record_of_who_when_why_from_and_to() {
    let mut world = World::new();
    let command = world.entry();
    let entry = command.id;
    let mut expected = Vec::new();
    let mut note = |version, event, caller: Caller, at, from, to| {
        let transition = match event {
            Event::Action(action) => Some(transition(action)),
            _ => None,
        };
        expected.push(HistoryRecord {
            organization_id: caller.organization_id,
            project_id: id(PROJECT),
            left_project_id: None,
            left_user_id: None,
            time_entry_id: entry,
            version: Version::new(version),
            event,
            at,
            key_id: caller.key_id,
            user_id: caller.user_id,
            reason: transition.as_ref().and_then(|transition| transition.reason().cloned()),
            invoice_ref: transition.and_then(|transition| transition.invoice_ref().cloned()),
            from,
            to: Some(to),
            changes: Vec::new(),
        });
    };

    world.log(bound_to(ANN), command).unwrap();
    note(1, Event::Log, bound_to(ANN), world.now, None, Status::Draft);
    let steps = [
        (Action::Submit, bound_to(ANN), Status::Submitted),
        (Action::Recall, bound_to(ANN), Status::Draft),
        (Action::Submit, anyone(), Status::Submitted),
        (Action::Reject, bound_to(BEN), Status::Rejected),
        (Action::Submit, bound_to(ANN), Status::Submitted),
        (Action::Approve, bound_to(BEN), Status::Approved),
        (Action::Reopen, anyone(), Status::Draft),
        (Action::Submit, bound_to(ANN), Status::Submitted),
        (Action::Approve, anyone(), Status::Approved),
        (Action::Lock, anyone(), Status::Locked),
        (Action::Unlock, anyone(), Status::Approved),
        (Action::Invoice, anyone(), Status::Invoiced),
        (Action::ReleaseInvoice, anyone(), Status::Locked),
    ];
    let mut from = Status::Draft;
    for (version, (action, caller, to)) in (2..).zip(steps) {
        let now = world.wait(Duration::from_hours(1));
        world.apply(caller, entry, action).unwrap();
        note(version, Event::Action(action), caller, now, Some(from), to);
        from = to;
    }
    assert_eq!(world.ledger.take_changes().history, expected);
}

#[test]
fn times_of_changes_never_go_backwards_even_if_the_clock_does() {
    let mut world = World::new();
    let entry = world.entry_that_is(Status::Submitted, "1");
    world.now = Timestamp::from_unix_millis(entry.updated_at().unix_millis() - 3_600_000).unwrap();
    let after =
        world.apply(anyone(), entry.id(), Action::Approve).unwrap().time_entry().unwrap().clone();
    assert_eq!(after.updated_at(), entry.updated_at());
    assert_eq!(world.ledger.take_changes().history[0].at, entry.updated_at());
}

#[test]
fn an_entry_that_is_not_billable_cannot_be_put_on_an_invoice() {
    for (status, possible) in [(Status::Approved, "reopen lock"), (Status::Locked, "unlock")] {
        let mut world = World::new();
        let billable = world.entry_that_is(status, "1");
        let details = Details { billable: false, ..billable.details().clone() };
        let before = TimeEntry::restore(Record { details, ..billable.record().clone() });
        world.ledger.load_time_entry(before.clone());
        assert_eq!(world.apply(anyone(), before.id(), Action::Invoice), Err(Refusal::NotBillable));
        assert_eq!(world.stored(before.id()), Some(&before));
        assert!(world.ledger.take_changes().is_empty());
        // The status is checked first, and `invoice` is not among the possible actions.
        let Err(Refusal::InvalidTransition(invalid)) =
            world.apply(anyone(), before.id(), Action::Recall)
        else {
            panic!("it was recalled");
        };
        let shown: Vec<_> = invalid.possible_actions().map(Action::as_str).collect();
        assert_eq!(shown.join(" "), possible);
        // Other actions are possible.
        let other = invalid.possible_actions().next().unwrap();
        assert!(world.apply(anyone(), before.id(), other).is_ok());
    }
    let mut world = World::new();
    let draft = LogTimeEntry { details: Details { billable: false, ..details() }, ..world.entry() };
    let draft = world.log(anyone(), draft).unwrap().time_entry().unwrap().id();
    assert!(matches!(
        world.apply(anyone(), draft, Action::Invoice),
        Err(Refusal::InvalidTransition(_))
    ));
}

#[test]
fn an_entry_keeps_the_reason_of_its_last_action_and_the_invoice_that_it_is_on() {
    let mut world = World::with_entry_that_is(Status::Approved);
    let mut after = |action: Action, reason: Option<&str>, invoice: Option<&str>| {
        let given = |text: Option<&str>| text.map(str::to_owned).into();
        let transition = Transition::new(action, given(reason), given(invoice)).unwrap();
        let command = ApplyAction { id: id(1), transition, if_match: IfMatch::Any };
        let outcome = world.ask(Command::Apply(command)).unwrap();
        let entry = outcome.time_entry().unwrap();
        (
            entry.reason().map(|reason| reason.as_str().to_owned()),
            entry.invoice_ref().map(|invoice| invoice.as_str().to_owned()),
        )
    };
    let text = |text: &str| Some(text.to_owned());
    // Only an invoice that the entry is put on counts.
    assert_eq!(after(Action::Lock, Some("month end"), Some("x")), (text("month end"), None));
    assert_eq!(after(Action::Invoice, None, Some("2025-1")), (None, text("2025-1")));
    assert_eq!(after(Action::ReleaseInvoice, Some("wrong"), Some("x")), (text("wrong"), None));
    assert_eq!(
        after(Action::Invoice, Some("again"), Some("2025-2")),
        (text("again"), text("2025-2"))
    );
    let mut world = World::with_entry_that_is(Status::Submitted);
    world.ask(apply(1, Action::Reject)).unwrap();
    // Whoever corrects it still sees why.
    let edited = world.ask(edit(1, shorter())).unwrap();
    assert_eq!(edited.time_entry().unwrap().reason().unwrap().as_str(), "because");
    let submitted = world.ask(apply(1, Action::Submit)).unwrap();
    assert_eq!(submitted.time_entry().unwrap().reason(), None);
}
