//! What webhooks deliver: which events, in which order, from where on, and by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use timelog_domain::Action;

use crate::support::feed::{changes, read};
use crate::support::{
    Api, Database, Event, Program, Receiver, Reply, Tenant, bootstrap, broken_by_event, document,
    on_every_database, until,
};
use crate::webhooks::start;

on_every_database! {
    every_event_arrives_once_in_order_and_signed,
    a_webhook_gets_what_it_asks_for,
    a_webhook_begins_where_it_is_told_and_can_begin_again,
    no_webhook_gets_what_is_not_its_own,
    a_deleted_entry_is_not_in_its_events,
    an_entry_that_moves_away_is_told_once_and_not_shown,
    the_former_secret_signs_for_a_day,
    a_change_of_a_webhook_holds_for_every_event_after_it,
    a_webhook_that_is_disabled_gets_nothing_and_misses_nothing,
    two_instances_deliver_each_event_once_and_one_at_a_time,
    an_instance_goes_on_where_another_one_died,
    a_service_that_stops_waits_for_its_receivers,
    no_secret_is_logged,
    deliveries_are_counted,
}

/// Makes a webhook and returns its path and its secret.
pub(crate) async fn make(api: &Api, body: &Value) -> (String, String) {
    let made = api.post("/webhooks").json(body).send().await.is(201);
    (format!("/webhooks/{}", made.text("id")), made.text("secret"))
}

/// A webhook that gets everything from the beginning.
pub(crate) fn everything(receiver: &Receiver) -> Value {
    let mut body = receiver.webhook();
    body["deliveredThrough"] = json!(0);
    body
}

pub(crate) async fn arrives(receiver: &Receiver, events: usize) -> Vec<Event> {
    until("the events", async || receiver.received().len() >= events).await;
    receiver.received()
}

/// What a webhook says of itself once that is so.
pub(crate) async fn comes_to(api: &Api, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut seen = Value::Null;
    until("what the webhook tells", async || {
        seen = read(api, path).await;
        is_so(&seen)
    })
    .await;
    seen
}

async fn every_event_arrives_once_in_order_and_signed(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    let (path, secret) = make(&service.api, &everything(&receiver)).await;
    let reference = json!({ "provider": "jira", "externalType": "worklog", "externalId": "7" });
    let body = service.tenant.body_with(&json!({ "externalRef": reference, "description": "ü" }));
    let id = service.log(&body).send().await.is(201).text("id");
    let entry = format!("/time-entries/{id}");
    service.api.patch(&entry).json(&json!({ "minutes": 7 })).send().await.is(200);
    let life = [Action::Submit, Action::Reject, Action::Submit, Action::Approve, Action::Invoice];
    service.apply(&id, &life).await;
    let events = arrives(&receiver, 7).await;
    let feed = read(&service.api, "/changes").await;
    assert_eq!(changes(&feed).len(), 7);
    for (event, change) in events.iter().zip(changes(&feed)) {
        let mut payload = json!({});
        let members =
            ["seq", "version", "projectId", "from", "to", "reason", "invoiceRef", "changes"];
        for member in members {
            payload[member] = change[member].clone();
        }
        // The entry is as it was when the event was sent.
        payload["entry"] = event.body["payload"]["entry"].clone();
        assert!(payload["entry"]["version"].as_i64() >= payload["version"].as_i64());
        assert_eq!(payload["entry"]["externalRef"], reference);
        let expected = json!({
            "id": event.header("webhook-id"),
            "eventName": change["event"],
            "schemaVersion": 1,
            "entityType": "time_entry",
            "entityId": id,
            "occurredAt": change["at"],
            "actorUserId": change["by"]["userId"],
            "payload": payload,
        });
        assert_eq!(event.body, expected);
        assert!(event.is_signed_with(&secret) && !event.header("webhook-signature").contains(' '));
        assert_eq!(event.header("webhook-timestamp"), "1772355600");
        assert_eq!(event.header("content-type"), "application/json");
        assert!(event.header("user-agent").starts_with("timelog/"));
    }
    let ids: BTreeSet<_> = events.iter().map(|event| event.header("webhook-id")).collect();
    assert_eq!((ids.len(), receiver.seqs()), (7, (1..=7).collect()));
    let seen = comes_to(&service.api, &path, |seen| seen["behind"] == 0).await;
    assert_eq!((&seen["deliveredThrough"], &seen["lastError"]), (&json!(7), &Value::Null));
}

