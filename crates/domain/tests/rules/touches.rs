//! The rows that are loaded for a batch, in two steps.

use std::collections::BTreeSet;

use timelog_domain::*;

use crate::loading::load;
use crate::world::*;

fn requests(commands: impl IntoIterator<Item = Command>) -> Vec<Request> {
    commands.into_iter().map(|command| Request { caller: anyone(), command, claim: None }).collect()
}

fn of_organization<T: Ord>(ids: impl IntoIterator<Item = T>) -> BTreeSet<(OrganizationId, T)> {
    ids.into_iter().map(|of| (id(ORGANIZATION), of)).collect()
}

#[test]
fn commands_on_entries_touch_those_entries() {
    let many = apply_many(&[4, 5], Action::Submit, false);
    let touches = Touches::from_iter(&requests([
        edit(1, shorter()),
        delete(2),
        apply(3, Action::Submit),
        many,
    ]));
    let time_entries = of_organization([1, 2, 3, 4, 5].map(id));
    let books = [id(ORGANIZATION)].into();
    assert_eq!(touches, Touches { time_entries, books, ..Touches::default() });
}

#[test]
fn log_many_touches_the_rows_of_each_item() {
    let items = vec![
        Some(log_as(1, "a")),
        None,
        Some(LogTimeEntry { project_id: id(OTHER_PROJECT), ..log(2) }),
    ];
    let project_id = id(NO_PROJECT);
    let touches = Touches::from_iter(&requests([Command::LogMany(LogMany {
        project_id,
        items,
        atomic: false,
    })]));
    assert_eq!(touches.projects, of_organization([PROJECT, OTHER_PROJECT, NO_PROJECT].map(id)));
    assert_eq!(touches.users, of_organization([id(ANN)]));
    assert_eq!(touches.external_refs, of_organization([reference("a")]));
    assert_eq!((touches.tickets.len(), touches.releases.len()), (2, 2));
}

#[test]
fn the_references_of_an_edit_follow_once_the_project_is_known() {
    let world = World::with_entry_that_is(Status::Draft);
    let patch = Patch {
        user_id: Some(id(BEN)),
        ticket_id: Some(Some(id(33))),
        release_id: Some(Some(id(44))),
        ..Patch::default()
    };
    let requests = requests([edit(1, patch)]);
    let first = Touches::from_iter(&requests);
    assert_eq!(first.users, of_organization([id(BEN)]));
    assert!(first.tickets.is_empty() && first.releases.is_empty());
    let following = Touches::following(&requests, &world.ledger);
    assert_eq!(following.tickets, [(id(ORGANIZATION), id(PROJECT), id(33))].into());
    assert_eq!(following.releases, [(id(ORGANIZATION), id(PROJECT), id(44))].into());
    assert!(!following.is_empty() && following.time_entries.is_empty());
}

#[test]
fn usually_nothing_follows() {
    let world = World::with_entry_that_is(Status::Draft);
    let away = Patch { ticket_id: Some(None), release_id: Some(None), ..shorter() };
    let unknown = Patch { ticket_id: Some(Some(id(TICKET))), ..Patch::default() };
    let requests = requests([
        Command::Log(log(2)),
        edit(1, away),
        edit(9, unknown),
        delete(1),
        apply(1, Action::Submit),
    ]);
    assert!(Touches::following(&requests, &world.ledger).is_empty());
}

#[test]
fn the_references_of_an_edit_follow_for_an_entry_of_the_same_batch() {
    let patch = Patch { ticket_id: Some(Some(id(33))), ..Patch::default() };
    let elsewhere = LogTimeEntry { project_id: id(OTHER_PROJECT), ..log(1) };
    let requests = requests([Command::Log(elsewhere), edit(1, patch)]);
    let following = Touches::following(&requests, &Ledger::default());
    assert_eq!(following.tickets, [(id(ORGANIZATION), id(OTHER_PROJECT), id(33))].into());
}

