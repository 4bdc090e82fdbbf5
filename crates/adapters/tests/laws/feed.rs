//! Laws of the feed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::FutureExt;
use timelog_domain::memory::MemoryStore;
use timelog_domain::ports::{ChangeFeed, PortError, TimeEntryRepository};
use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

fn all() -> FeedRequest {
    FeedRequest { project_id: None, user_id: None, after: Seq::START, limit: 1000 }
}

fn of_project(number: u128) -> FeedRequest {
    FeedRequest { project_id: Some(id(number)), ..all() }
}

async fn page(feed: &dyn ChangeFeed, request: FeedRequest) -> FeedPage {
    feed.changes(id(ORGANIZATION), request).await.unwrap()
}

/// All that the reader sees, in pages of `limit`.
async fn follow(feed: &dyn ChangeFeed, request: FeedRequest) -> Vec<Change> {
    let (mut request, mut changes) = (request, Vec::new());
    loop {
        let page = page(feed, request).await;
        assert!(page.changes.len() <= request.limit as usize);
        assert!(page.through <= page.end);
        assert!(page.through > request.after || !page.has_more(), "{page:?} looks at nothing");
        changes.extend(page.changes.iter().cloned());
        if !page.has_more() {
            return changes;
        }
        request.after = page.through;
    }
}

fn seqs(changes: &[Change]) -> Vec<i64> {
    changes.iter().map(|change| change.seq.get()).collect()
}

async fn executed(subject: &Subject, requests: impl IntoIterator<Item = Request>) {
    for request in requests {
        assert!(
            subject.time_entries.execute(request.clone()).await.unwrap().is_ok(),
            "{request:?}"
        );
    }
}

fn in_other_project(number: u128) -> Request {
    logged(LogTimeEntry { project_id: id(OTHER_PROJECT), ..log(number) })
}

/// Everything that can happen, in two projects and among refusals.
fn some_life() -> Vec<Request> {
    let shorter = Patch { duration: Some(WorkDuration::MIN), ..Patch::default() };
    vec![
        logged(log_as(1001, "1")),
        in_other_project(1002),
        edit(1001, shorter),
        log_many(vec![Some(log(1003)), Some(log(1004)), None], false),
        apply(1001, Action::Submit),
        apply(1001, Action::Reject),
        in_other_project(1005),
        delete(1003),
        apply_many(&[1001, 1002], Action::Submit, false),
        apply_many(&[1001, 1002], Action::Approve, true),
        apply(1002, Action::Invoice),
    ]
}

pub(crate) async fn every_change_is_numbered_in_order_and_has_its_entry(subject: Subject) {
    // What changes, the domain says.
    let oracle = MemoryStore::new(subject.clock.clone());
    populate(&oracle).await;
    for request in some_life() {
        assert!(oracle.execute(request.clone()).await.unwrap().is_ok(), "{request:?}");
        executed(&subject, [request]).await;
        let changes = follow(&*subject.feed, all()).await;
        assert_eq!(changes, follow(&oracle, all()).await);
        assert!(seqs(&changes).into_iter().eq(1..=i64::try_from(changes.len()).unwrap()));
    }
    let changes = follow(&*subject.feed, all()).await;
    assert_eq!(changes.len(), 14);
    for change in changes {
        let id = change.record.time_entry_id;
        let entry = subject.time_entries.find(change.record.organization_id, id).await.unwrap();
        assert_eq!(change.entry, entry);
    }
}

pub(crate) async fn pages_of_every_size_have_each_change_once(subject: Subject) {
    executed(&subject, some_life()).await;
    for request in [all(), of_project(PROJECT), of_project(OTHER_PROJECT), of_project(12)] {
        let changes = follow(&*subject.feed, request).await;
        for limit in 1..=15 {
            assert_eq!(follow(&*subject.feed, FeedRequest { limit, ..request }).await, changes);
        }
    }
    let page = page(&*subject.feed, FeedRequest { after: Seq::new(3), limit: 2, ..all() }).await;
    assert_eq!(seqs(&page.changes), [4, 5]);
    assert_eq!((page.through, page.end, page.has_more()), (Seq::new(5), Seq::new(14), true));
}

