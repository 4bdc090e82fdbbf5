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

#[test]
fn what_a_key_may_not_see_is_as_if_it_did_not_exist() {
    let caller = seeing_only(BEN);
    let missing = Err(Refusal::TimeEntryNotFound);
    for command in [
        edit(1, shorter()),
        edit(1, Patch::default()),
        delete(1),
        if_version(delete(1), 6),
        apply(1, Action::Submit),
        apply(1, Action::Approve),
        apply(1, Action::Lock),
    ] {
        let mut world = World::with_entry_that_is(Status::Draft);
        assert_eq!(world.ask_as(caller, command.clone()), missing, "{command:?}");
        world.assert_untouched();
    }
    let mut world = World::with_entry_that_is(Status::Draft);
    world.load(2, Status::Draft, Details { user_id: id(BEN), ..full_details() });
    let days = Filter {
        from: "2025-01-01".parse().ok(),
        to: "2025-12-31".parse().ok(),
        ..Filter::default()
    };
    let own = vec![(id(2), ItemOutcome::Deleted)];
    for entries in
        [Selection::Filter(days.clone()), Selection::Filter(days.clone()).seen_by(&caller)]
    {
        let savepoint = world.ledger.savepoint();
        let command = ChangeMany { entries, change: EachChange::Delete, atomic: true };
        assert_eq!(
            world.ask_as(caller, Command::ChangeMany(command)),
            Ok(Outcome::Changed(own.clone()))
        );
        world.ledger.roll_back_to(savepoint);
    }
    let both = change_many(&[1, 2], EachChange::Delete, false);
    let unseen = (id(1), ItemOutcome::Refused(Refusal::TimeEntryNotFound));
    let outcome = world.ask_as(caller, both);
    assert_eq!(outcome, Ok(Outcome::Changed(vec![unseen, own[0].clone()])));
    // Judging one's own entries stays forbidden.
    let mut world = World::with_entry_that_is(Status::Submitted);
    let own = world.ask_as(seeing_only(ANN), apply(1, Action::Approve));
    assert_eq!(own, Err(Refusal::OwnEntry));
}

#[test]
fn who_follows_a_users_entries_sees_them_come_and_leave() {
    let reader = |user| FeedRequest {
        project_id: None,
        user_id: Some(id(user)),
        after: Seq::START,
        limit: 1,
    };
    let given = Patch { user_id: Some(id(BEN)), ..Patch::default() };
    let mut world = World::with_entry_that_is(Status::Draft);
    world.ask(edit(1, given)).unwrap();
    let changes = world.ledger.take_changes();
    let (record, entry) = (&changes.history[0], &changes.time_entries[0].time_entry);
    for (user, sees, may_see) in [(ANN, true, false), (BEN, true, true), (NOBODY, false, false)] {
        let reader = reader(user);
        assert_eq!((reader.sees(record, Some(entry)), reader.may_see(entry)), (sees, may_see));
    }
    world.ask(delete(1)).unwrap();
    let changes = world.ledger.take_changes();
    let record = &changes.history[0];
    assert!(reader(BEN).sees(record, None) && !reader(ANN).sees(record, None));
}
