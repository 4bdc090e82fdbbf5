//! Laws of reading entries page by page.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use timelog_domain::ports::PortError;
use timelog_domain::*;

use crate::shelf::{self, expected, filters, sorts};
use crate::subject::Subject;
use crate::world::*;

const ALL: u32 = 1000;

async fn page(
    subject: &Subject,
    filter: &Filter,
    sort: Sort,
    after: Option<Position>,
    limit: u32,
) -> Page<TimeEntry, Position> {
    let request = PageRequest { filter: filter.clone(), sort, after, limit };
    let page = subject.queries.list(id(ORGANIZATION), request).await.unwrap();
    // There are as many as the limit allows wherever there are more, and the next page begins after
    // the last of them.
    if let Some(next) = page.next {
        assert_eq!(
            (page.items.len(), page.items.last().map(|last| sort.position(last))),
            (limit as usize, Some(next))
        );
    }
    page
}

pub(crate) async fn every_order_is_kept_in_both_directions(subject: Subject) {
    let entries = shelf::fill(&subject).await;
    assert_eq!(entries.len() as u128, shelf::ENTRIES);
    for sort in sorts() {
        let values: HashSet<_> = entries.iter().map(|entry| sort.position(entry).value).collect();
        assert!(values.len() > 5 && values.len() * 2 < entries.len(), "there are ties: {values:?}");
        let all = Filter::default();
        let listed = page(&subject, &all, sort, None, ALL).await;
        assert_eq!(listed, Page { items: expected(&entries, &all, sort), next: None }, "{sort}");
    }
}

pub(crate) async fn every_filter_lets_through_what_it_matches(subject: Subject) {
    let entries = shelf::fill(&subject).await;
    for (filter, sort) in filters(&entries).into_iter().zip(sorts().cycle()) {
        let expected = expected(&entries, &filter, sort);
        assert!(
            (1..entries.len()).contains(&expected.len()),
            "{filter:?} tells nothing apart: {}",
            expected.len()
        );
        assert_eq!(page(&subject, &filter, sort, None, ALL).await.items, expected, "{filter:?}");
        // A count and a total see what a list sees.
        assert_eq!(
            subject.queries.count(id(ORGANIZATION), filter.clone()).await,
            Ok(expected.len() as u64)
        );
        let by = GroupBy::one(GroupKey::Status);
        let summary =
            subject.queries.summarize(id(ORGANIZATION), filter, by).await.unwrap().unwrap();
        assert_eq!(summary.total.entries, expected.len() as u64);
    }
    let nobody = Filter { user_id: Some(id(99)), ..Filter::default() };
    assert_eq!(
        page(&subject, &nobody, Sort::default(), None, ALL).await,
        Page { items: vec![], next: None }
    );
}

