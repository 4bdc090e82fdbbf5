//! Webhooks as a resource: making, reading, changing and deleting them.

use serde_json::{Value, json};

use crate::support::{Database, Receiver, Service, on_every_database};

on_every_database! {
    a_webhook_is_made_read_changed_and_deleted,
    a_secret_is_shown_when_it_is_made_and_never_again,
    what_is_wrong_is_told_at_its_place,
    every_name_of_an_event_is_known,
    pages_have_each_webhook_once,
    another_organizations_webhook_does_not_exist,
    a_repeat_makes_no_second_webhook_and_no_second_secret,
    a_test_tells_what_came_back,
    a_copy_has_the_webhooks_and_delivers_on,
}

pub(crate) async fn start(database: Database) -> Service {
    Service::start_with(database, Receiver::allow).await
}

fn body() -> Value {
    json!({ "destinationUrl": "https://1.1.1.1/hook?a=b", "eventNames": ["*"] })
}

fn with(members: &Value) -> Value {
    let mut body = body();
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn make(service: &Service, body: &Value) -> Value {
    service.api.post("/webhooks").json(body).send().await.is(201).json()
}

async fn a_webhook_is_made_read_changed_and_deleted(database: Database) {
    let service = start(database).await;
    service.log_any().send().await.is(201);
    let answer = service.api.post("/webhooks").json(&body()).send().await.is(201);
    let mut made = answer.json();
    let path = format!("/webhooks/{}", answer.text("id"));
    assert_eq!(answer.header("location"), Some(path.as_str()));
    assert!(made.as_object_mut().unwrap().remove("secret").is_some());
    let expected = json!({
        "id": made["id"],
        "organizationId": service.tenant.organization_id.to_string(),
        "projectId": null,
        "destinationUrl": "https://1.1.1.1/hook?a=b",
        "eventNames": ["*"],
        "description": null,
        "enabled": true,
        "disabledReason": null,
        "deliveredThrough": 1,
        "behind": 0,
        "lastError": null,
        "lastErrorAt": null,
        "nextAttemptAt": null,
        "createdAt": "2026-03-01T09:00:00.000Z",
        "updatedAt": "2026-03-01T09:00:00.000Z",
    });
    assert_eq!(made, expected);
    assert_eq!(service.api.get(&path).send().await.is(200).json(), expected);
    let project = service.tenant.project_id.to_string();
    let changes = json!({
        "destinationUrl": "https://1.0.0.1/",
        "eventNames": ["time.deleted", "time.logged"],
        "description": "Billing",
        "projectId": project,
        "enabled": false,
        "deliveredThrough": 0,
    });
    let same = service.api.patch(&path).json(&json!({})).send().await.is(200).json();
    assert_eq!(same, expected);
    service.clock.advance(std::time::Duration::from_secs(1));
    let mut patched = expected;
    for (name, value) in changes.as_object().unwrap() {
        patched[name] = value.clone();
    }
    (patched["updatedAt"], patched["behind"]) = (json!("2026-03-01T09:00:01.000Z"), json!(1));
    assert_eq!(service.api.patch(&path).json(&changes).send().await.is(200).json(), patched);
    let none = json!({ "description": null, "projectId": null });
    let emptied = service.api.patch(&path).json(&none).send().await.is(200).json();
    assert_eq!((&emptied["description"], &emptied["projectId"]), (&Value::Null, &Value::Null));
    let page = service.api.get("/webhooks").send().await.is(200).json();
    assert_eq!(page, json!({ "data": [emptied], "nextCursor": null }));
    service.api.delete(&path).send().await.is(204);
    for call in [
        service.api.get(&path),
        service.api.delete(&path),
        service.api.post(&format!("{path}/test")),
    ] {
        call.send().await.fails_with(404, "not_found");
    }
    service.api.patch(&path).json(&json!({})).send().await.fails_with(404, "not_found");
}

async fn a_secret_is_shown_when_it_is_made_and_never_again(database: Database) {
    let service = start(database).await;
    let made = service.api.post("/webhooks").json(&body()).send().await.is(201);
    let path = format!("/webhooks/{}", made.text("id"));
    let rotate = service.api.post(&format!("{path}/rotate-secret"));
    let rotated = rotate.clone().send().await.is(200);
    let again = rotate.json(&json!({})).send().await.is(200);
    let secrets = [made.text("secret"), rotated.text("secret"), again.text("secret")];
    for (answer, secret) in [&made, &rotated, &again].into_iter().zip(&secrets) {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
        assert_eq!(secrets.iter().filter(|other| *other == secret).count(), 1);
    }
    for call in [
        service.api.get(&path),
        service.api.get("/webhooks"),
        service.api.patch(&path).json(&json!({ "description": "Another" })),
        service.api.get(&format!("{path}/failures")),
        service.api.get("/metrics"),
    ] {
        let shown = String::from_utf8(call.send().await.is(200).body).unwrap();
        assert!(!shown.contains("whsec") && !shown.contains("\"secret\""), "{shown}");
    }
}

async fn what_is_wrong_is_told_at_its_place(database: Database) {
    let service = start(database).await;
    let long = format!("https://example.com/{}", "x".repeat(1981));
    let many = vec!["*"; 21];
    let url = "/destinationUrl";
    for (members, pointer, code) in [
        (json!({ "destinationUrl": null }), url, "wrong_type"),
        (json!({ "destinationUrl": "" }), url, "blank"),
        (json!({ "destinationUrl": long }), url, "too_long"),
        (json!({ "destinationUrl": "https://example.com/\u{0}" }), url, "invalid_character"),
        (json!({ "destinationUrl": "example.com" }), url, "invalid_url"),
        (json!({ "destinationUrl": "/hook" }), url, "invalid_url"),
        (json!({ "destinationUrl": "ftp://example.com/" }), url, "invalid_url"),
        (json!({ "destinationUrl": "https://" }), url, "invalid_url"),
        (json!({ "destinationUrl": "https:example.com" }), url, "invalid_url"),
        (json!({ "destinationUrl": "https:\\\\example.com" }), url, "invalid_url"),
        (json!({ "destinationUrl": " https://example.com/" }), url, "invalid_url"),
        (json!({ "destinationUrl": "https://exa\nmple.com/" }), url, "invalid_url"),
        (json!({ "destinationUrl": "https://me@example.com/" }), url, "invalid_url"),
        (json!({ "destinationUrl": "https://me:pass@example.com/" }), url, "invalid_url"),
        (json!({ "destinationUrl": "https://example.com/#a" }), url, "invalid_url"),
        (json!({ "destinationUrl": "http://10.0.0.1/" }), url, "forbidden_destination"),
        (json!({ "eventNames": "*" }), "/eventNames", "wrong_type"),
        (json!({ "eventNames": [] }), "/eventNames", "out_of_range"),
        (json!({ "eventNames": many }), "/eventNames", "out_of_range"),
        (json!({ "eventNames": ["*", "time.invented"] }), "/eventNames/1", "unknown_value"),
        (json!({ "eventNames": ["webhook.ping"] }), "/eventNames/0", "unknown_value"),
        (json!({ "eventNames": ["time.logged", 7] }), "/eventNames/1", "wrong_type"),
        (json!({ "description": "x".repeat(2001) }), "/description", "too_long"),
        (json!({ "enabled": "yes" }), "/enabled", "wrong_type"),
        (json!({ "projectId": "7" }), "/projectId", "invalid_id"),
        (
            json!({ "projectId": "9a8b7c6d-0000-0000-0000-000000000009" }),
            "/projectId",
            "unknown_reference",
        ),
        (json!({ "deliveredThrough": -1 }), "/deliveredThrough", "out_of_range"),
        (json!({ "deliveredThrough": 1.5 }), "/deliveredThrough", "wrong_type"),
        (json!({ "deliveredThrough": 1 }), "/deliveredThrough", "out_of_range"),
        (json!({ "deliveredThrough": i64::MAX }), "/deliveredThrough", "out_of_range"),
    ] {
        let make = service.api.post("/webhooks").json(&with(&members));
        make.send().await.refuses(&[&format!("{pointer} {code}")]);
    }
    for missing in ["destinationUrl", "eventNames"] {
        let mut body = body();
        body.as_object_mut().unwrap().remove(missing);
        let make = service.api.post("/webhooks").json(&body);
        make.send().await.refuses(&[&format!("/{missing} required")]);
    }
    assert_eq!(service.database.count("webhooks"), 0);
    let made = make(&service, &body()).await;
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    for (patch, pointer, code) in [
        (json!({ "destinationUrl": "https://127.0.0.2/" }), url, "forbidden_destination"),
        (json!({ "eventNames": ["x"] }), "/eventNames/0", "unknown_value"),
        (json!({ "enabled": null }), "/enabled", "wrong_type"),
        (json!({ "deliveredThrough": 1 }), "/deliveredThrough", "out_of_range"),
    ] {
        service.api.patch(&path).json(&patch).send().await.refuses(&[&format!("{pointer} {code}")]);
    }
    for seq in ["0", "-1", "x", "1.0", "99999999999999999999"] {
        let retry = service.api.post(&format!("{path}/failures/{seq}/retry"));
        retry.send().await.fails_with(400, "validation_error");
    }
    let retry = service.api.post(&format!("{path}/failures/1/retry"));
    retry.send().await.fails_with(404, "not_found");
}

async fn every_name_of_an_event_is_known(database: Database) {
    let service = start(database).await;
    for name in [
        "*",
        "time.logged",
        "time.updated",
        "time.deleted",
        "time.moved",
        "time.submitted",
        "time.recalled",
        "time.approved",
        "time.rejected",
        "time.reopened",
        "time.locked",
        "time.unlocked",
        "time.invoiced",
        "time.invoice_released",
    ] {
        let made = make(&service, &with(&json!({ "eventNames": [name, name] }))).await;
        assert_eq!(made["eventNames"], json!([name, name]));
    }
}

async fn pages_have_each_webhook_once(database: Database) {
    let service = start(database).await;
    let mut made = Vec::new();
    for number in 0..5 {
        let body = with(&json!({ "description": number.to_string() }));
        made.push(make(&service, &body).await["id"].clone());
    }
    let (mut listed, mut path) = (Vec::new(), "/webhooks?limit=2".to_owned());
    loop {
        let page = service.api.get(&path).send().await.is(200).json();
        listed.extend(page["data"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/webhooks?limit=2&cursor={cursor}");
    }
    assert_eq!(listed, made);
    service.api.get("/webhooks?enabled=true").send().await.fails_with(400, "validation_error");
}

async fn another_organizations_webhook_does_not_exist(database: Database) {
    let service = start(database).await;
    let made = make(&service, &body()).await;
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    let other = crate::support::Tenant::provision(&service.store).await.api(&service.api);
    for call in [
        other.get(&path),
        other.patch(&path).json(&json!({ "enabled": false })),
        other.delete(&path),
        other.post(&format!("{path}/rotate-secret")),
        other.post(&format!("{path}/test")),
        other.get(&format!("{path}/failures")),
        other.post(&format!("{path}/failures/1/retry")),
    ] {
        call.send().await.fails_with(404, "not_found");
    }
    let page = other.get("/webhooks").send().await.is(200).json();
    assert_eq!(page["data"], json!([]));
    let mut seen = service.api.get(&path).send().await.is(200).json();
    seen["secret"] = made["secret"].clone();
    assert_eq!(seen, made);
}

async fn a_repeat_makes_no_second_webhook_and_no_second_secret(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    let call = service.api.post("/webhooks").json(&receiver.webhook()).idempotency_key("a");
    let made = call.clone().send().await.is(201);
    let again = call.send().await.is(201);
    assert!(again.is_replayed() && again.body == made.body);
    assert_eq!(again.header("location"), made.header("location"));
    assert_eq!(again.header("cache-control"), Some("no-store"));
    assert_eq!(service.database.count("webhooks"), 1);
    let path = format!("/webhooks/{}", made.text("id"));
    for action in ["rotate-secret", "test"] {
        let call = service.api.post(&format!("{path}/{action}")).idempotency_key("a");
        let first = call.clone().send().await.is(200);
        let again = call.clone().send().await.is(200);
        assert!(!first.is_replayed() && again.is_replayed() && again.body == first.body);
        service.clock.advance(std::time::Duration::from_hours(24));
        assert!(!call.send().await.is(200).is_replayed());
    }
    assert_eq!(receiver.received().len(), 2);
}

async fn a_test_tells_what_came_back(database: Database) {
    use crate::support::Reply;
    let service = Service::start_with(database, |setup| {
        Receiver::allow(setup);
        setup.settings.webhook_timeout = std::time::Duration::from_millis(300);
    });
    let service = service.await;
    let receiver = Receiver::start().await;
    let mut body = receiver.webhook();
    body["enabled"] = json!(false);
    let made = make(&service, &body).await;
    let id = made["id"].as_str().unwrap();
    let test = service.api.post(&format!("/webhooks/{id}/test"));
    for (reply, status, error) in [
        (Reply::Status(204), json!(204), Value::Null),
        (Reply::Status(200), json!(200), Value::Null),
        (Reply::Status(500), json!(500), json!("it answered 500")),
        (Reply::With(302, "location", "/elsewhere"), json!(302), json!("it answered 302")),
        (Reply::Nothing, Value::Null, json!("it did not answer within 300ms")),
    ] {
        receiver.always(reply);
        let answer = test.clone().send().await.is(200).json();
        let expected = json!({ "delivered": error.is_null(), "status": status, "error": error });
        assert_eq!(answer, expected, "{reply:?}");
    }
    let events = receiver.received();
    assert_eq!(events.len(), 5);
    let ping = &events[0];
    assert_eq!(
        ping.body,
        json!({
            "id": ping.header("webhook-id"),
            "eventName": "webhook.ping",
            "schemaVersion": 1,
            "entityType": "webhook",
            "entityId": id,
            "occurredAt": "2026-03-01T09:00:00.000Z",
            "actorUserId": null,
            "payload": { "webhookId": id },
        })
    );
    assert!(ping.is_signed_with(made["secret"].as_str().unwrap()));
    drop(receiver);
    let answer = test.send().await.is(200).json();
    let error = answer["error"].as_str().unwrap();
    assert!(error.starts_with("no connection: "), "{error}");
    // Nothing of this counts for the delivery.
    let seen = service.api.get(&format!("/webhooks/{id}")).send().await.is(200).json();
    assert_eq!((&seen["lastError"], &seen["behind"]), (&Value::Null, &json!(0)));
}

async fn a_copy_has_the_webhooks_and_delivers_on(database: Database) {
    let service = start(database).await;
    let receiver = Receiver::start().await;
    let made = make(&service, &receiver.webhook()).await;
    service.log_any().send().await.is(201);
    crate::support::until("the event", async || receiver.seqs() == [1]).await;
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    crate::support::until("the progress", async || {
        service.api.get(&path).send().await.is(200).json()["deliveredThrough"] == 1
    })
    .await;
    let (tenant, from) = (service.tenant.clone(), service.database.clone());
    drop(service);
    let to = database.create();
    let copied = crate::support::run(&["copy", "--from", &from.url(), "--to", &to.url()]);
    assert!(copied.status.success(), "{copied:?}");
    let copy = Service::start_for(Some(tenant), to, Receiver::allow);
    let copy = copy.await;
    copy.log_any().send().await.is(201);
    crate::support::until("the next event", async || receiver.seqs() == [1, 2]).await;
    assert!(receiver.received()[1].is_signed_with(made["secret"].as_str().unwrap()));
}
