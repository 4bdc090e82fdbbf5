//! Logging an entry, and logging it again under its external reference.

use std::time::Duration;

use timelog_domain::*;

use crate::world::*;

const LATER: Duration = Duration::from_millis(1);

/// The statuses in which an entry may be edited, and the others.
fn by_editability() -> (Vec<Status>, Vec<Status>) {
    Status::ALL.iter().copied().partition(|status| status.is_editable())
}

#[test]
fn the_ids_of_new_entries_can_have_the_time_of_their_decision() {
    let mut world = World::new();
    let mut ids = Vec::new();
    // Those who asked first are decided last.
    for made in ["01946900-ffff-7000-8000-000000000001", "01946900-0000-7000-8000-000000000002"] {
        let entry = LogTimeEntry { id: made.parse().unwrap(), ..world.entry() };
        let many = LogMany {
            project_id: entry.project_id,
            items: vec![None, Some(entry.clone())],
            atomic: false,
        };
        let [Command::Log(one), Command::LogMany(many)] =
            [Command::Log(entry.clone()), Command::LogMany(many)].map(|command| {
                let request = Request { caller: anyone(), command, claim: None };
                request.made_at(world.now).into_owned().command
            })
        else {
            panic!("another command");
        };
        assert_eq!(one.id, entry.id.made_at(world.now));
        assert_eq!(many.items, [None, Some(one.clone())]);
        ids.push(one.id);
        world.now = world.now.saturating_add(LATER);
    }
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn a_new_entry_is_a_draft_with_the_details_of_the_command() {
    let mut world = World::new();
    let everything =
        Details { ticket_id: Some(id(TICKET)), release_id: Some(id(RELEASE)), ..details() };
    for source in Source::ALL {
        let command = LogTimeEntry {
            details: everything.clone(),
            external_ref: Some(reference(source.as_str())),
            source: *source,
            ..world.entry()
        };
        let Outcome::Created(entry) = world.log(anyone(), command.clone()).unwrap() else {
            panic!("not created");
        };
        let expected = Record {
            id: command.id,
            organization_id: id(ORGANIZATION),
            project_id: id(PROJECT),
            details: everything.clone(),
            external_ref: command.external_ref,
            source: *source,
            status: Status::Draft,
            reason: None,
            invoice_ref: None,
            version: Version::FIRST,
            created_at: world.now,
            updated_at: world.now,
        };
        assert_eq!(*entry.record(), expected);
        assert!(!entry.invoiced());
        assert_eq!(world.stored(entry.id()), Some(&entry));
    }
}

#[test]
fn without_a_reference_the_same_request_logs_twice() {
    let mut world = World::new();
    for _ in 0..2 {
        let command = world.entry();
        assert!(matches!(world.log(anyone(), command), Ok(Outcome::Created(_))));
    }
    assert_eq!(world.ledger.take_changes().time_entries.len(), 2);
}

#[test]
fn logging_an_unchanged_entry_changes_nothing_in_any_status() {
    for status in Status::ALL {
        let mut world = World::new();
        let entry = world.entry_that_is(*status, "1");
        world.wait(LATER);
        let again = LogTimeEntry {
            external_ref: Some(reference("1")),
            source: Source::Import,
            ..world.entry()
        };
        let decided = world.log(anyone(), again);
        assert_eq!(decided, Ok(Outcome::Unchanged(entry.clone())), "{status}");
        assert_eq!(world.stored(entry.id()), Some(&entry), "{status}");
        assert!(world.ledger.take_changes().is_empty(), "{status}");
    }
}

#[test]
fn an_unchanged_repeat_succeeds_with_an_inactive_user_and_an_archived_project() {
    let mut world = World::new();
    let entry = world.entry_that_is(Status::Draft, "1");
    world.archive(PROJECT);
    world.deactivate(ANN);
    let again = LogTimeEntry { external_ref: Some(reference("1")), ..world.entry() };
    assert_eq!(world.log(anyone(), again), Ok(Outcome::Unchanged(entry)));
}

#[test]
fn logging_a_draft_or_rejected_entry_again_updates_it_and_makes_it_a_draft() {
    let (editable, _) = by_editability();
    assert_eq!(editable, [Status::Draft, Status::Rejected]);
    for status in editable {
        for (field, other) in other_details() {
            let mut world = World::new();
            let before = world.entry_that_is(status, "1");
            let now = world.wait(LATER);
            let again = LogTimeEntry {
                details: other.clone(),
                external_ref: Some(reference("1")),
                source: Source::Import,
                ..world.entry()
            };
            let Outcome::Updated(after) = world.log(anyone(), again).unwrap() else {
                panic!("{field} of a {status} entry was not updated");
            };
            let expected = Record {
                details: other,
                status: Status::Draft,
                version: Version::new(before.version().get() + 1),
                updated_at: now,
                ..before.record().clone()
            };
            assert_eq!(*after.record(), expected, "{field}");
            assert_eq!(world.stored(before.id()), Some(&after));
            let changes = world.ledger.take_changes();
            let [record] = &changes.history[..] else { panic!("{field}: one change, one record") };
            assert_eq!(record.event, Event::Edit);
            assert_eq!((record.from, record.to), (Some(status), Some(Status::Draft)));
            assert_eq!(
                record.changes.iter().map(|change| change.field.as_str()).collect::<Vec<_>>(),
                [field]
            );
        }
    }
}

#[test]
fn the_history_of_an_update_holds_the_old_and_the_new_values() {
    let mut world = World::new();
    world.entry_that_is(Status::Draft, "1");
    let details =
        Details { duration: minutes(90), description: None, billable: false, ..details() };
    let again = LogTimeEntry { details, external_ref: Some(reference("1")), ..world.entry() };
    world.log(anyone(), again).unwrap();
    let expected = [
        ("minutes", FieldValue::Integer(150), FieldValue::Integer(90)),
        ("description", FieldValue::Text("Login flow".to_owned()), FieldValue::Null),
        ("billable", FieldValue::Boolean(true), FieldValue::Boolean(false)),
    ];
    let expected =
        expected.map(|(field, old, new)| FieldChange { field: field.parse().unwrap(), old, new });
    assert_eq!(world.ledger.take_changes().history[0].changes, expected);
}

#[test]
fn an_entry_in_any_other_status_cannot_be_changed() {
    let (_, closed) = by_editability();
    for status in closed {
        for (field, other) in other_details() {
            let mut world = World::new();
            let before = world.entry_that_is(status, "1");
            world.wait(LATER);
            let again = LogTimeEntry {
                details: other,
                external_ref: Some(reference("1")),
                ..world.entry()
            };
            let decided = world.log(anyone(), again);
            assert_eq!(decided, Err(Refusal::NotEditable(NotEditable { status })), "{field}");
            assert_eq!(world.stored(before.id()), Some(&before), "{field}");
            assert!(world.ledger.take_changes().is_empty());
        }
    }
}

#[test]
fn a_reference_belongs_to_the_project_it_was_first_logged_on() {
    for status in Status::ALL {
        let mut world = World::new();
        let before = world.entry_that_is(*status, "1");
        let elsewhere = LogTimeEntry {
            project_id: id(OTHER_PROJECT),
            external_ref: Some(reference("1")),
            ..world.entry()
        };
        assert_eq!(world.log(anyone(), elsewhere), Err(Refusal::ExternalRefConflict), "{status}");
        assert_eq!(world.stored(before.id()), Some(&before), "{status}");
        assert!(world.ledger.take_changes().is_empty());
    }
}

#[test]
fn an_entry_has_its_reference_in_every_status() {
    for status in Status::ALL {
        let mut world = World::new();
        let entry = world.entry_that_is(*status, "1");
        for (_, other) in [("nothing", details())].into_iter().chain(other_details()) {
            let again = LogTimeEntry {
                details: other,
                external_ref: Some(reference("1")),
                ..world.entry()
            };
            let id_of_answer =
                world.log(anyone(), again).map(|outcome| outcome.time_entry().unwrap().id());
            assert!(id_of_answer.is_err() || id_of_answer == Ok(entry.id()), "{status}");
        }
        let changes = world.ledger.take_changes();
        assert!(
            changes.time_entries.iter().all(|change| change.time_entry.id() == entry.id()),
            "{status}"
        );
    }
}

#[test]
fn another_organization_has_references_entries_and_a_directory_of_its_own() {
    let mut world = World::new();
    let ours = world.entry_that_is(Status::Draft, "1");
    let command = LogTimeEntry { external_ref: Some(reference("1")), ..world.entry() };
    let Ok(Outcome::Created(theirs)) = world.log(outsider(), command) else {
        panic!("the reference of another organization was taken");
    };
    assert_eq!(theirs.organization_id(), id(OTHER_ORGANIZATION));
    assert_eq!(world.apply(outsider(), ours.id(), Action::Submit), Err(Refusal::TimeEntryNotFound));
    assert_eq!(world.apply(anyone(), theirs.id(), Action::Submit), Err(Refusal::TimeEntryNotFound));
    assert_eq!(world.stored(ours.id()), Some(&ours));

    let organization_id = id(OTHER_ORGANIZATION);
    world.ledger.load_project(Project {
        organization_id,
        id: id(12),
        name: text("P"),
        archived: false,
    });
    world.ledger.load_user(User { organization_id, id: id(22), name: text("User"), active: true });
    let on_their_project = LogTimeEntry { project_id: id(12), ..world.entry() };
    assert_eq!(world.log(anyone(), on_their_project), Err(Refusal::ProjectNotFound));
    let for_their_user =
        LogTimeEntry { details: Details { user_id: id(22), ..details() }, ..world.entry() };
    assert_eq!(
        world.log(anyone(), for_their_user),
        Err(Refusal::References(vec![InvalidReference::UnknownUser]))
    );
}

#[test]
fn references_are_compared_byte_for_byte_in_all_three_parts() {
    // The last two look alike: one precomposed character, and a letter with a combining accent.
    let spellings = ["a", "A", "a ", " a", "ａ", "\u{e9}", "e\u{301}"];
    let mut world = World::new();
    let mut references = Vec::new();
    for spelling in spellings {
        let plain = || text("x");
        references.extend([
            ExternalRef { provider: text(spelling), external_type: plain(), external_id: plain() },
            ExternalRef { provider: plain(), external_type: text(spelling), external_id: plain() },
            ExternalRef { provider: plain(), external_type: plain(), external_id: text(spelling) },
        ]);
    }
    for reference in &references {
        let command = LogTimeEntry { external_ref: Some(reference.clone()), ..world.entry() };
        let decided = world.log(anyone(), command);
        assert!(matches!(decided, Ok(Outcome::Created(_))), "{reference:?}");
    }
    for reference in references {
        let command = LogTimeEntry { external_ref: Some(reference.clone()), ..world.entry() };
        let decided = world.log(anyone(), command).unwrap();
        assert!(
            matches!(&decided, Outcome::Unchanged(entry) if entry.external_ref() == Some(&reference))
        );
    }
}

#[test]
fn all_invalid_references_are_reported_at_once() {
    use InvalidReference::{InactiveUser, UnknownRelease, UnknownTicket, UnknownUser};
    let refused = |user: u128, ticket: u128, release: u128| {
        let mut world = World::new();
        world.deactivate(BEN);
        let details = Details {
            user_id: id(user),
            ticket_id: Some(id(ticket)),
            release_id: Some(id(release)),
            ..details()
        };
        let command = LogTimeEntry { details, ..world.entry() };
        match world.log(anyone(), command).unwrap_err() {
            Refusal::References(invalid) => invalid,
            refusal => panic!("{refusal}"),
        }
    };
    assert_eq!(refused(NOBODY, 99, 99), [UnknownUser, UnknownTicket, UnknownRelease]);
    assert_eq!(refused(BEN, 99, RELEASE), [InactiveUser, UnknownTicket]);
    assert_eq!(refused(ANN, OTHER_TICKET, OTHER_RELEASE), [UnknownTicket, UnknownRelease]);
    assert_eq!(refused(NOBODY, TICKET, RELEASE), [UnknownUser]);
}

#[test]
fn the_references_of_an_update_are_checked_too() {
    let mut world = World::new();
    world.entry_that_is(Status::Draft, "1");
    let details = Details { ticket_id: Some(id(OTHER_TICKET)), ..details() };
    let again = LogTimeEntry { details, external_ref: Some(reference("1")), ..world.entry() };
    let refused = Err(Refusal::References(vec![InvalidReference::UnknownTicket]));
    assert_eq!(world.log(anyone(), again), refused);
}

#[test]
fn an_archived_project_takes_neither_new_entries_nor_changes() {
    let mut world = World::new();
    world.entry_that_is(Status::Draft, "1");
    world.archive(PROJECT);
    let new = world.entry();
    assert_eq!(world.log(anyone(), new), Err(Refusal::ProjectArchived));
    let details = Details { duration: minutes(1), ..details() };
    let changed = LogTimeEntry {
        details: details.clone(),
        external_ref: Some(reference("1")),
        ..world.entry()
    };
    assert_eq!(world.log(anyone(), changed), Err(Refusal::ProjectArchived));
    // References are checked first.
    let details = Details { user_id: id(NOBODY), ..details };
    let both = LogTimeEntry { details, ..world.entry() };
    assert_eq!(
        world.log(anyone(), both),
        Err(Refusal::References(vec![InvalidReference::UnknownUser]))
    );
}

#[test]
fn an_unknown_project_is_reported_before_anything_else() {
    let mut world = World::new();
    let details = Details { user_id: id(NOBODY), ..details() };
    let command = LogTimeEntry { project_id: id(NO_PROJECT), details, ..world.entry() };
    assert_eq!(world.log(bound_to(BEN), command), Err(Refusal::ProjectNotFound));
}

#[test]
fn a_key_bound_to_a_user_logs_only_that_users_time() {
    let mut world = World::new();
    let own = world.entry();
    assert!(matches!(world.log(bound_to(ANN), own), Ok(Outcome::Created(_))));
    let of_another = world.entry();
    assert_eq!(world.log(bound_to(BEN), of_another), Err(Refusal::AnotherUsersEntry));
    // Such a key does not find out whether another user exists.
    let details = Details { user_id: id(NOBODY), ..details() };
    let of_nobody = LogTimeEntry { details, ..world.entry() };
    assert_eq!(world.log(bound_to(BEN), of_nobody), Err(Refusal::AnotherUsersEntry));
}

#[test]
fn a_key_bound_to_a_user_neither_takes_an_entry_over_nor_gives_one_away() {
    let bens = Details { user_id: id(BEN), ..details() };
    for (caller, asked_for) in [(BEN, &bens), (BEN, &details()), (ANN, &bens)] {
        let mut world = World::new();
        let anns = world.entry_that_is(Status::Draft, "1");
        let command = LogTimeEntry {
            details: asked_for.clone(),
            external_ref: Some(reference("1")),
            ..world.entry()
        };
        assert_eq!(world.log(bound_to(caller), command), Err(Refusal::AnotherUsersEntry));
        assert_eq!(world.stored(anns.id()), Some(&anns));
        assert!(world.ledger.take_changes().is_empty());
    }
}
