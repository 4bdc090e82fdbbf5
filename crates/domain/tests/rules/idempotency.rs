//! Repeats under an idempotency key.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use timelog_domain::*;

use crate::world::*;

const DAY: Duration = Duration::from_hours(24);
const TICK: Duration = Duration::from_millis(1);
const ALMOST_A_DAY: Duration = Duration::from_millis(86_399_999);

fn scope(key: &str) -> IdempotencyScope {
    IdempotencyScope {
        organization_id: id(ORGANIZATION),
        key_id: anyone().key_id,
        operation: "POST /projects/1/time-entries".to_owned(),
        key: IdempotencyKey::try_from(key.to_owned()).unwrap(),
    }
}

/// Renders an answer with the entry's id and version, so that different outcomes have different
/// answers.
fn render(outcome: &Outcome) -> StoredAnswer {
    let entry = outcome.time_entry().unwrap();
    StoredAnswer {
        status: if matches!(outcome, Outcome::Created(_)) { 201 } else { 200 },
        location: Some(format!("/time-entries/{}", entry.id())),
        etag: Some(format!("\"{}\"", entry.version())),
        body: format!("{entry:?}").into_bytes(),
    }
}

/// A claim with that digest of the body.
pub(crate) fn claim(key: &str, body: u8) -> Claim {
    Claim {
        scope: scope(key),
        fingerprint: Fingerprint([body; 16]),
        on_mismatch: MismatchPolicy::Replay,
        render: Arc::new(render),
    }
}

fn log(command: LogTimeEntry, claim: Claim) -> Request {
    Request { caller: anyone(), command: Command::Log(command), claim: Some(claim) }
}

fn answer(decision: Decision) -> StoredAnswer {
    match decision.unwrap() {
        Reply::Done { answer: Some(answer), .. } => answer,
        reply => panic!("{reply:?}"),
    }
}

#[test]
fn a_repeat_gets_the_first_answer_and_has_no_effect() {
    let mut world = World::new();
    let first = log(world.entry(), claim("a", 1));
    let answer = answer(world.decide(&first));
    world.ledger.take_changes();
    world.wait(TICK);
    // The repeat has another id, which is not used.
    let repeat = log(world.entry(), claim("a", 1));
    assert_eq!(world.decide(&repeat), Ok(Reply::Replayed { answer, same_body: true }));
    assert!(world.ledger.take_changes().is_empty());
}

#[test]
fn the_answer_is_rendered_from_the_outcome_and_stored_as_it_is_sent() {
    let mut world = World::new();
    let request = log(world.entry(), claim("a", 1));
    let Ok(Reply::Done { outcome, answer: Some(answer) }) = world.decide(&request) else {
        panic!("not carried out")
    };
    assert_eq!(answer, render(&outcome));
    let changes = world.ledger.take_changes();
    let kept = IdempotencyRecord {
        fingerprint: Fingerprint([1; 16]),
        answer,
        expires_at: world.now.saturating_add(DAY),
    };
    assert_eq!(changes.answers, [(scope("a"), kept)]);
}

#[test]
fn the_first_answer_is_replayed_although_the_entry_has_changed() {
    let mut world = World::new();
    let first = log(world.entry(), claim("a", 1));
    let answer = answer(world.decide(&first));
    let Command::Log(LogTimeEntry { id: entry, .. }) = first.command else { panic!("not a log") };
    world.apply(anyone(), entry, Action::Submit).unwrap();
    assert_eq!(world.decide(&first), Ok(Reply::Replayed { answer, same_body: true }));
    assert_eq!(world.stored(entry).unwrap().status(), Status::Submitted);
}

#[test]
fn without_a_key_no_answer_is_stored() {
    let mut world = World::new();
    let command = world.entry();
    world.log(anyone(), command).unwrap();
    assert_eq!(world.ledger.take_changes().answers, []);
}

#[test]
fn a_repeat_with_another_body_is_replayed_or_refused_as_the_claim_says() {
    let mut world = World::new();
    let first = log(world.entry(), claim("a", 1));
    let answer = answer(world.decide(&first));
    world.ledger.take_changes();

    let other =
        LogTimeEntry { details: Details { duration: minutes(1), ..details() }, ..world.entry() };
    let lenient = log(other.clone(), claim("a", 2));
    assert_eq!(
        world.decide(&lenient),
        Ok(Reply::Replayed { answer: answer.clone(), same_body: false })
    );
    let strict = log(other, Claim { on_mismatch: MismatchPolicy::Reject, ..claim("a", 2) });
    assert_eq!(world.decide(&strict), Err(Refusal::IdempotencyKeyReused));
    let strict_but_same =
        log(world.entry(), Claim { on_mismatch: MismatchPolicy::Reject, ..claim("a", 1) });
    assert_eq!(world.decide(&strict_but_same), Ok(Reply::Replayed { answer, same_body: true }));
    assert!(world.ledger.take_changes().is_empty());
}

