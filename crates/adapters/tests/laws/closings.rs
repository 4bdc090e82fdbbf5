//! Laws of closing the books.

use std::time::Duration;

use futures_util::future::join_all;
use timelog_domain::ports::PortError;
use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

const DAY: &str = "2025-01-15";

fn day(text: &str) -> WorkDate {
    text.parse().unwrap()
}

pub(crate) fn close(project: Option<u128>, through: Option<WorkDate>, reason: &str) -> Request {
    let reason = (!reason.is_empty()).then(|| text(reason));
    plain(Command::Close(CloseBooks { project_id: project.map(id), through, reason }))
}

async fn closed(subject: &Subject, request: Request) -> Closing {
    match subject.time_entries.execute(request).await.unwrap().unwrap() {
        Reply::Done { outcome: Outcome::Books(Some(closing)), .. } => closing,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn closings_are_read_as_they_were_answered_newest_first(subject: Subject) {
    let asked = [
        close(None, Some(day("0001-01-01")), ""),
        close(Some(PROJECT), Some(day(DAY)), "an early one"),
        close(None, Some(day("9999-12-31")), ""),
        close(Some(PROJECT), None, "because"),
        close(None, Some(day(DAY)), "because"),
    ];
    let mut made = Vec::new();
    for request in asked {
        made.push(closed(&subject, request).await);
    }
    assert_eq!(made.iter().map(|made| made.number.get()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let read = async |project: Option<u128>, limit| {
        subject.closings.closings((id(ORGANIZATION), project.map(id)), limit).await.unwrap()
    };
    let of = |numbers: &[usize]| numbers.iter().map(|n| made[n - 1].clone()).collect::<Vec<_>>();
    assert_eq!(read(None, 9).await, of(&[5, 3, 1]));
    assert_eq!(read(None, 2).await, of(&[5, 3]));
    assert_eq!(read(Some(PROJECT), 9).await, of(&[4, 2]));
    assert_eq!(read(Some(OTHER_PROJECT), 9).await, []);
    let others = subject.closings.closings((id(OTHER_ORGANIZATION), None), 9).await.unwrap();
    assert_eq!(others, []);
}

pub(crate) async fn a_closed_period_takes_no_change_until_it_is_opened(subject: Subject) {
    let ask = async |request| subject.time_entries.execute(request).await.unwrap();
    ask(logged(log_as(1001, "1"))).await.unwrap();
    for (number, project) in [(2001, None), (2002, Some(PROJECT))] {
        closed(&subject, close(project, Some(day(DAY)), "")).await;
        let refused = Refusal::PeriodClosed(PeriodClosed { through: day(DAY), day: day(DAY) });
        for request in [
            logged(log(1002)),
            logged(lasting(7, log_as(1002, "1"))),
            edit(1001, Patch { billable: Some(false), ..Patch::default() }),
            edit(1001, Patch { project_id: Some(id(OTHER_PROJECT)), ..Patch::default() }),
            delete(1001),
            apply(1001, Action::Submit),
        ] {
            assert_eq!(ask(request).await, Err(refused.clone()));
        }
        // What is closed is its own affair.
        let other = Caller { organization_id: id(OTHER_ORGANIZATION), ..caller() };
        assert!(ask(Request { caller: other, ..logged(log(number)) }).await.is_ok());
        closed(&subject, close(project, None, "because")).await;
    }
    assert!(ask(delete(1001)).await.is_ok());
}

pub(crate) async fn what_waits_together_is_closed_in_its_order(subject: Subject) {
    let requests = vec![
        logged(log(1001)),
        close(Some(PROJECT), Some(day(DAY)), ""),
        logged(log(1002)),
        close(Some(PROJECT), None, "because"),
        logged(log(1003)),
    ];
    let decisions = join_all(requests.into_iter().map(|asked| subject.time_entries.execute(asked)));
    let carried_out: Vec<_> =
        decisions.await.into_iter().map(|decision| decision.unwrap().is_ok()).collect();
    assert_eq!(carried_out, [true, true, false, true, true]);
}

/// How often it is raced.
const ROUNDS: u128 = 120;

/// Everything that changes what was worked on a day, on entries of that round. `status` is what
/// the entry has to be.
fn changes(round: u128, day: WorkDate) -> Vec<(Status, Request)> {
    let number = |place: u128| 10_000 + round * 100 + place;
    let on = |command: LogTimeEntry| LogTimeEntry {
        details: Details { work_date: day, ..command.details },
        ..command
    };
    let new = |place: u128| on(log(number(place) + 50));
    let minute =
        |place: u128| lasting(7, on(log_as(number(place) + 50, &number(place).to_string())));
    let later = Patch { work_date: Some(self::day("9999-12-31")), ..Patch::default() };
    let moved = Patch { project_id: Some(id(OTHER_PROJECT)), ..Patch::default() };
    let shorter = Patch { billable: Some(false), ..Patch::default() };
    vec![
        (Status::Draft, logged(new(0))),
        (Status::Draft, logged(minute(1))),
        (Status::Rejected, edit(number(2), shorter)),
        (Status::Draft, edit(number(3), later)),
        (Status::Draft, edit(number(4), moved)),
        (Status::Draft, delete(number(5))),
        (Status::Draft, apply(number(6), Action::Submit)),
        (Status::Submitted, apply(number(7), Action::Recall)),
        (Status::Submitted, apply(number(8), Action::Approve)),
        (Status::Submitted, apply(number(9), Action::Reject)),
        (Status::Approved, apply(number(10), Action::Reopen)),
        (Status::Draft, log_many(vec![Some(new(11)), Some(new(12))], true)),
        (Status::Submitted, apply_many(&[number(13)], Action::Approve, false)),
    ]
}

/// All entries of a day, in whichever project.
async fn entries(subject: &Subject, day: WorkDate) -> Vec<TimeEntry> {
    let filter = Filter { from: Some(day), to: Some(day), ..Filter::default() };
    let page = PageRequest { filter, sort: Sort::default(), after: None, limit: 200 };
    subject.queries.list(id(ORGANIZATION), page).await.unwrap().items
}

/// A moment of each round, at which one of the requests begins.
async fn moment(number: usize) {
    let tenths = u64::try_from(number % 16).unwrap() * 6;
    tokio::time::sleep(Duration::from_micros(tenths * 100)).await;
}

/// Two programs change entries of a day while a third closes it. What is there when the closing is
/// answered stays as it is.
pub(crate) async fn nothing_changes_in_a_period_once_its_closing_was_answered(subject: Subject) {
    let programs = [&subject, &subject.opened_again().await];
    let closer = subject.opened_again().await;
    let (mut carried_out, mut refused) = (0, 0);
    let mut date = day("2025-01-15").date();
    for round in 0..ROUNDS {
        date = date.next_day().unwrap();
        let day = WorkDate::try_from(date).unwrap();
        let changes = changes(round, day);
        for (place, (status, _)) in changes.iter().enumerate() {
            let number = 10_000 + round * 100 + place as u128;
            let entry = log_as(number, &number.to_string());
            let details = Details { work_date: day, ..entry.details.clone() };
            let mut before = vec![logged(LogTimeEntry { details, ..entry })];
            before.extend(way_to(*status).iter().map(|action| apply(number, *action)));
            for request in before {
                subject.time_entries.execute(request).await.unwrap().unwrap();
            }
        }
        let writes = changes.into_iter().enumerate().map(|(place, (_, request))| {
            let program = programs[place % 2].time_entries.clone();
            tokio::spawn(async move {
                moment(round as usize * 5 + place).await;
                program.execute(request).await
            })
        });
        let writes = join_all(writes.collect::<Vec<_>>());
        let closing = async {
            let project = (round % 2 == 0).then_some(PROJECT);
            moment(round as usize * 7).await;
            closed(&closer, close(project, Some(day), "")).await;
            entries(&closer, day).await
        };
        let (written, at_closing) = tokio::join!(writes, closing);
        for decision in written {
            let decision: Result<Decision, PortError> = decision.unwrap();
            match decision.unwrap() {
                Ok(Reply::Done { outcome: Outcome::Changed(items), .. })
                    if items.iter().any(|(_, outcome)| outcome.is_failure()) =>
                {
                    refused += 1;
                }
                Ok(_) => carried_out += 1,
                Err(Refusal::PeriodClosed(_) | Refusal::BatchFailed(_)) => refused += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        let projects = |entries: Vec<TimeEntry>| {
            let is_closed = |entry: &TimeEntry| round % 2 == 1 || entry.project_id() == id(PROJECT);
            entries.into_iter().filter(is_closed).collect::<Vec<_>>()
        };
        let in_the_end = projects(entries(&subject, day).await);
        assert_eq!(projects(at_closing), in_the_end, "round {round}");
    }
    // Both happened often, or nothing was raced.
    assert!(carried_out > 100 && refused > 100, "{carried_out} {refused}");
}
