//! The in-memory adapter is the model for the others, so its behaviour is tested here.

use std::task::{Context, Poll, Waker};

use super::*;
use crate::command::{Command, DeleteTimeEntry, IfMatch, LogTimeEntry};
use crate::ports::{Directory, TimeEntryQueries};
use crate::query::{Direction, Filter, Page, PageRequest, Position, Sort, SortKey, SortValue};
use crate::summary::{GroupBy, Summary, Totals};
use crate::{
    Caller, Details, EditTimeEntry, ExternalRef, GroupValue, InvalidId, KeyId, Name, Outcome,
    Patch, Reply, Source, Status, WorkDuration,
};

const ORGANIZATION: u128 = 1;
const OTHER_ORGANIZATION: u128 = 2;
const PROJECT: u128 = 10;
const ANN: u128 = 20;
const BEN: u128 = 21;

fn id<T: std::str::FromStr<Err = InvalidId>>(number: u128) -> T {
    format!("00000000-0000-0000-0000-{number:012x}").parse().unwrap()
}

/// The answer of a future that is ready at once.
fn now<T>(mut future: PortFuture<'_, T>) -> Result<T, PortError> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("an answer from memory is ready at once"),
    }
}

struct World {
    store: MemoryStore,
    clock: ManualClock,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::default();
        let world = Self { store: MemoryStore::new(clock.clone()), clock };
        let name: Name = "name".parse().unwrap();
        for organization in [ORGANIZATION, OTHER_ORGANIZATION] {
            let organization_id = id(organization);
            now(world.store.put_organization(organization_id, name.clone())).unwrap();
            let project =
                Project { organization_id, id: id(PROJECT), name: name.clone(), archived: false };
            now(world.store.put_project(project)).unwrap();
            for user in [ANN, BEN] {
                let user = User { organization_id, id: id(user), name: name.clone(), active: true };
                now(world.store.put_user(user)).unwrap();
            }
        }
        world
    }

    fn ask(&self, organization: u128, command: Command) -> Outcome {
        let caller = Caller::new(id(organization), id::<KeyId>(50));
        self.clock.advance(std::time::Duration::from_secs(1));
        match now(self.store.execute(Request { caller, command, claim: None })) {
            Ok(Ok(Reply::Done { outcome, .. })) => outcome,
            other => panic!("{other:?}"),
        }
    }

    /// Logs an entry on a day of January 2025: Ann's if its number is even, else Ben's.
    fn log(&self, entry: u128, day: u8, minutes: i64) {
        self.log_as(entry, day, minutes, None);
    }

    fn log_as(&self, entry: u128, day: u8, minutes: i64, external_ref: Option<ExternalRef>) {
        let user_id = id(if entry.is_multiple_of(2) { ANN } else { BEN });
        let work_date = format!("2025-01-{day:02}").parse().unwrap();
        let duration = WorkDuration::from_minutes(minutes).unwrap();
        let details = Details { billable: day != 2, ..Details::new(user_id, work_date, duration) };
        let log = LogTimeEntry {
            id: id(entry),
            project_id: id(PROJECT),
            details,
            external_ref,
            source: Source::Api,
        };
        self.ask(ORGANIZATION, Command::Log(log));
    }

    fn delete(&self, entry: u128) {
        self.ask(
            ORGANIZATION,
            Command::Delete(DeleteTimeEntry { id: id(entry), if_match: IfMatch::Any }),
        );
    }

    fn page(&self, sort: &str, after: Option<Position>, limit: u32) -> Page<TimeEntry, Position> {
        let request =
            PageRequest { filter: Filter::default(), sort: sort.parse().unwrap(), after, limit };
        now(self.store.list(id(ORGANIZATION), request)).unwrap()
    }

    fn matching(&self, filter: &Filter) -> Vec<u128> {
        let sort = Sort { key: SortKey::CreatedAt, direction: Direction::Ascending };
        let request = PageRequest { filter: filter.clone(), sort, after: None, limit: 200 };
        let found = numbers(&now(self.store.list(id(ORGANIZATION), request)).unwrap().items);
        // A count and a total must agree with the list.
        assert_eq!(now(self.store.count(id(ORGANIZATION), filter.clone())), Ok(found.len() as u64));
        assert_eq!(self.summary(filter, "status").total.entries, found.len() as u64);
        found
    }

    fn summary(&self, filter: &Filter, by: &str) -> Summary {
        let by: GroupBy = by.parse().unwrap();
        now(self.store.summarize(id(ORGANIZATION), filter.clone(), by)).unwrap().unwrap()
    }
}

