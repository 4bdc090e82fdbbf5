//! Moving an entry to another project.

use timelog_domain::*;

use crate::world::*;

fn to(project: u128) -> Patch {
    Patch { project_id: Some(id(project)), ..Patch::default() }
}

/// To the other project, without what belongs to its own.
fn alone() -> Patch {
    Patch { ticket_id: Some(None), release_id: Some(None), ..to(OTHER_PROJECT) }
}

#[test]
fn a_draft_or_rejected_entry_moves_with_its_reference_and_no_other_does() {
    for status in Status::ALL.iter().copied() {
        let mut world = World::with_entry_that_is(status);
        let outcome = world.ask(edit(1, alone()));
        if !is_editable(status) {
            assert_eq!(outcome, Err(Refusal::NotEditable(NotEditable { status })));
            world.assert_untouched();
            continue;
        }
        let Ok(Outcome::Updated(entry)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((entry.project_id(), entry.status()), (id(OTHER_PROJECT), Status::Draft));
        assert_eq!((entry.version().get(), world.named("1")), (8, Some(entry.id())));
        let changes = world.ledger.take_changes();
        let [record] = &changes.history[..] else { panic!("{changes:?}") };
        assert_eq!(
            (record.event, record.from, record.to),
            (Event::Move, Some(status), Some(Status::Draft))
        );
        assert_eq!(record.project_id, id(OTHER_PROJECT));
        assert_eq!(record.left_project_id, Some(id(PROJECT)));
        let fields: Vec<_> = record.changes.iter().map(|change| change.field).collect();
        assert_eq!(fields, [Field::ProjectId, Field::TicketId, Field::ReleaseId]);
        let text = |project| FieldValue::Text(id::<ProjectId>(project).to_string());
        assert_eq!(record.changes[0].old, text(PROJECT));
        assert_eq!(record.changes[0].new, text(OTHER_PROJECT));
    }
}

#[test]
fn to_its_own_project_an_entry_does_not_move() {
    for status in Status::ALL.iter().copied() {
        let mut world = World::with_entry_that_is(status);
        let outcome = world.ask(edit(1, to(PROJECT))).unwrap();
        assert!(matches!(outcome, Outcome::Unchanged(_)), "{outcome:?}");
        world.assert_untouched();
    }
    let mut world = World::with_entry_that_is(Status::Draft);
    world.ask(edit(1, Patch { duration: Some(minutes(7)), ..to(PROJECT) })).unwrap();
    assert_eq!(world.ledger.take_changes().history[0].event, Event::Edit);
}

#[test]
fn ticket_and_release_must_be_of_the_new_project() {
    let of_it = Patch {
        ticket_id: Some(Some(id(OTHER_TICKET))),
        release_id: Some(Some(id(OTHER_RELEASE))),
        ..to(OTHER_PROJECT)
    };
    let half = Patch { ticket_id: Some(None), ..to(OTHER_PROJECT) };
    let unknown = |invalid: &[InvalidReference]| Err(Refusal::References(invalid.to_vec()));
    let ticket = InvalidReference::UnknownTicket;
    let release = InvalidReference::UnknownRelease;
    for (patch, expected) in [
        (to(OTHER_PROJECT), unknown(&[ticket, release])),
        (half, unknown(&[release])),
        (to(NO_PROJECT), unknown(&[InvalidReference::UnknownProject])),
        (of_it, Ok(())),
    ] {
        let mut world = World::with_entry_that_is(Status::Draft);
        assert_eq!(world.ask(edit(1, patch)).map(drop), expected);
    }
}

#[test]
fn an_archived_project_takes_no_entry_and_gives_none_away() {
    for project in [PROJECT, OTHER_PROJECT] {
        let mut world = World::with_entry_that_is(Status::Draft);
        world.archive(project);
        assert_eq!(world.ask(edit(1, alone())), Err(Refusal::ProjectArchived));
        world.assert_untouched();
    }
}

#[test]
fn a_key_of_one_project_moves_nothing_in_or_out() {
    for project in [PROJECT, OTHER_PROJECT] {
        let mut world = World::with_entry_that_is(Status::Draft);
        assert_eq!(world.ask_as(limited_to(project), edit(1, alone())), Err(Refusal::OutOfScope));
        world.assert_untouched();
    }
    let mut world = World::with_entry_that_is(Status::Draft);
    assert_eq!(world.ask_as(bound_to(BEN), edit(1, alone())), Err(Refusal::AnotherUsersEntry));
    assert!(world.ask_as(bound_to(ANN), edit(1, alone())).is_ok());
}

#[test]
fn a_move_can_be_for_one_version() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let other = if_version(edit(1, alone()), 6);
    assert_eq!(world.ask(other), Err(Refusal::PreconditionFailed));
    assert!(world.ask(if_version(edit(1, alone()), 7)).is_ok());
}

#[test]
fn the_reference_of_a_moved_entry_is_that_of_its_new_project() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.ask(edit(1, alone())).unwrap();
    let again = Command::Log(log_as(2, "1"));
    assert_eq!(world.ask(again), Err(Refusal::ExternalRefConflict));
    let there =
        LogTimeEntry { project_id: id(OTHER_PROJECT), details: details(), ..log_as(2, "1") };
    let outcome = world.ask(Command::Log(there)).unwrap();
    assert!(matches!(outcome, Outcome::Unchanged(_)), "{outcome:?}");
}

#[test]
fn who_follows_a_project_sees_an_entry_come_and_leave() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.ask(edit(1, alone())).unwrap();
    let changes = world.ledger.take_changes();
    let (record, entry) = (&changes.history[0], &changes.time_entries[0].time_entry);
    let reader = |project: Option<u128>| FeedRequest {
        project_id: project.map(id),
        user_id: None,
        after: Seq::START,
        limit: 1,
    };
    for (project, sees, may_see) in [
        (None, true, true),
        (Some(PROJECT), true, false),
        (Some(OTHER_PROJECT), true, true),
        (Some(NO_PROJECT), false, false),
    ] {
        let reader = reader(project);
        assert_eq!(
            (reader.sees(record, Some(entry)), reader.may_see(entry)),
            (sees, may_see),
            "{project:?}"
        );
    }
}