pub(crate) async fn a_project_has_its_own_changes_under_the_same_numbers(subject: Subject) {
    executed(&subject, some_life()).await;
    let changes = follow(&*subject.feed, all()).await;
    for project in [PROJECT, OTHER_PROJECT] {
        let own = changes.iter().filter(|change| change.record.project_id == id(project));
        let own: Vec<_> = own.cloned().collect();
        assert!(!own.is_empty() && own.len() < changes.len());
        assert_eq!(follow(&*subject.feed, of_project(project)).await, own);
    }
    assert_eq!(follow(&*subject.feed, of_project(12)).await, []);
    let page = page(&*subject.feed, of_project(12)).await;
    assert_eq!((page.through, page.end), (Seq::new(14), Seq::new(14)));
}

pub(crate) async fn who_may_no_longer_see_an_entry_sees_it_leave(subject: Subject) {
    let to = |project| edit(1001, Patch { project_id: Some(id(project)), ..Patch::default() });
    let longer = Patch { duration: Some(WorkDuration::MAX), ..Patch::default() };
    let requests = [
        logged(log(1001)),
        to(OTHER_PROJECT),
        edit(1001, longer.clone()),
        to(PROJECT),
        to(OTHER_PROJECT),
        edit(1001, longer),
    ];
    executed(&subject, requests).await;
    let entry = subject.time_entries.find(id(ORGANIZATION), id(1001)).await.unwrap();
    for (reader, numbers, sees_entry) in [
        (all(), vec![1, 2, 3, 4, 5], true),
        (of_project(PROJECT), vec![1, 2, 4, 5], false),
        (of_project(OTHER_PROJECT), vec![2, 3, 4, 5], true),
        (of_project(12), vec![], false),
    ] {
        for limit in [1, 2, 9] {
            let changes = follow(&*subject.feed, FeedRequest { limit, ..reader }).await;
            assert_eq!(seqs(&changes), numbers);
            let expected = entry.clone().filter(|_| sees_entry);
            assert!(changes.iter().all(|change| change.entry == expected), "{changes:?}");
        }
    }
}

/// Somebody who keeps a copy of what may be seen, and reads on from time to time.
struct Mirror {
    request: FeedRequest,
    copy: BTreeMap<TimeEntryId, TimeEntry>,
}

impl Mirror {
    async fn read_on(&mut self, feed: &dyn ChangeFeed) {
        for change in follow(feed, self.request).await {
            let id = change.record.time_entry_id;
            match change.entry {
                Some(entry) => self.copy.insert(id, entry),
                None => self.copy.remove(&id),
            };
            self.request.after = change.seq;
        }
    }
}

pub(crate) async fn whoever_follows_has_an_exact_copy_of_what_may_be_seen(subject: Subject) {
    let of_one = |project: Option<u128>, user: Option<u128>| FeedRequest {
        project_id: project.map(id),
        user_id: user.map(id),
        limit: 3,
        ..all()
    };
    let mut mirrors = Vec::new();
    for project in [None, Some(PROJECT), Some(OTHER_PROJECT)] {
        for user in [None, Some(USER), Some(OTHER_USER)] {
            mirrors.push(Mirror { request: of_one(project, user), copy: BTreeMap::new() });
        }
    }
    // Always the same numbers.
    let mut state = 12_u64;
    let mut draw = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut numbers = vec![1001];
    executed(&subject, [logged(log(1001))]).await;
    for step in 0..150 {
        let one = draw(numbers.len());
        let number = numbers[one];
        let project_id = [None, Some(id(PROJECT)), Some(id(OTHER_PROJECT))][draw(3)];
        let user_id = [None, Some(id(USER)), Some(id(OTHER_USER))][draw(3)];
        let patch = Patch { project_id, user_id, ..Patch::default() };
        let request = match draw(8) {
            0 => {
                numbers.push(2000 + step);
                logged(log(2000 + step))
            }
            1 if numbers.len() > 1 => delete(numbers.swap_remove(one)),
            _ => edit(number, patch),
        };
        executed(&subject, [request]).await;
        let mut entries = Vec::new();
        for number in &numbers {
            entries.extend(subject.time_entries.find(id(ORGANIZATION), id(*number)).await.unwrap());
        }
        for mirror in &mut mirrors {
            if draw(3) == 0 {
                mirror.read_on(&*subject.feed).await;
                let may_see = |entry: &&TimeEntry| mirror.request.may_see(entry);
                let seen = entries.iter().filter(may_see).map(|entry| (entry.id(), entry.clone()));
                assert_eq!(mirror.copy, seen.collect(), "{:?}", mirror.request);
            }
        }
    }
}