pub(crate) async fn pages_of_every_size_have_each_entry_once_and_in_order(subject: Subject) {
    let entries = shelf::fill(&subject).await;
    let filter =
        Filter { project_id: Some(id(PROJECT)), user_id: Some(id(USER)), ..Filter::default() };
    for sort in sorts() {
        let all = expected(&entries, &filter, sort);
        let count = u32::try_from(all.len()).unwrap();
        assert!(count > 12);
        for limit in 1..=count + 1 {
            let (mut read, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
            // One page more than there can be, so that a reader who turns in circles comes to an
            // end.
            for _ in 0..=count {
                let page = page(&subject, &filter, sort, after, limit).await;
                sizes.push(page.items.len() as u64);
                read.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!((read, after), (all.clone(), None), "{sort} by {limit}");
            assert_eq!(sizes.len(), all.len().div_ceil(limit as usize), "no page is empty");
            let counted = subject.queries.count(id(ORGANIZATION), filter.clone()).await;
            assert_eq!(counted, Ok(sizes.iter().sum()));
        }
    }
}

/// What others do between two pages: they log before and behind the reader, move entries across it,
/// change some in their places, and delete some, among them the one that the reader's position is
/// of.
async fn meanwhile(subject: &Subject, round: u128, last: &TimeEntry) {
    subject.clock.advance(Duration::from_millis(1));
    let ask = |request| subject.time_entries.execute(request);
    for (offset, day) in ["0001-01-02", "2025-01-05", "9999-12-30"].into_iter().enumerate() {
        let details = Details { work_date: day.parse().unwrap(), ..log(0).details };
        let number = 3000 + round * 10 + offset as u128;
        done(ask(logged(LogTimeEntry { details, ..log(number) })).await.unwrap());
    }
    let number = |entry: &TimeEntry| entry.id().uuid().as_u128();
    let entries = page(subject, &Filter::default(), Sort::default(), None, ALL).await.items;
    let mut open =
        entries.iter().filter(|entry| entry.status().is_editable() && entry.id() != last.id());
    let mut next = || open.next().map(number);
    // One goes to the other end, one keeps its day, one goes.
    if let Some(number) = next() {
        let patch = Patch { work_date: Some("5000-01-01".parse().unwrap()), ..Patch::default() };
        done(ask(edit(number, patch)).await.unwrap());
    }
    if let Some(number) = next() {
        let patch = Patch { description: Some(Some(text(&round.to_string()))), ..Patch::default() };
        done(ask(edit(number, patch)).await.unwrap());
    }
    if let Some(number) = next() {
        assert!(ask(delete(number)).await.unwrap().is_ok());
    }
    if last.status().is_editable() {
        assert!(ask(delete(number(last))).await.unwrap().is_ok());
    }
}

pub(crate) async fn a_reader_meets_what_stays_once_while_others_write(subject: Subject) {
    // Each order reads what the one before it left.
    shelf::fill(&subject).await;
    for (order, sort) in sorts().enumerate() {
        let positions = |entries: &[TimeEntry]| -> HashMap<_, _> {
            entries.iter().map(|entry| (entry.id(), sort.position(entry))).collect()
        };
        let all = Filter::default();
        let before = positions(&page(&subject, &all, sort, None, ALL).await.items);
        let (mut read, mut after) = (Vec::new(), None);
        for round in 0..100 {
            let page = page(&subject, &all, sort, after, 9).await;
            after = page.next;
            if let (Some(last), true) = (page.items.last(), round < 4) {
                meanwhile(&subject, order as u128 * 10 + round, last).await;
            }
            read.extend(page.items);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(after, None, "{sort}");
        let then = positions(&page(&subject, &all, sort, None, ALL).await.items);
        let stayed: HashSet<_> =
            before.iter().filter(|(id, position)| then.get(id) == Some(position)).collect();
        assert!(stayed.len() > 20 && stayed.len() < before.len(), "{sort}: {}", stayed.len());
        for (id, position) in stayed {
            assert_eq!(
                read.iter().filter(|entry| entry.id() == *id).count(),
                1,
                "{sort}: {id} at {position:?}"
            );
        }
        // And whatever was met was met in the order, so nothing was met twice at one place.
        assert!(read.is_sorted_by(|one, other| {
            sort.compare(&sort.position(one), &sort.position(other)).is_lt()
        }));
    }
}

pub(crate) async fn a_position_of_another_order_is_an_error(subject: Subject) {
    let entry = done(subject.time_entries.execute(logged(log(1001))).await.unwrap());
    for sort in sorts() {
        for other in sorts() {
            let after = Some(other.position(&entry));
            let request = PageRequest { filter: Filter::default(), sort, after, limit: 1 };
            let listed = subject.queries.list(id(ORGANIZATION), request).await;
            let alike = (sort.key == SortKey::WorkDate) == (other.key == SortKey::WorkDate);
            assert_eq!(
                matches!(listed, Err(PortError::Internal(_))),
                !alike,
                "{sort} after {other}: {listed:?}"
            );
        }
    }
}

pub(crate) async fn organizations_read_their_own_entries_only(subject: Subject) {
    let ours = shelf::fill(&subject).await;
    let stranger = id(OTHER_ORGANIZATION);
    let by = GroupBy::one(GroupKey::User);
    for filter in std::iter::once(Filter::default()).chain(filters(&ours)) {
        let request =
            PageRequest { filter: filter.clone(), sort: Sort::default(), after: None, limit: ALL };
        let theirs = subject.queries.list(stranger, request).await.unwrap().items;
        assert!(theirs.iter().all(|entry| entry.organization_id() == stranger));
        assert_eq!(subject.queries.count(stranger, filter.clone()).await, Ok(theirs.len() as u64));
        let totals: Summary =
            theirs.iter().map(|entry| (by.group(entry), Totals::from(entry))).collect();
        assert_eq!(subject.queries.summarize(stranger, filter, by).await, Ok(Ok(totals)));
    }
    let request =
        PageRequest { filter: Filter::default(), sort: Sort::default(), after: None, limit: ALL };
    assert_eq!(subject.queries.list(id(99), request).await, Ok(Page { items: vec![], next: None }));
}
