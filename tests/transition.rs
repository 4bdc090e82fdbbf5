//! `POST /time-entries/{timeEntryId}/{action}`: every action, as the vectors define it.

use std::time::Duration;

use serde_json::{Value, json};
use timelog_domain::{Action, Status};

use crate::support::{Call, Database, Service, on_every_database};

on_every_database![
    every_action_in_every_status_matches_the_vectors,
    an_invalid_reason_or_invoice_ref_is_refused,
    the_body_is_optional_and_otherwise_json,
    a_key_bound_to_a_user_cannot_approve_that_users_entries,
    invoicing_an_entry_that_is_not_billable_is_answered_409,
    an_action_under_an_idempotency_key_happens_once,
    an_idempotency_key_does_not_apply_to_another_action_or_entry,
    if_match_with_another_version_is_answered_412,
    the_history_has_who_what_and_why,
];

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/lifecycle.json")).unwrap()
}

fn actions() -> Vec<Value> {
    vectors()["actions"].as_array().unwrap().clone()
}

fn call(service: &Service, id: &str, action: &str) -> Call {
    service.api.post(&format!("/time-entries/{id}/{action}"))
}

fn everything() -> Value {
    json!({ "reason": "because", "invoiceRef": "2026-0001" })
}

/// The possible actions of a status, by the vectors.
fn possible(status: &str) -> Vec<String> {
    let possible = actions().into_iter().filter(|action| !action["transitions"][status].is_null());
    possible.map(|action| action["action"].as_str().unwrap().to_owned()).collect()
}

async fn every_action_in_every_status_matches_the_vectors(database: Database) {
    let service = Service::start(database).await;
    let named: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
    assert_eq!(json!(named), vectors()["statuses"]);
    for &from in Status::ALL {
        for vector in actions() {
            let action = vector["action"].as_str().unwrap();
            let id = service.entry_in(from).await;
            let before = service.read(&id).await;
            let rows = service.database.counts();
            service.clock.advance(Duration::from_millis(1));
            let answer = call(&service, &id, action).json(&everything()).send().await;
            let Some(to) = vector["transitions"][from.as_str()].as_str() else {
                let refused = answer.fails_with(409, "invalid_transition");
                let expected = format!("Possible now: {}.", possible(from.as_str()).join(", "));
                let detail = refused.text("detail");
                assert!(
                    detail.contains(&format!(" {from} ")) && detail.ends_with(&expected),
                    "{action}: {detail}"
                );
                assert_eq!(service.read(&id).await.body, before.body);
                assert_eq!(service.database.counts(), rows);
                continue;
            };
            let moved = answer.is(200);
            let version =
                before.header("etag").unwrap().trim_matches('"').parse::<i64>().unwrap() + 1;
            let mut expected = before.json();
            expected["status"] = json!(to);
            expected["invoiced"] = json!(to == "invoiced");
            expected["updatedAt"] = moved.json()["updatedAt"].clone();
            assert_eq!(moved.json(), expected, "{action}");
            assert!(moved.text("updatedAt") > before.text("updatedAt"));
            assert_eq!(moved.header("etag"), Some(format!("\"{version}\"").as_str()));
            let read = service.read(&id).await;
            assert_eq!(
                (read.header("etag"), read.body.as_slice()),
                (moved.header("etag"), moved.body.as_slice())
            );
            let record = service.history(&id).await.pop().unwrap();
            let told = [
                &record["action"],
                &record["from"],
                &record["to"],
                &record["version"],
                &record["changes"],
            ];
            assert_eq!(
                told,
                [&json!(action), &json!(from.as_str()), &json!(to), &json!(version), &json!({})]
            );
            let editable = vectors()["editable"].as_array().unwrap().contains(&json!(to));
            let edit = service
                .api
                .patch(&format!("/time-entries/{id}"))
                .json(&json!({ "minutes": 5 }))
                .send()
                .await;
            assert_eq!(edit.status, if editable { 200 } else { 409 }, "{}", edit.describe());
        }
    }
    // The filter `status=invoiced` finds the invoiced entries.
    for status in Status::ALL {
        let list = service
            .api
            .get(&format!("/time-entries?limit=200&status={status}"))
            .send()
            .await
            .is(200)
            .json();
        let entries = list["data"].as_array().unwrap();
        assert!(!entries.is_empty());
        assert!(
            entries.iter().all(|entry| entry["invoiced"] == json!(*status == Status::Invoiced))
        );
    }
}

