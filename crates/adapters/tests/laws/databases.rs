//! Laws of stores that keep what they answered, in a database that other programs can open, behind
//! a commit queue.

use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use timelog_adapters::QueueOptions;
use timelog_domain::ports::{Health, PortError, PortFuture};
use timelog_domain::*;

use crate::subject::{Subject, is_current};
use crate::together::at_once;
use crate::world::*;

/// Puts requests into the queue, where they wait.
fn begin(
    subject: &Subject,
    requests: impl IntoIterator<Item = Request>,
) -> Vec<PortFuture<'_, Decision>> {
    let mut waiting: Vec<_> =
        requests.into_iter().map(|request| subject.time_entries.execute(request)).collect();
    for future in &mut waiting {
        assert!(Pin::new(future).now_or_never().is_none(), "nobody had time to carry it out");
    }
    waiting
}

pub(crate) async fn what_was_answered_is_there_for_another_program(subject: Subject) {
    let first = subject.time_entries.execute(keyed(log_as(1001, "1"), "a")).await.unwrap();
    let Ok(Reply::Done { outcome, answer: Some(answer) }) = first else { panic!("{first:?}") };
    let entry = outcome.time_entry().unwrap().clone();
    // The first program is still running, so nothing is stored by its end.
    let other = subject.opened_again().await;
    assert_eq!(other.time_entries.find(id(ORGANIZATION), id(1001)).await, Ok(Some(entry.clone())));
    let record = other.answers.find(&scope("a"), subject.clock.time()).await.unwrap().unwrap();
    assert_eq!(record.answer, answer);
    let repeat = other.time_entries.execute(keyed(log_as(1002, "1"), "a")).await;
    assert_eq!(repeat, Ok(Ok(Reply::Replayed { answer, same_body: true })));
    let again = other.time_entries.execute(logged(log_as(1003, "1"))).await.unwrap();
    assert_eq!(again, Ok(Reply::Done { outcome: Outcome::Unchanged(entry), answer: None }));
}

pub(crate) async fn two_programs_at_once_have_one_effect(subject: Subject) {
    let other = subject.opened_again().await;
    for round in 0..4 {
        let key = round.to_string();
        let request = |number: u128| keyed(log_as(round * 100 + number, &key), &key);
        let (ours, theirs) = tokio::join!(
            at_once(&subject, (1001..=1016).map(request).collect()),
            at_once(&other, (1051..=1066).map(request).collect())
        );
        let replies: Vec<_> =
            ours.into_iter().chain(theirs).map(|decision| decision.unwrap().unwrap()).collect();
        let created = replies.iter().filter(|reply| matches!(reply, Reply::Done { .. })).count();
        assert_eq!((created, replies.len()), (1, 32));
    }
}

pub(crate) async fn requests_that_wait_share_a_commit(subject: Subject) {
    let before = subject.clock.asked();
    let mut requests: Vec<_> =
        (1001..=1016).map(|number| keyed(log(number), &number.to_string())).collect();
    // One that panics costs the others no second attempt.
    requests.insert(8, panicking(log(1017), "panics"));
    let decisions = at_once(&subject, requests).await;
    let carried_out =
        decisions.iter().filter(|decision| matches!(decision, Ok(Ok(Reply::Done { .. })))).count();
    assert_eq!(carried_out, 16);
    assert_eq!(subject.clock.asked() - before, 1, "one batch asks for the time once");
    // And nobody waits for company.
    subject.time_entries.execute(logged(log(1018))).await.unwrap().unwrap();
    assert_eq!(subject.clock.asked() - before, 2);
}

pub(crate) async fn a_reference_changes_hands_within_a_commit(subject: Subject) {
    done(subject.time_entries.execute(logged(log_as(1001, "1"))).await.unwrap());
    let before = subject.clock.asked();
    let decisions = at_once(&subject, vec![delete(1001), logged(log_as(1002, "1"))]).await;
    assert!(decisions.iter().all(|decision| matches!(decision, Ok(Ok(_)))), "{decisions:?}");
    // Saved in the wrong order, the two would be a conflict, and only come through one by one.
    assert_eq!(subject.clock.asked() - before, 1);
}

pub(crate) async fn a_full_queue_turns_away_and_changes_nothing(subject: Subject) {
    let small =
        subject.opened_again_with(QueueOptions { capacity: 4, ..QueueOptions::default() }).await;
    let waiting = begin(&small, [keyed(log(1001), "a"), keyed(log(1002), "b")]);
    let turned_away = small.time_entries.execute(keyed(log(1003), "c")).now_or_never();
    assert_eq!(turned_away, Some(Err(PortError::Busy)));
    for decision in join_all(waiting).await {
        done(decision.unwrap());
    }
    assert_eq!(small.time_entries.find(id(ORGANIZATION), id(1003)).await, Ok(None));
    assert_eq!(small.answers.find(&scope("c"), subject.clock.time()).await, Ok(None));
    // Trying again later helps.
    done(small.time_entries.execute(keyed(log(1003), "c")).await.unwrap());
}

pub(crate) async fn a_request_that_waited_too_long_is_not_begun(subject: Subject) {
    let impatient = subject
        .opened_again_with(QueueOptions { max_wait: Duration::ZERO, ..QueueOptions::default() })
        .await;
    assert_eq!(impatient.time_entries.execute(keyed(log(1001), "a")).await, Err(PortError::Busy));
    assert_eq!(subject.time_entries.find(id(ORGANIZATION), id(1001)).await, Ok(None));
    assert_eq!(subject.answers.find(&scope("a"), subject.clock.time()).await, Ok(None));
}