async fn a_webhook_gets_what_it_asks_for(database: Database) {
    let service = start(database).await;
    let (some, of_project, all) =
        (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let mut body = everything(&some);
    body["eventNames"] = json!(["time.submitted", "time.deleted"]);
    make(&service.api, &body).await;
    let mut body = everything(&of_project);
    body["projectId"] = json!(service.tenant.other_project_id.to_string());
    let (path, _) = make(&service.api, &body).await;
    make(&service.api, &everything(&all)).await;
    for _ in 0..2 {
        let id = service.log_any().send().await.is(201).text("id");
        service.apply(&id, &[Action::Submit, Action::Recall]).await;
        let elsewhere = service.api.post(&service.tenant.other_path());
        let body = service.tenant.body();
        elsewhere.json(&body).send().await.is(201);
        service.api.delete(&format!("/time-entries/{id}")).send().await.is(204);
    }
    arrives(&all, 10).await;
    assert_eq!(all.seqs(), (1..=10).collect::<Vec<_>>());
    arrives(&some, 4).await;
    arrives(&of_project, 2).await;
    comes_to(&service.api, &path, |seen| seen["deliveredThrough"] == 10).await;
    assert_eq!((some.seqs(), of_project.seqs()), (vec![2, 5, 7, 10], vec![4, 9]));
    for event in of_project.received() {
        assert_eq!(event.body["payload"]["projectId"], body["projectId"]);
    }
    // The same event has the same name everywhere.
    assert_eq!(
        all.received()[3].header("webhook-id"),
        of_project.received()[0].header("webhook-id")
    );
}

async fn a_webhook_begins_where_it_is_told_and_can_begin_again(database: Database) {
    let service = start(database).await;
    for _ in 0..3 {
        service.log_any().send().await.is(201);
    }
    let receiver = Receiver::start().await;
    let (path, _) = make(&service.api, &receiver.webhook()).await;
    service.log_any().send().await.is(201);
    arrives(&receiver, 1).await;
    assert_eq!(receiver.seqs(), [4]);
    let anew = json!({ "deliveredThrough": 1 });
    service.api.patch(&path).json(&anew).send().await.is(200);
    let events = arrives(&receiver, 4).await;
    assert_eq!(receiver.seqs(), [4, 2, 3, 4]);
    // It is the same event, so who has taken it already can tell.
    assert_eq!(events[0].header("webhook-id"), events[3].header("webhook-id"));
}

async fn no_webhook_gets_what_is_not_its_own(database: Database) {
    let service = start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    make(&service.api, &everything(&ours)).await;
    make(&stranger.api(&service.api), &everything(&theirs)).await;
    for _ in 0..5 {
        service.log_any().send().await.is(201);
        stranger.log_any(&service.api).send().await.is(201);
    }
    for (receiver, tenant) in [(&ours, &service.tenant), (&theirs, &stranger)] {
        let events = arrives(receiver, 5).await;
        assert_eq!(receiver.seqs(), [1, 2, 3, 4, 5]);
        for event in events {
            let entry = &event.body["payload"]["entry"];
            assert_eq!(entry["organizationId"], tenant.organization_id.to_string());
        }
    }
}

async fn a_deleted_entry_is_not_in_its_events(database: Database) {
    let service = start(database).await;
    let id = service.log_any().send().await.is(201).text("id");
    service.api.delete(&format!("/time-entries/{id}")).send().await.is(204);
    let receiver = Receiver::start().await;
    make(&service.api, &everything(&receiver)).await;
    let events = arrives(&receiver, 2).await;
    for event in &events {
        assert_eq!(event.body["payload"]["entry"], Value::Null);
    }
    // What was deleted is told by its history.
    assert_eq!(events[1].body["payload"]["changes"]["minutes"], json!({ "old": 150, "new": null }));
}

async fn an_entry_that_moves_away_is_told_once_and_not_shown(database: Database) {
    let service = start(database).await;
    let (own, other) = (Receiver::start().await, Receiver::start().await);
    let tenant = &service.tenant;
    for (receiver, project) in [(&own, tenant.project_id), (&other, tenant.other_project_id)] {
        let mut body = receiver.webhook();
        body["projectId"] = json!(project.to_string());
        make(&service.api, &body).await;
    }
    let id = service.log_any().send().await.is(201).text("id");
    let entry = format!("/time-entries/{id}");
    arrives(&own, 1).await;
    let to_other = json!({ "projectId": tenant.other_project_id.to_string() });
    service.api.patch(&entry).json(&to_other).send().await.is(200);
    service.api.patch(&entry).json(&json!({ "minutes": 7 })).send().await.is(200);
    let there = arrives(&other, 2).await;
    let here = arrives(&own, 2).await;
    assert_eq!((own.seqs(), other.seqs()), (vec![1, 2], vec![2, 3]));
    for (event, is_shown) in [(&here[1], false), (&there[0], true)] {
        assert_eq!(event.body["eventName"], "time.moved");
        assert_eq!(event.body["payload"]["entry"].is_object(), is_shown, "{}", event.body);
    }
}

async fn the_former_secret_signs_for_a_day(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    let (path, first) = make(&service.api, &receiver.webhook()).await;
    let rotate = service.api.post(&format!("{path}/rotate-secret"));
    let second = rotate.clone().send().await.is(200).text("secret");
    let signed_with = async |number, secrets: [&str; 3]| {
        service.log_any().send().await.is(201);
        let event = arrives(&receiver, number).await.pop().unwrap();
        let count = event.header("webhook-signature").split(' ').count();
        (count, secrets.map(|secret| event.is_signed_with(secret)))
    };
    let other = first.replace("whsec_", "whsec_AAAA");
    let both = signed_with(1, [&first, &second, &other]).await;
    assert_eq!(both, (2, [true, true, false]));
    service.clock.advance(Duration::from_hours(24));
    let one = signed_with(2, [&first, &second, &other]).await;
    assert_eq!(one, (1, [false, true, false]));
    let third = rotate.send().await.is(200).text("secret");
    let both = signed_with(3, [&first, &second, &third]).await;
    assert_eq!(both, (2, [false, true, true]));
}

async fn a_change_of_a_webhook_holds_for_every_event_after_it(database: Database) {
    let service = start(database).await;
    let receivers = [Receiver::start().await, Receiver::start().await];
    let (path, mut former) = make(&service.api, &receivers[0].webhook()).await;
    // Events of before may come again, so each is looked for by its number.
    let mut seq = 0;
    let mut log = async |receiver: &Receiver| {
        service.log_any().send().await.is(201);
        seq += 1;
        let find = || receiver.received().into_iter().find(|event| event.seq() == seq);
        until("the event", async || find().is_some()).await;
        find().unwrap()
    };
    for round in 1..=10 {
        let receiver = &receivers[round % 2];
        let to = json!({ "destinationUrl": receiver.url() });
        service.api.patch(&path).json(&to).send().await.is(200);
        assert!(log(receiver).await.is_signed_with(&former), "round {round}");
        let rotated = service.api.post(&format!("{path}/rotate-secret"));
        let secret = rotated.send().await.is(200).text("secret");
        let event = log(receiver).await;
        let signed = [&former, &secret].map(|secret| event.is_signed_with(secret));
        assert_eq!(signed, [true, true], "round {round}");
        former = secret;
    }
}

async fn a_webhook_that_is_disabled_gets_nothing_and_misses_nothing(database: Database) {
    let service = start(database).await;
    let (receiver, other) = (Receiver::start().await, Receiver::start().await);
    let (path, _) = make(&service.api, &receiver.webhook()).await;
    make(&service.api, &other.webhook()).await;
    service.api.patch(&path).json(&json!({ "enabled": false })).send().await.is(200);
    for _ in 0..3 {
        service.log_any().send().await.is(201);
    }
    arrives(&other, 3).await;
    let seen = read(&service.api, &path).await;
    assert_eq!((&seen["behind"], receiver.seqs()), (&json!(3), vec![]));
    service.api.patch(&path).json(&json!({ "enabled": true })).send().await.is(200);
    arrives(&receiver, 3).await;
    assert_eq!(receiver.seqs(), [1, 2, 3]);
}

async fn two_instances_deliver_each_event_once_and_one_at_a_time(database: Database) {
    let one = start(database).await;
    let other = one.beside(Receiver::allow).await;
    let receivers = [Receiver::start().await, Receiver::start().await, Receiver::start().await];
    for receiver in &receivers {
        receiver.always(Reply::After(Duration::from_millis(3), 204));
        make(&one.api, &receiver.webhook()).await;
    }
    for round in 0..60 {
        let service = if round % 2 == 0 { &one } else { &other };
        service.log_any().send().await.is(201);
    }
    for receiver in &receivers {
        arrives(receiver, 60).await;
        assert_eq!(receiver.seqs(), (1..=60).collect::<Vec<_>>());
        assert_eq!(receiver.most_at_once(), 1);
    }
}

async fn an_instance_goes_on_where_another_one_died(database: Database) {
    let database = database.create();
    let bootstrapped = bootstrap(&database.url());
    let receiver = Receiver::start().await;
    let serve = || Program::serve(&database.url(), &["--webhook-allow", "127.0.0.1"]);
    let dying = serve();
    let api = dying.api.with_key(&bootstrapped.key);
    receiver.always(Reply::After(Duration::from_millis(20), 204));
    let (path, _) = make(&api, &receiver.webhook()).await;
    for _ in 0..40 {
        api.post(&bootstrapped.path()).json(&bootstrapped.body()).send().await.is(201);
    }
    arrives(&receiver, 5).await;
    dying.signal("KILL");
    drop(dying.end());
    let other = serve();
    let api = other.api.with_key(&bootstrapped.key);
    // The lease of the dead one has to run out first.
    let before = receiver.received().len();
    database.execute("UPDATE webhooks SET lease_until = created_at");
    comes_to(&api, &path, |seen| seen["behind"] == 0).await;
    let seqs = receiver.seqs();
    // What was delivered and not noted comes again, in order, and nothing is left out.
    let again = *seqs.get(before).unwrap();
    assert!(again <= i64::try_from(before).unwrap() + 1, "{seqs:?}");
    assert_eq!(seqs[..before], (1..=i64::try_from(before).unwrap()).collect::<Vec<_>>());
    assert_eq!(seqs[before..], (again..=40).collect::<Vec<_>>());
    assert_eq!(receiver.most_at_once(), 1);
}

async fn a_service_that_stops_waits_for_its_receivers(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    receiver.always(Reply::After(Duration::from_millis(400), 204));
    make(&service.api, &receiver.webhook()).await;
    service.log_any().send().await.is(201);
    service.log_any().send().await.is(201);
    arrives(&receiver, 1).await;
    let database = service.database.clone();
    drop(service);
    // The first is noted as delivered, the second was not begun, and nobody holds a lease.
    let state = database.texts(
        "SELECT delivered_through || ' ' || coalesce(lease_until || '', 'free') AS text \
         FROM webhooks",
    );
    assert_eq!(state, ["1 free"]);
    assert_eq!(receiver.seqs(), [1]);
}

async fn no_secret_is_logged(database: Database) {
    let database = database.create();
    let bootstrapped = bootstrap(&database.url());
    let receiver = Receiver::start().await;
    let arguments = ["--webhook-allow", "127.0.0.1", "--log", "trace"];
    let program = Program::serve(&database.url(), &arguments);
    let api = program.api.with_key(&bootstrapped.key);
    let (path, secret) = make(&api, &receiver.webhook()).await;
    receiver.always(Reply::Status(500));
    api.post(&bootstrapped.path()).json(&bootstrapped.body()).send().await.is(201);
    arrives(&receiver, 1).await;
    receiver.always(Reply::Status(410));
    api.patch(&path).json(&json!({ "enabled": true, "deliveredThrough": 0 })).send().await.is(200);
    comes_to(&api, &path, |seen| seen["disabledReason"] == "receiver_gone").await;
    let rotated = api.post(&format!("{path}/rotate-secret")).send().await.is(200).text("secret");
    let logged = program.stop().log.join("\n");
    assert!(logged.contains("a webhook was given up"), "{logged}");
    for secret in [secret, rotated] {
        let bare = secret.trim_start_matches("whsec_");
        assert!(!logged.contains(bare), "{logged}");
    }
}

async fn deliveries_are_counted(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    receiver.answer(|event| Reply::Status(if event.seq() == 1 { 204 } else { 503 }));
    make(&service.api, &receiver.webhook()).await;
    service.log_any().send().await.is(201);
    service.log_any().send().await.is(201);
    arrives(&receiver, 2).await;
    for outcome in ["delivered", "away"] {
        let name = format!("timelog_webhook_deliveries_total{{outcome=\"{outcome}\"}}");
        until(&name, async || service.api.metric(&name).await >= Some(1)).await;
    }
    // Other tests of this process set them too.
    for gauge in ["behind", "given_up", "oldest_age_seconds"] {
        let name = format!("timelog_webhooks_{gauge}");
        assert!(service.api.metric(&name).await.is_some(), "{name}");
    }
}

#[test]
fn an_event_that_is_not_as_the_document_says_is_noticed() {
    let headers = [
        ("webhook-id", "95d1e3fc-6943-8fb5-96dc-522e837c3e76"),
        ("webhook-timestamp", "1772355600"),
        ("webhook-signature", "v1,AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="),
    ];
    let headers: BTreeMap<_, _> =
        headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let example = "/webhooks/timeEntryChanged/post/requestBody/content/application~1json/example";
    let event = document().pointer(example).unwrap();
    assert_eq!(broken_by_event(&headers, event), [""; 0]);
    let mut more = event.clone();
    more["payload"]["more"] = json!(1);
    assert_eq!(broken_by_event(&headers, &more).len(), 1);
    let fewer = headers.clone().into_iter().skip(1).collect();
    assert!(!broken_by_event(&fewer, event).is_empty());
}