async fn an_invalid_reason_or_invoice_ref_is_refused(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    let rows = service.database.counts();
    let (longest, longer) = ("é".repeat(2000), "é".repeat(2001));
    for vector in actions() {
        let action = vector["action"].as_str().unwrap();
        for member in ["reason", "invoiceRef"] {
            let needed = vector["needs"].as_array().unwrap().contains(&json!(member));
            // The entry is looked up only after the body was read.
            let mut body = everything();
            let mut refuses = async |value: Option<Value>, violation: Option<&str>| {
                match value {
                    Some(value) => body[member] = value,
                    None => drop(body.as_object_mut().unwrap().remove(member)),
                }
                let missing = "/time-entries/00000000-0000-4000-8000-000000000000";
                let answer =
                    service.api.post(&format!("{missing}/{action}")).json(&body).send().await;
                match violation {
                    Some(code) => answer.refuses(&[&format!("/{member} {code}")]),
                    None => answer.fails_with(404, "not_found"),
                };
            };
            refuses(None, needed.then_some("required")).await;
            for blank in ["", " ", "\t\r\n", "\u{a0}\u{3000}"] {
                refuses(Some(json!(blank)), needed.then_some("blank")).await;
            }
            refuses(Some(json!(longest)), None).await;
            refuses(Some(json!(longer)), Some("too_long")).await;
            refuses(Some(json!("a\u{0}")), Some("invalid_character")).await;
            for value in [json!(null), json!(1), json!(true), json!(["x"]), json!({ "x": "x" })] {
                refuses(Some(value), Some("wrong_type")).await;
            }
        }
    }
    assert_eq!(service.database.counts(), rows);
    assert_eq!(service.read(&id).await.header("etag"), Some("\"1\""));
}

async fn the_body_is_optional_and_otherwise_json(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    for (call, action) in [
        (call(&service, &id, "submit"), "nothing at all"),
        (call(&service, &id, "recall").body(""), "no bytes that are called JSON"),
        (call(&service, &id, "submit").json(&json!({})), "an empty object"),
        (call(&service, &id, "recall").json(&json!({ "x": 1 })), "a member that is not known"),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.describe());
    }
    let submit = call(&service, &id, "submit");
    for body in ["{", "x", "{\"reason\":\"a\",\"reason\":\"b\"}", "{\"reason\":\"\\ud800\"}", " "] {
        submit.clone().body(body).send().await.fails_with(400, "malformed_json");
    }
    for body in ["[]", "null", "1", "\"because\""] {
        submit.clone().body(body).send().await.refuses(&[" wrong_type"]);
    }
    let plain = submit.clone().header("content-type", "text/plain");
    for call in
        [plain.clone(), plain.body("{}"), submit.clone().body("{}").without_header("content-type")]
    {
        call.send().await.fails_with(415, "unsupported_media_type");
    }
    let long = format!("{{}}{}", " ".repeat(64 * 1024));
    submit.clone().body(long).send().await.fails_with(413, "payload_too_large");
    assert_eq!(service.read(&id).await.text("status"), "draft");
    call(&service, &id, "reject").send().await.refuses(&["/reason required"]);
    service.api.post("/time-entries/1/submit").send().await.refuses(&["timeEntryId invalid_id"]);
}

