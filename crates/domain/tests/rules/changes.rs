//! The changes to save, where one batch changes one entry several times.

use timelog_domain::*;

use crate::world::*;

fn events(changes: &Changes) -> Vec<(Event, i64)> {
    changes.history.iter().map(|record| (record.event, record.version.get())).collect()
}

fn key(entry: u128) -> (OrganizationId, TimeEntryId) {
    (id(ORGANIZATION), id(entry))
}

#[test]
fn a_deletion_names_the_version_that_was_loaded() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.ask(delete(1)).unwrap();
    let changes = world.ledger.take_changes();
    assert_eq!(changes.deletions, [TimeEntryDeletion { key: key(1), loaded: Version::new(7) }]);
    assert!(changes.time_entries.is_empty());
    assert!(!changes.is_empty());
}

#[test]
fn an_entry_that_is_edited_and_deleted_is_deleted_at_the_version_that_was_loaded() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.ask(edit(1, shorter())).unwrap();
    world.ask(delete(1)).unwrap();
    let changes = world.ledger.take_changes();
    assert_eq!(changes.deletions, [TimeEntryDeletion { key: key(1), loaded: Version::new(7) }]);
    assert!(changes.time_entries.is_empty());
    assert_eq!(events(&changes), [(Event::Edit, 8), (Event::Delete, 9)]);
}

#[test]
fn an_entry_that_is_logged_and_deleted_leaves_only_its_history() {
    let mut world = World::new();
    world.ask(Command::Log(log_as(1, "1"))).unwrap();
    world.ask(delete(1)).unwrap();
    let changes = world.ledger.take_changes();
    assert!(changes.time_entries.is_empty() && changes.deletions.is_empty());
    assert_eq!(events(&changes), [(Event::Log, 1), (Event::Delete, 2)]);
    assert_eq!(world.named("1"), None);
}

#[test]
fn a_new_entry_can_have_the_reference_of_one_deleted_in_the_same_batch() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.ask(delete(1)).unwrap();
    world.ask(Command::Log(log_as(2, "1"))).unwrap();
    let changes = world.ledger.take_changes();
    assert_eq!(changes.deletions, [TimeEntryDeletion { key: key(1), loaded: Version::new(7) }]);
    let [change] = &changes.time_entries[..] else { panic!("{changes:?}") };
    assert_eq!((change.loaded, change.time_entry.id()), (None, id(2)));
    assert_eq!(world.named("1"), Some(id(2)));
}

#[test]
fn changes_that_were_taken_count_as_stored() {
    let mut world = World::new();
    world.ask(Command::Log(log(1))).unwrap();
    world.ledger.take_changes();
    world.ask(delete(1)).unwrap();
    let changes = world.ledger.take_changes();
    assert_eq!(changes.deletions, [TimeEntryDeletion { key: key(1), loaded: Version::FIRST }]);
    world.assert_untouched();
}

#[test]
fn a_rollback_restores_a_deleted_entry_and_its_reference() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let before = world.stored(id(1)).cloned();
    let savepoint = world.ledger.savepoint();
    world.ask(edit(1, shorter())).unwrap();
    world.ask(delete(1)).unwrap();
    world.ask(Command::Log(log_as(2, "1"))).unwrap();
    world.ask(delete(2)).unwrap();
    world.ask(Command::Log(log_as(3, "1"))).unwrap();
    world.ledger.roll_back_to(savepoint);
    assert_eq!(world.stored(id(1)).cloned(), before);
    assert_eq!((world.stored(id(2)), world.stored(id(3))), (None, None));
    assert_eq!(world.named("1"), Some(id(1)));
    world.assert_untouched();
}
