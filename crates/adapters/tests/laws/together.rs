//! Laws of requests that run at the same time. On a runtime of one thread, whatever is polled
//! before anything waits for the store is taken by it together; on several threads it is taken in
//! whatever portions chance makes.

use futures_util::FutureExt;
use futures_util::future::join_all;
use timelog_domain::ports::PortError;
use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

/// Asks for everything at once and returns what became of each.
pub(crate) async fn at_once(
    subject: &Subject,
    requests: Vec<Request>,
) -> Vec<Result<Decision, PortError>> {
    join_all(requests.into_iter().map(|request| subject.time_entries.execute(request))).await
}

async fn exists(subject: &Subject, number: u128) -> bool {
    subject.time_entries.find(id(ORGANIZATION), id(number)).await.unwrap().is_some()
}

pub(crate) async fn identical_requests_at_once_have_one_effect(subject: Subject) {
    let numbers = 1001..=1064;
    let decisions =
        at_once(&subject, numbers.clone().map(|number| keyed(log(number), "a")).collect()).await;
    let mut carried_out = Vec::new();
    let mut answers = Vec::new();
    for decision in decisions {
        match decision.unwrap().unwrap() {
            Reply::Done { outcome, answer } => {
                carried_out.push(outcome.time_entry().unwrap().id());
                answers.extend(answer);
            }
            Reply::Replayed { answer, same_body } => {
                assert!(same_body);
                answers.push(answer);
            }
        }
    }
    assert_eq!(carried_out.len(), 1);
    assert_eq!(answers.len(), 64);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    for number in numbers {
        assert_eq!(exists(&subject, number).await, carried_out == [id(number)]);
    }
}

pub(crate) async fn one_new_reference_logged_many_times_at_once_makes_one_entry(subject: Subject) {
    let numbers = 1001..=1064_u16;
    let requests = numbers
        .clone()
        .map(|number| logged(lasting((number % 7 + 1).into(), log_as(number.into(), "1"))));
    let decisions = at_once(&subject, requests.collect()).await;
    let outcomes: Vec<_> = decisions
        .into_iter()
        .map(|decision| match decision.unwrap().unwrap() {
            Reply::Done { outcome, .. } => outcome,
            Reply::Replayed { .. } => panic!("replayed without a key"),
        })
        .collect();
    let created: Vec<_> =
        outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Created(_))).collect();
    assert_eq!(created.len(), 1);
    let id = created[0].time_entry().unwrap().id();
    assert!(outcomes.iter().all(|outcome| outcome.time_entry().unwrap().id() == id));
    // As if one had followed the other: each change counted, and the last one stands.
    let last = outcomes
        .iter()
        .filter_map(Outcome::time_entry)
        .max_by_key(|entry| entry.version())
        .unwrap();
    let changes =
        outcomes.iter().filter(|outcome| !matches!(outcome, Outcome::Unchanged(_))).count();
    assert_eq!(usize::try_from(last.version().get()), Ok(changes));
    assert_eq!(subject.time_entries.find(last.organization_id(), id).await, Ok(Some(last.clone())));
}

pub(crate) async fn of_two_actions_that_exclude_each_other_one_is_carried_out(subject: Subject) {
    for number in 1001..=1016 {
        subject.time_entries.execute(logged(log(number))).await.unwrap().unwrap();
        subject.time_entries.execute(apply(number, Action::Submit)).await.unwrap().unwrap();
        let actions = [Action::Approve, Action::Recall, Action::Reject];
        let requests = actions.map(|action| apply(number, action)).to_vec();
        let decisions: Vec<_> =
            at_once(&subject, requests).await.into_iter().map(Result::unwrap).collect();
        let carried_out: Vec<_> =
            decisions.iter().filter_map(|decision| decision.as_ref().ok()).collect();
        let [Reply::Done { outcome, .. }] = carried_out[..] else { panic!("{decisions:?}") };
        let refused = decisions
            .iter()
            .filter(|decision| matches!(decision, Err(Refusal::InvalidTransition(_))));
        assert_eq!(refused.count(), 2);
        let stored = subject.time_entries.find(id(ORGANIZATION), id(number)).await.unwrap();
        assert_eq!(stored.as_ref(), outcome.time_entry());
    }
}

