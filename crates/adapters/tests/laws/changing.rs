//! Laws of edits, deletions, and many at once.

use timelog_domain::*;

use crate::subject::Subject;
use crate::together::at_once;
use crate::world::*;

async fn find(subject: &Subject, number: u128) -> Option<TimeEntry> {
    subject.time_entries.find(id(ORGANIZATION), id(number)).await.unwrap()
}

async fn ask(subject: &Subject, request: Request) -> Decision {
    subject.time_entries.execute(request).await.unwrap()
}

/// What became of the items of a request for many.
fn items(decision: Decision) -> Vec<ItemOutcome> {
    match decision {
        Ok(Reply::Done { outcome: Outcome::Many(items), .. })
        | Err(Refusal::BatchFailed(items)) => items,
        Ok(Reply::Done { outcome: Outcome::Changed(items), .. })
        | Err(Refusal::ChangesFailed(items)) => {
            items.into_iter().map(|(_, outcome)| outcome).collect()
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn an_edited_entry_is_found_as_it_was_answered(subject: Subject) {
    done(ask(&subject, logged(log_as(1001, "1"))).await);
    let longer = Patch { duration: Some(WorkDuration::MAX), ..Patch::default() };
    let full = Patch {
        user_id: Some(id(OTHER_USER)),
        work_date: Some("9999-12-31".parse().unwrap()),
        description: Some(Some(text("ü"))),
        billable: Some(false),
        ticket_id: Some(Some(id(TICKET))),
        release_id: Some(Some(id(RELEASE))),
        ..longer
    };
    let empty = Patch {
        description: Some(None),
        ticket_id: Some(None),
        release_id: Some(None),
        ..Patch::default()
    };
    for (version, patch) in [(2, full), (3, empty)] {
        let edited = done(ask(&subject, edit(1001, patch)).await);
        assert_eq!(edited.version().get(), version);
        assert_eq!(find(&subject, 1001).await, Some(edited));
    }
}

pub(crate) async fn an_edit_looks_for_tickets_in_the_project_of_its_entry(subject: Subject) {
    let elsewhere = Ticket { project_id: id(OTHER_PROJECT), ..ticket(OTHER_TICKET) };
    subject.directory.put_ticket(elsewhere).await.unwrap();
    let elsewhere = Release { project_id: id(OTHER_PROJECT), ..release(41) };
    subject.directory.put_release(elsewhere).await.unwrap();
    let there = |number| LogTimeEntry { project_id: id(OTHER_PROJECT), ..log(number) };
    let patch = |ticket, release| Patch {
        ticket_id: Some(Some(id(ticket))),
        release_id: Some(Some(id(release))),
        ..Patch::default()
    };
    let unknown = Refusal::References(vec![
        InvalidReference::UnknownTicket,
        InvalidReference::UnknownRelease,
    ]);
    let (here, there_too) = (patch(TICKET, RELEASE), patch(OTHER_TICKET, 41));

    // The entries are stored, and the edits know only their ids.
    done(ask(&subject, logged(log(1001))).await);
    done(ask(&subject, logged(there(1002))).await);
    for (number, own, other) in [(1001, &here, &there_too), (1002, &there_too, &here)] {
        assert_eq!(ask(&subject, edit(number, other.clone())).await, Err(unknown.clone()));
        let edited = done(ask(&subject, edit(number, own.clone())).await);
        assert_eq!(find(&subject, number).await, Some(edited));
    }
    // The entries are logged by requests that wait beside the edits.
    let requests = [
        logged(log(1003)),
        edit(1003, there_too.clone()),
        edit(1003, here.clone()),
        logged(there(1004)),
        edit(1004, here),
        edit(1004, there_too),
    ];
    let mut decisions: Vec<_> = Vec::new();
    for request in requests.chunks(3) {
        decisions.extend(at_once(&subject, request.to_vec()).await.into_iter().map(Result::unwrap));
    }
    let succeeded: Vec<_> = decisions.iter().map(Result::is_ok).collect();
    assert_eq!(succeeded, [true, false, true, true, false, true], "{decisions:?}");
    for (number, decision) in [(1003, 2), (1004, 5)] {
        assert_eq!(find(&subject, number).await, Some(done(decisions[decision].clone())));
    }
}

fn moved(number: u128, project: u128) -> Request {
    let alone = Patch { ticket_id: Some(None), release_id: Some(None), ..Patch::default() };
    edit(number, Patch { project_id: Some(id(project)), ..alone })
}

pub(crate) async fn a_moved_entry_is_found_in_its_new_project_alone(subject: Subject) {
    let logged_as = done(ask(&subject, logged(log_as(1001, "1"))).await);
    let there = done(ask(&subject, moved(1001, OTHER_PROJECT)).await);
    assert_eq!((there.project_id(), there.version().get()), (id(OTHER_PROJECT), 2));
    assert_eq!(
        (there.external_ref(), there.created_at()),
        (logged_as.external_ref(), logged_as.created_at())
    );
    assert_eq!(find(&subject, 1001).await, Some(there.clone()));
    for (project, entries) in [(PROJECT, 0), (OTHER_PROJECT, 1)] {
        let filter = Filter { project_id: Some(id(project)), ..Filter::default() };
        assert_eq!(subject.queries.count(id(ORGANIZATION), filter).await, Ok(entries));
    }
    let history = subject.queries.history(id(ORGANIZATION), id(1001)).await.unwrap();
    assert_eq!((history[1].event, history[1].left_project_id), (Event::Move, Some(id(PROJECT))));
    assert_eq!(ask(&subject, logged(log_as(1002, "1"))).await, Err(Refusal::ExternalRefConflict));
}

pub(crate) async fn entries_move_among_requests_that_wait_as_one_after_the_other(subject: Subject) {
    let elsewhere = Ticket { project_id: id(OTHER_PROJECT), ..ticket(OTHER_TICKET) };
    subject.directory.put_ticket(elsewhere).await.unwrap();
    let names = |number, ticket| {
        edit(number, Patch { ticket_id: Some(Some(id(ticket))), ..Patch::default() })
    };
    done(ask(&subject, logged(log(1001))).await);
    let requests = vec![
        names(1001, TICKET),
        // It has a ticket of its own project.
        edit(1001, Patch { project_id: Some(id(OTHER_PROJECT)), ..Patch::default() }),
        moved(1001, OTHER_PROJECT),
        names(1001, TICKET),
        names(1001, OTHER_TICKET),
        moved(1001, PROJECT),
        names(1001, TICKET),
        // Logged and moved at once.
        logged(log(1002)),
        moved(1002, OTHER_PROJECT),
        names(1002, OTHER_TICKET),
    ];
    let decisions: Vec<_> =
        at_once(&subject, requests).await.into_iter().map(Result::unwrap).collect();
    let succeeded: Vec<_> = decisions.iter().map(Result::is_ok).collect();
    let expected = [true, false, true, false, true, true, true, true, true, true];
    assert_eq!(succeeded, expected, "{decisions:?}");
    for (number, decision) in [(1001, 6), (1002, 9)] {
        assert_eq!(find(&subject, number).await, Some(done(decisions[decision].clone())));
    }
}

pub(crate) async fn a_deleted_entry_is_gone_and_its_reference_is_free(subject: Subject) {
    let deleted = Ok(Reply::Done { outcome: Outcome::Deleted, answer: None });
    done(ask(&subject, logged(log_as(1001, "1"))).await);
    assert_eq!(ask(&subject, delete(1001)).await, deleted);
    assert_eq!(find(&subject, 1001).await, None);
    assert_eq!(subject.queries.count(id(ORGANIZATION), Filter::default()).await, Ok(0));
    assert_eq!(ask(&subject, delete(1001)).await, Err(Refusal::TimeEntryNotFound));
    let next = done(ask(&subject, logged(log_as(1002, "1"))).await);
    assert_eq!((next.id(), next.version().get()), (id(1002), 1));
    assert_eq!(find(&subject, 1002).await, Some(next));
}

pub(crate) async fn one_reference_may_change_hands_among_requests_that_wait(subject: Subject) {
    done(ask(&subject, logged(log_as(1001, "1"))).await);
    // The stored entry goes; one that is logged and deleted at once was never there; the third
    // stays.
    let requests = vec![
        delete(1001),
        logged(log_as(1002, "1")),
        delete(1002),
        logged(log_as(1003, "1")),
        logged(lasting(90, log_as(1004, "1"))),
    ];
    let decisions: Vec<_> =
        at_once(&subject, requests).await.into_iter().map(Result::unwrap).collect();
    assert!(decisions.iter().all(Result::is_ok), "{decisions:?}");
    for number in [1001, 1002, 1004] {
        assert_eq!(find(&subject, number).await, None, "{number}");
    }
    assert_eq!(find(&subject, 1003).await, Some(done(decisions[4].clone())));
    for (number, events) in [
        (1001, vec![Event::Log, Event::Delete]),
        (1002, vec![Event::Log, Event::Delete]),
        (1003, vec![Event::Log, Event::Edit]),
        (1004, vec![]),
    ] {
        let history = subject.queries.history(id(ORGANIZATION), id(number)).await.unwrap();
        assert_eq!(
            history.iter().map(|record| record.event).collect::<Vec<_>>(),
            events,
            "{number}"
        );
    }
}

/// New, updated, unchanged, invalid, refused, new, and a later one of the first one's reference.
fn mixed() -> Vec<Option<LogTimeEntry>> {
    let unknown = Details { ticket_id: Some(id(99)), ..log(0).details };
    vec![
        Some(log_as(1011, "new")),
        Some(lasting(90, log_as(1012, "old"))),
        Some(log_as(1013, "new")),
        None,
        Some(LogTimeEntry { details: unknown, ..log(1014) }),
        Some(log(1015)),
        Some(lasting(30, log_as(1016, "new"))),
    ]
}

pub(crate) async fn many_are_logged_each_by_itself(subject: Subject) {
    done(ask(&subject, logged(log_as(1001, "old"))).await);
    let request = Request { claim: Some(claim("a")), ..log_many(mixed(), false) };
    let items = items(ask(&subject, request.clone()).await);
    let failed: Vec<_> = items.iter().map(ItemOutcome::is_failure).collect();
    assert_eq!(failed, [false, false, false, true, true, false, false], "{items:?}");
    // The later of one reference wins, so the first one is found as the last one left it.
    for (number, item) in [(1011, 6), (1001, 1), (1015, 5)] {
        assert_eq!(find(&subject, number).await.as_ref(), items[item].time_entry(), "{number}");
    }
    assert_eq!(subject.queries.count(id(ORGANIZATION), Filter::default()).await, Ok(3));
    let repeat = ask(&subject, request).await;
    assert!(matches!(repeat, Ok(Reply::Replayed { .. })), "{repeat:?}");
}

pub(crate) async fn one_failure_keeps_all_of_an_atomic_batch_from_being_stored(subject: Subject) {
    let old = done(ask(&subject, logged(log_as(1001, "old"))).await);
    let request = Request { claim: Some(claim("a")), ..log_many(mixed(), true) };
    // Requests beside it are not touched by its failure.
    let requests = vec![logged(log(1002)), request.clone(), logged(log_as(1003, "new"))];
    let decisions: Vec<_> =
        at_once(&subject, requests).await.into_iter().map(Result::unwrap).collect();
    assert!(matches!(decisions[1], Err(Refusal::BatchFailed(_))), "{decisions:?}");
    assert_eq!(find(&subject, 1001).await, Some(old));
    for number in 1011..=1016 {
        assert_eq!(find(&subject, number).await, None, "{number}");
        assert_eq!(subject.queries.history(id(ORGANIZATION), id(number)).await, Ok(vec![]));
    }
    assert_eq!(subject.answers.find(&scope("a"), subject.clock.time()).await, Ok(None));
    for (number, decision) in [(1002, 0), (1003, 2)] {
        assert_eq!(find(&subject, number).await, Some(done(decisions[decision].clone())));
    }
    // Without what failed it comes through, as a whole.
    let good = mixed().into_iter().flatten().filter(|item| item.id != id(1014)).map(Some).collect();
    let items =
        items(ask(&subject, Request { claim: Some(claim("a")), ..log_many(good, true) }).await);
    assert!(items.iter().all(|item| item.time_entry().is_some()), "{items:?}");
    assert!(find(&subject, 1015).await.is_some());
}

pub(crate) async fn many_are_moved_each_by_itself_or_none(subject: Subject) {
    for number in 1001..=1003 {
        done(ask(&subject, logged(log(number))).await);
    }
    done(ask(&subject, apply(1002, Action::Submit)).await);
    let statuses = async || {
        let mut statuses = Vec::new();
        for number in 1001..=1003 {
            statuses.push(find(&subject, number).await.unwrap().status());
        }
        statuses
    };
    let numbers = [1001, 1002, 404, 1003, 1001];
    let refused = ask(&subject, apply_many(&numbers, Action::Submit, true)).await;
    assert!(matches!(refused, Err(Refusal::ChangesFailed(_))), "{refused:?}");
    assert_eq!(statuses().await, [Status::Draft, Status::Submitted, Status::Draft]);
    let moved = items(ask(&subject, apply_many(&numbers, Action::Submit, false)).await);
    let failed: Vec<_> = moved.iter().map(ItemOutcome::is_failure).collect();
    assert_eq!(failed, [false, true, true, false, true]);
    assert_eq!(statuses().await, [Status::Submitted; 3]);
    assert_eq!(find(&subject, 1003).await.as_ref(), moved[3].time_entry());
    let all = items(ask(&subject, apply_many(&[1003, 1001, 1002], Action::Reject, true)).await);
    assert!(all.iter().all(|item| item.time_entry().is_some()));
    assert_eq!(statuses().await, [Status::Rejected; 3]);
}

/// A command for what a filter of days finds.
fn found(filter: Filter, change: EachChange, atomic: bool) -> Request {
    let day = |text: &str| text.parse().ok();
    let filter = Filter { from: day("2025-01-01"), to: day("2025-12-31"), ..filter };
    let entries = Selection::Filter(filter);
    plain(Command::ChangeMany(ChangeMany { entries, change, atomic }))
}

/// The entries that were to be changed, and what came of it.
fn changed(decision: Decision) -> Vec<Changed> {
    match decision {
        Ok(Reply::Done { outcome: Outcome::Changed(items), .. })
        | Err(Refusal::ChangesFailed(items)) => items,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn what_a_filter_finds_is_changed_as_it_was_answered(subject: Subject) {
    let on = |number: u128, day: &str| {
        let details = Details { work_date: day.parse().unwrap(), ..log(number).details };
        logged(LogTimeEntry { details, ..log(number) })
    };
    let ask = async |request| subject.time_entries.execute(request).await.unwrap();
    for (number, day) in
        [(1005, "2025-03-01"), (1003, "2025-03-01"), (1001, "2025-06-01"), (1002, "2026-01-01")]
    {
        ask(on(number, day)).await.unwrap();
    }
    let submit = || EachChange::Apply(transition(Action::Submit));
    let submitted = changed(ask(found(Filter::default(), submit(), true)).await);
    let ids: Vec<_> = submitted.iter().map(|(entry, _)| *entry).collect();
    assert_eq!(ids, [1003, 1005, 1001].map(id));
    for (entry, outcome) in submitted {
        let stored = subject.time_entries.find(id(ORGANIZATION), entry).await.unwrap();
        assert_eq!(outcome.time_entry(), stored.as_ref());
    }
    // What is found now depends on what was changed then.
    let drafts = Filter { statuses: [Status::Draft].into(), ..Filter::default() };
    assert_eq!(changed(ask(found(drafts, EachChange::Delete, true)).await), []);
    let failed = changed(ask(found(Filter::default(), EachChange::Delete, false)).await);
    assert!(failed.iter().all(|(_, outcome)| outcome.is_failure()) && failed.len() == 3);
    let others = Filter { user_id: Some(id(OTHER_USER)), ..Filter::default() };
    assert_eq!(changed(ask(found(others, EachChange::Delete, false)).await), []);
    for number in [1003, 1005, 1001] {
        ask(apply(number, Action::Recall)).await.unwrap();
    }
    let moved = Patch { project_id: Some(id(OTHER_PROJECT)), ..Patch::default() };
    let of_project = Filter { project_id: Some(id(PROJECT)), ..Filter::default() };
    let moved = found(of_project.clone(), EachChange::Edit(moved), true);
    assert_eq!(changed(ask(moved).await).len(), 3);
    assert_eq!(changed(ask(found(of_project, EachChange::Delete, true)).await), []);
    let deleted = changed(ask(found(Filter::default(), EachChange::Delete, true)).await);
    assert_eq!(deleted, [1003, 1005, 1001].map(|number| (id(number), ItemOutcome::Deleted)));
    for number in [1003, 1005, 1001] {
        assert_eq!(subject.time_entries.find(id(ORGANIZATION), id(number)).await.unwrap(), None);
    }
}

pub(crate) async fn a_filter_that_finds_too_many_changes_nothing_and_tells_how_many(
    subject: Subject,
) {
    for begin in (0..2001).step_by(500) {
        let items = (begin..2001.min(begin + 500)).map(|number| Some(log(5000 + number)));
        let logged = subject.time_entries.execute(log_many(items.collect(), true));
        logged.await.unwrap().unwrap();
    }
    let ask = async |filter| {
        let submit = EachChange::Apply(transition(Action::Submit));
        subject.time_entries.execute(found(filter, submit, false)).await.unwrap()
    };
    let project_id = Some(id(PROJECT));
    for filter in [
        Filter::default(),
        Filter { project_id, ..Filter::default() },
        Filter { statuses: [Status::Draft].into(), ..Filter::default() },
        Filter { project_id, statuses: [Status::Draft].into(), ..Filter::default() },
        Filter { ticket_id: Some(None), ..Filter::default() },
    ] {
        let refused = Err(Refusal::FoundTooMany(FoundTooMany::Exactly(2001)));
        assert_eq!(ask(filter.clone()).await, refused, "{filter:?}");
    }
    subject.time_entries.execute(delete(5000)).await.unwrap().unwrap();
    let submitted = changed(ask(Filter::default()).await);
    assert_eq!(submitted.len(), 2000);
    assert!(submitted.iter().all(|(_, outcome)| matches!(outcome, ItemOutcome::Updated(_))));
    let end = FeedRequest { project_id: None, user_id: None, after: Seq::new(4001), limit: 10 };
    let page = subject.feed.changes(id(ORGANIZATION), end).await.unwrap();
    assert_eq!((page.changes.len(), page.end), (1, Seq::new(4002)));
}
