//! Batches that are loaded, decided and saved like in a database have the same results as single
//! requests on a ledger that has everything.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use timelog_domain::*;

use crate::loading::load;
use crate::world::*;

/// A database of entries, history and answers that checks constraints.
#[derive(Default)]
struct Database {
    time_entries: BTreeMap<(OrganizationId, TimeEntryId), TimeEntry>,
    history: Vec<HistoryRecord>,
    answers: BTreeMap<IdempotencyScope, IdempotencyRecord>,
}

impl Database {
    /// A ledger of the directory and everything stored.
    fn read(&self) -> Ledger {
        let mut ledger = World::new().ledger;
        self.time_entries.values().for_each(|entry| ledger.load_time_entry(entry.clone()));
        self.answers
            .iter()
            .for_each(|(scope, answer)| ledger.load_answer(scope.clone(), answer.clone()));
        ledger
    }

    fn save(&mut self, changes: Changes) {
        for deletion in changes.deletions {
            let deleted = self.time_entries.remove(&deletion.key).unwrap();
            assert_eq!(deleted.version(), deletion.loaded);
        }
        for TimeEntryChange { loaded, time_entry } in changes.time_entries {
            let key = (time_entry.organization_id(), time_entry.id());
            assert_eq!(self.time_entries.get(&key).map(TimeEntry::version), loaded);
            let named = |entry: &&TimeEntry| {
                entry.external_ref().is_some_and(|_| {
                    entry.external_ref() == time_entry.external_ref()
                        && entry.id() != time_entry.id()
                })
            };
            assert_eq!(
                self.time_entries.values().find(named),
                None,
                "two entries under one reference"
            );
            self.time_entries.insert(key, time_entry);
        }
        self.history.extend(changes.history);
        let versions: BTreeSet<_> =
            self.history.iter().map(|record| (record.time_entry_id, record.version)).collect();
        assert_eq!(versions.len(), self.history.len(), "two records of one version");
        self.answers.extend(changes.answers);
    }
}

/// A request made of random numbers. The first entry it logs has the id `1000 + 10 × index`.
fn request(index: usize, [who, what, which, how, version, key]: [u8; 6]) -> Request {
    let fresh = |item: u128| 1000 + 10 * index as u128 + item;
    let entry = |number: u8| 1000 + 10 * u128::from(number % 6);
    let details = |number: u8| Details {
        user_id: id(if number & 1 == 0 { ANN } else { BEN }),
        duration: minutes(i64::from(number % 4) + 1),
        ticket_id: (number & 2 == 0)
            .then(|| id(if number & 32 == 0 { TICKET } else { OTHER_TICKET })),
        ..crate::world::details()
    };
    let log = |item: u128, number: u8| LogTimeEntry {
        project_id: id(if number & 64 == 0 { PROJECT } else { OTHER_PROJECT }),
        details: details(number),
        external_ref: (number & 8 == 0).then(|| reference(&(number % 3).to_string())),
        ..log(fresh(item))
    };
    let if_match = match version % 4 {
        0 => IfMatch::AnyOf(vec![Version::new(i64::from(version / 4 % 3) + 1)]),
        _ => IfMatch::Any,
    };
    let action = Action::ALL[usize::from(how) % Action::ALL.len()];
    let command = match what % 8 {
        // The first requests log entries for the others.
        _ if index < 4 => Command::Log(log(0, which)),
        0 | 1 => Command::Log(log(0, which)),
        2 => Command::Edit(EditTimeEntry {
            id: id(entry(which)),
            patch: Patch {
                user_id: (how & 1 == 0).then(|| details(which).user_id),
                duration: Some(details(how).duration),
                ticket_id: (how & 4 == 0).then(|| details(how).ticket_id),
                ..Patch::default()
            },
            if_match,
        }),
        3 | 4 => Command::Delete(DeleteTimeEntry { id: id(entry(which)), if_match }),
        5 => match apply(entry(which), action) {
            Command::Apply(apply) => Command::Apply(ApplyAction { if_match, ..apply }),
            other => other,
        },
        6 => Command::LogMany(LogMany {
            project_id: id(PROJECT),
            items: vec![
                Some(log(0, which)),
                (how & 1 == 0).then(|| log(1, how)),
                Some(log(2, version)),
            ],
            atomic: how & 2 == 0,
        }),
        _ => apply_many(&[which, how, version].map(entry), Action::Submit, how & 2 == 0),
    };
    let caller = match who % 8 {
        0 => bound_to(ANN),
        1 => limited_to(PROJECT),
        2 => limited_to(OTHER_PROJECT),
        _ => anyone(),
    };
    Request { caller, command, claim: (key < 64).then(|| claim(&(key % 8).to_string())) }
}

proptest! {
    #[test]
    fn a_batch_has_the_same_results_as_its_requests_one_by_one(
        numbers in prop::collection::vec(any::<[u8; 6]>(), 1..40),
        batch in 1..8_usize,
    ) {
        let requests: Vec<_> = numbers.into_iter().enumerate().map(|(index, numbers)| request(index, numbers)).collect();
        let World { ledger: mut all, now, .. } = World::new();
        let mut database = Database::default();
        for batch in requests.chunks(batch) {
            let mut ledger = load(&database.read(), batch);
            for request in batch {
                let decision = handle(request, &mut ledger, now);
                prop_assert_eq!(&decision, &handle(request, &mut all, now), "{:?}", request);
            }
            database.save(ledger.take_changes());
        }
        let changes = all.take_changes();
        let entries: Vec<_> = changes.time_entries.iter().map(|change| &change.time_entry).collect();
        prop_assert_eq!(entries, database.time_entries.values().collect::<Vec<_>>());
        prop_assert_eq!(changes.history, database.history);
        prop_assert_eq!(changes.answers, database.answers.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(changes.deletions, vec![], "nothing was loaded, so nothing is deleted");
    }
}
