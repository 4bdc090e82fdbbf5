//! Editing: what a patch changes, when it is allowed, and which references are checked.

use timelog_domain::*;

use crate::world::*;

#[test]
fn an_edit_changes_what_the_patch_names_and_nothing_else() {
    let nothing = Patch::default;
    for (patch, expected) in [
        (
            Patch { user_id: Some(id(BEN)), ..nothing() },
            Details { user_id: id(BEN), ..full_details() },
        ),
        (
            Patch { work_date: "2025-02-01".parse().ok(), ..nothing() },
            Details { work_date: "2025-02-01".parse().unwrap(), ..full_details() },
        ),
        (shorter(), Details { duration: minutes(90), ..full_details() }),
        (
            Patch { description: Some(Some(text("Logout"))), ..nothing() },
            Details { description: Some(text("Logout")), ..full_details() },
        ),
        (
            Patch { description: Some(None), ..nothing() },
            Details { description: None, ..full_details() },
        ),
        (
            Patch { billable: Some(false), ..nothing() },
            Details { billable: false, ..full_details() },
        ),
        (
            Patch { ticket_id: Some(None), ..nothing() },
            Details { ticket_id: None, ..full_details() },
        ),
        (
            Patch { release_id: Some(None), ..nothing() },
            Details { release_id: None, ..full_details() },
        ),
    ] {
        let mut world = World::with_entry_that_is(Status::Draft);
        let outcome = world.ask(edit(1, patch.clone())).unwrap();
        let Outcome::Updated(entry) = outcome else { panic!("{patch:?} came to {outcome:?}") };
        assert_eq!(*entry.details(), expected);
        assert_eq!(entry.version().get(), 8);
        assert_eq!(world.stored(id(1)), Some(&entry));
    }
}

#[test]
fn the_record_of_an_edit_has_the_old_values() {
    let mut world = World::with_entry_that_is(Status::Rejected);
    let patch = Patch { billable: Some(false), ..shorter() };
    world.ask_as(bound_to(ANN), edit(1, patch)).unwrap();
    let changes = world.ledger.take_changes();
    let [record] = &changes.history[..] else { panic!("{changes:?}") };
    assert_eq!((record.event, record.version.get()), (Event::Edit, 8));
    assert_eq!((record.from, record.to), (Some(Status::Rejected), Some(Status::Draft)));
    assert_eq!((record.project_id, record.user_id), (id(PROJECT), Some(id(ANN))));
    let minutes = FieldChange {
        field: Field::Minutes,
        old: FieldValue::Integer(150),
        new: FieldValue::Integer(90),
    };
    let billable = FieldChange {
        field: Field::Billable,
        old: FieldValue::Boolean(true),
        new: FieldValue::Boolean(false),
    };
    assert_eq!(record.changes, [minutes, billable]);
}

#[test]
fn only_a_draft_or_rejected_entry_is_edited_and_is_then_a_draft() {
    for status in Status::ALL.iter().copied() {
        let mut world = World::with_entry_that_is(status);
        let outcome = world.ask(edit(1, shorter()));
        if is_editable(status) {
            assert_eq!(outcome.unwrap().time_entry().unwrap().status(), Status::Draft, "{status}");
        } else {
            assert_eq!(outcome, Err(Refusal::NotEditable(NotEditable { status })));
            world.assert_untouched();
        }
    }
}

#[test]
fn an_upsert_has_the_same_rule_as_an_edit() {
    for status in Status::ALL.iter().copied() {
        let mut world = World::with_entry_that_is(status);
        let details = Details { duration: minutes(90), ..full_details() };
        let outcome = world.ask(Command::Log(LogTimeEntry { details, ..log_as(2, "1") }));
        if is_editable(status) {
            assert_eq!(outcome.unwrap().time_entry().unwrap().status(), Status::Draft, "{status}");
        } else {
            assert_eq!(outcome, Err(Refusal::NotEditable(NotEditable { status })));
            world.assert_untouched();
        }
    }
}

#[test]
fn a_patch_without_a_difference_is_no_change_in_any_status() {
    let same = Patch {
        user_id: Some(id(ANN)),
        duration: Some(minutes(150)),
        ticket_id: Some(Some(id(TICKET))),
        ..Patch::default()
    };
    for status in Status::ALL.iter().copied() {
        for patch in [Patch::default(), same.clone()] {
            let mut world = World::with_entry_that_is(status);
            // Existing references are not checked.
            world.deactivate(ANN);
            let before = world.stored(id(1)).unwrap().clone();
            assert_eq!(world.ask(edit(1, patch)), Ok(Outcome::Unchanged(before)), "{status}");
            world.assert_untouched();
        }
    }
}