pub(crate) async fn a_request_whose_id_is_taken_fails_alone(subject: Subject) {
    let existing = done(subject.time_entries.execute(logged(log(1001))).await.unwrap());
    let requests =
        vec![keyed(log(1002), "a"), keyed(lasting(90, log(1001)), "b"), keyed(log(1003), "c")];
    let decisions = at_once(&subject, requests).await;
    let failed: Vec<_> = decisions.iter().map(Result::is_err).collect();
    assert_eq!(failed, [false, true, false], "{decisions:?}");
    assert_eq!(subject.time_entries.find(id(ORGANIZATION), id(1001)).await, Ok(Some(existing)));
    assert_eq!(subject.answers.find(&scope("b"), subject.clock.time()).await, Ok(None));
}

pub(crate) async fn draining_answers_what_waits_and_takes_no_more(subject: Subject) {
    let waiting = begin(&subject, (1001..=1100).map(|number| logged(log(number))));
    subject.database().store.drain().await;
    for decision in waiting {
        // The answer is there already.
        done(decision.now_or_never().unwrap().unwrap());
    }
    let late = subject.time_entries.execute(logged(log(1101))).await;
    assert!(matches!(late, Err(PortError::Unavailable(_))), "{late:?}");
    assert!(subject.time_entries.find(id(ORGANIZATION), id(1100)).await.unwrap().is_some());
    assert!(
        matches!(subject.database().store.check().await, Err(PortError::Unavailable(_))),
        "it is not ready"
    );
}

pub(crate) async fn a_panic_in_the_middle_of_a_commit_fails_alone_and_the_lane_goes_on(
    subject: Subject,
) {
    let store = &subject.database().store;
    // The whole batch panics, and then each half once more, so that one request stands alone with
    // the last panic.
    subject.clock.panic_next(3);
    let requests = (1001..=1004).map(|number| keyed(log(number), &number.to_string()));
    let decisions = at_once(&subject, requests.collect()).await;
    let failed: Vec<_> =
        decisions.iter().map(|decision| matches!(decision, Err(PortError::Internal(_)))).collect();
    assert_eq!(failed, [true, false, false, false], "{decisions:?}");
    for (number, failed) in (1001..).zip(failed) {
        let stored = subject.time_entries.find(id(ORGANIZATION), id(number)).await.unwrap();
        assert_eq!(stored.is_none(), failed, "{number}");
        let kept =
            subject.answers.find(&scope(&number.to_string()), subject.clock.time()).await.unwrap();
        assert_eq!(kept.is_none(), failed, "{number}");
    }
    // The lane lives, and the same request is carried out.
    assert_eq!(is_current(store).await, Ok(true));
    done(subject.time_entries.execute(keyed(log(1001), "1001")).await.unwrap());
}

pub(crate) async fn a_database_is_current_once_it_is_migrated(subject: Subject) {
    let store = &subject.database().store;
    assert_eq!(is_current(store).await, Ok(true));
    assert_eq!(store.is_empty().await, Ok(false));
    assert_eq!(store.migrate().await, Ok(Vec::new()), "a second time there is nothing left to do");
}

pub(crate) async fn the_directory_needs_its_organization(subject: Subject) {
    let organization_id = id(99);
    let directory = &*subject.directory;
    let refused = Err(PortError::UnknownReference);
    assert_eq!(
        directory.put_project(Project { organization_id, ..project(PROJECT, false) }).await,
        refused
    );
    assert_eq!(directory.put_user(User { organization_id, ..user(USER, true) }).await, refused);
    let ticket = Ticket { project_id: id(99), ..ticket(TICKET) };
    assert_eq!(directory.put_ticket(ticket).await, refused);
    let release = Release { project_id: id(99), ..release(RELEASE) };
    assert_eq!(directory.put_release(release).await, refused);
}

pub(crate) async fn what_is_kept_is_measured_as_it_comes_and_goes(subject: Subject) {
    let store = &subject.database().store;
    assert_eq!(store.kept_bytes().await, Ok(0));
    done(subject.time_entries.execute(keyed(log(1001), "a")).await.unwrap());
    let small = store.kept_bytes().await.unwrap();
    let record = subject.answers.find(&scope("a"), subject.clock.time()).await.unwrap().unwrap();
    // An answer takes no more than as it was sent, beside the 16 bytes that it is found by.
    let StoredAnswer { location, etag, body, .. } = record.answer;
    let headers = location.map_or(0, |text| text.len()) + etag.map_or(0, |text| text.len());
    assert!((17..16 + 3 + headers + body.len()).contains(&usize::try_from(small).unwrap()));
    subject.clock.advance(Duration::from_secs(1));
    let failing = Request { claim: Some(claim("b")), ..log_many(vec![None; 500], false) };
    let decision = subject.time_entries.execute(failing).await.unwrap();
    let Ok(Reply::Done { answer: Some(answer), .. }) = decision else { panic!("{decision:?}") };
    let large = store.kept_bytes().await.unwrap() - small;
    assert!(large * 10 < answer.body.len() as u64, "{large} bytes for {}", answer.body.len());
    // What expires is no longer counted once it is swept.
    subject.clock.advance(
        timelog_domain::idempotency::ANSWER_LIFETIME.saturating_sub(Duration::from_secs(1)),
    );
    assert_eq!(subject.answers.sweep(subject.clock.time(), 100).await, Ok(1));
    assert_eq!(store.kept_bytes().await, Ok(large));
}