async fn invoicing_an_entry_that_is_not_billable_is_answered_409(database: Database) {
    let service = Service::start(database).await;
    let body = service.tenant.body_with(&json!({ "billable": false }));
    let id = service.log(&body).send().await.is(201).text("id");
    let invoice = call(&service, &id, "invoice").json(&everything());
    let refused = invoice.clone().send().await.fails_with(409, "invalid_transition");
    assert!(refused.text("detail").contains("draft"), "{}", refused.describe());
    for action in [Action::Submit, Action::Approve] {
        service.apply(&id, &[action]).await;
    }
    invoice.clone().idempotency_key("k").send().await.fails_with(409, "not_billable");
    service.apply(&id, &[Action::Lock]).await;
    let before = service.read(&id).await;
    invoice.clone().send().await.fails_with(409, "not_billable");
    let refused = call(&service, &id, "submit").send().await.fails_with(409, "invalid_transition");
    assert!(refused.text("detail").ends_with("Possible now: unlock."), "{}", refused.describe());
    // In a request for many it fails alone.
    let other = service.entry_in(Status::Approved).await;
    let many = json!({ "action": "invoice", "ids": [id, other], "invoiceRef": "2026-0001" });
    let answer =
        service.api.post("/time-entries/transitions").json(&many).send().await.is(200).json();
    assert_eq!(answer["results"][0]["problem"]["code"], "not_billable");
    assert_eq!(answer["results"][1]["outcome"], "changed");
    assert_eq!(service.read(&id).await.body, before.body);
    assert_eq!(service.database.count("idempotency_keys"), 0);
}

async fn a_key_bound_to_a_user_cannot_approve_that_users_entries(database: Database) {
    let service = Service::start(database).await;
    let (user, other) = (service.tenant.user_id, service.tenant.other_user_id);
    let own = service.with_key(move |key| key.user_id = Some(user)).await;
    let another = service.with_key(move |key| key.user_id = Some(other)).await;
    for (from, action) in [
        (Status::Submitted, "approve"),
        (Status::Submitted, "reject"),
        (Status::Approved, "reopen"),
    ] {
        let path = format!("/time-entries/{}/{action}", service.entry_in(from).await);
        // 403 comes before 412 for the version and 409 for the status.
        let refused = own.post(&path).json(&everything()).header("if-match", "\"99\"").send().await;
        refused.fails_with(403, "forbidden");
        another.post(&path).json(&everything()).send().await.is(200);
        own.post(&path).json(&everything()).send().await.fails_with(403, "forbidden");
        another.post(&path).json(&everything()).send().await.fails_with(409, "invalid_transition");
    }
}

async fn an_action_under_an_idempotency_key_happens_once(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Submitted).await;
    let approve = call(&service, &id, "approve").idempotency_key("k");
    let first = approve.clone().send().await.is(200);
    assert!(!first.is_replayed());
    // It is replayed although the entry has changed and could not be approved now.
    let mut rows = service.database.counts();
    for action in
        [None, Some("reopen"), Some("submit"), Some("approve"), Some("lock"), Some("invoice")]
    {
        if let Some(action) = action {
            call(&service, &id, action).json(&everything()).send().await.is(200);
            rows = service.database.counts();
        }
        let repeat = approve.clone().send().await.is(200);
        assert!(repeat.is_replayed());
        assert_eq!(
            (repeat.body.as_slice(), repeat.header("etag")),
            (first.body.as_slice(), first.header("etag"))
        );
        assert_eq!(service.database.counts(), rows);
    }
    // A refusal is not stored, and `If-Match` is no part of the fingerprint.
    let id = service.entry_in(Status::Draft).await;
    let approve = call(&service, &id, "approve").idempotency_key("other");
    approve.clone().send().await.fails_with(409, "invalid_transition");
    call(&service, &id, "submit").send().await.is(200);
    approve.clone().header("if-match", "\"1\"").send().await.fails_with(412, "precondition_failed");
    assert!(!approve.clone().header("if-match", "\"2\"").send().await.is(200).is_replayed());
    assert!(approve.header("if-match", "\"1\"").send().await.is(200).is_replayed());
    service.api.post(&format!("/time-entries/{id}/lock")).idempotency_key("").send().await.is(400);
}

async fn an_idempotency_key_does_not_apply_to_another_action_or_entry(database: Database) {
    let service = Service::start(database).await;
    let (one, two) = (service.entry_in(Status::Draft).await, service.entry_in(Status::Draft).await);
    for (id, action, status) in
        [(&one, "submit", "submitted"), (&two, "submit", "submitted"), (&one, "recall", "draft")]
    {
        let answer = call(&service, id, action).idempotency_key("k").send().await.is(200);
        assert!(!answer.is_replayed());
        assert_eq!(answer.text("status"), status);
    }
    // One entry has one path, however its id is spelled.
    let shouted =
        call(&service, &two.to_uppercase(), "submit").idempotency_key("\"k\"").send().await.is(200);
    assert!(shouted.is_replayed());
    service.log_any().idempotency_key("k").send().await.is(201);
}

