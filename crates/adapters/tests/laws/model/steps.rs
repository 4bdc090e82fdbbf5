//! What can happen to a store, generated at random.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use timelog_domain::*;

use crate::world::*;

/// One thing that happens. Everything is chosen among few values, so that sequences meet themselves
/// again.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Requests that wait together.
    Ask(Vec<Ask>),
    /// The directory changes.
    Put(Put),
    /// The clock moves by so many milliseconds.
    Wait(i64),
    /// The expired answers are deleted.
    Sweep,
    /// The program ends, and another one opens what it left.
    Restart,
    /// Somebody reads.
    Look(Look),
}

#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) who: Who,
    pub(super) key: Option<Key>,
    pub(super) what: What,
}

/// Who asks. Numbers are those of ids.
#[derive(Debug, Clone)]
pub(super) struct Who {
    /// Of the other organization.
    pub(super) stranger: bool,
    pub(super) project: Option<u128>,
    pub(super) user: Option<u128>,
    /// Who sees that user's entries alone.
    pub(super) sees_own: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) operation: &'static str,
    pub(super) text: &'static str,
    pub(super) body: u8,
    pub(super) on_mismatch: MismatchPolicy,
}

/// What is asked for. An entry is named by how many were logged after it, in a circle.
#[derive(Debug, Clone)]
pub(super) enum What {
    Log(Item),
    LogMany { project: u128, items: Vec<Option<Item>>, atomic: bool },
    Edit { nth: usize, patch: Patch, version: Option<i64> },
    Delete { nth: usize, version: Option<i64> },
    Apply { nth: usize, action: Action, version: Option<i64> },
    ChangeMany { entries: Many, change: EachChange, atomic: bool },
    Close { project: Option<u128>, through: Option<WorkDate>, reason: bool },
}

#[derive(Debug, Clone)]
pub(super) enum Many {
    Nths(Vec<usize>),
    Filter(Filter),
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) project: u128,
    pub(super) details: Details,
    pub(super) reference: Option<&'static str>,
    pub(super) source: Source,
}

#[derive(Debug, Clone)]
pub(super) enum Put {
    Project { project: u128, archived: bool },
    User { user: u128, active: bool },
    Ticket { project: u128, ticket: u128 },
}

#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) filter: Filter,
    pub(super) sort: Sort,
    pub(super) by: GroupBy,
    pub(super) limit: u32,
}

pub(super) fn steps(at_most: usize) -> impl Strategy<Value = Vec<Step>> {
    let wait = select(vec![-3_600_000, 0, 1, 1000, 86_399_999, 86_400_000]);
    let step = prop_oneof![
        24 => vec(ask(), 1..5).prop_map(Step::Ask),
        3 => put().prop_map(Step::Put),
        4 => wait.prop_map(Step::Wait),
        1 => Just(Step::Sweep),
        1 => Just(Step::Restart),
        6 => look().prop_map(Step::Look),
    ];
    vec(step, 1..=at_most)
}

fn ask() -> impl Strategy<Value = Ask> {
    let who = (
        prop::bool::weighted(0.05),
        option::weighted(0.08, select(vec![PROJECT, PROJECT, OTHER_PROJECT])),
        option::weighted(0.15, select(vec![USER, USER, OTHER_USER])),
        any::<bool>(),
    );
    let who = who.prop_map(|(stranger, project, user, sees_own)| Who {
        stranger,
        project,
        user,
        sees_own,
    });
    let policy = select(vec![MismatchPolicy::Replay, MismatchPolicy::Reject]);
    let key = (select(vec!["POST /a", "POST /b"]), select(vec!["k", "K", "k "]), 0..2_u8, policy);
    let key = key.prop_map(|(operation, text, body, on_mismatch)| Key {
        operation,
        text,
        body,
        on_mismatch,
    });
    (who, option::weighted(0.3, key), what()).prop_map(|(who, key, what)| Ask { who, key, what })
}