pub(crate) async fn a_request_that_panics_fails_alone_and_leaves_no_trace(subject: Subject) {
    let existing = done(subject.time_entries.execute(logged(log_as(1000, "1"))).await.unwrap());
    let requests = vec![
        keyed(log(1001), "a"),
        panicking(log_as(1002, "2"), "b"),
        panicking(lasting(90, log_as(1003, "1")), "c"),
        keyed(log(1004), "d"),
        logged(log_as(1005, "2")),
    ];
    let decisions = at_once(&subject, requests).await;
    for (decision, fails) in decisions.iter().zip([false, true, true, false, false]) {
        assert_eq!(matches!(decision, Err(PortError::Internal(_))), fails, "{decision:?}");
        assert_eq!(matches!(decision, Ok(Ok(Reply::Done { .. }))), !fails, "{decision:?}");
    }
    assert_eq!(subject.time_entries.find(id(ORGANIZATION), id(1000)).await, Ok(Some(existing)));
    for (number, stored) in [(1001, true), (1002, false), (1003, false), (1004, true), (1005, true)]
    {
        assert_eq!(exists(&subject, number).await, stored, "{number}");
    }
    for (key, kept) in [("a", true), ("b", false), ("c", false), ("d", true)] {
        let answer = subject.answers.find(&scope(key), subject.clock.time()).await.unwrap();
        assert_eq!(answer.is_some(), kept, "{key}");
    }
    // And the store lives.
    assert!(matches!(
        subject.time_entries.execute(keyed(log(1006), "b")).await,
        Ok(Ok(Reply::Done { .. }))
    ));
}

pub(crate) async fn a_repeat_whose_first_failed_is_carried_out(subject: Subject) {
    let requests = vec![
        panicking(log_as(1001, "1"), "a"),
        keyed(log_as(1002, "1"), "a"),
        keyed(log_as(1003, "1"), "a"),
    ];
    let decisions = at_once(&subject, requests).await;
    let [Err(PortError::Internal(_)), Ok(Ok(second)), Ok(Ok(third))] = &decisions[..] else {
        panic!("{decisions:?}")
    };
    let Reply::Done { outcome: Outcome::Created(entry), answer: Some(answer) } = second else {
        panic!("{second:?}")
    };
    assert_eq!(entry.id(), id(1002));
    assert_eq!(*third, Reply::Replayed { answer: answer.clone(), same_body: true });
    assert!(!exists(&subject, 1001).await);
}

pub(crate) async fn a_refusal_does_not_touch_its_neighbours(subject: Subject) {
    let nowhere = LogTimeEntry { project_id: id(99), ..log(1002) };
    let requests = vec![
        logged(log(1001)),
        keyed(nowhere, "a"),
        keyed(log(1003), "a"),
        apply(404, Action::Submit),
    ];
    let decisions = at_once(&subject, requests).await;
    let carried_out: Vec<_> =
        decisions.iter().map(|decision| matches!(decision, Ok(Ok(Reply::Done { .. })))).collect();
    assert_eq!(carried_out, [true, false, true, false], "{decisions:?}");
    assert!(exists(&subject, 1001).await && exists(&subject, 1003).await);
}

pub(crate) async fn a_begun_request_runs_to_its_end_though_nobody_waits(subject: Subject) {
    for number in 1001..=1008 {
        // Begun by asking once, and dropped.
        drop(subject.time_entries.execute(keyed(log(number), &number.to_string())).now_or_never());
    }
    for number in 1001..=1008 {
        let repeat = subject
            .time_entries
            .execute(keyed(log(number + 100), &number.to_string()))
            .await
            .unwrap();
        assert!(matches!(repeat, Ok(Reply::Replayed { .. })), "{repeat:?}");
        assert!(exists(&subject, number).await);
        assert!(!exists(&subject, number + 100).await);
    }
}
