//! Receivers that are slow, away, gone or refuse what they get.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use timelog_domain::ports::Clock;

use crate::support::feed::read;
use crate::support::{Api, Database, Receiver, Reply, Service, on_every_database, until};
use crate::webhook_deliveries::{arrives, comes_to, everything, make};

on_every_database! {
    a_receiver_that_answers_500_a_hundred_times_misses_nothing,
    a_receiver_that_is_away_for_three_days_is_given_up_and_goes_on_when_enabled,
    a_receiver_that_comes_back_after_a_day_gets_everything_in_order,
    a_receiver_is_left_alone_for_as_long_as_it_asks,
    a_receiver_that_is_gone_is_given_up_at_once,
    what_is_refused_is_put_aside_and_the_next_goes_out,
    what_was_put_aside_is_sent_again_by_hand,
    what_is_sent_by_hand_shows_what_the_webhook_may_see,
    a_redirect_is_not_followed,
    receivers_that_do_not_answer_are_tried_again,
    receivers_that_take_an_event_badly_have_it,
}

/// A service whose receivers have little time.
async fn start(database: Database) -> Service {
    Service::start_with(database, |setup| {
        Receiver::allow(setup);
        setup.settings.webhook_timeout = Duration::from_millis(400);
    })
    .await
}

/// Moves the clock, and has it looked for what is due.
async fn wait(service: &Service, path: &str, time: Duration) {
    service.clock.advance(time);
    service.api.patch(path).json(&json!({})).send().await.is(200);
}

/// The time until the next attempt.
async fn pause(api: &Api, path: &str, attempts: usize, receiver: &Receiver) -> String {
    arrives(receiver, attempts).await;
    let seen = comes_to(api, path, |seen| !seen["nextAttemptAt"].is_null()).await;
    seen["nextAttemptAt"].as_str().unwrap().to_owned()
}

async fn a_receiver_that_answers_500_a_hundred_times_misses_nothing(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    let mut left = 100;
    receiver.answer(move |_| {
        left -= 1;
        Reply::Status(if left >= 0 { 500 } else { 204 })
    });
    let (path, _) = make(&service.api, &receiver.webhook()).await;
    for _ in 0..3 {
        service.log_any().send().await.is(201);
    }
    let mut given_up = 0;
    for attempts in 1..=100 {
        arrives(&receiver, attempts).await;
        let is_noted =
            |seen: &Value| !seen["nextAttemptAt"].is_null() || !seen["disabledReason"].is_null();
        let seen = comes_to(&service.api, &path, is_noted).await;
        assert_eq!((&seen["lastError"], &seen["behind"]), (&json!("it answered 500"), &json!(3)));
        if seen["disabledReason"] == "receiver_away" {
            given_up += 1;
            service.api.patch(&path).json(&json!({ "enabled": true })).send().await.is(200);
        } else {
            wait(&service, &path, Duration::from_hours(5)).await;
        }
    }
    arrives(&receiver, 103).await;
    let seqs = receiver.seqs();
    assert_eq!(seqs[..100], [1; 100]);
    assert_eq!(seqs[100..], [1, 2, 3]);
    let ids = receiver.received();
    assert!(
        ids[..101].iter().all(|event| event.header("webhook-id") == ids[0].header("webhook-id"))
    );
    assert!(given_up >= 4, "{given_up}");
    let seen = comes_to(&service.api, &path, |seen| seen["behind"] == 0).await;
    assert_eq!((&seen["lastError"], &seen["nextAttemptAt"]), (&Value::Null, &Value::Null));
}