#[test]
fn an_entry_of_an_inactive_user_can_be_edited() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.deactivate(ANN);
    assert!(matches!(world.ask(edit(1, shorter())), Ok(Outcome::Updated(_))));
    // An upsert has all details, so all its references are checked.
    let details = Details { duration: minutes(91), ..full_details() };
    let upsert = world.ask(Command::Log(LogTimeEntry { details, ..log_as(2, "1") }));
    assert_eq!(upsert, Err(Refusal::References(vec![InvalidReference::InactiveUser])));
}

#[test]
fn a_patch_can_refer_only_to_the_project_of_the_entry() {
    use InvalidReference::{InactiveUser, UnknownRelease, UnknownTicket, UnknownUser};
    let nothing = Patch::default;
    for (patch, expected) in [
        (Patch { user_id: Some(id(NOBODY)), ..nothing() }, vec![UnknownUser]),
        (Patch { user_id: Some(id(BEN)), ..nothing() }, vec![InactiveUser]),
        (Patch { ticket_id: Some(Some(id(OTHER_TICKET))), ..nothing() }, vec![UnknownTicket]),
        (Patch { release_id: Some(Some(id(OTHER_RELEASE))), ..nothing() }, vec![UnknownRelease]),
        (
            Patch {
                user_id: Some(id(NOBODY)),
                ticket_id: Some(Some(id(OTHER_TICKET))),
                release_id: Some(Some(id(OTHER_RELEASE))),
                ..nothing()
            },
            vec![UnknownUser, UnknownTicket, UnknownRelease],
        ),
    ] {
        let mut world = World::with_entry_that_is(Status::Draft);
        world.deactivate(BEN);
        assert_eq!(world.ask(edit(1, patch)), Err(Refusal::References(expected)));
        world.assert_untouched();
    }
}

#[test]
fn a_key_bound_to_a_user_edits_that_users_entries_and_gives_none_away() {
    let mut world = World::with_entry_that_is(Status::Draft);
    assert_eq!(world.ask_as(bound_to(BEN), edit(1, shorter())), Err(Refusal::AnotherUsersEntry));
    let to_ben = Patch { user_id: Some(id(BEN)), ..Patch::default() };
    assert_eq!(
        world.ask_as(bound_to(ANN), edit(1, to_ben.clone())),
        Err(Refusal::AnotherUsersEntry)
    );
    world.assert_untouched();
    assert!(world.ask_as(bound_to(ANN), edit(1, shorter())).is_ok());
    assert!(world.ask(edit(1, to_ben)).is_ok());
}

#[test]
fn entries_of_an_archived_project_can_be_edited_but_not_logged() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.archive(PROJECT);
    assert_eq!(world.ask(Command::Log(log(2))), Err(Refusal::ProjectArchived));
    assert!(world.ask(edit(1, shorter())).is_ok());
    assert_eq!(world.ask(delete(1)), Ok(Outcome::Deleted));
}

#[test]
fn the_record_names_the_user_whose_the_entry_was() {
    let to = |user| Patch { user_id: Some(id(user)), ..Patch::default() };
    let moved = Patch {
        project_id: Some(id(OTHER_PROJECT)),
        ticket_id: Some(None),
        release_id: Some(None),
        ..to(BEN)
    };
    let ben = Details { user_id: id(BEN), ..full_details() };
    for (command, lost) in [
        (edit(1, to(BEN)), Some(ANN)),
        (edit(1, moved.clone()), Some(ANN)),
        (Command::Log(LogTimeEntry { details: ben, ..log_as(9, "1") }), Some(ANN)),
        (delete(1), Some(ANN)),
        (edit(1, shorter()), None),
        (edit(1, Patch { user_id: None, ..moved }), Some(ANN)),
        (apply(1, Action::Submit), None),
        (Command::Log(log(9)), None),
    ] {
        let mut world = World::with_entry_that_is(Status::Draft);
        world.ask(command.clone()).unwrap();
        let changes = world.ledger.take_changes();
        assert_eq!(changes.history[0].left_user_id, lost.map(id), "{command:?}");
    }
}
