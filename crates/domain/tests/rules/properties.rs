//! Properties that hold after any sequence of requests.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use timelog_domain::*;

use crate::idempotency::claim;
use crate::world::*;

/// One step of a sequence. There are few different values, so that steps often meet the same entry.
#[derive(Debug, Clone)]
enum Step {
    Log {
        project: u128,
        user: u128,
        minutes: i64,
        reference: Option<u8>,
        caller: Option<u128>,
        key: Option<u8>,
    },
    Apply {
        nth: usize,
        action: Action,
        caller: Option<u128>,
        key: Option<u8>,
    },
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let caller = || select(vec![None, None, Some(ANN), Some(BEN)]);
    let key = || proptest::option::weighted(0.4, 0..4_u8);
    let log = (
        select(vec![PROJECT, PROJECT, OTHER_PROJECT, NO_PROJECT]),
        select(vec![ANN, ANN, BEN, NOBODY]),
        1..=3_i64,
        proptest::option::weighted(0.7, 0..3_u8),
        caller(),
        key(),
    )
        .prop_map(|(project, user, minutes, reference, caller, key)| Step::Log {
            project,
            user,
            minutes,
            reference,
            caller,
            key,
        });
    let apply = (0..8_usize, select(Action::ALL), caller(), key())
        .prop_map(|(nth, action, caller, key)| Step::Apply { nth, action, caller, key });
    let wait = select(vec![-3_600_000, 0, 1, 86_399_999, 86_400_000]).prop_map(Step::Wait);
    proptest::collection::vec(prop_oneof![4 => log, 6 => apply, 1 => wait], 1..60)
}

/// Carries out steps, one request after the other.
struct Run {
    world: World,
    created: Vec<TimeEntryId>,
}

impl Run {
    fn new() -> Self {
        Self { world: World::new(), created: Vec::new() }
    }

    fn request(&mut self, step: &Step) -> Option<Request> {
        let who = |caller: Option<u128>| caller.map_or_else(anyone, bound_to);
        let claim = |key: Option<u8>| key.map(|key| claim(&key.to_string(), key));
        match *step {
            Step::Log { project, user, minutes: length, reference: name, caller, key } => {
                let command = LogTimeEntry {
                    project_id: id(project),
                    details: Details { user_id: id(user), duration: minutes(length), ..details() },
                    external_ref: name.map(|name| reference(&name.to_string())),
                    ..self.world.entry()
                };
                Some(Request {
                    caller: who(caller),
                    command: Command::Log(command),
                    claim: claim(key),
                })
            }
            Step::Apply { nth, action, caller, key } => {
                let entry = self.created.get(nth).copied().unwrap_or_else(|| id(404));
                let command = apply_to(entry, action);
                Some(Request { caller: who(caller), command, claim: claim(key) })
            }
            Step::Wait(millis) => {
                let now = self.world.now.unix_millis() + millis;
                self.world.now = Timestamp::from_unix_millis(now).unwrap();
                None
            }
        }
    }

    fn step(&mut self, step: &Step) -> Option<(Request, Decision)> {
        let request = self.request(step)?;
        let decision = self.world.decide(&request);
        if let Ok(Reply::Done { outcome: Outcome::Created(entry), .. }) = &decision {
            self.created.push(entry.id());
        }
        Some((request, decision))
    }

    fn entries(&self) -> Vec<TimeEntry> {
        self.created.iter().map(|id| self.world.stored(*id).unwrap().clone()).collect()
    }
}