async fn if_match_with_another_version_is_answered_412(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    for tags in ["\"2\"", "W/\"1\"", "1", "\"01\"", "\"2\", \"3\"", ""] {
        let refused = call(&service, &id, "submit").header("if-match", tags).send().await;
        refused.fails_with(412, "precondition_failed");
        // 412 for the version comes before 409 for the status.
        let refused = call(&service, &id, "lock").header("if-match", tags).send().await;
        refused.fails_with(412, "precondition_failed");
    }
    call(&service, &id, "submit")
        .header("if-match", "\u{e9}")
        .send()
        .await
        .refuses(&["If-Match invalid_header"]);
    call(&service, &id, "submit").header("if-match", "\"7\", \"1\"").send().await.is(200);
    call(&service, &id, "recall").header("if-match", "*").send().await.is(200);
    call(&service, &id, "lock")
        .header("if-match", "\"3\"")
        .send()
        .await
        .fails_with(409, "invalid_transition");
}

async fn the_history_has_who_what_and_why(database: Database) {
    let service = Service::start(database).await;
    let user = service.tenant.user_id;
    let bound = service.key(move |key| key.user_id = Some(user)).await;
    let theirs = service.api.with_key(&bound.text);
    let id = theirs
        .post(&service.tenant.path())
        .json(&service.tenant.body())
        .send()
        .await
        .is(201)
        .text("id");
    let changes = [
        (&theirs, "submit", json!({ "reason": " ", "invoiceRef": "not yet" })),
        (&service.api, "reject", json!({ "reason": " Too much, é 🦆 " })),
        (&theirs, "", json!({ "minutes": 90 })),
        (&theirs, "submit", Value::Null),
        (&service.api, "approve", json!({ "reason": "Well done" })),
        (&service.api, "invoice", json!({ "invoiceRef": "2026-0001" })),
        (&service.api, "release-invoice", json!({ "reason": "Wrong one" })),
    ];
    for (api, action, body) in changes {
        service.clock.advance(Duration::from_secs(1));
        let call = match action {
            "" => api.patch(&format!("/time-entries/{id}")),
            action => api.post(&format!("/time-entries/{id}/{action}")),
        };
        let call = if body.is_null() { call } else { call.json(&body) };
        call.send().await.is(200);
    }
    let ours = json!({ "keyId": service.tenant.key.key.id.to_string(), "userId": null });
    let theirs = json!({ "keyId": bound.key.id.to_string(), "userId": user.to_string() });
    let minutes = json!({ "minutes": { "old": 150, "new": 90 } });
    let expected = [
        json!(["log", theirs, null, null, null, "draft", {}]),
        json!(["submit", theirs, null, "not yet", "draft", "submitted", {}]),
        json!(["reject", ours, " Too much, é 🦆 ", null, "submitted", "rejected", {}]),
        json!(["edit", theirs, null, null, "rejected", "draft", minutes]),
        json!(["submit", theirs, null, null, "draft", "submitted", {}]),
        json!(["approve", ours, "Well done", null, "submitted", "approved", {}]),
        json!(["invoice", ours, null, "2026-0001", "approved", "invoiced", {}]),
        json!(["release-invoice", ours, "Wrong one", null, "invoiced", "locked", {}]),
    ];
    let expected: Vec<_> = (1..)
        .zip(&expected)
        .map(|(version, row)| {
            let at = format!("2026-03-01T09:00:{:02}.000Z", version - 1);
            json!({
                "version": version, "action": row[0], "at": at, "by": row[1], "reason": row[2],
                "invoiceRef": row[3], "from": row[4], "to": row[5], "changes": row[6],
            })
        })
        .collect();
    assert_eq!(service.history(&id).await, expected);
}
