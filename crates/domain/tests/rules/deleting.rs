//! Deleting: when it is allowed, and what remains.

use timelog_domain::*;

use crate::world::*;

#[test]
fn only_a_draft_or_rejected_entry_is_deleted() {
    for status in Status::ALL.iter().copied() {
        let mut world = World::with_entry_that_is(status);
        let outcome = world.ask(delete(1));
        if is_editable(status) {
            assert_eq!(outcome, Ok(Outcome::Deleted));
            assert_eq!(world.stored(id(1)), None);
        } else {
            assert_eq!(outcome, Err(Refusal::NotEditable(NotEditable { status })));
            world.assert_untouched();
        }
    }
}

#[test]
fn a_second_delete_finds_nothing() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.ask(delete(1)).unwrap();
    for command in [delete(1), edit(1, shorter()), apply(1, Action::Submit)] {
        assert_eq!(world.ask(command), Err(Refusal::TimeEntryNotFound));
    }
}

#[test]
fn the_history_has_all_that_was_deleted() {
    let mut world = World::with_entry_that_is(Status::Rejected);
    world.ask(delete(1)).unwrap();
    let changes = world.ledger.take_changes();
    let [record] = &changes.history[..] else { panic!("{changes:?}") };
    assert_eq!((record.event, record.version.get()), (Event::Delete, 8));
    assert_eq!((record.from, record.to), (Some(Status::Rejected), None));
    let fields: Vec<_> = record.changes.iter().map(|change| change.field).collect();
    assert_eq!(Field::ALL[0], Field::ProjectId);
    assert_eq!(fields, Field::ALL[1..]);
    assert!(
        record
            .changes
            .iter()
            .all(|change| change.old != FieldValue::Null && change.new == FieldValue::Null)
    );
    assert_eq!(record.changes[2].old, FieldValue::Integer(150));
}

#[test]
fn a_deletion_is_never_older_than_the_change_before_it() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let last_change = world.now;
    world.now = Timestamp::from_unix_millis(0).unwrap();
    world.ask(delete(1)).unwrap();
    assert_eq!(world.ledger.take_changes().history[0].at, last_change);
}

#[test]
fn the_reference_of_a_deleted_entry_is_free_at_once() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.ask(delete(1)).unwrap();
    assert_eq!(world.named("1"), None);
    let again = world.ask(Command::Log(log_as(2, "1"))).unwrap();
    assert!(matches!(again, Outcome::Created(_)));
    assert_eq!(world.named("1"), Some(id(2)));
}

#[test]
fn a_key_bound_to_a_user_deletes_only_that_users_entries() {
    let mut world = World::with_entry_that_is(Status::Draft);
    assert_eq!(world.ask_as(bound_to(BEN), delete(1)), Err(Refusal::AnotherUsersEntry));
    assert_eq!(world.ask_as(bound_to(ANN), delete(1)), Ok(Outcome::Deleted));
}