proptest! {
    #[test]
    fn no_two_entries_ever_have_one_reference(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
            let mut names = HashMap::new();
            for entry in run.entries() {
                let Some(reference) = entry.external_ref().cloned() else { continue };
                let named = run.world.ledger.time_entry_by_ref(id(ORGANIZATION), &reference);
                prop_assert_eq!(named.map(TimeEntry::id), Some(entry.id()));
                prop_assert_eq!(names.insert(reference, entry.id()), None);
            }
        }
    }

    #[test]
    fn an_entry_is_invoiced_exactly_when_its_status_says_so(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
            for entry in run.entries() {
                prop_assert_eq!(entry.invoiced(), entry.status() == Status::Invoiced);
            }
        }
    }

    #[test]
    fn each_change_adds_one_to_the_version_and_has_one_record(steps in steps()) {
        let mut run = Run::new();
        let mut versions: HashMap<TimeEntryId, i64> = HashMap::new();
        for step in &steps {
            let Some((_, decision)) = run.step(step) else { continue };
            let changes = run.world.ledger.take_changes();
            match decision {
                Ok(Reply::Done { outcome: Outcome::Created(entry) | Outcome::Updated(entry), .. }) => {
                    let version = versions.entry(entry.id()).or_default();
                    let loaded = (*version > 0).then(|| Version::new(*version));
                    *version += 1;
                    prop_assert_eq!(entry.version().get(), *version);
                    prop_assert_eq!(&changes.time_entries, &[ledger_change(loaded, &entry)]);
                    prop_assert_eq!(changes.history.len(), 1);
                    prop_assert_eq!(changes.history[0].version.get(), *version);
                }
                Ok(Reply::Done { outcome: Outcome::Unchanged(_), .. }) => {
                    prop_assert!(changes.time_entries.is_empty() && changes.history.is_empty());
                }
                _ => prop_assert!(changes.is_empty()),
            }
        }
    }

    #[test]
    fn the_history_of_an_entry_is_a_chain_that_ends_at_its_status(steps in steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.step(step);
        }
        let entries = run.entries();
        let changes = run.world.ledger.take_changes();
        let history = history_of(&changes);
        prop_assert_eq!(history.len(), entries.len());
        for entry in entries {
            let records = &history[&entry.id()];
            let (first, last) = (records[0], records[records.len() - 1]);
            prop_assert_eq!((first.event, first.from, first.at), (Event::Log, None, entry.created_at()));
            prop_assert_eq!((last.version, last.to), (entry.version(), Some(entry.status())));
            prop_assert_eq!(last.at, entry.updated_at());
            for pair in records.windows(2) {
                prop_assert_eq!(pair[0].to, pair[1].from);
                prop_assert!(pair[0].at <= pair[1].at);
            }
        }
    }

    #[test]
    fn a_live_key_always_replays_its_first_answer(steps in steps()) {
        let mut run = Run::new();
        let mut answers: HashMap<IdempotencyScope, IdempotencyRecord> = HashMap::new();
        for step in &steps {
            let now = run.world.now;
            let Some((request, decision)) = run.step(step) else { continue };
            let Some(claim) = request.claim else { continue };
            let live = answers.get(&claim.scope).filter(|record| now < record.expires_at);
            match (decision, live) {
                (Ok(Reply::Replayed { answer, same_body }), Some(record)) => {
                    prop_assert_eq!(&answer, &record.answer);
                    prop_assert_eq!(same_body, record.fingerprint == claim.fingerprint);
                }
                (Ok(Reply::Done { answer: Some(answer), .. }), None) => {
                    let expires_at = now.saturating_add(Duration::from_hours(24));
                    let record = IdempotencyRecord { fingerprint: claim.fingerprint, answer, expires_at };
                    answers.insert(claim.scope, record);
                }
                (Err(_), None) => {}
                (decision, live) => prop_assert!(false, "{decision:?} where {live:?} was kept"),
            }
        }
    }

    #[test]
    fn deciding_many_together_has_the_same_results_as_one_by_one(steps in steps()) {
        let (mut alone, mut together) = (Run::new(), Run::new());
        let mut history = Vec::new();
        for step in &steps {
            let decided = alone.step(step).map(|(_, decision)| decision);
            history.extend(alone.world.ledger.take_changes().history);
            prop_assert_eq!(together.step(step).map(|(_, decision)| decision), decided);
        }
        let changes = together.world.ledger.take_changes();
        prop_assert_eq!(&changes.history, &history);
        let mut entries = alone.entries();
        entries.sort_by_key(TimeEntry::id);
        let saved: Vec<_> = changes.time_entries.into_iter().map(|change| change.time_entry).collect();
        prop_assert_eq!(saved, entries);
    }
}

fn ledger_change(loaded: Option<Version>, entry: &TimeEntry) -> TimeEntryChange {
    TimeEntryChange { loaded, time_entry: entry.clone() }
}
