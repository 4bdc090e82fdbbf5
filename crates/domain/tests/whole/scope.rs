//! A key that is limited to a project touches nothing else, not even by repeating somebody's request.

use timelog_domain::*;

use crate::world::*;

fn ask(world: &mut World, caller: Caller, command: &Command) -> Decision {
    let request = Request { caller, command: command.clone(), claim: Some(claim("k")) };
    handle(&request, &mut world.ledger, world.now)
}

#[test]
fn a_limited_key_changes_entries_of_its_project_alone() {
    for command in [edit(1, shorter()), delete(1), apply(1, Action::Submit)] {
        let mut world = World::with_entry_that_is(Status::Draft);
        assert_eq!(world.ask_as(limited_to(OTHER_PROJECT), command.clone()), Err(Refusal::OutOfScope));
        world.assert_untouched();
        assert!(world.ask_as(limited_to(PROJECT), command).is_ok());
    }
}

#[test]
fn among_many_the_entries_of_other_projects_fail_alone() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let (ids, action) = (vec![id(1)], Action::Submit);
    let command = Command::ApplyMany(ApplyMany { ids, action, reason: None, invoice_ref: None, atomic: false });
    let outcome = world.ask_as(limited_to(OTHER_PROJECT), command);
    assert_eq!(outcome, Ok(Outcome::Many(vec![ItemOutcome::Refused(Refusal::OutOfScope)])));
}

#[test]
fn an_answer_about_a_project_is_replayed_to_whoever_may_touch_that_project() {
    let logs = LogMany { project_id: id(PROJECT), items: vec![], atomic: false };
    for command in
        [Command::Log(log(2)), Command::LogMany(logs), edit(1, shorter()), delete(1), apply(1, Action::Submit)]
    {
        let mut world = World::with_entry_that_is(Status::Draft);
        let Ok(Reply::Done { answer: Some(answer), .. }) = ask(&mut world, anyone(), &command) else {
            panic!("{command:?} was not carried out");
        };
        let replayed = Ok(Reply::Replayed { answer, same_body: true });
        assert_eq!(ask(&mut world, limited_to(PROJECT), &command), replayed);
        assert_eq!(ask(&mut world, anyone(), &command), replayed);
        assert_eq!(ask(&mut world, limited_to(OTHER_PROJECT), &command), Err(Refusal::OutOfScope), "{command:?}");
    }
}

#[test]
fn an_answer_about_several_projects_is_replayed_to_no_limited_key() {
    let (ids, action) = (vec![id(1)], Action::Submit);
    let many = Command::ApplyMany(ApplyMany { ids, action, reason: None, invoice_ref: None, atomic: false });
    let mut world = World::with_entry_that_is(Status::Draft);
    ask(&mut world, anyone(), &many).unwrap();
    assert_eq!(ask(&mut world, limited_to(PROJECT), &many), Err(Refusal::OutOfScope));
    assert!(matches!(ask(&mut world, anyone(), &many), Ok(Reply::Replayed { .. })));
}

#[test]
fn an_answer_to_a_limited_key_about_many_is_about_its_project() {
    let (ids, action) = (vec![id(1)], Action::Submit);
    let many = Command::ApplyMany(ApplyMany { ids, action, reason: None, invoice_ref: None, atomic: false });
    let mut world = World::with_entry_that_is(Status::Draft);
    ask(&mut world, limited_to(PROJECT), &many).unwrap();
    assert!(matches!(ask(&mut world, limited_to(PROJECT), &many), Ok(Reply::Replayed { .. })));
    assert_eq!(ask(&mut world, limited_to(OTHER_PROJECT), &many), Err(Refusal::OutOfScope));
}

#[test]
fn a_repeat_of_a_deletion_is_answered_although_the_entry_is_gone() {
    let mut world = World::with_entry_that_is(Status::Draft);
    ask(&mut world, limited_to(PROJECT), &delete(1)).unwrap();
    assert!(matches!(ask(&mut world, limited_to(PROJECT), &delete(1)), Ok(Reply::Replayed { .. })));
}