async fn a_receiver_that_is_away_for_three_days_is_given_up_and_goes_on_when_enabled(
    database: Database,
) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    receiver.always(Reply::Status(503));
    let (path, _) = make(&service.api, &receiver.webhook()).await;
    service.log_any().send().await.is(201);
    // 5 s, 30 s, 2 min, 10 min, 1 h and then every 4 h, each at most a tenth longer.
    let mut now = 0;
    for (attempt, seconds) in [5, 30, 120, 600, 3600, 14_400, 14_400].into_iter().enumerate() {
        let next = pause(&service.api, &path, attempt + 1, &receiver).await;
        let waits = millis(&next) - BEGINNING - now;
        assert!((seconds * 1000..=seconds * 1100).contains(&waits), "{seconds}: {waits}");
        // Just before it nothing comes.
        let until_then = Duration::from_millis(u64::try_from(waits).unwrap());
        wait(&service, &path, until_then.checked_sub(Duration::from_millis(1)).unwrap()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(receiver.received().len(), attempt + 1);
        wait(&service, &path, Duration::from_millis(1)).await;
        now += waits;
    }
    arrives(&receiver, 8).await;
    comes_to(&service.api, &path, |seen| !seen["nextAttemptAt"].is_null()).await;
    wait(&service, &path, Duration::from_hours(72)).await;
    let seen = comes_to(&service.api, &path, |seen| !seen["disabledReason"].is_null()).await;
    assert_eq!(
        (&seen["disabledReason"], &seen["enabled"]),
        (&json!("receiver_away"), &json!(false))
    );
    assert_eq!((&seen["nextAttemptAt"], &seen["behind"]), (&Value::Null, &json!(1)));
    let attempts = receiver.received().len();
    wait(&service, &path, Duration::from_hours(24)).await;
    service.log_any().send().await.is(201);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.received().len(), attempts);
    receiver.always(Reply::Status(204));
    service.api.patch(&path).json(&json!({ "enabled": true })).send().await.is(200);
    arrives(&receiver, attempts + 2).await;
    assert_eq!(receiver.seqs()[attempts..], [1, 2]);
}

/// When every test begins.
const BEGINNING: i64 = 1_772_355_600_000;

/// An instant, in milliseconds since 1970-01-01T00:00:00Z.
fn millis(at: &str) -> i64 {
    let at = OffsetDateTime::parse(at, &Rfc3339).unwrap();
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap()
}

async fn a_receiver_that_comes_back_after_a_day_gets_everything_in_order(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    let body = everything(&receiver);
    drop(receiver);
    // Nobody listens there.
    let (path, _) = make(&service.api, &body).await;
    for _ in 0..40 {
        service.log_any().send().await.is(201);
    }
    let seen = comes_to(&service.api, &path, |seen| !seen["lastError"].is_null()).await;
    assert!(seen["lastError"].as_str().unwrap().starts_with("no connection: "), "{seen}");
    let back = Receiver::start().await;
    wait(&service, &path, Duration::from_hours(24)).await;
    let moved = json!({ "destinationUrl": back.url() });
    service.api.patch(&path).json(&moved).send().await.is(200);
    arrives(&back, 40).await;
    assert_eq!(back.seqs(), (1..=40).collect::<Vec<_>>());
}

async fn a_receiver_is_left_alone_for_as_long_as_it_asks(database: Database) {
    /// The last part of each wait.
    const LAST: Duration = Duration::from_secs(20);
    let service = start(database).await;
    let receiver = Receiver::start().await;
    let (path, _) = make(&service.api, &receiver.webhook()).await;
    for (attempt, (status, value, least, most)) in [
        (503, "120", 120, 132),
        (429, "1", 30, 33),
        // An hour later than the clock says.
        (503, "Sun, 01 Mar 2026 10:00:00 GMT", 3000, 3960),
        (408, "soon", 600, 660),
        (503, "99999999", 86_400, 95_040),
    ]
    .into_iter()
    .enumerate()
    {
        receiver.always(Reply::With(status, "retry-after", value));
        if attempt == 0 {
            service.log_any().send().await.is(201);
        } else {
            wait(&service, &path, LAST).await;
        }
        let next = pause(&service.api, &path, attempt + 1, &receiver).await;
        let waits = millis(&next) - service.clock.now().unix_millis();
        assert!((least * 1000..=most * 1000).contains(&waits), "{value}: {waits}");
        let waits = Duration::from_millis(u64::try_from(waits).unwrap());
        service.clock.advance(waits.saturating_sub(LAST));
    }
}