#[test]
fn what_a_moved_entry_refers_to_follows_in_every_project_that_it_may_have() {
    let world = World::with_entry_that_is(Status::Draft);
    let to_other = Patch { project_id: Some(id(OTHER_PROJECT)), ..Patch::default() };
    let named = Patch { ticket_id: Some(Some(id(33))), ..Patch::default() };
    let requests = requests([edit(1, to_other), edit(1, named)]);
    let following = Touches::following(&requests, &world.ledger);
    let both = [PROJECT, OTHER_PROJECT];
    assert_eq!(following.projects, of_organization(both.map(id)));
    let tickets = both.map(|project| [TICKET, 33].map(|ticket| (project, ticket)));
    let tickets = tickets.concat().into_iter();
    let tickets = tickets.map(|(project, ticket)| (id(ORGANIZATION), id(project), id(ticket)));
    assert_eq!(following.tickets, tickets.collect());
    assert_eq!(following.releases.len(), 2);
}

/// A ledger with only the rows of the two steps must have the same results as one with everything.
#[test]
fn the_rows_of_the_two_steps_are_enough_to_decide() {
    let nothing = Patch::default;
    let full = || World::with_entry_that_is(Status::Draft);
    for command in [
        edit(1, Patch { user_id: Some(id(BEN)), ..nothing() }),
        edit(1, Patch { ticket_id: Some(Some(id(TICKET))), release_id: Some(None), ..nothing() }),
        edit(1, Patch { ticket_id: Some(None), release_id: Some(Some(id(RELEASE))), ..nothing() }),
        edit(1, Patch { ticket_id: Some(Some(id(OTHER_TICKET))), ..nothing() }),
        edit(1, Patch { user_id: Some(id(NOBODY)), ..nothing() }),
        edit(1, Patch { project_id: Some(id(OTHER_PROJECT)), ..nothing() }),
        edit(
            1,
            Patch {
                project_id: Some(id(OTHER_PROJECT)),
                ticket_id: Some(Some(id(OTHER_TICKET))),
                release_id: Some(None),
                ..nothing()
            },
        ),
        delete(1),
        apply(1, Action::Submit),
        Command::Log(log_as(2, "1")),
        Command::LogMany(LogMany {
            project_id: id(PROJECT),
            items: vec![Some(log(2)), None],
            atomic: false,
        }),
    ] {
        let mut sparse = full();
        sparse.ledger = load(&sparse.ledger, &requests([command.clone()]));
        assert_eq!(sparse.ask(command.clone()), full().ask(command.clone()), "{command:?}");
    }
}

#[test]
fn closings_of_projects_follow_where_there_are_any() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let moved = Patch { project_id: Some(id(OTHER_PROJECT)), ..Patch::default() };
    let close = CloseBooks { project_id: Some(id(NO_PROJECT)), through: None, reason: None };
    for (command, projects) in [
        (
            Command::Log(LogTimeEntry { project_id: id(OTHER_PROJECT), ..log(2) }),
            vec![OTHER_PROJECT],
        ),
        (
            Command::Log(LogTimeEntry { project_id: id(OTHER_PROJECT), ..log_as(2, "1") }),
            vec![PROJECT, OTHER_PROJECT],
        ),
        (edit(1, shorter()), vec![PROJECT]),
        (edit(1, moved), vec![PROJECT, OTHER_PROJECT]),
        (delete(1), vec![PROJECT]),
        (apply(1, Action::Submit), vec![PROJECT]),
        (apply_many(&[1], Action::Submit, false), vec![PROJECT]),
        (Command::Close(close), vec![NO_PROJECT]),
        (delete(404), vec![]),
    ] {
        for by_project in [false, true] {
            let books = Books { version: Version::new(3), by_project };
            world.ledger.load_books(id(ORGANIZATION), books);
            let requests = requests([command.clone()]);
            assert!(Touches::from_iter(&requests).books.contains(&id(ORGANIZATION)));
            let closings = Touches::following(&requests, &world.ledger).closings;
            let expected = if by_project { projects.clone() } else { vec![] };
            assert_eq!(closings, of_organization(expected.into_iter().map(id)), "{command:?}");
        }
    }
}
