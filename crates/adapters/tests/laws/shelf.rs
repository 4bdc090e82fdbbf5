//! Entries that differ in everything that an order, a filter or a group looks at, for laws of
//! reading many.

use std::time::Duration;

use timelog_domain::*;

use crate::subject::Subject;
use crate::together::at_once;
use crate::world::*;

/// The ends of the calendar, and days on both sides of a year, of a month, and of a week's year.
const DAYS: [&str; 11] = [
    "0001-01-01",
    "2024-12-29",
    "2024-12-30",
    "2024-12-31",
    "2025-01-01",
    "2025-01-05",
    "2025-01-06",
    "2025-01-31",
    "2025-02-01",
    "2026-01-01",
    "9999-12-31",
];

/// How many entries are on the shelf.
pub(crate) const ENTRIES: u128 = 60;

/// The number of the entry that is logged as the `nth`: neither order follows from the other.
fn number(nth: u128) -> u128 {
    2000 + nth * 37 % 61
}

/// The status that the entry logged as the `nth` is moved to.
fn status_of(nth: u128) -> Status {
    Status::ALL[usize::try_from(nth % 7 % 6).unwrap()]
}

/// What is logged as the `nth`.
fn nth(nth: u128) -> LogTimeEntry {
    let choose = |among: usize, salt: u128| {
        usize::try_from((nth * 7 + nth / 5 + salt) % among as u128).unwrap()
    };
    let elsewhere = choose(3, 0) == 0;
    // Tickets and releases are those of one project.
    let ticket =
        [None, Some(TICKET), Some(OTHER_TICKET)][choose(3, nth / 7)].filter(|_| !elsewhere);
    let release = [None, Some(RELEASE)][choose(2, nth / 3)].filter(|_| !elsewhere);
    let user_id = id([USER, OTHER_USER][choose(2, nth / 11)]);
    let work_date = DAYS[choose(DAYS.len(), 2)].parse().unwrap();
    let minutes = i64::try_from(nth * 131 % 1440 + 1).unwrap();
    let details = Details {
        description: (choose(2, 3) == 0).then(|| text("described")),
        billable: choose(4, 4) != 0 || status_of(nth) == Status::Invoiced,
        ticket_id: ticket.map(id),
        release_id: release.map(id),
        ..Details::new(user_id, work_date, WorkDuration::from_minutes(minutes).unwrap())
    };
    // Each part is shared with others, and only all three together are not.
    let external_ref = (choose(5, 7) != 0).then(|| ExternalRef {
        provider: text(["jira", "JIRA"][usize::from(nth.is_multiple_of(2))]),
        external_type: text(["worklog", "issue"][usize::from((nth / 2).is_multiple_of(2))]),
        external_id: text(&(nth / 4).to_string()),
    });
    LogTimeEntry {
        id: id(number(nth)),
        project_id: id(if elsewhere { OTHER_PROJECT } else { PROJECT }),
        details,
        external_ref,
        source: Source::ALL[choose(3, nth / 13)],
    }
}

/// Logs the entries and moves some of them on, several in each millisecond. The other organization
/// gets entries of the same ids. Returns those of [`ORGANIZATION`], in no order.
pub(crate) async fn fill(subject: &Subject) -> Vec<TimeEntry> {
    subject.directory.put_ticket(ticket(OTHER_TICKET)).await.unwrap();
    for begin in (0..ENTRIES).step_by(6) {
        let requests = (begin..begin + 6).flat_map(|number| {
            let ours = logged(nth(number));
            let stranger = Caller { organization_id: id(OTHER_ORGANIZATION), ..caller() };
            let theirs = LogTimeEntry { external_ref: None, ..log(self::number(number)) };
            [ours, Request { caller: stranger, ..logged(theirs) }]
        });
        all_done(at_once(subject, requests.collect()).await);
        subject.clock.advance(Duration::from_millis(1));
    }
    for begin in (0..ENTRIES).step_by(10) {
        let requests = (begin..begin + 10).flat_map(|nth| {
            way_to(status_of(nth)).iter().map(move |action| match action {
                Action::Invoice => invoice(number(nth), &(nth % 2).to_string()),
                action => apply(number(nth), *action),
            })
        });
        all_done(at_once(subject, requests.collect()).await);
        subject.clock.advance(Duration::from_millis(1));
    }
    everything(subject).await
}