async fn a_receiver_that_is_gone_is_given_up_at_once(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    receiver.always(Reply::Status(410));
    let (path, _) = make(&service.api, &receiver.webhook()).await;
    service.log_any().send().await.is(201);
    let seen = comes_to(&service.api, &path, |seen| !seen["disabledReason"].is_null()).await;
    assert_eq!(
        (&seen["disabledReason"], &seen["enabled"], &seen["lastError"], &seen["behind"]),
        (&json!("receiver_gone"), &json!(false), &json!("it answered 410"), &json!(1))
    );
    wait(&service, &path, Duration::from_hours(24)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(receiver.received().len(), 1);
}

/// Has the receiver refuse an event until it is put aside.
async fn refuse(service: &Service, receiver: &Receiver, path: &str, before: usize) {
    for attempt in 1..=10 {
        arrives(receiver, before + attempt).await;
        if attempt < 10 {
            comes_to(&service.api, path, |seen| !seen["nextAttemptAt"].is_null()).await;
            wait(service, path, Duration::from_secs(67)).await;
        }
    }
}

async fn what_is_refused_is_put_aside_and_the_next_goes_out(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    receiver.answer(|event| Reply::Status(if event.seq() == 2 { 413 } else { 204 }));
    let (path, _) = make(&service.api, &receiver.webhook()).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(service.log_any().send().await.is(201).text("id"));
    }
    refuse(&service, &receiver, &path, 1).await;
    arrives(&receiver, 12).await;
    assert_eq!(receiver.seqs(), [1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3]);
    let seen = comes_to(&service.api, &path, |seen| seen["behind"] == 0).await;
    assert_eq!((&seen["enabled"], &seen["lastError"]), (&json!(true), &Value::Null));
    let failures = read(&service.api, &format!("{path}/failures")).await;
    let failed_at = failures["data"][0]["failedAt"].clone();
    let expected = json!([{
        "seq": 2,
        "eventName": "time.logged",
        "entityId": ids[1],
        "failedAt": failed_at,
        "error": "it answered 413",
    }]);
    assert_eq!(failures, json!({ "data": expected, "nextCursor": null }));
    // Within ten minutes, give or take the chance of each wait.
    let took = millis(failed_at.as_str().unwrap()) - BEGINNING;
    assert!((540_000..=660_000).contains(&took), "{took}");
}

async fn what_was_put_aside_is_sent_again_by_hand(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    receiver.always(Reply::Status(422));
    let (path, secret) = make(&service.api, &receiver.webhook()).await;
    for _ in 0..2 {
        service.log_any().send().await.is(201);
    }
    refuse(&service, &receiver, &path, 0).await;
    refuse(&service, &receiver, &path, 10).await;
    let failures = format!("{path}/failures");
    let listed = async || {
        let (mut seqs, mut next) = (Vec::new(), format!("{failures}?limit=1"));
        loop {
            let page = read(&service.api, &next).await;
            seqs.extend(
                page["data"].as_array().unwrap().iter().map(|item| item["seq"].as_i64().unwrap()),
            );
            let Some(cursor) = page["nextCursor"].as_str() else { return seqs };
            next = format!("{failures}?limit=1&cursor={cursor}");
        }
    };
    until("both are put aside", async || listed().await == [1, 2]).await;
    let retry = |seq: i64| service.api.post(&format!("{failures}/{seq}/retry"));
    let refused = retry(2).send().await.is(200).json();
    assert_eq!(refused, json!({ "delivered": false, "status": 422, "error": "it answered 422" }));
    assert_eq!(listed().await, [1, 2]);
    receiver.always(Reply::Status(204));
    let call = retry(2).idempotency_key("a");
    let taken = call.clone().send().await.is(200);
    assert_eq!(taken.json(), json!({ "delivered": true, "status": 204, "error": null }));
    assert_eq!(listed().await, [1]);
    // A repeat gets the answer, and sends nothing.
    let sent = receiver.received().len();
    assert!(call.send().await.is(200).is_replayed());
    retry(2).send().await.fails_with(404, "not_found");
    assert_eq!(receiver.received().len(), sent);
    let events = receiver.received();
    let (first, last) = (&events[10], events.last().unwrap());
    assert_eq!((last.seq(), last.header("webhook-id")), (2, first.header("webhook-id")));
    assert!(last.is_signed_with(&secret));
    retry(1).send().await.is(200);
    assert_eq!(listed().await, [0_i64; 0]);
}

