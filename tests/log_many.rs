//! `POST /projects/{projectId}/time-entries/batch`: many entries at once, each a body of its own.

use serde_json::{Value, json};
use timelog_domain::{Action, Status};
use uuid::Uuid;

use crate::support::{Answer, Call, Database, Service, Tenant, on_every_database};

on_every_database![
    one_to_five_hundred_entries_are_logged_in_order,
    one_invalid_item_fails_alone,
    pointers_of_a_failed_item_are_relative_to_the_item,
    an_item_that_is_not_an_object_fails_alone,
    an_invalid_envelope_is_answered_400,
    an_atomic_batch_with_a_failed_item_logs_nothing,
    the_later_of_two_items_with_one_reference_wins,
    known_references_are_updated_or_unchanged_and_new_ones_created,
    an_archived_project_is_answered_409_for_the_whole_batch,
    items_of_another_user_fail_alone,
    a_repeat_gets_the_same_results_including_failures,
    a_batch_over_4_mib_is_answered_413,
    an_unknown_project_is_answered_404,
];

fn batch(service: &Service, body: &Value) -> Call {
    service.api.post(&format!("{}/batch", service.tenant.path())).json(body)
}

fn reference(id: &str) -> Value {
    json!({ "provider": "jira", "externalType": "worklog", "externalId": id })
}

/// Each result as its outcome and, if it failed, its code. The index of each is checked.
#[track_caller]
fn outcomes(answer: &Answer) -> Vec<String> {
    let results = answer.json()["results"].as_array().unwrap().clone();
    let outcome = |(index, result): (usize, &Value)| {
        assert_eq!(result["index"], index);
        let outcome = result["outcome"].as_str().unwrap();
        assert_eq!(
            result.get("entry").is_some(),
            ["created", "updated", "unchanged"].contains(&outcome)
        );
        match result["problem"]["code"].as_str() {
            Some(code) => format!("{outcome} {code}"),
            None => outcome.to_owned(),
        }
    };
    results.iter().enumerate().map(outcome).collect()
}

/// The violations of one item, each as `/pointer code`.
fn violations(answer: &Answer, index: usize) -> Vec<String> {
    let errors = answer.json()["results"][index]["problem"]["errors"].as_array().unwrap().clone();
    errors
        .iter()
        .map(|error| {
            format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())
        })
        .collect()
}

async fn one_to_five_hundred_entries_are_logged_in_order(database: Database) {
    let service = Service::start(database).await;
    let body = |index: usize| service.tenant.body_with(&json!({ "minutes": 1 + index }));
    let bodies: Vec<_> = (0..501).map(body).collect();
    batch(&service, &json!({ "entries": bodies })).send().await.refuses(&["/entries out_of_range"]);
    batch(&service, &json!({ "entries": [] })).send().await.refuses(&["/entries out_of_range"]);
    assert_eq!(service.database.count("time_entries"), 0);
    for count in [1, 500] {
        let answer = batch(&service, &json!({ "entries": bodies[..count] })).send().await.is(200);
        assert_eq!(outcomes(&answer), vec!["created"; count]);
        let answer = answer.json();
        for (index, result) in answer["results"].as_array().unwrap().iter().enumerate() {
            let entry = &result["entry"];
            assert_eq!(
                (&entry["minutes"], &entry["source"]),
                (&json!(1 + index), &json!("import"))
            );
        }
        let last = &answer["results"][count - 1]["entry"];
        let read = service.read(last["id"].as_str().unwrap()).await;
        assert_eq!((&read.json(), read.header("etag")), (last, Some("\"1\"")));
    }
    assert_eq!(service.database.count("time_entries"), 501);
    assert_eq!(service.database.count("time_entry_history"), 501);
}

async fn one_invalid_item_fails_alone(database: Database) {
    let service = Service::start(database).await;
    let mut bodies = vec![service.tenant.body(); 100];
    bodies[57]["userId"] = json!(Uuid::now_v7().to_string());
    bodies[58]["minutes"] = json!(0);
    let answer = batch(&service, &json!({ "entries": bodies })).send().await.is(200);
    let mut expected = vec!["created"; 100];
    (expected[57], expected[58]) = ("failed validation_error", "failed validation_error");
    assert_eq!(outcomes(&answer), expected);
    assert_eq!(violations(&answer, 57), ["/userId unknown_reference"]);
    assert_eq!(violations(&answer, 58), ["/minutes out_of_range"]);
    let problem = &answer.json()["results"][57]["problem"];
    assert_eq!((&problem["status"], problem.get("requestId")), (&json!(400), None));
    assert_eq!(service.database.count("time_entries"), 98);
}

