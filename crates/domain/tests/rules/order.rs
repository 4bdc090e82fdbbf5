//! The order of the checks: existence, scope, ownership, version, references, state.

use timelog_domain::*;

use crate::world::*;

/// The first request has all faults. Each further one has one fault less, and the next is reported.
#[test]
fn an_edit_is_refused_for_the_first_fault_in_order() {
    let mut world = World::with_entry_that_is(Status::Approved);
    let stranger = Caller { project_id: Some(id(OTHER_PROJECT)), ..bound_to(BEN) };
    let wrong = || Patch { user_id: Some(id(NOBODY)), ..Patch::default() };
    let stale = |entry| if_version(edit(entry, wrong()), 6);
    assert_eq!(world.ask_as(stranger, stale(2)), Err(Refusal::TimeEntryNotFound));
    assert_eq!(world.ask_as(stranger, stale(1)), Err(Refusal::OutOfScope));
    assert_eq!(world.ask_as(bound_to(BEN), stale(1)), Err(Refusal::AnotherUsersEntry));
    assert_eq!(world.ask_as(bound_to(ANN), stale(1)), Err(Refusal::AnotherUsersEntry));
    assert_eq!(world.ask(stale(1)), Err(Refusal::PreconditionFailed));
    let current = if_version(edit(1, wrong()), 7);
    assert_eq!(world.ask(current), Err(Refusal::References(vec![InvalidReference::UnknownUser])));
    let status = Status::Approved;
    assert_eq!(
        world.ask(if_version(edit(1, shorter()), 7)),
        Err(Refusal::NotEditable(NotEditable { status }))
    );
    world.assert_untouched();
}

#[test]
fn an_edit_by_filter_is_refused_for_the_first_fault_in_order() {
    let mut world = World::with_entry_that_is(Status::Approved);
    let limited = limited_to(PROJECT);
    let wrong = Patch { user_id: Some(id(NOBODY)), ..Patch::default() };
    for (project, refused) in [
        (Some(OTHER_PROJECT), Refusal::OutOfScope),
        (None, Refusal::ConcernsAllProjects),
        (Some(PROJECT), Refusal::PatchReferences(vec![InvalidReference::UnknownUser])),
    ] {
        let filter = Filter { project_id: project.map(id), ..Filter::default() };
        let (entries, change) = (Selection::Filter(filter), EachChange::Edit(wrong.clone()));
        let command = Command::ChangeMany(ChangeMany { entries, change, atomic: false });
        assert_eq!(world.ask_as(limited, command), Err(refused), "{project:?}");
    }
    world.assert_untouched();
}

#[test]
fn a_deletion_is_refused_for_the_first_fault_in_order() {
    let mut world = World::with_entry_that_is(Status::Approved);
    let stranger = Caller { project_id: Some(id(OTHER_PROJECT)), ..bound_to(BEN) };
    assert_eq!(world.ask_as(stranger, if_version(delete(2), 6)), Err(Refusal::TimeEntryNotFound));
    assert_eq!(world.ask_as(stranger, if_version(delete(1), 6)), Err(Refusal::OutOfScope));
    assert_eq!(
        world.ask_as(bound_to(BEN), if_version(delete(1), 6)),
        Err(Refusal::AnotherUsersEntry)
    );
    assert_eq!(world.ask(if_version(delete(1), 6)), Err(Refusal::PreconditionFailed));
    let status = Status::Approved;
    assert_eq!(
        world.ask(if_version(delete(1), 7)),
        Err(Refusal::NotEditable(NotEditable { status }))
    );
    world.assert_untouched();
}

#[test]
fn a_transition_is_refused_for_the_first_fault_in_order() {
    let mut world = World::with_entry_that_is(Status::Approved);
    let recall = |entry| if_version(apply(entry, Action::Recall), 6);
    let stranger = Caller { project_id: Some(id(OTHER_PROJECT)), ..bound_to(BEN) };
    assert_eq!(world.ask_as(stranger, recall(2)), Err(Refusal::TimeEntryNotFound));
    assert_eq!(world.ask_as(stranger, recall(1)), Err(Refusal::OutOfScope));
    assert_eq!(world.ask_as(bound_to(BEN), recall(1)), Err(Refusal::AnotherUsersEntry));
    let approve = if_version(apply(1, Action::Approve), 6);
    assert_eq!(world.ask_as(bound_to(ANN), approve), Err(Refusal::OwnEntry));
    assert_eq!(world.ask(recall(1)), Err(Refusal::PreconditionFailed));
    let invalid =
        InvalidTransition { status: Status::Approved, action: Action::Recall, billable: true };
    assert_eq!(
        world.ask(if_version(apply(1, Action::Recall), 7)),
        Err(Refusal::InvalidTransition(invalid))
    );
    world.assert_untouched();
}

#[test]
fn a_change_succeeds_only_on_a_version_that_it_names() {
    for command in [edit(1, shorter()), delete(1), apply(1, Action::Submit)] {
        let mut world = World::with_entry_that_is(Status::Draft);
        assert_eq!(world.ask(if_version(command.clone(), 6)), Err(Refusal::PreconditionFailed));
        assert_eq!(world.ask(if_version(command.clone(), 8)), Err(Refusal::PreconditionFailed));
        assert!(world.ask(if_version(command, 7)).is_ok());
    }
}

#[test]
fn a_condition_that_no_version_meets_fails_even_where_nothing_would_change() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let command =
        EditTimeEntry { id: id(1), patch: Patch::default(), if_match: IfMatch::AnyOf(vec![]) };
    assert_eq!(world.ask(Command::Edit(command)), Err(Refusal::PreconditionFailed));
}

#[test]
fn the_scope_is_checked_before_a_project_is_looked_up() {
    let mut world = World::new();
    for project in [OTHER_PROJECT, NO_PROJECT] {
        let item = LogTimeEntry { project_id: id(project), ..log(1) };
        let many =
            LogMany { project_id: id(project), items: vec![Some(item.clone())], atomic: false };
        for command in [Command::Log(item), Command::LogMany(many)] {
            assert_eq!(world.ask_as(limited_to(PROJECT), command), Err(Refusal::OutOfScope));
        }
    }
    world.assert_untouched();
}
