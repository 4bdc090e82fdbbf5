//! Commands for many entries: each item alone, or all or none.

use timelog_domain::*;

use crate::world::*;

fn log_many(items: Vec<Option<LogTimeEntry>>, atomic: bool) -> Command {
    Command::LogMany(LogMany { project_id: id(PROJECT), items, atomic })
}

fn items(outcome: Result<Outcome, Refusal>) -> Vec<ItemOutcome> {
    match outcome {
        Ok(Outcome::Many(items)) | Err(Refusal::BatchFailed(items)) => items,
        Ok(Outcome::Changed(items)) | Err(Refusal::ChangesFailed(items)) => {
            items.into_iter().map(|(_, outcome)| outcome).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// A sign for each item; unchanged is `=`, refused `!`, invalid `?`, not applied `-`.
fn signs(items: &[ItemOutcome]) -> String {
    let sign = |item: &ItemOutcome| match item {
        ItemOutcome::Created(_) => 'c',
        ItemOutcome::Updated(_) => 'u',
        ItemOutcome::Unchanged(_) => '=',
        ItemOutcome::Deleted => 'd',
        ItemOutcome::Refused(_) => '!',
        ItemOutcome::Invalid => '?',
        ItemOutcome::NotApplied => '-',
    };
    items.iter().map(sign).collect()
}

/// New, updated, unchanged, invalid, another user's, unknown ticket, new.
fn mixed() -> Vec<Option<LogTimeEntry>> {
    let longer = Details { duration: minutes(200), ..full_details() };
    vec![
        Some(log_as(101, "new")),
        Some(LogTimeEntry { details: longer, ..log_as(102, "1") }),
        Some(log_as(103, "new")),
        None,
        Some(LogTimeEntry { details: Details { user_id: id(BEN), ..full_details() }, ..log(104) }),
        Some(LogTimeEntry {
            details: Details { ticket_id: Some(id(OTHER_TICKET)), ..full_details() },
            ..log(105)
        }),
        Some(log(106)),
    ]
}

#[test]
fn each_item_is_decided_by_itself_and_answered_in_its_place() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let items = items(world.ask_as(bound_to(ANN), log_many(mixed(), false)));
    assert_eq!(signs(&items), "cu=?!!c");
    assert_eq!(items[4], ItemOutcome::Refused(Refusal::AnotherUsersEntry));
    assert_eq!(
        items[5],
        ItemOutcome::Refused(Refusal::References(vec![InvalidReference::UnknownTicket]))
    );
    assert_eq!(items[6].time_entry(), world.stored(id(106)));
    let changes = world.ledger.take_changes();
    let stored: Vec<_> = changes.time_entries.iter().map(|change| change.time_entry.id()).collect();
    assert_eq!(stored, [id(1), id(101), id(106)]);
    assert_eq!(changes.history.len(), 3);
}

#[test]
fn an_atomic_batch_with_a_failure_changes_nothing() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let refused = world.ask_as(bound_to(ANN), log_many(mixed(), true));
    assert!(matches!(refused, Err(Refusal::BatchFailed(_))), "{refused:?}");
    assert_eq!(signs(&items(refused)), "---?!!-");
    assert_eq!((world.named("new"), world.stored(id(106))), (None, None));
    assert_eq!(*world.stored(id(1)).unwrap().details(), full_details());
    world.assert_untouched();
}

#[test]
fn each_kind_of_failure_fails_an_atomic_batch() {
    let unknown = Details { user_id: id(NOBODY), ..full_details() };
    for failure in [None, Some(LogTimeEntry { details: unknown, ..log(102) })] {
        for batch in [vec![Some(log(101)), failure.clone()], vec![failure, Some(log(101))]] {
            let mut world = World::new();
            assert!(matches!(world.ask(log_many(batch, true)), Err(Refusal::BatchFailed(_))));
            world.assert_untouched();
        }
    }
}

#[test]
fn an_atomic_batch_without_a_failure_is_carried_out() {
    let mut world = World::with_entry_that_is(Status::Draft);
    let outcome = world.ask(log_many(vec![Some(log_as(101, "new")), Some(log_as(102, "1"))], true));
    assert_eq!(signs(&items(outcome)), "c=");
    assert!(world.stored(id(101)).is_some());
}

#[test]
fn of_two_items_with_one_reference_the_later_wins() {
    let mut world = World::new();
    let later = Details { duration: minutes(90), ..full_details() };
    let batch = vec![
        Some(log_as(101, "new")),
        Some(LogTimeEntry { details: later.clone(), ..log_as(102, "new") }),
    ];
    assert_eq!(signs(&items(world.ask(log_many(batch, false)))), "cu");
    assert_eq!(*world.stored(id(101)).unwrap().details(), later);
    assert_eq!(world.stored(id(102)), None);
    let changes = world.ledger.take_changes();
    let [change] = &changes.time_entries[..] else { panic!("{changes:?}") };
    assert_eq!((change.loaded, change.time_entry.version().get()), (None, 2));
    let events: Vec<_> =
        changes.history.iter().map(|record| (record.event, record.version.get())).collect();
    assert_eq!(events, [(Event::Log, 1), (Event::Edit, 2)]);
}

#[test]
fn a_project_that_is_missing_or_archived_refuses_the_whole() {
    let mut world = World::new();
    let nowhere = LogMany { project_id: id(NO_PROJECT), items: vec![], atomic: false };
    assert_eq!(world.ask(Command::LogMany(nowhere)), Err(Refusal::ProjectNotFound));
    world.archive(PROJECT);
    assert_eq!(
        world.ask(log_many(vec![Some(log(101)), None], false)),
        Err(Refusal::ProjectArchived)
    );
    world.assert_untouched();
}

#[test]
fn an_item_for_another_project_fails() {
    let mut world = World::new();
    let elsewhere = LogTimeEntry { project_id: id(OTHER_PROJECT), ..log(101) };
    let items = items(world.ask(log_many(vec![Some(elsewhere)], false)));
    assert_eq!(items, [ItemOutcome::Refused(Refusal::ProjectNotFound)]);
}

#[test]
fn many_entries_move_each_by_itself() {
    let mut world = World::with_entry_that_is(Status::Draft);
    world.load(2, Status::Approved, full_details());
    world.load(3, Status::Rejected, Details { user_id: id(BEN), ..full_details() });
    world.load(4, Status::Rejected, full_details());
    let items =
        items(world.ask_as(bound_to(ANN), apply_many(&[1, 2, 3, 9, 4, 1], Action::Submit, false)));
    let invalid = |status| {
        Refusal::InvalidTransition(InvalidTransition {
            status,
            action: Action::Submit,
            billable: true,
        })
    };
    let refused = ItemOutcome::Refused;
    assert_eq!(items[0], ItemOutcome::Updated(world.stored(id(1)).unwrap().clone()));
    assert_eq!(items[1], refused(invalid(Status::Approved)));
    assert_eq!(items[2], refused(Refusal::AnotherUsersEntry));
    assert_eq!(items[3], refused(Refusal::TimeEntryNotFound));
    assert_eq!(items[4], ItemOutcome::Updated(world.stored(id(4)).unwrap().clone()));
    // The repeated item is decided after the change of the first.
    assert_eq!(items[5], refused(invalid(Status::Submitted)));
}

#[test]
fn an_atomic_move_moves_all_or_none() {
    let mut world = World::with_entry_that_is(Status::Submitted);
    world.load(2, Status::Submitted, full_details());
    let failed = world.ask(apply_many(&[1, 9, 2], Action::Reject, true));
    assert!(matches!(failed, Err(Refusal::ChangesFailed(_))));
    assert_eq!(signs(&items(failed)), "-!-");
    world.assert_untouched();
    assert_eq!(signs(&items(world.ask(apply_many(&[1, 2], Action::Reject, true)))), "uu");
    let changes = world.ledger.take_changes();
    assert!(changes.history.iter().all(|record| record.reason == Some(text("because"))));
}

#[test]
fn the_answer_of_a_batch_is_stored_only_if_it_succeeds() {
    for (second, kept) in [(None, false), (Some(log(102)), true)] {
        let mut world = World::new();
        let command = log_many(vec![Some(log(101)), second], true);
        let request = Request { caller: anyone(), command, claim: Some(claim("k")) };
        assert_eq!(handle(&request, &mut world.ledger, world.now).is_ok(), kept);
        assert_eq!(world.ledger.answer(&claim("k").scope).is_some(), kept);
        assert_eq!(world.ledger.take_changes().is_empty(), !kept);
    }
}

#[test]
fn the_weight_of_a_request_is_the_number_of_its_items() {
    let weight = |command| Request { caller: anyone(), command, claim: None }.weight();
    assert_eq!(weight(log_many(mixed(), false)), 7);
    assert_eq!(weight(apply_many(&[1, 2, 3], Action::Submit, true)), 3);
    assert_eq!(weight(log_many(vec![], false)), 1);
    for command in [Command::Log(log(1)), edit(1, shorter()), delete(1), apply(1, Action::Submit)] {
        assert_eq!(weight(command), 1);
    }
}

/// What a command for these entries came to, with their numbers.
fn changed(outcome: Result<Outcome, Refusal>) -> (Vec<TimeEntryId>, String) {
    match outcome {
        Ok(Outcome::Changed(items)) | Err(Refusal::ChangesFailed(items)) => {
            let (ids, outcomes): (_, Vec<_>) = items.into_iter().unzip();
            (ids, signs(&outcomes))
        }
        other => panic!("{other:?}"),
    }
}

/// A filter of the days of two weeks.
fn days() -> Filter {
    let day = |text: &str| Some(text.parse().unwrap());
    Filter { from: day("2025-01-13"), to: day("2025-01-26"), ..Filter::default() }
}

fn change_found(filter: Filter, change: EachChange, atomic: bool) -> Command {
    Command::ChangeMany(ChangeMany { entries: Selection::Filter(filter), change, atomic })
}

fn numbers(numbers: &[u128]) -> Vec<TimeEntryId> {
    numbers.iter().map(|number| id(*number)).collect()
}

/// Entries on several days, in no order; the last two are another user's and of another project.
fn world_of_two_weeks() -> World {
    let mut world = World::new();
    let on = |day: &str| Details { work_date: day.parse().unwrap(), ..full_details() };
    world.load(5, Status::Draft, on("2025-01-13"));
    world.load(3, Status::Rejected, on("2025-01-13"));
    world.load(1, Status::Approved, on("2025-01-20"));
    world.load(2, Status::Draft, on("2025-01-27"));
    world.load(4, Status::Draft, Details { user_id: id(BEN), ..on("2025-01-14") });
    world
}

#[test]
fn a_filter_finds_entries_in_the_order_of_days_and_ids() {
    let submit = || EachChange::Apply(transition(Action::Submit));
    for (filter, expected) in [
        (days(), (numbers(&[3, 5, 4, 1]), "uuu!")),
        (Filter { user_id: Some(id(ANN)), ..days() }, (numbers(&[3, 5, 1]), "uu!")),
        (Filter { statuses: [Status::Draft].into(), ..days() }, (numbers(&[5, 4]), "uu")),
        (Filter { ticket_id: Some(None), ..days() }, (vec![], "")),
        (Filter { project_id: Some(id(NO_PROJECT)), ..days() }, (vec![], "")),
    ] {
        let mut world = world_of_two_weeks();
        let (ids, signs) = changed(world.ask(change_found(filter.clone(), submit(), false)));
        assert_eq!((ids, &*signs), expected, "{filter:?}");
    }
    let mut world = world_of_two_weeks();
    let (ids, signs) = changed(world.ask(change_found(days(), submit(), true)));
    assert_eq!((ids, &*signs), (numbers(&[3, 5, 4, 1]), "---!"));
    world.assert_untouched();
}

#[test]
fn many_are_edited_or_deleted_each_by_itself_or_none() {
    let edit = || EachChange::Edit(shorter());
    let cases = [(edit(), "uu!uu"), (EachChange::Delete, "dd!d!")];
    for (change, expected) in cases {
        let command = |atomic| change_many(&[5, 3, 1, 4, 5], change.clone(), atomic);
        let mut world = world_of_two_weeks();
        let failed = expected.replace(['u', 'd'], "-");
        assert_eq!(changed(world.ask(command(true))).1, failed);
        world.assert_untouched();
        let expected = expected.replacen("uu!uu", "uu!u=", 1);
        assert_eq!(changed(world.ask(command(false))).1, expected);
        let mut world = world_of_two_weeks();
        let own = changed(world.ask_as(bound_to(ANN), command(false)));
        assert_eq!(&own.1[3..4], "!", "another user's entry fails alone");
    }
    // What changes nothing is no failure.
    let mut world = world_of_two_weeks();
    let same = EachChange::Edit(Patch { billable: Some(true), ..Patch::default() });
    assert_eq!(changed(world.ask(change_found(days(), same, true))).1, "====");
    world.assert_untouched();
}

#[test]
fn a_patch_that_is_wrong_for_every_entry_is_refused_as_a_whole() {
    let mut world = world_of_two_weeks();
    let patch = |patch| change_many(&[5], EachChange::Edit(patch), false);
    let (user, project) = (Some(id(NOBODY)), Some(id(NO_PROJECT)));
    let unknown = Patch { user_id: user, project_id: project, ..Patch::default() };
    let both = vec![InvalidReference::UnknownProject, InvalidReference::UnknownUser];
    assert_eq!(world.ask(patch(unknown.clone())), Err(Refusal::PatchReferences(both)));
    // Who may not know which projects there are does not learn it here.
    assert_eq!(world.ask_as(limited_to(PROJECT), patch(unknown)), Err(Refusal::OutOfScope));
    // A ticket is one of the project of each entry.
    let elsewhere = Patch { ticket_id: Some(Some(id(OTHER_TICKET))), ..Patch::default() };
    let unknown = Refusal::References(vec![InvalidReference::UnknownTicket]);
    assert_eq!(items(world.ask(patch(elsewhere))), [ItemOutcome::Refused(unknown)]);
    world.assert_untouched();
}

#[test]
fn a_key_of_a_project_filters_that_alone() {
    let mut world = world_of_two_weeks();
    let found = |project: Option<u128>| {
        change_found(Filter { project_id: project.map(id), ..days() }, EachChange::Delete, false)
    };
    let own = limited_to(PROJECT);
    assert_eq!(world.ask_as(own, found(None)), Err(Refusal::ConcernsAllProjects));
    assert_eq!(world.ask_as(own, found(Some(OTHER_PROJECT))), Err(Refusal::OutOfScope));
    assert_eq!(changed(world.ask_as(own, found(Some(PROJECT)))).1, "ddd!");
}

#[test]
fn a_filter_that_finds_too_many_is_refused_and_tells_how_many() {
    for extra in [0, 1] {
        let mut world = World::new();
        for number in 0..2000 + extra {
            world.load(number, Status::Draft, full_details());
        }
        let outcome = world.ask(change_found(days(), EachChange::Delete, false));
        if extra == 0 {
            assert_eq!(items(outcome).len(), 2000);
        } else {
            let refused = Err(Refusal::FoundTooMany(FoundTooMany::Exactly(2001)));
            assert_eq!(outcome, refused);
            world.assert_untouched();
        }
    }
    // What the adapter found too many of is not looked for again.
    let mut world = world_of_two_weeks();
    let found = FoundTooMany::MoreThan(9999);
    world.ledger.load_too_many(id(ORGANIZATION), days(), found);
    let outcome = world.ask(change_found(days(), EachChange::Delete, false));
    assert_eq!(outcome, Err(Refusal::FoundTooMany(found)));
    assert!(world.ask_as(outsider(), change_found(days(), EachChange::Delete, false)).is_ok());
}

#[test]
fn a_filter_is_decided_alone() {
    let request = |command| Request { caller: anyone(), command, claim: None }.weight();
    assert_eq!(request(change_found(days(), EachChange::Delete, false)), MOST_ITEMS + 1);
}