fn numbers(entries: &[TimeEntry]) -> Vec<u128> {
    entries.iter().map(|entry| entry.id().uuid().as_u128()).collect()
}

fn reference(external_id: &str) -> ExternalRef {
    ExternalRef {
        provider: "jira".parse().unwrap(),
        external_type: "worklog".parse().unwrap(),
        external_id: external_id.parse().unwrap(),
    }
}

#[test]
fn entries_are_sorted_and_equal_values_are_sorted_by_ids_in_the_same_direction() {
    let world = World::new();
    for (entry, day) in [(3, 2), (1, 1), (4, 1), (2, 2)] {
        world.log(entry, day, 60);
    }
    world.ask(
        ORGANIZATION,
        Command::Edit(EditTimeEntry {
            id: id(1),
            patch: Patch { billable: Some(false), ..Patch::default() },
            if_match: IfMatch::Any,
        }),
    );
    for (sort, expected) in [
        ("workDate", [1, 4, 2, 3]),
        ("-workDate", [3, 2, 4, 1]),
        // The order of creation is that of the ids, which here have no time.
        ("createdAt", [1, 2, 3, 4]),
        ("-createdAt", [4, 3, 2, 1]),
        ("updatedAt", [3, 4, 2, 1]),
        ("-updatedAt", [1, 2, 4, 3]),
    ] {
        assert_eq!(numbers(&world.page(sort, None, 10).items), expected, "{sort}");
    }
}