fn what() -> impl Strategy<Value = What> {
    let nth = || 0..4_usize;
    let version = || option::weighted(0.1, 1..4_i64);
    let action = || prop_oneof![1 => Just(Action::Submit), 2 => select(Action::ALL)];
    let items = vec(option::weighted(0.95, item()), 0..5);
    prop_oneof![
        9 => item().prop_map(What::Log),
        2 => (project(), items, any::<bool>()).prop_map(|(project, items, atomic)| What::LogMany { project, items, atomic }),
        5 => (nth(), patch(), version()).prop_map(|(nth, patch, version)| What::Edit { nth, patch, version }),
        2 => (nth(), version()).prop_map(|(nth, version)| What::Delete { nth, version }),
        8 => (nth(), action(), version()).prop_map(|(nth, action, version)| What::Apply { nth, action, version }),
        3 => (many(), each(), any::<bool>())
            .prop_map(|(entries, change, atomic)| What::ChangeMany { entries, change, atomic }),
        2 => (option::of(project()), closed_through(), prop::bool::weighted(0.8))
            .prop_map(|(project, through, reason)| What::Close { project, through, reason }),
    ]
}

fn many() -> impl Strategy<Value = Many> {
    prop_oneof![
        vec(0..4_usize, 0..4).prop_map(Many::Nths),
        filter().prop_map(|filter| Many::Filter(of_days(filter)))
    ]
}

/// A filter as a request that changes many has it: with days, and without what has no member there.
fn of_days(filter: Filter) -> Filter {
    Filter {
        from: filter.from.or_else(|| "0001-01-01".parse().ok()),
        to: filter.to.or_else(|| "9999-12-31".parse().ok()),
        external_provider: None,
        external_type: None,
        external_id: None,
        ..filter
    }
}

fn each() -> impl Strategy<Value = EachChange> {
    let action = prop_oneof![1 => Just(Action::Submit), 2 => select(Action::ALL)];
    prop_oneof![
        4 => action.prop_map(|action| EachChange::Apply(transition(action))),
        2 => patch().prop_map(EachChange::Edit),
        1 => Just(EachChange::Delete),
    ]
}

/// Mostly some days are open.
fn closed_through() -> impl Strategy<Value = Option<WorkDate>> {
    let day = |text: &'static str| Just(Some(text.parse().unwrap()));
    prop_oneof![4 => day("0001-01-01"), 3 => day("2024-12-31"), 1 => day("9999-12-31"), 4 => Just(None)]
}

/// Now and then there is no such project, and so on.
fn project() -> impl Strategy<Value = u128> {
    prop_oneof![16 => Just(PROJECT), 6 => Just(OTHER_PROJECT), 1 => Just(99)]
}

fn user() -> impl Strategy<Value = UserId> {
    prop_oneof![14 => Just(USER), 6 => Just(OTHER_USER), 1 => Just(99)].prop_map(id)
}

fn day() -> impl Strategy<Value = WorkDate> {
    select(vec!["0001-01-01", "2024-12-30", "2025-01-01", "9999-12-31"])
        .prop_map(|day| day.parse().unwrap())
}

fn duration() -> impl Strategy<Value = WorkDuration> {
    select(vec![1, 2, 1440]).prop_map(|minutes| WorkDuration::from_minutes(minutes).unwrap())
}

fn description() -> impl Strategy<Value = Option<Description>> {
    option::of(select(vec!["", "x", "\"ü\\ 🕰"]).prop_map(text))
}

/// A ticket of both projects, one of the other project alone, one that may come later, or none.
fn ticket() -> impl Strategy<Value = Option<TicketId>> {
    option::weighted(
        0.4,
        prop_oneof![8 => Just(TICKET), 2 => Just(OTHER_TICKET), 1 => Just(32)].prop_map(id),
    )
}

fn release() -> impl Strategy<Value = Option<ReleaseId>> {
    option::weighted(0.3, prop_oneof![9 => Just(RELEASE), 1 => Just(99)].prop_map(id))
}

fn item() -> impl Strategy<Value = Item> {
    let details = (user(), day(), duration(), description(), any::<bool>(), ticket(), release())
        .prop_map(
            |(user_id, work_date, duration, description, billable, ticket_id, release_id)| {
                Details {
                    description,
                    billable,
                    ticket_id,
                    release_id,
                    ..Details::new(user_id, work_date, duration)
                }
            },
        );
    let reference = option::weighted(0.5, select(vec!["1", "2", "3"]));
    (project(), details, reference, select(Source::ALL)).prop_map(
        |(project, details, reference, source)| Item { project, details, reference, source },
    )
}

