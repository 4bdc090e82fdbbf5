//! Every filter alone, and with a project, a user or days, in every order: pages have what matches,
//! in order, and are found by an index, also where nothing matches.

use std::collections::BTreeSet;

use timelog_domain::*;

use crate::plans::{self, Statements};
use crate::shelf::{expected, sorts};
use crate::subject::Subject;
use crate::world::*;

/// On a page.
const LIMIT: u32 = 20;

/// A filter on one thing that some entries have, and one on the same thing that none has.
fn singles() -> Vec<[Filter; 2]> {
    let all = Filter::default;
    let day = |day: &str| Some(day.parse().unwrap());
    let at = |seconds: i64| Some(Timestamp::from_unix_millis(1000 * seconds).unwrap());
    let part = |part: &str| Some(text(part));
    let reference = |[provider, kind, name]: [&str; 3]| Filter {
        external_provider: part(provider),
        external_type: part(kind),
        external_id: part(name),
        ..all()
    };
    vec![
        [all(), Filter { from: day("2999-01-01"), ..all() }],
        [101, 108].map(|number| Filter { project_id: Some(id(number)), ..all() }),
        [203, 225].map(|number| Filter { user_id: Some(id(number)), ..all() }),
        [203, 225].map(|number| Filter { visible_of: Some(id(number)), ..all() }),
        [302, 399].map(|number| Filter { ticket_id: Some(Some(id(number))), ..all() }),
        [404, 499].map(|number| Filter { release_id: Some(Some(id(number))), ..all() }),
        ["i0", "i9"].map(|invoice| Filter { invoice_ref: Some(text(invoice)), ..all() }),
        [None, day("2022-12-31")].map(|to| Filter { ticket_id: Some(None), to, ..all() }),
        [None, day("2022-12-31")].map(|to| Filter { release_id: Some(None), to, ..all() }),
        [Status::Submitted, Status::Locked].map(|one| Filter { statuses: [one].into(), ..all() }),
        [[Status::Draft, Status::Submitted], [Status::Approved, Status::Rejected]]
            .map(|both| Filter { statuses: both.into(), ..all() }),
        // There are some of the one, but none on the days of the other.
        [
            Filter { billable: Some(false), ..all() },
            Filter { billable: Some(false), to: day("2022-12-31"), ..all() },
        ],
        [Source::Import, Source::Ui].map(|source| Filter { source: Some(source), ..all() }),
        ["2024-06-01", "2025-01-01"].map(|from| Filter { from: day(from), ..all() }),
        ["2023-02-01", "2022-12-31"].map(|to| Filter { to: day(to), ..all() }),
        [1_700_030_000, 1_800_000_000].map(|since| Filter { updated_since: at(since), ..all() }),
        ["p1", "p9"].map(|name| Filter { external_provider: part(name), ..all() }),
        ["t1", "t9"].map(|name| Filter { external_type: part(name), ..all() }),
        ["4711", "x"].map(|name| Filter { external_id: part(name), ..all() }),
        [["p1", "t1", "4711"], ["p1", "t2", "4711"]].map(reference),
    ]
}

/// The filter with a project, with a user, and with days as well, where it does not have them.
fn with_others(filter: &Filter) -> Vec<Filter> {
    let (project, user) = (Some(id(102)), Some(id(204)));
    let (from, to) = ("2023-06-01".parse().unwrap(), "2023-08-31".parse().unwrap());
    let with = vec![
        filter.clone(),
        Filter { project_id: filter.project_id.or(project), ..filter.clone() },
        Filter { user_id: filter.user_id.or(user), ..filter.clone() },
        Filter { from: filter.from.or(Some(from)), to: filter.to.or(Some(to)), ..filter.clone() },
    ];
    with.into_iter()
        .filter(|filter| {
            filter.from.is_none_or(|from| filter.to >= Some(from) || filter.to.is_none())
        })
        .collect()
}

/// Reads pages until there are as many entries as on one, or no more. A page may be short, and
/// still not the last.
async fn first(subject: &Subject, filter: &Filter, sort: Sort) -> (Vec<TimeEntry>, usize) {
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let limit = LIMIT - u32::try_from(found.len()).unwrap();
        let request = PageRequest { filter: filter.clone(), sort, after, limit };
        let page = subject.queries.list(id(ORGANIZATION), request).await.unwrap();
        found.extend(page.items);
        (after, pages) = (page.next, pages + 1);
        if found.len() == LIMIT as usize || after.is_none() {
            return (found, pages);
        }
    }
}

/// Reads everything in every way, and returns the statements that did.
pub(crate) async fn read(subject: &Subject, statements: &Statements) -> BTreeSet<String> {
    let mut entries = Vec::new();
    let (mut after, sort) = (None, Sort::default());
    loop {
        let page = PageRequest { filter: Filter::default(), sort, after, limit: 1000 };
        let page = subject.queries.list(id(ORGANIZATION), page).await.unwrap();
        entries.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(entries.len(), plans::ENTRIES as usize);
    let mut sent = BTreeSet::new();
    for [some, none] in singles() {
        for (filter, is_none) in [(&some, false), (&none, true)] {
            for filter in with_others(filter) {
                let matching: Vec<_> =
                    entries.iter().filter(|entry| filter.matches(entry)).cloned().collect();
                assert!(!is_none || matching.is_empty(), "{filter:?}");
                for sort in sorts() {
                    let mut expected = expected(&matching, &filter, sort);
                    expected.truncate(LIMIT as usize);
                    plans::on_entries(statements);
                    let (found, pages) = first(subject, &filter, sort).await;
                    assert_eq!(found, expected, "{filter:?} by {sort}");
                    assert!(pages == 1 || !is_none, "{filter:?} by {sort}: {pages} pages");
                    sent.extend(plans::on_entries(statements));
                }
                let count = subject.queries.count(id(ORGANIZATION), filter.clone()).await;
                assert_eq!(count, Ok(matching.len() as u64), "{filter:?}");
                sent.extend(plans::on_entries(statements));
            }
        }
    }
    sent
}