#[test]
fn a_key_is_new_again_after_exactly_24_hours() {
    for (waited, replayed) in [(ALMOST_A_DAY, true), (DAY, false), (DAY + TICK, false)] {
        let mut world = World::new();
        let first = log(world.entry(), claim("a", 1));
        world.decide(&first).unwrap();
        world.ledger.take_changes();
        world.wait(waited);
        let repeat = log(world.entry(), claim("a", 1));
        let decided = world.decide(&repeat);
        assert_eq!(matches!(decided, Ok(Reply::Replayed { .. })), replayed, "after {waited:?}");
        assert_eq!(
            world.ledger.take_changes().time_entries.len(),
            usize::from(!replayed),
            "after {waited:?}"
        );
    }
}

#[test]
fn the_answer_of_an_expired_key_is_replaced_for_another_24_hours() {
    let mut world = World::new();
    let first = log(world.entry(), claim("a", 1));
    world.decide(&first).unwrap();
    world.wait(DAY);
    let second = log(world.entry(), claim("a", 2));
    let second_answer = answer(world.decide(&second));
    world.wait(ALMOST_A_DAY);
    let third = log(world.entry(), claim("a", 2));
    assert_eq!(
        world.decide(&third),
        Ok(Reply::Replayed { answer: second_answer, same_body: true })
    );
}

#[test]
fn a_clock_that_was_set_back_does_not_cause_a_second_effect() {
    let mut world = World::new();
    let first = log(world.entry(), claim("a", 1));
    world.decide(&first).unwrap();
    world.now = Timestamp::from_unix_millis(world.now.unix_millis() - 3_600_000).unwrap();
    let repeat = log(world.entry(), claim("a", 1));
    assert!(matches!(world.decide(&repeat), Ok(Reply::Replayed { .. })));
}

#[test]
fn keys_differ_in_every_part_of_their_scopes() {
    let mut world = World::new();
    let first = scope("a");
    let scopes = [
        first.clone(),
        IdempotencyScope { key_id: id(999), ..first.clone() },
        IdempotencyScope { operation: "POST /projects/2/time-entries".to_owned(), ..first.clone() },
        IdempotencyScope { organization_id: id(OTHER_ORGANIZATION), ..first },
        scope("A"),
        scope("a "),
    ];
    for scope in scopes {
        let request = log(world.entry(), Claim { scope: scope.clone(), ..claim("a", 1) });
        assert!(matches!(world.decide(&request), Ok(Reply::Done { .. })), "{scope:?}");
        assert!(matches!(world.decide(&request), Ok(Reply::Replayed { .. })), "{scope:?}");
    }
}

#[test]
fn a_refusal_is_not_stored_and_the_key_can_be_used() {
    let mut world = World::new();
    let command = LogTimeEntry { project_id: id(NO_PROJECT), ..world.entry() };
    assert_eq!(world.decide(&log(command, claim("a", 1))), Err(Refusal::ProjectNotFound));
    assert!(world.ledger.take_changes().is_empty());
    let fixed = log(world.entry(), claim("a", 2));
    assert!(matches!(world.decide(&fixed), Ok(Reply::Done { answer: Some(_), .. })));
}

#[test]
fn the_key_is_checked_before_the_reference() {
    let mut world = World::new();
    let minutes_under_key = |world: &mut World, length, key| {
        let details = Details { duration: minutes(length), ..details() };
        log(
            LogTimeEntry { details, external_ref: Some(reference("1")), ..world.entry() },
            claim(key, 1),
        )
    };
    let created = minutes_under_key(&mut world, 60, "a");
    let created = answer(world.decide(&created));
    let updated = minutes_under_key(&mut world, 90, "b");
    let updated = answer(world.decide(&updated));
    assert_eq!((created.status, updated.status), (201, 200));
    // Each key replays its own answer, and the entry does not change.
    for (key, answer) in [("a", created), ("b", updated)] {
        let repeat = minutes_under_key(&mut world, 60, key);
        assert_eq!(world.decide(&repeat), Ok(Reply::Replayed { answer, same_body: true }));
    }
    let entry = world.ledger.time_entry_by_ref(id(ORGANIZATION), &reference("1")).unwrap();
    assert_eq!(entry.details().duration, minutes(90));
}

