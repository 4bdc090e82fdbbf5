//! `POST /time-entries/transitions`: one action on many entries.

use serde_json::{Value, json};
use timelog_domain::{Permission, Status};
use uuid::Uuid;

use crate::support::{Answer, Call, Database, Service, Tenant, may, on_every_database};

on_every_database![
    each_id_gets_its_own_result_in_order,
    an_id_that_is_sent_twice_is_decided_twice,
    an_atomic_request_with_a_failed_id_changes_nothing,
    one_to_five_hundred_ids_are_accepted,
    every_violation_of_the_envelope_is_reported_at_once,
    the_action_determines_the_needed_permission,
    a_limited_key_moves_only_the_entries_it_may,
    a_repeat_gets_the_first_results,
];

fn transitions(service: &Service, body: &Value) -> Call {
    service.api.post("/time-entries/transitions").json(body)
}

/// Each result as its outcome and, if it failed, its code.
fn outcomes(answer: &Answer) -> Vec<String> {
    let outcome = |result: &Value| match result["problem"]["code"].as_str() {
        Some(code) => format!("{} {code}", result["outcome"].as_str().unwrap()),
        None => result["outcome"].as_str().unwrap().to_owned(),
    };
    answer.json()["results"].as_array().unwrap().iter().map(outcome).collect()
}

async fn each_id_gets_its_own_result_in_order(database: Database) {
    let service = Service::start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    let theirs = stranger.log_any(&service.api).send().await;
    let mut ids = vec![theirs.is(201).text("id"), Uuid::now_v7().to_string()];
    for &status in Status::ALL {
        ids.push(service.entry_in(status).await);
    }
    let body =
        json!({ "action": "reopen", "ids": ids, "reason": "because", "invoiceRef": " ", "x": 1 });
    let answer = transitions(&service, &body).send().await.is(200);
    let no = "failed invalid_transition";
    assert_eq!(
        outcomes(&answer),
        ["failed not_found", "failed not_found", no, no, "changed", no, no, no]
    );
    for (result, id) in answer.json()["results"].as_array().unwrap().iter().zip(&ids) {
        assert_eq!(result["id"], id.as_str());
        assert_eq!(result.get("entry").is_some(), result["outcome"] == "changed");
        if result["outcome"] == "changed" {
            assert_eq!(result["entry"], service.read(id).await.json());
            let record = service.history(id).await.pop().unwrap();
            assert_eq!(
                (&record["reason"], &record["invoiceRef"]),
                (&json!("because"), &json!(null))
            );
        } else {
            assert_eq!(result["problem"].get("requestId"), None, "it is told once, outside");
        }
    }
    // The failed one names the actions that its status allows.
    let detail = answer.json()["results"][3]["problem"]["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("submitted") && detail.ends_with("Possible now: recall, approve, reject."),
        "{detail}"
    );
}

