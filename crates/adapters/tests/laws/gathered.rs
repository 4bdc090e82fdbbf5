//! Single entries that are found at the same time.

use std::time::Duration;

use futures_util::future::{join, join_all};
use timelog_domain::*;
use tokio::time::timeout;

use crate::plans::recording;
use crate::subject::{self, Subject};
use crate::world::*;

/// More than are read at once.
const ENTRIES: u128 = 100;

/// Logs the same ids in two organizations, each with minutes of its own.
async fn log_in_both(subject: &Subject) {
    for (organization, more) in [(ORGANIZATION, 0), (OTHER_ORGANIZATION, 500)] {
        for number in 1..=ENTRIES {
            let caller = Caller { organization_id: id(organization), ..caller() };
            let minutes = i64::try_from(number).unwrap() + more;
            let request = Request { caller, ..logged(lasting(minutes, log(1000 + number))) };
            subject.time_entries.execute(request).await.unwrap().unwrap();
        }
    }
}

pub(crate) async fn each_of_many_at_once_is_found_as_it_is(subject: Subject) {
    log_in_both(&subject).await;
    let asked = (1..=ENTRIES).flat_map(|number| {
        let there = [(ORGANIZATION, Some(0)), (OTHER_ORGANIZATION, Some(500))];
        let there = there.map(|(organization, more)| (organization, 1000 + number, more));
        // One that is not there, and one that is asked twice.
        [there[0], (ORGANIZATION, 5000 + number, None), there[1], there[0]]
    });
    let asked: Vec<_> = asked.collect();
    let find = |(organization, number, _): &(u128, u128, _)| {
        subject.time_entries.find(id(*organization), id(*number))
    };
    let found = join_all(asked.iter().map(find)).await;
    for ((organization, number, more), found) in asked.into_iter().zip(found) {
        let found = found.unwrap().map(|entry| {
            (entry.organization_id(), entry.id(), u128::from(entry.details().duration.minutes()))
        });
        let expected = more.map(|more: u128| (id(organization), id(number), number - 1000 + more));
        assert_eq!(found, expected, "{organization} {number}");
    }
}

pub(crate) async fn who_stops_waiting_for_an_entry_leaves_the_others_theirs(subject: Subject) {
    log_in_both(&subject).await;
    for _ in 0..20 {
        let find = |number| subject.time_entries.find(id(ORGANIZATION), id(number));
        // The first of all begins the read, and is the first to leave.
        let leaves = (1001..=1050).map(|number| timeout(Duration::ZERO, find(number)));
        let stays = (1051..=1000 + ENTRIES).map(find);
        let (_, found) = join(join_all(leaves), join_all(stays)).await;
        assert!(found.into_iter().all(|found| found.unwrap().is_some()));
    }
}

#[test]
fn postgres_reads_many_entries_with_one_statement() {
    recording(|statements| async move {
        let subject = subject::postgres().await;
        log_in_both(&subject).await;
        statements.lock().unwrap().clear();
        let numbers = 1001..=1000 + ENTRIES;
        join_all(numbers.map(|number| subject.time_entries.find(id(ORGANIZATION), id(number))))
            .await;
        let statements = statements.lock().unwrap();
        let reads = statements.iter().filter(|statement| statement.contains("time_entries"));
        assert_eq!(reads.count(), 2);
    });
}