fn all_done(decisions: Vec<Result<Decision, timelog_domain::ports::PortError>>) {
    for decision in decisions {
        done(decision.unwrap());
    }
}

/// The entries of the shelf that there are, found one by one.
async fn everything(subject: &Subject) -> Vec<TimeEntry> {
    let mut found = Vec::new();
    for number in 2000..2061 {
        found.extend(subject.time_entries.find(id(ORGANIZATION), id(number)).await.unwrap());
    }
    found
}

/// Filters that let through some of the shelf and not all: each condition alone, and some together.
pub(crate) fn filters(entries: &[TimeEntry]) -> Vec<Filter> {
    let all = Filter::default;
    let day = |day: &str| Some(day.parse().unwrap());
    let mut changes: Vec<_> = entries.iter().map(TimeEntry::updated_at).collect();
    changes.sort_unstable();
    let since = Some(changes[changes.len() / 2]);
    let whole = entries.iter().find_map(TimeEntry::external_ref).unwrap();
    vec![
        Filter { project_id: Some(id(PROJECT)), ..all() },
        Filter { user_id: Some(id(USER)), ..all() },
        Filter { visible_of: Some(id(USER)), ..all() },
        Filter { ticket_id: Some(Some(id(TICKET))), ..all() },
        Filter { ticket_id: Some(None), ..all() },
        Filter { release_id: Some(Some(id(RELEASE))), ..all() },
        Filter { release_id: Some(None), ticket_id: Some(None), ..all() },
        Filter { invoice_ref: Some(text("1")), ..all() },
        Filter { invoice_ref: Some(text("0")), user_id: Some(id(USER)), ..all() },
        Filter { statuses: [Status::Draft].into(), ..all() },
        Filter { statuses: [Status::Locked, Status::Rejected, Status::Invoiced].into(), ..all() },
        Filter { billable: Some(false), ..all() },
        Filter { billable: Some(true), ..all() },
        Filter { source: Some(Source::Import), ..all() },
        Filter { from: day("2025-01-01"), ..all() },
        Filter { to: day("2025-01-01"), ..all() },
        Filter { from: day("2025-01-01"), to: day("2025-01-01"), ..all() },
        Filter { from: day("9999-12-31"), ..all() },
        Filter { to: day("0001-01-01"), ..all() },
        Filter { updated_since: since, ..all() },
        Filter { external_provider: Some(text("jira")), ..all() },
        Filter { external_type: Some(text("issue")), ..all() },
        Filter { external_id: Some(whole.external_id.clone()), ..all() },
        Filter {
            external_provider: Some(whole.provider.clone()),
            external_id: Some(whole.external_id.clone()),
            ..all()
        },
        Filter {
            external_provider: Some(whole.provider.clone()),
            external_type: Some(whole.external_type.clone()),
            external_id: Some(whole.external_id.clone()),
            ..all()
        },
        Filter {
            project_id: Some(id(PROJECT)),
            from: day("2024-12-30"),
            to: day("2025-01-31"),
            ..all()
        },
        Filter {
            user_id: Some(id(OTHER_USER)),
            statuses: [Status::Draft, Status::Submitted].into(),
            ..all()
        },
        Filter { user_id: Some(id(USER)), billable: Some(true), updated_since: since, ..all() },
        Filter {
            external_type: Some(text("worklog")),
            statuses: [Status::Approved].into(),
            ..all()
        },
    ]
}

/// Every order there is.
pub(crate) fn sorts() -> impl Iterator<Item = Sort> + Clone {
    let directions = [Direction::Ascending, Direction::Descending];
    SortKey::ALL
        .iter()
        .flat_map(move |key| directions.map(|direction| Sort { key: *key, direction }))
}

/// Those of the entries that the filter matches, in that order. This is what a list must be, said
/// with what the domain says.
pub(crate) fn expected(entries: &[TimeEntry], filter: &Filter, sort: Sort) -> Vec<TimeEntry> {
    let mut expected: Vec<_> =
        entries.iter().filter(|entry| filter.matches(entry)).cloned().collect();
    expected.sort_by(|one, other| sort.compare(&sort.position(one), &sort.position(other)));
    expected
}