fn patch() -> impl Strategy<Value = Patch> {
    fn member<T: std::fmt::Debug>(
        values: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = Option<T>> {
        option::weighted(0.3, values)
    }
    let members = (
        option::weighted(0.2, select(vec![PROJECT, OTHER_PROJECT])),
        member(user()),
        member(day()),
        member(duration()),
        member(description()),
        member(any::<bool>()),
        member(ticket()),
        member(release()),
    );
    members.prop_map(
        |(project, user_id, work_date, duration, description, billable, ticket_id, release_id)| {
            let project_id = project.map(id);
            let worked = Patch { project_id, user_id, work_date, duration, ..Patch::default() };
            Patch { description, billable, ticket_id, release_id, ..worked }
        },
    )
}

fn put() -> impl Strategy<Value = Put> {
    let project = || select(vec![PROJECT, OTHER_PROJECT]);
    prop_oneof![
        (project(), any::<bool>())
            .prop_map(|(project, archived)| Put::Project { project, archived }),
        (select(vec![USER, OTHER_USER]), any::<bool>())
            .prop_map(|(user, active)| Put::User { user, active }),
        (project(), select(vec![TICKET, OTHER_TICKET, 32]))
            .prop_map(|(project, ticket)| Put::Ticket { project, ticket }),
    ]
}

fn look() -> impl Strategy<Value = Look> {
    let sort = (select(SortKey::ALL), select(vec![Direction::Ascending, Direction::Descending]));
    let by = vec(select(GroupKey::ALL), 1..4).prop_map(|keys| {
        keys.iter().fold(GroupBy::one(keys[0]), |by, key| by.and(*key).unwrap_or(by))
    });
    (filter(), sort, by, 1..6_u32).prop_map(|(filter, (key, direction), by, limit)| Look {
        filter,
        sort: Sort { key, direction },
        by,
        limit,
    })
}

/// At most a few conditions, each of them one that some entries meet.
fn filter() -> impl Strategy<Value = Filter> {
    let all = Filter::default;
    let part = || select(vec!["jira", "worklog", "1"]).prop_map(text);
    let condition = prop_oneof![
        select(vec![PROJECT, OTHER_PROJECT])
            .prop_map(move |project| Filter { project_id: Some(id(project)), ..all() }),
        user().prop_map(move |user| Filter { user_id: Some(user), ..all() }),
        user().prop_map(move |user| Filter { visible_of: Some(user), ..all() }),
        ticket().prop_map(move |ticket| Filter { ticket_id: Some(ticket), ..all() }),
        release().prop_map(move |release| Filter { release_id: Some(release), ..all() }),
        select(vec!["2025-001", "2025-002"])
            .prop_map(move |invoice| Filter { invoice_ref: Some(text(invoice)), ..all() }),
        vec(select(Status::ALL), 1..3)
            .prop_map(move |statuses| Filter { statuses: statuses.into_iter().collect(), ..all() }),
        any::<bool>().prop_map(move |billable| Filter { billable: Some(billable), ..all() }),
        select(Source::ALL).prop_map(move |source| Filter { source: Some(source), ..all() }),
        day().prop_map(move |from| Filter { from: Some(from), ..all() }),
        day().prop_map(move |to| Filter { to: Some(to), ..all() }),
        (0..3_i64).prop_map(move |days| {
            let since = Timestamp::from_unix_millis(1_736_928_000_000 + days * 86_400_000).unwrap();
            Filter { updated_since: Some(since), ..all() }
        }),
        part().prop_map(move |part| Filter { external_provider: Some(part), ..all() }),
        part().prop_map(move |part| Filter { external_type: Some(part), ..all() }),
        part().prop_map(move |part| Filter { external_id: Some(part), ..all() }),
    ];
    vec(condition, 0..3).prop_map(|conditions| conditions.into_iter().fold(Filter::default(), both))
}

/// The conditions of both filters; where both have one of a kind, the first one's.
fn both(one: Filter, other: Filter) -> Filter {
    Filter {
        project_id: one.project_id.or(other.project_id),
        user_id: one.user_id.or(other.user_id),
        visible_of: one.visible_of.or(other.visible_of),
        ticket_id: one.ticket_id.or(other.ticket_id),
        release_id: one.release_id.or(other.release_id),
        statuses: if one.statuses.is_empty() { other.statuses } else { one.statuses },
        billable: one.billable.or(other.billable),
        source: one.source.or(other.source),
        from: one.from.or(other.from),
        to: one.to.or(other.to),
        updated_since: one.updated_since.or(other.updated_since),
        invoice_ref: one.invoice_ref.or(other.invoice_ref),
        external_provider: one.external_provider.or(other.external_provider),
        external_type: one.external_type.or(other.external_type),
        external_id: one.external_id.or(other.external_id),
    }
}
