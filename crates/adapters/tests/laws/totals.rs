//! Laws of adding up.

use timelog_domain::*;

use crate::shelf::{self, filters};
use crate::subject::Subject;
use crate::world::*;

/// Every way to group: by each key, by each key within each other, and by each within those.
fn ways() -> Vec<GroupBy> {
    let within = |outer: &[GroupBy]| {
        let each =
            |by: &GroupBy| GroupKey::ALL.iter().filter_map(|key| by.and(*key).ok()).collect();
        outer.iter().flat_map(each as fn(&GroupBy) -> Vec<_>).collect::<Vec<_>>()
    };
    let one: Vec<_> = GroupKey::ALL.iter().map(|key| GroupBy::one(*key)).collect();
    let two = within(&one);
    let three = within(&two);
    [one, two, three].concat()
}

/// What the entries add up to, said with what the domain says.
fn expected(entries: &[TimeEntry], filter: &Filter, by: GroupBy) -> Summary {
    let matching = entries.iter().filter(|entry| filter.matches(entry));
    matching.map(|entry| (by.group(entry), Totals::from(entry))).collect()
}

pub(crate) async fn entries_are_added_up_by_every_key_every_two_and_every_three(subject: Subject) {
    let entries = shelf::fill(&subject).await;
    let ways = ways();
    assert_eq!(ways.len(), 10 + 10 * 9 + 10 * 9 * 8);
    for by in ways {
        let all = Filter::default();
        let summary =
            subject.queries.summarize(id(ORGANIZATION), all.clone(), by).await.unwrap().unwrap();
        assert_eq!(summary, expected(&entries, &all, by), "{by}");
        assert_eq!(u128::from(summary.total.entries), shelf::ENTRIES);
    }
}

pub(crate) async fn only_what_the_filter_matches_is_added_up(subject: Subject) {
    let entries = shelf::fill(&subject).await;
    for (filter, by) in filters(&entries).into_iter().zip(ways().into_iter().cycle()) {
        let summary =
            subject.queries.summarize(id(ORGANIZATION), filter.clone(), by).await.unwrap().unwrap();
        assert_eq!(summary, expected(&entries, &filter, by), "{by} of {filter:?}");
        assert!(summary.total.entries > 0);
    }
    let nobody = Filter { user_id: Some(id(99)), ..Filter::default() };
    for by in ways().into_iter().step_by(7) {
        assert_eq!(
            subject.queries.summarize(id(ORGANIZATION), nobody.clone(), by).await,
            Ok(Ok(Summary::default()))
        );
    }
}

pub(crate) async fn a_day_is_added_to_the_week_and_the_month_it_lies_in(subject: Subject) {
    let days = [
        ("0001-01-01", "0001-W01", "0001-01"),
        ("1969-12-28", "1969-W52", "1969-12"),
        ("1969-12-29", "1970-W01", "1969-12"),
        ("1970-01-01", "1970-W01", "1970-01"),
        ("2020-12-31", "2020-W53", "2020-12"),
        ("2021-01-03", "2020-W53", "2021-01"),
        ("2024-12-29", "2024-W52", "2024-12"),
        ("2024-12-30", "2025-W01", "2024-12"),
        ("2026-01-01", "2026-W01", "2026-01"),
        ("9999-12-31", "9999-W52", "9999-12"),
    ];
    for (number, (day, _, _)) in (1001..).zip(days) {
        let details = Details { work_date: day.parse().unwrap(), ..log(number).details };
        done(
            subject
                .time_entries
                .execute(logged(LogTimeEntry { details, ..log(number) }))
                .await
                .unwrap(),
        );
    }
    let group = async |key| {
        let summary = subject
            .queries
            .summarize(id(ORGANIZATION), Filter::default(), GroupBy::one(key))
            .await
            .unwrap()
            .unwrap();
        let label = |row: &SummaryRow| match row.group[..] {
            [GroupValue::Week(week)] => (week.to_string(), row.totals.entries),
            [GroupValue::Month(month)] => (month.to_string(), row.totals.entries),
            ref other => panic!("{other:?}"),
        };
        summary.rows.iter().map(label).collect::<Vec<_>>()
    };
    let expected = |labels: [&'static str; 10]| {
        let mut rows: Vec<(String, u64)> = Vec::new();
        for label in labels {
            match rows.last_mut().filter(|(last, _)| last == label) {
                Some((_, entries)) => *entries += 1,
                None => rows.push((label.to_owned(), 1)),
            }
        }
        rows
    };
    assert_eq!(group(GroupKey::Week).await, expected(days.map(|(_, week, _)| week)));
    assert_eq!(group(GroupKey::Month).await, expected(days.map(|(_, _, month)| month)));
    // A week that two months share is two groups.
    for keys in ["week,month", "month,week"] {
        let by = keys.parse().unwrap();
        let all = Filter::default();
        let summary = subject.queries.summarize(id(ORGANIZATION), all, by).await.unwrap().unwrap();
        assert_eq!(summary.rows.len(), days.len(), "{keys}");
    }
}

pub(crate) async fn those_without_a_ticket_or_a_release_are_a_group_too(subject: Subject) {
    let ticketed = Details { ticket_id: Some(id(TICKET)), ..log(1001).details };
    let released = Details { release_id: Some(id(RELEASE)), billable: false, ..log(1002).details };
    for command in [
        lasting(10, LogTimeEntry { details: ticketed, ..log(1001) }),
        lasting(20, LogTimeEntry { details: released, ..log(1002) }),
        lasting(30, log(1003)),
    ] {
        done(subject.time_entries.execute(logged(command)).await.unwrap());
    }
    let by = GroupBy::one(GroupKey::Ticket).and(GroupKey::Release).unwrap();
    let summary =
        subject.queries.summarize(id(ORGANIZATION), Filter::default(), by).await.unwrap().unwrap();
    let row = |ticket: Option<u128>, release: Option<u128>, minutes, billable_minutes| SummaryRow {
        group: vec![GroupValue::Ticket(ticket.map(id)), GroupValue::Release(release.map(id))],
        totals: Totals { entries: 1, minutes, billable_minutes },
    };
    let rows = vec![
        row(None, None, 30, 30),
        row(None, Some(RELEASE), 20, 0),
        row(Some(TICKET), None, 10, 10),
    ];
    assert_eq!(
        summary,
        Summary { rows, total: Totals { entries: 3, minutes: 60, billable_minutes: 40 } }
    );
}
