//! Laws of what is kept of every change.

use std::time::Duration;

use timelog_domain::memory::MemoryStore;
use timelog_domain::ports::{TimeEntryQueries, TimeEntryRepository};
use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

async fn history(subject: &Subject, number: u128) -> Vec<HistoryRecord> {
    subject.queries.history(id(ORGANIZATION), id(number)).await.unwrap()
}

/// Everything that can happen to one entry: each member gets a value and loses it again, each
/// action is taken, and in the end the entry goes. There are more than ten changes, so their
/// numbers are not in the order of their texts.
fn whole_life(number: u128) -> Vec<Request> {
    let described =
        |text: &str| Patch { description: Some(Some(self::text(text))), ..Patch::default() };
    let bound = Caller { key_id: id(51), user_id: Some(id(USER)), ..caller() };
    let mut requests = vec![
        Request { caller: bound, ..logged(log_as(number, "1")) },
        edit(number, Patch { user_id: Some(id(OTHER_USER)), ..Patch::default() }),
        edit(number, Patch { work_date: Some("0001-01-01".parse().unwrap()), ..Patch::default() }),
        edit(
            number,
            Patch { duration: Some(WorkDuration::MAX), billable: Some(false), ..Patch::default() },
        ),
        edit(number, Patch { ticket_id: Some(Some(id(TICKET))), ..Patch::default() }),
        edit(
            number,
            Patch {
                ticket_id: Some(None),
                release_id: Some(Some(id(RELEASE))),
                ..Patch::default()
            },
        ),
        edit(number, described("")),
        edit(number, described("\"\\ \r\n\t {}[] null 1 true")),
        edit(number, described("\u{1}\u{7f}\u{2028}Überstunden 🕰\u{10ffff}")),
        edit(number, described(&"\u{10ffff}".repeat(Description::MAX_CHARS))),
        edit(number, Patch { description: Some(None), billable: Some(true), ..Patch::default() }),
    ];
    let actions = [
        Action::Submit,
        Action::Recall,
        Action::Submit,
        Action::Reject,
        Action::Submit,
        Action::Approve,
        Action::Reopen,
        Action::Submit,
        Action::Approve,
        Action::Lock,
        Action::Unlock,
        Action::Invoice,
        Action::ReleaseInvoice,
        Action::Unlock,
        Action::Reopen,
    ];
    requests.extend(actions.map(|action| apply(number, action)));
    requests.push(delete(number));
    requests
}

pub(crate) async fn a_history_is_read_as_it_was_recorded_oldest_first(subject: Subject) {
    // What is recorded is the domain's business, so it is asked.
    let oracle = MemoryStore::new(subject.clock.clone());
    populate(&oracle).await;
    for request in whole_life(1001) {
        subject.clock.advance(Duration::from_millis(1));
        assert!(oracle.execute(request.clone()).await.unwrap().is_ok(), "{request:?}");
        assert!(subject.time_entries.execute(request).await.unwrap().is_ok());
        let recorded =
            TimeEntryQueries::history(&oracle, id(ORGANIZATION), id(1001)).await.unwrap();
        assert_eq!(history(&subject, 1001).await, recorded);
    }
    let records = history(&subject, 1001).await;
    assert!(records.iter().map(|record| record.version.get()).eq(1..=27));
    let kinds: Vec<_> =
        records.iter().flat_map(|record| &record.changes).map(|change| &change.new).collect();
    for kind in [
        FieldValue::Null,
        FieldValue::Integer(1440),
        FieldValue::Boolean(false),
        FieldValue::Text(String::new()),
    ] {
        assert!(kinds.contains(&&kind), "{kind:?}");
    }
    let last = &records[26];
    assert_eq!((last.event, last.from, last.to), (Event::Delete, Some(Status::Draft), None));
    assert_eq!(last.changes.len(), Field::ALL.len() - 1);
    assert_eq!((records[0].key_id, records[0].user_id), (id(51), Some(id(USER))));
}

pub(crate) async fn a_history_outlives_its_entry_and_the_next_of_its_reference(subject: Subject) {
    for request in [
        logged(log_as(1001, "1")),
        delete(1001),
        logged(log_as(1002, "1")),
        apply(1002, Action::Submit),
    ] {
        assert!(subject.time_entries.execute(request).await.unwrap().is_ok());
    }
    let events =
        |records: Vec<HistoryRecord>| records.iter().map(|record| record.event).collect::<Vec<_>>();
    assert_eq!(events(history(&subject, 1001).await), [Event::Log, Event::Delete]);
    assert_eq!(events(history(&subject, 1002).await), [Event::Log, Event::Action(Action::Submit)]);
    assert_eq!(history(&subject, 404).await, []);
}

pub(crate) async fn organizations_read_their_own_history_only(subject: Subject) {
    let stranger = Caller { organization_id: id(OTHER_ORGANIZATION), ..caller() };
    for request in [logged(log(1001)), apply(1001, Action::Submit), logged(log(1002))] {
        assert!(subject.time_entries.execute(request).await.unwrap().is_ok());
    }
    assert_eq!(subject.queries.history(id(OTHER_ORGANIZATION), id(1001)).await, Ok(vec![]));
    done(
        subject
            .time_entries
            .execute(Request { caller: stranger, ..logged(log(1001)) })
            .await
            .unwrap(),
    );
    let theirs = subject.queries.history(id(OTHER_ORGANIZATION), id(1001)).await.unwrap();
    assert_eq!((theirs.len(), theirs[0].organization_id), (1, id(OTHER_ORGANIZATION)));
    assert_eq!(history(&subject, 1001).await.len(), 2);
}

pub(crate) async fn what_changes_nothing_leaves_no_record(subject: Subject) {
    let same = Patch { billable: Some(true), ..Patch::default() };
    let requests = [
        logged(log_as(1001, "1")),
        logged(log_as(1002, "1")),
        edit(1001, same),
        edit(1001, Patch { user_id: Some(id(99)), ..Patch::default() }),
        apply(1001, Action::Approve),
        log_many(vec![Some(log_as(1003, "2")), None], true),
    ];
    for request in requests {
        drop(subject.time_entries.execute(request).await.unwrap());
    }
    assert_eq!(history(&subject, 1001).await.len(), 1);
    assert_eq!((history(&subject, 1002).await, history(&subject, 1003).await), (vec![], vec![]));
}
