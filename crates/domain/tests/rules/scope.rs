//! A key that is limited to a project changes nothing else.

use timelog_domain::*;

use crate::world::*;

fn ask(world: &mut World, caller: Caller, command: &Command) -> Decision {
    let request = Request { caller, command: command.clone(), claim: Some(claim("k")) };
    handle(&request, &mut world.ledger, world.now)
}

#[test]
fn a_limited_key_changes_only_entries_of_its_project() {
    for command in [edit(1, shorter()), delete(1), apply(1, Action::Submit)] {
        let mut world = World::with_entry_that_is(Status::Draft);
        assert_eq!(
            world.ask_as(limited_to(OTHER_PROJECT), command.clone()),
            Err(Refusal::OutOfScope)
        );
        world.assert_untouched();
        assert!(world.ask_as(limited_to(PROJECT), command).is_ok());
    }
}

#[test]
fn of_many_entries_only_those_of_other_projects_fail() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let command = apply_many(&[1], Action::Submit, false);
    let outcome = world.ask_as(limited_to(OTHER_PROJECT), command);
    assert_eq!(
        outcome,
        Ok(Outcome::Changed(vec![(id(1), ItemOutcome::Refused(Refusal::OutOfScope))]))
    );
}

#[test]
fn a_repeat_of_a_deletion_is_answered_although_the_entry_is_deleted() {
    let mut world = World::with_entry_that_is(Status::Draft);
    ask(&mut world, limited_to(PROJECT), &delete(1)).unwrap();
    assert!(matches!(ask(&mut world, limited_to(PROJECT), &delete(1)), Ok(Reply::Replayed { .. })));
}