async fn an_id_that_is_sent_twice_is_decided_twice(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    let ids = [id.clone(), id.to_uppercase(), id.clone()];
    let body = json!({ "action": "submit", "ids": ids });
    let answer = transitions(&service, &body).send().await.is(200);
    assert_eq!(
        outcomes(&answer),
        ["changed", "failed invalid_transition", "failed invalid_transition"]
    );
    assert!(
        answer.json()["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|result| result["id"] == id.as_str())
    );
    assert_eq!(service.history(&id).await.len(), 2);
}

async fn an_atomic_request_with_a_failed_id_changes_nothing(database: Database) {
    let service = Service::start(database).await;
    let (one, two) =
        (service.entry_in(Status::Draft).await, service.entry_in(Status::Rejected).await);
    let done = service.entry_in(Status::Approved).await;
    let missing = Uuid::now_v7().to_string();
    let before =
        (service.read(&one).await.body, service.read(&two).await.body, service.database.counts());
    let body = json!({ "action": "submit", "ids": [one, done, missing, two], "atomic": true });
    let call = transitions(&service, &body).idempotency_key("k");
    for _ in 0..2 {
        let failed = call.clone().send().await.fails_with(409, "batch_failed");
        let no = "failed invalid_transition";
        assert_eq!(outcomes(&failed), ["not_applied", no, "failed not_found", "not_applied"]);
        assert!(
            failed.json()["results"]
                .as_array()
                .unwrap()
                .iter()
                .all(|result| result.get("entry").is_none())
        );
    }
    assert_eq!(
        (service.read(&one).await.body, service.read(&two).await.body, service.database.counts()),
        before
    );
    // Nothing was stored, so the key can be used again.
    let body = json!({ "action": "submit", "ids": [one, two], "atomic": true });
    let answer = transitions(&service, &body).idempotency_key("k").send().await.is(200);
    assert!(!answer.is_replayed());
    assert_eq!(outcomes(&answer), ["changed", "changed"]);
}

async fn one_to_five_hundred_ids_are_accepted(database: Database) {
    let service = Service::start(database).await;
    let entries = json!({ "entries": vec![service.tenant.body(); 500] });
    let logged = service
        .api
        .post(&format!("{}/batch", service.tenant.path()))
        .json(&entries)
        .send()
        .await
        .is(200)
        .json();
    let ids: Vec<_> =
        logged["results"].as_array().unwrap().iter().map(|result| &result["entry"]["id"]).collect();
    let answer =
        transitions(&service, &json!({ "action": "submit", "ids": ids })).send().await.is(200);
    assert_eq!(outcomes(&answer), vec!["changed"; 500]);
    let answered = answer.json();
    let answered: Vec<_> =
        answered["results"].as_array().unwrap().iter().map(|result| &result["id"]).collect();
    assert_eq!(answered, ids);
    let mut more = ids.clone();
    more.push(ids[0]);
    for ids in [json!([]), json!(more)] {
        transitions(&service, &json!({ "action": "recall", "ids": ids }))
            .send()
            .await
            .refuses(&["/ids out_of_range"]);
    }
    let list = service
        .api
        .get("/time-entries?status=submitted&includeTotal=true&limit=1")
        .send()
        .await
        .is(200);
    assert_eq!(list.json()["total"], 500);
}

async fn every_violation_of_the_envelope_is_reported_at_once(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    for (body, violations) in [
        (json!({}), ["/action required", "/ids required"].as_slice()),
        (
            json!({ "action": null, "ids": null, "atomic": null }),
            &["/action wrong_type", "/ids wrong_type", "/atomic wrong_type"],
        ),
        (json!({ "action": "Submit", "ids": id }), &["/action unknown_value", "/ids wrong_type"]),
        (
            json!({ "action": "edit", "ids": [id], "atomic": "true" }),
            &["/action unknown_value", "/atomic wrong_type"],
        ),
        (
            json!({ "action": "submit", "ids": [id, "x", 1, null, id, [id]] }),
            &["/ids/1 invalid_id", "/ids/2 wrong_type", "/ids/3 wrong_type", "/ids/5 wrong_type"],
        ),
        (json!({ "action": "reject", "ids": [id] }), &["/reason required"]),
        (
            json!({ "action": "invoice", "ids": [], "invoiceRef": " ", "reason": "x".repeat(2001) }),
            &["/ids out_of_range", "/invoiceRef blank", "/reason too_long"],
        ),
        (json!([]), &[" wrong_type"]),
    ] {
        transitions(&service, &body).send().await.refuses(violations);
    }
    let call = service.api.post("/time-entries/transitions");
    for body in ["", "{", "{\"ids\":[],\"ids\":[]}"] {
        call.clone().body(body).send().await.fails_with(400, "malformed_json");
    }
    call.clone().send().await.fails_with(415, "unsupported_media_type");
    call.clone()
        .body(" ".repeat(4 * 1024 * 1024 + 1))
        .send()
        .await
        .fails_with(413, "payload_too_large");
    assert_eq!(service.read(&id).await.header("etag"), Some("\"1\""));
}

async fn the_action_determines_the_needed_permission(database: Database) {
    let service = Service::start(database).await;
    let vectors: Value = serde_json::from_str(include_str!("vectors/lifecycle.json")).unwrap();
    for &permission in Permission::ALL {
        let api = service.with_key(may(&[permission])).await;
        for vector in vectors["actions"].as_array().unwrap() {
            let from = vector["transitions"]
                .as_object()
                .unwrap()
                .iter()
                .find(|(_, to)| !to.is_null())
                .unwrap()
                .0;
            let id = service.entry_in(from.parse().unwrap()).await;
            let (before, rows) = (service.read(&id).await.body, service.database.counts());
            let body = json!({
                "action": vector["action"], "ids": [id], "reason": "because", "invoiceRef": "2026-0001",
            });
            let answer = api.post("/time-entries/transitions").json(&body).send().await;
            if vector["permission"] == permission.as_str() {
                assert_eq!(outcomes(&answer.is(200)), ["changed"]);
            } else {
                answer.fails_with(403, "forbidden");
                assert_eq!(
                    (service.read(&id).await.body, service.database.counts()),
                    (before, rows)
                );
            }
        }
    }
    // A key without any permission for actions is refused whatever the body is.
    let reader = service.with_key(may(&[Permission::Read, Permission::Admin])).await;
    reader.post("/time-entries/transitions").body("{").send().await.fails_with(403, "forbidden");
}

async fn a_limited_key_moves_only_the_entries_it_may(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let (user, own) = (tenant.user_id, tenant.project_id);
    let log = async |path: &str, user: String| {
        let body = tenant.body_with(&json!({ "userId": user }));
        service.api.post(path).json(&body).send().await.is(201).text("id")
    };
    let mine = log(&tenant.path(), user.to_string()).await;
    let theirs = log(&tenant.path(), tenant.other_user_id.to_string()).await;
    let elsewhere = log(&tenant.other_path(), user.to_string()).await;
    let api =
        service.with_key(move |key| (key.project_id, key.user_id) = (Some(own), Some(user))).await;
    let apply = |action: &str, atomic: bool| {
        let ids = [&mine, &theirs, &elsewhere];
        let body = json!({ "action": action, "ids": ids, "reason": "because", "atomic": atomic });
        api.post("/time-entries/transitions").json(&body).send()
    };
    let failed = apply("submit", true).await.fails_with(409, "batch_failed");
    assert_eq!(outcomes(&failed), ["not_applied", "failed forbidden", "failed scope_violation"]);
    let answer = apply("submit", false).await.is(200);
    assert_eq!(outcomes(&answer), ["changed", "failed forbidden", "failed scope_violation"]);
    service.apply(&theirs, &[timelog_domain::Action::Submit]).await;
    let answer = apply("approve", false).await.is(200);
    assert_eq!(outcomes(&answer), ["failed forbidden", "changed", "failed scope_violation"]);
    assert_eq!(service.read(&elsewhere).await.text("status"), "draft");
}

async fn a_repeat_gets_the_first_results(database: Database) {
    let service = Service::start(database).await;
    let (one, two) =
        (service.entry_in(Status::Draft).await, service.entry_in(Status::Locked).await);
    let call = transitions(&service, &json!({ "action": "submit", "ids": [one, two] }))
        .idempotency_key("k");
    let first = call.clone().send().await.is(200);
    assert_eq!(outcomes(&first), ["changed", "failed invalid_transition"]);
    service.apply(&one, &[timelog_domain::Action::Recall]).await;
    let rows = service.database.counts();
    let repeat = call.header("x-request-id", "another").send().await.is(200);
    assert!(repeat.is_replayed() && !first.is_replayed());
    assert_eq!(repeat.body, first.body);
    assert_eq!(service.database.counts(), rows);
    assert_eq!(service.read(&one).await.text("status"), "draft");
}