#[test]
fn pages_follow_each_other_without_a_gap_or_a_repeat_at_every_size() {
    let world = World::new();
    for entry in 100..120 {
        world.log(entry, u8::try_from(entry % 3 + 1).unwrap(), 60);
    }
    for sort in ["workDate", "-workDate", "createdAt", "-updatedAt"] {
        let all = world.page(sort, None, 20);
        assert_eq!((all.items.len(), all.next), (20, None));
        for limit in 1..=20 {
            let (mut read, mut after) = (Vec::new(), None);
            // One page more than needed, so that an endless list ends too.
            for _ in 0..=20 {
                let page = world.page(sort, after, limit);
                assert!(page.items.len() == limit as usize || page.next.is_none());
                read.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(read, all.items, "{sort} by {limit}");
        }
    }
}

#[test]
fn a_reader_gets_unchanged_entries_exactly_once_while_others_write() {
    for sort in ["workDate", "-workDate", "createdAt", "-createdAt"] {
        let world = World::new();
        for entry in 100..110 {
            world.log(entry, 2, 60);
        }
        let (mut read, mut after) = (Vec::new(), None);
        for round in 0..=50 {
            let page = world.page(sort, after, 3);
            if let Some(next) = page.next {
                // The entry of the position is deleted, and new ones appear before, at and after
                // it.
                world.delete(next.id.uuid().as_u128());
                for day in [1, 2, 3].into_iter().filter(|_| round < 3) {
                    world.log(200 + round * 10 + u128::from(day), day, 60);
                }
            }
            read.extend(numbers(&page.items));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert!(after.is_none(), "{sort}");
        let mut stayed: Vec<_> = read.iter().copied().filter(|entry| *entry < 200).collect();
        stayed.sort_unstable();
        assert_eq!(stayed, (100..110).collect::<Vec<_>>(), "{sort}");
        assert_eq!(BTreeSet::from_iter(&read).len(), read.len(), "{sort}");
    }
}

#[test]
fn a_position_of_another_order_is_an_error() {
    let world = World::new();
    let value = SortValue::Instant(Timestamp::MIN);
    let after = Some(Position { value, id: id(1) });
    let request = PageRequest { filter: Filter::default(), sort: Sort::default(), after, limit: 1 };
    assert!(matches!(
        now(world.store.list(id(ORGANIZATION), request)),
        Err(PortError::Internal(_))
    ));
}

#[test]
fn a_filter_matches_entries_that_meet_every_condition() {
    let world = World::new();
    world.log(1, 1, 60);
    world.log(2, 2, 60);
    world.log_as(3, 3, 60, Some(reference("3")));
    let at = |entry: u128| {
        now(TimeEntryRepository::find(&world.store, id(ORGANIZATION), id(entry)))
            .unwrap()
            .unwrap()
            .updated_at()
    };
    let day = |day: &str| day.parse().ok();
    let all = Filter::default;
    for (filter, expected) in [
        (all(), vec![1, 2, 3]),
        (Filter { project_id: Some(id(PROJECT)), ..all() }, vec![1, 2, 3]),
        (Filter { project_id: Some(id(99)), ..all() }, vec![]),
        (Filter { user_id: Some(id(BEN)), ..all() }, vec![1, 3]),
        (Filter { ticket_id: Some(Some(id(99))), ..all() }, vec![]),
        (Filter { ticket_id: Some(None), ..all() }, vec![1, 2, 3]),
        (Filter { release_id: Some(Some(id(99))), ..all() }, vec![]),
        (Filter { release_id: Some(None), ..all() }, vec![1, 2, 3]),
        (Filter { invoice_ref: "1".parse().ok(), ..all() }, vec![]),
        (Filter { statuses: [Status::Locked, Status::Draft].into(), ..all() }, vec![1, 2, 3]),
        (Filter { statuses: [Status::Locked].into(), ..all() }, vec![]),
        (Filter { billable: Some(false), ..all() }, vec![2]),
        (Filter { source: Some(Source::Import), ..all() }, vec![]),
        (Filter { from: day("2025-01-02"), ..all() }, vec![2, 3]),
        (Filter { to: day("2025-01-02"), ..all() }, vec![1, 2]),
        (Filter { from: day("2025-01-02"), to: day("2025-01-02"), ..all() }, vec![2]),
        (Filter { updated_since: Some(at(2)), ..all() }, vec![2, 3]),
        (Filter { external_provider: "jira".parse().ok(), ..all() }, vec![3]),
        (Filter { external_type: "issue".parse().ok(), ..all() }, vec![]),
        (Filter { external_id: "3".parse().ok(), ..all() }, vec![3]),
        (Filter { external_id: "3".parse().ok(), billable: Some(false), ..all() }, vec![]),
    ] {
        assert_eq!(world.matching(&filter), expected, "{filter:?}");
    }
}

#[test]
fn another_organization_sees_nothing() {
    let world = World::new();
    world.log(1, 1, 60);
    let other = id(OTHER_ORGANIZATION);
    let request =
        PageRequest { filter: Filter::default(), sort: Sort::default(), after: None, limit: 10 };
    assert_eq!(now(world.store.list(other, request)).unwrap().items, []);
    assert_eq!(now(world.store.count(other, Filter::default())), Ok(0));
    let by = "user".parse().unwrap();
    assert_eq!(
        now(world.store.summarize(other, Filter::default(), by)),
        Ok(Ok(Summary::default()))
    );
    assert_eq!(now(world.store.history(other, id(1))), Ok(vec![]));
    assert_eq!(now(world.store.history(id(ORGANIZATION), id(1))).unwrap().len(), 1);
}

#[test]
fn the_history_outlives_the_entry() {
    let world = World::new();
    world.log(1, 1, 60);
    world.log(2, 1, 60);
    world.delete(1);
    let history = now(world.store.history(id(ORGANIZATION), id(1))).unwrap();
    let events: Vec<_> =
        history.iter().map(|record| (record.event.as_str(), record.version.get())).collect();
    assert_eq!(events, [("log", 1), ("delete", 2)]);
    assert_eq!(now(world.store.history(id(ORGANIZATION), id(9))), Ok(vec![]));
}

#[test]
fn a_summary_adds_up_each_group_and_all_of_them() {
    let world = World::new();
    for (entry, day, minutes) in [(2, 1, 50), (4, 2, 50), (6, 6, 50), (3, 1, 7)] {
        world.log(entry, day, minutes);
    }
    let all = Filter::default();
    let summary = world.summary(&all, "user,week");
    let rows: Vec<_> = summary.rows.iter().map(|row| (label(&row.group), row.totals)).collect();
    let totals = |entries, minutes, billable_minutes| Totals { entries, minutes, billable_minutes };
    assert_eq!(
        rows,
        [
            ("20 2025-W01".to_owned(), totals(2, 100, 50)),
            ("20 2025-W02".to_owned(), totals(1, 50, 50)),
            ("21 2025-W01".to_owned(), totals(1, 7, 7)),
        ]
    );
    assert_eq!(summary.total, totals(4, 157, 107));
    // 50 + 50 minutes are 1.67 hours, although 2 × 0.83 is 1.66.
    assert_eq!(summary.rows[0].totals.hours(), "1.67");
    let days = world.summary(&Filter { billable: Some(true), ..all.clone() }, "workDate");
    assert_eq!(days.rows.len(), 2);
    assert_eq!(world.summary(&all, "entry").rows[0].group, [GroupValue::Ticket(None)]);
}

fn label(group: &[GroupValue]) -> String {
    let value = |value: &GroupValue| match value {
        GroupValue::User(user) => user.uuid().as_u128().to_string(),
        GroupValue::Week(week) => week.to_string(),
        other => panic!("{other:?}"),
    };
    group.iter().map(value).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_put_creates_or_replaces_and_returns_which() {
    let world = World::new();
    let organization_id = id(ORGANIZATION);
    let project =
        Project { organization_id, id: id(11), name: "a".parse().unwrap(), archived: false };
    assert_eq!(now(world.store.put_project(project.clone())), Ok(true));
    let renamed = Project { name: "b".parse().unwrap(), ..project };
    assert_eq!(now(world.store.put_project(renamed.clone())), Ok(false));
    assert_eq!(now(world.store.project(organization_id, id(11))), Ok(Some(renamed)));
    assert_eq!(now(world.store.project(id(OTHER_ORGANIZATION), id(11))), Ok(None));
}

#[test]
fn tickets_and_releases_belong_to_one_project() {
    let world = World::new();
    let organization_id = id(ORGANIZATION);
    let entry = Ticket {
        organization_id,
        project_id: id(PROJECT),
        id: id(30),
        title: "t".parse().unwrap(),
    };
    let release = Release {
        organization_id,
        project_id: id(PROJECT),
        id: id(40),
        name: "r".parse().unwrap(),
    };
    assert_eq!(now(world.store.put_ticket(entry.clone())), Ok(true));
    assert_eq!(now(world.store.put_release(release.clone())), Ok(true));
    assert_eq!(now(world.store.ticket(organization_id, id(PROJECT), id(30))), Ok(Some(entry)));
    assert_eq!(now(world.store.release(organization_id, id(PROJECT), id(40))), Ok(Some(release)));
    assert_eq!(now(world.store.ticket(organization_id, id(11), id(30))), Ok(None));
    assert_eq!(now(world.store.release(organization_id, id(11), id(40))), Ok(None));
}

#[test]
fn a_put_into_an_unknown_organization_or_project_is_an_error() {
    let world = World::new();
    let name: Name = "name".parse().unwrap();
    let user = User { organization_id: id(3), id: id(ANN), name: name.clone(), active: true };
    assert_eq!(now(world.store.put_user(user)), Err(PortError::UnknownReference));
    let entry =
        Ticket { organization_id: id(ORGANIZATION), project_id: id(99), id: id(30), title: name };
    assert_eq!(now(world.store.put_ticket(entry)), Err(PortError::UnknownReference));
}

#[test]
fn the_directory_is_paged_by_id() {
    let world = World::new();
    let first = now(world.store.users(id(ORGANIZATION), None, 1)).unwrap();
    assert_eq!(first.next, Some(id(ANN)));
    let second = now(world.store.users(id(ORGANIZATION), first.next, 1)).unwrap();
    assert_eq!((second.items[0].id, second.next), (id(BEN), None));
    let projects = now(world.store.projects(id(ORGANIZATION), Some(id(PROJECT)), 5)).unwrap();
    assert_eq!(projects, Page { items: vec![], next: None });
}