async fn what_is_sent_by_hand_shows_what_the_webhook_may_see(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    let mut body = receiver.webhook();
    body["enabled"] = json!(false);
    body["projectId"] = json!(service.tenant.project_id.to_string());
    let (path, _) = make(&service.api, &body).await;
    let id = service.log_any().send().await.is(201).text("id");
    service.database.execute(
        "INSERT INTO webhook_failures SELECT organization_id, id, 1, 'log', id, 'refused', \
         created_at FROM webhooks",
    );
    let retry = service.api.post(&format!("{path}/failures/1/retry"));
    receiver.always(Reply::Status(422));
    retry.clone().send().await.is(200);
    let elsewhere = json!({ "projectId": service.tenant.other_project_id.to_string() });
    service.api.patch(&format!("/time-entries/{id}")).json(&elsewhere).send().await.is(200);
    retry.send().await.is(200);
    let shown = receiver.received();
    assert_eq!(shown[0].body["payload"]["entry"]["id"], id);
    assert_eq!(shown[1].body["payload"]["entry"], Value::Null);
}

async fn a_redirect_is_not_followed(database: Database) {
    let service = start(database).await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let target: &'static str = elsewhere.url().leak();
    for status in [301, 302, 303, 307, 308] {
        receiver.always(Reply::With(status, "location", target));
        let before = receiver.received().len();
        let (path, _) = make(&service.api, &receiver.webhook()).await;
        service.log_any().send().await.is(201);
        arrives(&receiver, before + 1).await;
        let seen = comes_to(&service.api, &path, |seen| !seen["lastError"].is_null()).await;
        assert_eq!(seen["lastError"], format!("it answered {status}"));
        service.api.delete(&path).send().await.is(204);
    }
    assert!(elsewhere.received().is_empty());
}

async fn receivers_that_do_not_answer_are_tried_again(database: Database) {
    let service = start(database).await;
    let late = "it did not answer within 400ms";
    for (reply, error) in [
        (Reply::Nothing, late),
        (Reply::HalfAHead, late),
        (Reply::After(Duration::from_secs(1), 204), late),
        (Reply::Closes, "no answer: "),
    ] {
        let receiver = Receiver::start().await;
        let (path, _) = make(&service.api, &receiver.webhook()).await;
        receiver.always(reply);
        let seq = {
            let entry = service.log_any().send().await.is(201).text("id");
            let page = read(&service.api, "/changes?limit=500").await;
            let all = page["data"].as_array().unwrap().clone();
            all.iter().find(|change| change["timeEntryId"] == entry).unwrap()["seq"]
                .as_i64()
                .unwrap()
        };
        let seen = comes_to(&service.api, &path, |seen| !seen["lastError"].is_null()).await;
        assert!(seen["lastError"].as_str().unwrap().starts_with(error), "{seen}");
        assert!(!seen["nextAttemptAt"].is_null() && seen["behind"] == 1, "{seen}");
        receiver.always(Reply::Status(204));
        wait(&service, &path, Duration::from_secs(6)).await;
        comes_to(&service.api, &path, |seen| seen["behind"] == 0).await;
        assert_eq!(receiver.seqs(), [seq, seq], "{reply:?}");
        service.api.delete(&path).send().await.is(204);
    }
}

async fn receivers_that_take_an_event_badly_have_it(database: Database) {
    let service = start(database).await;
    for reply in [Reply::Gigabyte, Reply::ClosesInBody, Reply::With(201, "x-large", "x")] {
        let receiver = Receiver::start().await;
        let (path, _) = make(&service.api, &receiver.webhook()).await;
        receiver.always(reply);
        for _ in 0..3 {
            service.log_any().send().await.is(201);
        }
        let seen = comes_to(&service.api, &path, |seen| seen["behind"] == 0).await;
        assert_eq!(seen["lastError"], Value::Null, "{reply:?}");
        assert_eq!(receiver.received().len(), 3, "{reply:?}");
        // What is beyond 64 KiB stands in buffers on the way at most.
        assert!(receiver.sent() < 3 * (16 << 20), "{reply:?}: {}", receiver.sent());
        service.api.delete(&path).send().await.is(204);
    }
}