async fn pointers_of_a_failed_item_are_relative_to_the_item(database: Database) {
    let service = Service::start(database).await;
    let bad = json!({
        "userId": "x",
        "minutes": "1",
        "hours": "1,5",
        "billable": null,
        "entryId": 1,
        "description": "a\u{0}",
        "externalRef": { "provider": " ", "externalId": "x".repeat(256) },
    });
    let answer =
        batch(&service, &json!({ "entries": [service.tenant.body(), bad] })).send().await.is(200);
    let mut found = violations(&answer, 1);
    found.sort();
    let expected = [
        "/billable wrong_type",
        "/description invalid_character",
        "/entryId wrong_type",
        "/externalRef/externalId too_long",
        "/externalRef/externalType required",
        "/externalRef/provider blank",
        "/hours invalid_hours",
        "/minutes wrong_type",
        "/userId invalid_id",
        "/workDate required",
    ];
    assert_eq!(found, expected);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn an_item_that_is_not_an_object_fails_alone(database: Database) {
    let service = Service::start(database).await;
    let good = service.tenant.body().to_string();
    let twice = format!("{{\"minutes\":1,{}", &good[1..]);
    let half = format!("{{\"description\":\"\\ud800\",{}", &good[1..]);
    let bodies = [&good, "null", "1", "\"x\"", "[]", "{}", &twice, &half, &good].join(",");
    let call = service.api.post(&format!("{}/batch", service.tenant.path()));
    let answer = call.body(format!("{{\"entries\":[{bodies}]}}")).send().await.is(200);
    let (wrong, malformed) = ("failed validation_error", "failed malformed_json");
    let expected = ["created", wrong, wrong, wrong, wrong, wrong, malformed, malformed, "created"];
    assert_eq!(outcomes(&answer), expected);
    assert_eq!(violations(&answer, 1), [" wrong_type"]);
    assert_eq!(violations(&answer, 5).len(), 3);
    assert_eq!(service.database.count("time_entries"), 2);
}

async fn an_invalid_envelope_is_answered_400(database: Database) {
    let service = Service::start(database).await;
    let good = service.tenant.body();
    for (body, expected) in [
        (json!({}), ["/entries required"].as_slice()),
        (
            json!({ "entries": null, "atomic": null }),
            &["/entries wrong_type", "/atomic wrong_type"],
        ),
        (json!({ "entries": good, "atomic": 1 }), &["/entries wrong_type", "/atomic wrong_type"]),
        (json!({ "entries": [good], "atomic": "false" }), &["/atomic wrong_type"]),
        (
            json!({ "entries": [], "atomic": "false" }),
            &["/entries out_of_range", "/atomic wrong_type"],
        ),
        (json!([good]), &[" wrong_type"]),
        (good.clone(), &["/entries required"]),
    ] {
        batch(&service, &body).send().await.refuses(expected);
    }
    let call = service.api.post(&format!("{}/batch", service.tenant.path()));
    let twice = format!("{{\"entries\":[{good}],\"entries\":[{good}]}}");
    let cut = format!("{{\"entries\":[{good},{{");
    for body in ["", "[", &twice, &cut] {
        call.clone().body(body).send().await.fails_with(400, "malformed_json");
    }
    let text = call.clone().header("content-type", "text/csv").body("userId,minutes").send().await;
    text.fails_with(415, "unsupported_media_type");
    call.clone().send().await.fails_with(415, "unsupported_media_type");
    let key = call.json(&json!({ "entries": [good] })).idempotency_key("");
    key.send().await.fails_with(400, "invalid_idempotency_key");
    assert_eq!(service.database.count("time_entries"), 0);
}

async fn an_atomic_batch_with_a_failed_item_logs_nothing(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let known = service
        .log(&tenant.body_with(&json!({ "externalRef": reference("known") })))
        .send()
        .await
        .is(201);
    let rows = service.database.counts();
    let entries = json!([
        tenant.body(),
        tenant.body_with(&json!({ "externalRef": reference("known"), "minutes": 5 })),
        tenant.body_with(&json!({ "externalRef": reference("new") })),
        tenant.body_with(&json!({ "externalRef": reference("new") })),
        tenant.body_with(&json!({ "entryId": Uuid::now_v7().to_string() })),
        json!({}),
    ]);
    let call = batch(&service, &json!({ "entries": entries, "atomic": true })).idempotency_key("k");
    for _ in 0..2 {
        let failed = call.clone().send().await.fails_with(409, "batch_failed");
        let (no, bad) = ("not_applied", "failed validation_error");
        assert_eq!(outcomes(&failed), [no, no, no, no, bad, bad]);
        assert_eq!(violations(&failed, 4), ["/entryId unknown_reference"]);
    }
    assert_eq!(service.database.counts(), rows);
    assert_eq!(service.read(&known.text("id")).await.body, known.body);
    // Nothing was stored, so the key can be used again.
    let good: Vec<_> = entries.as_array().unwrap()[..4].to_vec();
    let call = batch(&service, &json!({ "entries": good, "atomic": true })).idempotency_key("k");
    let answer = call.send().await.is(200);
    assert!(!answer.is_replayed());
    assert_eq!(outcomes(&answer), ["created", "updated", "created", "unchanged"]);
    assert_eq!(service.database.count("time_entries"), 3);
}

async fn the_later_of_two_items_with_one_reference_wins(database: Database) {
    let service = Service::start(database).await;
    let body = |minutes: i64, id: &str| {
        service.tenant.body_with(&json!({ "minutes": minutes, "externalRef": reference(id) }))
    };
    let entries = [body(1, "a"), body(10, "b"), body(2, "a"), body(2, "a"), body(3, "a")];
    let answer = batch(&service, &json!({ "entries": entries })).send().await.is(200);
    assert_eq!(outcomes(&answer), ["created", "created", "updated", "unchanged", "updated"]);
    let results = answer.json();
    let ids: Vec<_> =
        (0..5).map(|index| results["results"][index]["entry"]["id"].as_str().unwrap()).collect();
    assert!([2, 3, 4].iter().all(|index| ids[*index] == ids[0]) && ids[1] != ids[0]);
    let read = service.read(ids[0]).await;
    assert_eq!((&read.json()["minutes"], read.header("etag")), (&json!(3), Some("\"3\"")));
    // Each result shows the entry as it was at that moment.
    let minutes: Vec<_> = (0..5)
        .map(|index| results["results"][index]["entry"]["minutes"].as_i64().unwrap())
        .collect();
    assert_eq!(minutes, [1, 10, 2, 2, 3]);
    assert_eq!(service.database.count("time_entries"), 2);
    let actions: Vec<_> =
        service.history(ids[0]).await.iter().map(|record| record["action"].clone()).collect();
    assert_eq!(actions, ["log", "edit", "edit"]);
}

async fn known_references_are_updated_or_unchanged_and_new_ones_created(database: Database) {
    let service = Service::start(database).await;
    let body = |id: &str, minutes: i64| {
        service.tenant.body_with(&json!({ "externalRef": reference(id), "minutes": minutes }))
    };
    let mut ids = Vec::new();
    for name in ["draft", "rejected", "submitted", "invoiced"] {
        ids.push(service.log(&body(name, 1)).send().await.is(201).text("id"));
    }
    service.apply(&ids[1], &[Action::Submit, Action::Reject]).await;
    service.apply(&ids[2], &[Action::Submit]).await;
    service.apply(&ids[3], &[Action::Submit, Action::Approve, Action::Invoice]).await;
    service.api.post(&service.tenant.other_path()).json(&body("elsewhere", 1)).send().await.is(201);
    let entries = [
        body("draft", 1),
        body("rejected", 2),
        body("submitted", 1),
        body("submitted", 2),
        body("invoiced", 1),
        body("invoiced", 2),
        body("elsewhere", 1),
        body("new", 1),
    ];
    let answer = batch(&service, &json!({ "entries": entries })).send().await.is(200);
    let no = "failed entry_not_editable";
    let expected = [
        "unchanged",
        "updated",
        "unchanged",
        no,
        "unchanged",
        no,
        "failed external_ref_conflict",
        "created",
    ];
    assert_eq!(outcomes(&answer), expected);
    let results = answer.json();
    let entry = |index: usize| &results["results"][index]["entry"];
    // An entry keeps its source; a rejected one becomes a draft.
    assert_eq!((&entry(0)["source"], &entry(7)["source"]), (&json!("api"), &json!("import")));
    assert_eq!((&entry(1)["status"], &entry(4)["invoiced"]), (&json!("draft"), &json!(true)));
    // Another organization knows none of them.
    let stranger = Tenant::provision(&service.store).await;
    let body = stranger.body_with(&json!({ "externalRef": reference("draft") }));
    let theirs = stranger.api(&service.api).post(&format!("{}/batch", stranger.path()));
    let answer = theirs.json(&json!({ "entries": [body, body] })).send().await.is(200);
    assert_eq!(outcomes(&answer), ["created", "unchanged"]);
}

async fn an_archived_project_is_answered_409_for_the_whole_batch(database: Database) {
    let service = Service::start(database).await;
    let known = service.tenant.body_with(&json!({ "externalRef": reference("1") }));
    service.log(&known).send().await.is(201);
    service.archive(service.tenant.project_id, true).await;
    let rows = service.database.counts();
    for atomic in [false, true] {
        // This includes unchanged and invalid items.
        for entries in [json!([known]), json!([service.tenant.body(), {}])] {
            let call = batch(&service, &json!({ "entries": entries, "atomic": atomic }))
                .idempotency_key("k");
            let refused = call.send().await.fails_with(409, "project_archived");
            assert_eq!(refused.json().get("results"), None);
        }
    }
    assert_eq!(service.database.counts(), rows);
}

async fn items_of_another_user_fail_alone(database: Database) {
    let service = Service::start(database).await;
    let (user, other) = (service.tenant.user_id, service.tenant.other_user_id);
    let api = service.with_key(move |key| key.user_id = Some(user)).await;
    let mine = service.tenant.body();
    let theirs = service.tenant.body_with(&json!({ "userId": other.to_string() }));
    let nobodys = service.tenant.body_with(&json!({ "userId": Uuid::now_v7().to_string() }));
    let call = api.post(&format!("{}/batch", service.tenant.path()));
    let entries = json!([mine, theirs, nobodys, mine]);
    let failed = call.clone().json(&json!({ "entries": entries, "atomic": true })).send().await;
    let no = "failed forbidden";
    assert_eq!(
        outcomes(&failed.fails_with(409, "batch_failed")),
        ["not_applied", no, no, "not_applied"]
    );
    assert_eq!(service.database.count("time_entries"), 0);
    let answer = call.json(&json!({ "entries": entries })).send().await.is(200);
    assert_eq!(outcomes(&answer), ["created", no, no, "created"]);
    assert_eq!(service.database.count("time_entries"), 2);
}

async fn a_repeat_gets_the_same_results_including_failures(database: Database) {
    let service = Service::start(database).await;
    let late = Uuid::now_v7();
    let entries = json!([
        service.tenant.body_with(&json!({ "externalRef": reference("1") })),
        service.tenant.body_with(&json!({ "entryId": late.to_string() })),
        {},
    ]);
    let call = batch(&service, &json!({ "entries": entries })).idempotency_key("k");
    let first = call.clone().header("x-request-id", "one").send().await.is(200);
    let bad = "failed validation_error";
    assert_eq!(outcomes(&first), ["created", bad, bad]);
    // The cause of the failure is gone since, and the logged entry has changed.
    let ticket = format!("/projects/{}/entries/{late}", service.tenant.project_id);
    service.api.put(&ticket).json(&json!({ "title": "Late" })).send().await.is(201);
    let id = first.json()["results"][0]["entry"]["id"].as_str().unwrap().to_owned();
    service.apply(&id, &[Action::Submit]).await;
    let rows = service.database.counts();
    let repeat = call.header("x-request-id", "two").send().await.is(200);
    assert!(repeat.is_replayed() && !first.is_replayed());
    assert_eq!(repeat.body, first.body);
    assert_eq!(service.database.counts(), rows);
    // A single entry and a batch have different paths.
    assert!(!service.log_any().idempotency_key("k").send().await.is(201).is_replayed());
    assert_eq!(service.read(&id).await.text("status"), Status::Submitted.as_str());
}

async fn a_batch_over_4_mib_is_answered_413(database: Database) {
    let service = Service::start(database).await;
    let body = json!({ "entries": [service.tenant.body()] }).to_string();
    let most = 4 * 1024 * 1024;
    let call = service.api.post(&format!("{}/batch", service.tenant.path()));
    let padded =
        |length: usize| call.clone().body(format!("{body}{}", " ".repeat(length - body.len())));
    padded(most).send().await.is(200);
    for length in [most + 1, 3 * most] {
        padded(length).send().await.fails_with(413, "payload_too_large");
    }
    assert_eq!(service.database.count("time_entries"), 1);
    // 500 entries of the largest size fit.
    let long = json!({ "description": "\u{1f986}".repeat(2000), "externalRef": reference(&"é".repeat(255)) });
    let entries = vec![service.tenant.body_with(&long); 500];
    let answer = batch(&service, &json!({ "entries": entries[..400] })).send().await.is(200);
    assert_eq!(outcomes(&answer)[..2], ["created", "unchanged"]);
}

async fn an_unknown_project_is_answered_404(database: Database) {
    let service = Service::start(database).await;
    let body = json!({ "entries": [service.tenant.body()] });
    let call = |project: &str| {
        service.api.post(&format!("/projects/{project}/time-entries/batch")).json(&body)
    };
    call(&Uuid::now_v7().to_string()).send().await.fails_with(404, "not_found");
    let stranger = Tenant::provision(&service.store).await;
    call(&stranger.project_id.to_string()).send().await.fails_with(404, "not_found");
    call("x").send().await.refuses(&["projectId invalid_id"]);
    assert_eq!(service.database.count("time_entries"), 0);
}