/// Whose entry it was before a change gave it to another, is told that alone.
pub(crate) async fn who_loses_an_entry_is_not_told_what_it_became(subject: Subject) {
    let given = Patch {
        user_id: Some(id(OTHER_USER)),
        duration: Some(WorkDuration::MAX),
        ..Patch::default()
    };
    executed(&subject, [logged(log(1001)), edit(1001, given)]).await;
    for (user, fields) in
        [(USER, vec![Field::UserId]), (OTHER_USER, vec![Field::UserId, Field::Minutes])]
    {
        let changes =
            follow(&*subject.feed, FeedRequest { user_id: Some(id(user)), ..all() }).await;
        let last = &changes.last().unwrap().record.changes;
        assert!(last.iter().map(|change| change.field).eq(fields), "{last:?}");
    }
}

pub(crate) async fn the_end_of_a_feed_is_empty_and_so_is_what_lies_beyond(subject: Subject) {
    let page_after = async |after| page(&*subject.feed, FeedRequest { after, ..all() }).await;
    let empty = page_after(Seq::START).await;
    assert_eq!((empty.through, empty.end), (Seq::START, Seq::START));
    executed(&subject, some_life()).await;
    let at_end = page_after(Seq::new(14)).await;
    assert_eq!((at_end.changes.len(), at_end.through, at_end.end.get()), (0, Seq::new(14), 14));
    let beyond = page_after(Seq::new(15)).await;
    assert_eq!((beyond.changes.len(), beyond.through, beyond.end.get()), (0, Seq::new(15), 14));
    assert_eq!((beyond.epoch, beyond.has_more()), (empty.epoch, false));
}

pub(crate) async fn what_is_refused_or_fails_leaves_no_gap(subject: Subject) {
    executed(&subject, [logged(log(1001))]).await;
    // Refused, replayed, unchanged, failed alone, and rolled back as a whole.
    assert!(subject.time_entries.execute(apply(1001, Action::Approve)).await.unwrap().is_err());
    executed(&subject, [keyed(log_as(1002, "2"), "key"), keyed(log_as(1003, "2"), "key")]).await;
    executed(&subject, [logged(log_as(1004, "2"))]).await;
    assert!(subject.time_entries.execute(panicking(log(1005), "other")).await.is_err());
    let atomic = log_many(vec![Some(log(1006)), None], true);
    assert!(subject.time_entries.execute(atomic).await.unwrap().is_err());
    executed(&subject, [delete(1001)]).await;
    let changes = follow(&*subject.feed, all()).await;
    assert_eq!(seqs(&changes), [1, 2, 3]);
    assert_eq!(changes[2].record.event, Event::Delete);
}

pub(crate) async fn organizations_have_feeds_of_their_own(subject: Subject) {
    let stranger = Caller { organization_id: id(OTHER_ORGANIZATION), ..caller() };
    executed(&subject, [logged(log(1001)), logged(log(1002))]).await;
    executed(&subject, [Request { caller: stranger, ..logged(log(1001)) }]).await;
    executed(&subject, [delete(1001)]).await;
    let theirs = subject.feed.changes(id(OTHER_ORGANIZATION), all()).await.unwrap();
    assert_eq!(seqs(&theirs.changes), [1]);
    assert!(theirs.changes[0].entry.is_some());
    let own = page(&*subject.feed, all()).await;
    assert_eq!(seqs(&own.changes), [1, 2, 3]);
    assert_ne!(own.epoch, theirs.epoch);
    let unknown = subject.feed.changes(id(404), all()).await;
    assert_eq!(unknown, Err(PortError::UnknownReference));
}

pub(crate) async fn a_notice_ends_with_the_next_change(subject: Subject) {
    executed(&subject, [logged(log(1001))]).await;
    let before = subject.feed.notice(id(ORGANIZATION));
    let also = subject.feed.notice(id(ORGANIZATION));
    executed(&subject, [logged(log(1002))]).await;
    // It was asked for before, and is waited for only now.
    before.await;
    also.await;
}