#[test]
fn a_request_that_panics_can_be_rolled_back() {
    let mut world = World::new();
    let existing = world.entry_that_is(Status::Draft, "1");
    let expired = log(world.entry(), claim("a", 1));
    world.decide(&expired).unwrap();
    world.wait(DAY);
    world.ledger.take_changes();
    let new = LogTimeEntry { external_ref: Some(reference("2")), ..world.entry() };
    let update = LogTimeEntry {
        details: Details { duration: minutes(1), ..details() },
        external_ref: Some(reference("1")),
        ..world.entry()
    };

    let entries = [existing.id(), new.id];
    let references = [reference("1"), reference("2")];
    let before = world.observe(&entries, &references, &[scope("a"), scope("b")]);
    for (command, key) in [(new, "b"), (update, "a")] {
        // The entry is already in the ledger when the answer is rendered.
        let render: timelog_domain::idempotency::Render =
            Arc::new(|_| resume_unwind(Box::new("no answer")));
        let request = log(command, Claim { render, ..claim(key, 1) });
        let savepoint = world.ledger.savepoint();
        assert!(catch_unwind(AssertUnwindSafe(|| world.decide(&request))).is_err());
        assert_ne!(world.observe(&entries, &references, &[]), before);
        world.ledger.roll_back_to(savepoint);
        assert_eq!(world.observe(&entries, &references, &[scope("a"), scope("b")]), before);
    }
    assert!(world.ledger.take_changes().is_empty());
}

#[test]
fn a_rollback_ends_at_the_savepoint() {
    let mut world = World::new();
    let kept =
        log(LogTimeEntry { external_ref: Some(reference("1")), ..world.entry() }, claim("a", 1));
    world.decide(&kept).unwrap();
    let taken_back =
        log(LogTimeEntry { external_ref: Some(reference("2")), ..world.entry() }, claim("b", 1));
    let (Command::Log(first), Command::Log(second)) = (&kept.command, &taken_back.command) else {
        panic!("not logs");
    };
    let entries = [first.id, second.id];
    let observe = |world: &World| {
        world.observe(&entries, &[reference("1"), reference("2")], &[scope("a"), scope("b")])
    };
    // The answer of the first key has expired, and is replaced too.
    world.wait(DAY);
    let before = observe(&world);
    let savepoint = world.ledger.savepoint();
    for action in [Action::Submit, Action::Approve, Action::Lock] {
        world.apply(anyone(), first.id, action).unwrap();
    }
    world.decide(&taken_back).unwrap();
    let replaces = log(world.entry(), claim("a", 2));
    world.decide(&replaces).unwrap();
    world.ledger.roll_back_to(savepoint);
    assert_eq!(observe(&world), before);
    let changes = world.ledger.take_changes();
    assert_eq!(
        (changes.time_entries.len(), changes.history.len(), changes.answers.len()),
        (1, 1, 1)
    );
}

#[test]
fn an_entry_that_changed_several_times_is_saved_once() {
    let mut world = World::new();
    let stored = world.entry_that_is(Status::Draft, "1");
    let new = LogTimeEntry { external_ref: Some(reference("2")), ..world.entry() };
    let new_id = new.id;
    world.decide(&log(new, claim("a", 1))).unwrap();
    for (_, details) in other_details() {
        for external_id in ["1", "2"] {
            let again = LogTimeEntry {
                details: details.clone(),
                external_ref: Some(reference(external_id)),
                ..world.entry()
            };
            world.log(anyone(), again).unwrap();
        }
    }
    let updates = other_details().len();
    let changes = world.ledger.take_changes();
    let [first, second] = &changes.time_entries[..] else { panic!("{changes:?}") };
    // One was stored before, with the version that was loaded; the other is new.
    assert_eq!((first.loaded, first.time_entry.id()), (Some(stored.version()), stored.id()));
    assert_eq!((second.loaded, second.time_entry.id()), (None, new_id));
    for change in [first, second] {
        assert_eq!(Some(&change.time_entry), world.stored(change.time_entry.id()));
    }
    let history = history_of(&changes);
    assert_eq!(history[&stored.id()].len(), updates);
    assert_eq!(history[&new_id].len(), updates + 1);
    assert_eq!(changes.answers.len(), 1);
    assert!(world.ledger.take_changes().is_empty());
}