/// Laws of databases.
pub(crate) async fn a_notice_tells_of_the_changes_of_another_program(subject: Subject) {
    let other = subject.opened_again().await;
    for number in 1001..1004 {
        let notice = other.feed.notice(id(ORGANIZATION));
        executed(&subject, [logged(log(number))]).await;
        notice.await;
    }
}

pub(crate) async fn a_renewed_feed_has_another_epoch_and_the_same_changes(subject: Subject) {
    executed(&subject, some_life()).await;
    let before = page(&*subject.feed, all()).await;
    assert_eq!(subject.database().store.renew_feeds().await, Ok(2));
    let after = page(&*subject.feed, all()).await;
    assert_ne!(after.epoch, before.epoch);
    assert_eq!(after.changes, before.changes);
    subject.directory.put_organization(id(ORGANIZATION), text("Renamed")).await.unwrap();
    assert_eq!(page(&*subject.feed, all()).await.epoch, after.epoch);
}

/// Two programs write for two organizations, often both in one batch, with refusals and panics in
/// between, while readers follow without a pause.
pub(crate) async fn a_reader_at_the_end_meets_every_number_once_and_in_order(subject: Subject) {
    const WRITERS: u128 = 8;
    const EACH: u128 = 25;
    let other = Arc::new(subject.opened_again().await);
    let subject = Arc::new(subject);
    let is_over = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = [&subject, &other]
        .into_iter()
        .map(|reader| {
            let (reader, is_over) = (reader.clone(), is_over.clone());
            tokio::spawn(async move {
                let (mut after, mut pages, mut seen) = (Seq::START, 0_u64, Vec::new());
                loop {
                    let last = is_over.load(Ordering::SeqCst);
                    let page = page(&*reader.feed, FeedRequest { after, ..all() }).await;
                    seen.extend(seqs(&page.changes));
                    after = page.through;
                    pages += 1;
                    if last && !page.has_more() {
                        return (seen, pages);
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let carried_out = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let program = if writer % 2 == 0 { subject.clone() } else { other.clone() };
            let carried_out = carried_out.clone();
            tokio::spawn(async move {
                for round in 0..EACH {
                    let number = 1001 + writer * 1000 + round * 3;
                    let many = log_many(vec![Some(log(number)), Some(log(number + 1))], false);
                    let stranger = Caller { organization_id: id(OTHER_ORGANIZATION), ..caller() };
                    let theirs = Request { caller: stranger, ..logged(log(number)) };
                    // All meet over one reference.
                    let minutes = i64::try_from(writer + round + 1).unwrap();
                    let one = logged(lasting(minutes, log_as(number + 2, "one")));
                    let programs = &program.time_entries;
                    let (many, theirs, one, panicked) = tokio::join!(
                        programs.execute(many),
                        programs.execute(theirs),
                        programs.execute(one),
                        programs.execute(panicking(log(number + 2), "key")),
                    );
                    assert!(theirs.unwrap().is_ok() && panicked.is_err());
                    drop((many.unwrap(), one.unwrap()));
                    carried_out.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    let changes = follow(&*subject.feed, all()).await;
    for reader in readers {
        let (seen, pages) = reader.await.unwrap();
        assert!(pages > 1);
        assert!(seen.iter().copied().eq(1..=i64::try_from(changes.len()).unwrap()), "{seen:?}");
    }
    assert!(changes.len() as u128 >= 2 * WRITERS * EACH);
    let theirs = subject.feed.changes(id(OTHER_ORGANIZATION), all()).await.unwrap();
    let expected = i64::try_from(WRITERS * EACH).unwrap();
    assert!(seqs(&theirs.changes).into_iter().eq(1..=expected));
}

/// The change of an organization is not told to those who wait for another.
pub(crate) async fn a_notice_of_another_organization_goes_on(subject: Subject) {
    let notice = subject.feed.notice(id(OTHER_ORGANIZATION));
    executed(&subject, [logged(log(1001))]).await;
    assert_eq!(notice.now_or_never(), None);
}
