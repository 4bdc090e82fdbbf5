//! `PATCH /time-entries/{timeEntryId}`: changing members of an entry that is draft or rejected.

use std::time::Duration;

use serde_json::{Value, json};
use timelog_domain::{Action, Status};
use uuid::Uuid;

use crate::support::{Answer, Api, Call, Database, Service, on_every_database};

on_every_database![
    a_patch_changes_only_the_members_it_names,
    null_clears_nullable_members_and_is_refused_for_others,
    minutes_and_hours_that_disagree_are_refused,
    every_violation_of_a_patch_is_reported_at_once,
    a_patch_is_accepted_under_every_json_media_type,
    a_patch_that_changes_nothing_is_answered_200_in_every_status,
    a_rejected_entry_becomes_a_draft_again,
    an_entry_that_is_not_editable_is_answered_409,
    if_match_with_another_version_is_answered_412,
    checks_run_in_the_documented_order,
    references_must_be_of_the_entrys_own_project,
    an_entry_of_an_inactive_user_can_still_be_edited,
    only_a_key_without_a_user_can_change_the_user_of_an_entry,
];

fn patch(api: &Api, id: &str, body: &Value) -> Call {
    api.patch(&format!("/time-entries/{id}")).json(body)
}

/// A new entry with a value in every member.
async fn full_entry(service: &Service) -> Answer {
    let tenant = &service.tenant;
    let body = tenant.body_with(&json!({
        "description": "text",
        "billable": false,
        "entryId": tenant.ticket_id.to_string(),
        "releaseId": tenant.release_id.to_string(),
    }));
    service.log(&body).send().await.is(201)
}

async fn a_patch_changes_only_the_members_it_names(database: Database) {
    let service = Service::start(database).await;
    let created = full_entry(&service).await;
    let id = created.text("id");
    let mut expected = created.json();
    let values = [
        ("userId", json!(service.tenant.other_user_id.to_string())),
        ("workDate", json!("2024-02-29")),
        ("minutes", json!(61)),
        ("description", json!("é 🦆")),
        ("billable", json!(true)),
        ("entryId", json!(null)),
        ("releaseId", json!(null)),
    ];
    for (version, (member, value)) in (2..).zip(values) {
        service.clock.advance(Duration::from_millis(1));
        let changed = patch(
            &service.api,
            &id,
            &json!({ member: value, "status": "invoiced", "id": 1, "x": [] }),
        );
        let changed = changed.send().await.is(200);
        let old = std::mem::replace(&mut expected[member], value.clone());
        expected["updatedAt"] = json!(format!("2026-03-01T09:00:00.{:03}Z", version - 1));
        if member == "minutes" {
            expected["hours"] = json!("1.02");
        }
        assert_eq!(changed.json(), expected);
        assert_eq!(changed.header("etag"), Some(format!("\"{version}\"").as_str()));
        let read = service.read(&id).await;
        assert_eq!(
            (read.body, read.headers.get("etag")),
            (changed.body, changed.headers.get("etag"))
        );
        let record = service.history(&id).await.pop().unwrap();
        assert_eq!(record["changes"], json!({ member: { "old": old, "new": value } }));
        assert_eq!((&record["action"], &record["version"]), (&json!("edit"), &json!(version)));
    }
}

async fn null_clears_nullable_members_and_is_refused_for_others(database: Database) {
    let service = Service::start(database).await;
    let created = full_entry(&service).await;
    let id = created.text("id");
    for member in ["userId", "workDate", "minutes", "hours", "billable"] {
        let refused =
            patch(&service.api, &id, &json!({ member: null, "description": null })).send().await;
        refused.refuses(&[&format!("/{member} wrong_type")]);
    }
    assert_eq!(service.read(&id).await.body, created.body);
    let bare = patch(
        &service.api,
        &id,
        &json!({ "description": null, "entryId": null, "releaseId": null }),
    );
    let bare = bare.send().await.is(200).json();
    assert_eq!([&bare["description"], &bare["entryId"], &bare["releaseId"]], [&Value::Null; 3]);
}

async fn minutes_and_hours_that_disagree_are_refused(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    for (body, minutes, hours) in [
        (json!({ "hours": "0.75" }), 45, "0.75"),
        (json!({ "minutes": 1440 }), 1440, "24"),
        (json!({ "minutes": 1.5e2, "hours": "2.50" }), 150, "2.5"),
        (json!({ "minutes": 80, "hours": "1.3333333333333333" }), 80, "1.33"),
        // The values of an answer can be sent back.
        (json!({ "minutes": 100, "hours": "1.67" }), 100, "1.67"),
    ] {
        let entry = patch(&service.api, &id, &body).send().await.is(200).json();
        assert_eq!(
            (&entry["minutes"], &entry["hours"]),
            (&json!(minutes), &json!(hours)),
            "{body}"
        );
    }
    for (body, violations) in [
        (json!({ "hours": "9999" }), ["/hours out_of_range"].as_slice()),
        // A client that reads an entry, corrects its hours and sends all of it back is not ignored.
        (json!({ "minutes": 100, "hours": "2" }), &["/hours disagrees"]),
        (json!({ "minutes": 100, "hours": "1.65" }), &["/hours disagrees"]),
        (json!({ "minutes": 1, "hours": "24" }), &["/hours disagrees"]),
        (json!({ "minutes": 100, "hours": "9999" }), &["/hours out_of_range"]),
        (json!({ "minutes": 100, "hours": "1,5" }), &["/hours invalid_hours"]),
        (json!({ "minutes": 0, "hours": "1" }), &["/minutes out_of_range"]),
        (json!({ "minutes": 1441, "hours": 1 }), &["/minutes out_of_range", "/hours wrong_type"]),
        (json!({ "minutes": 150.5 }), &["/minutes wrong_type"]),
    ] {
        patch(&service.api, &id, &body).send().await.refuses(violations);
    }
    assert_eq!(service.read(&id).await.json()["minutes"], 100);
}

async fn every_violation_of_a_patch_is_reported_at_once(database: Database) {
    let service = Service::start(database).await;
    let created = full_entry(&service).await;
    let body = json!({
        "userId": "x",
        "workDate": "2025-02-30",
        "minutes": 0,
        "description": "x".repeat(2001),
        "billable": 1,
        "entryId": 1,
        "releaseId": "{9a8b7c6d-0000-0000-0000-000000000002}",
    });
    patch(&service.api, &created.text("id"), &body).send().await.refuses(&[
        "/userId invalid_id",
        "/workDate invalid_date",
        "/minutes out_of_range",
        "/description too_long",
        "/billable wrong_type",
        "/entryId wrong_type",
        "/releaseId invalid_id",
    ]);
    let nul = json!({ "description": "a\u{0}b" });
    patch(&service.api, &created.text("id"), &nul)
        .send()
        .await
        .refuses(&["/description invalid_character"]);
    assert_eq!(service.read(&created.text("id")).await.body, created.body);
}

async fn a_patch_is_accepted_under_every_json_media_type(database: Database) {
    let service = Service::start(database).await;
    let path = format!("/time-entries/{}", service.entry_in(Status::Draft).await);
    let before = service.api.get(&path).send().await.is(200);
    let call = service.api.patch(&path);
    for body in ["[]", "null", "1", "\"x\"", "[{\"minutes\":1}]"] {
        call.clone().body(body).send().await.refuses(&[" wrong_type"]);
    }
    for body in ["", "{", "{\"minutes\":1,\"minutes\":2}", "{\"description\":\"\\ud800\"}"] {
        call.clone().body(body).send().await.fails_with(400, "malformed_json");
    }
    for name in ["text/plain", "application/json; charset=iso-8859-1", ""] {
        let refused =
            call.clone().header("content-type", name).body("{\"minutes\":1}").send().await;
        refused.fails_with(415, "unsupported_media_type");
    }
    let long = format!("{{\"minutes\":1}}{}", " ".repeat(64 * 1024));
    call.clone().body(long).send().await.fails_with(413, "payload_too_large");
    assert_eq!(service.api.get(&path).send().await.is(200).body, before.body);
    for (minutes, name) in
        (1..).zip(["application/json", "application/merge-patch+json", "application/x+json"])
    {
        let body = format!("{{\"minutes\":{minutes}}}");
        let changed = call.clone().header("content-type", name).body(body).send().await.is(200);
        assert_eq!(changed.json()["minutes"], minutes, "{name}");
    }
}

async fn a_patch_that_changes_nothing_is_answered_200_in_every_status(database: Database) {
    let service = Service::start(database).await;
    for &status in Status::ALL {
        let id = service.entry_in(status).await;
        let before = service.read(&id).await;
        let rows = service.database.counts();
        service.clock.advance(Duration::from_mins(1));
        let entry = before.json();
        let same = [
            "userId",
            "workDate",
            "minutes",
            "hours",
            "description",
            "billable",
            "entryId",
            "releaseId",
        ];
        let same: Value =
            same.iter().map(|name| ((*name).to_owned(), entry[name].clone())).collect();
        for body in [json!({}), json!({ "status": "approved" }), json!({ "hours": "2.50" }), same] {
            let answer = patch(&service.api, &id, &body).send().await.is(200);
            assert_eq!(answer.body, before.body, "{status}: {body}");
            assert_eq!(answer.header("etag"), before.header("etag"), "{status}: {body}");
        }
        assert_eq!(service.read(&id).await.body, before.body);
        assert_eq!(service.database.counts(), rows);
    }
}

async fn a_rejected_entry_becomes_a_draft_again(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Rejected).await;
    let draft = patch(&service.api, &id, &json!({ "minutes": 5 })).send().await.is(200);
    assert_eq!((draft.text("status").as_str(), draft.header("etag")), ("draft", Some("\"4\"")));
    let record = service.history(&id).await.pop().unwrap();
    assert_eq!((&record["from"], &record["to"]), (&json!("rejected"), &json!("draft")));
}

async fn an_entry_that_is_not_editable_is_answered_409(database: Database) {
    let service = Service::start(database).await;
    for status in [Status::Submitted, Status::Approved, Status::Locked, Status::Invoiced] {
        let id = service.entry_in(status).await;
        let before = service.read(&id).await;
        let rows = service.database.counts();
        let refused = patch(&service.api, &id, &json!({ "minutes": 5 })).send().await;
        let refused = refused.fails_with(409, "entry_not_editable");
        assert!(refused.text("detail").contains(status.as_str()), "{}", refused.describe());
        // With a matching `If-Match` it is refused in the same way.
        let call = patch(&service.api, &id, &json!({ "minutes": 5 }))
            .header("if-match", before.header("etag").unwrap());
        call.send().await.fails_with(409, "entry_not_editable");
        assert_eq!(service.read(&id).await.body, before.body);
        assert_eq!(service.database.counts(), rows);
    }
}

async fn if_match_with_another_version_is_answered_412(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    let call = |tags: &str, minutes: i64| {
        patch(&service.api, &id, &json!({ "minutes": minutes })).header("if-match", tags).send()
    };
    let tags = [
        "\"2\"",
        "W/\"1\"",
        "\"1\"x",
        "1",
        "\"01\"",
        "\"+1\"",
        "\"\"",
        "\"2\", W/\"1\"",
        "",
        ",",
        "\"1",
        "\"*\"",
    ];
    for tags in tags {
        call(tags, 5).await.fails_with(412, "precondition_failed");
        // A patch that changes nothing is held to `If-Match` too.
        call(tags, 150).await.fails_with(412, "precondition_failed");
    }
    call("\u{e9}", 5).await.refuses(&["If-Match invalid_header"]);
    assert_eq!(service.read(&id).await.header("etag"), Some("\"1\""));
    for (version, tags) in
        (1_i64..).zip(["\"1\"", "\"7\", \"2\"", "W/\"3\",\"3\"", "*", "\"8\" , \"5\" , \"9\""])
    {
        let changed = call(tags, version).await.is(200);
        assert_eq!(changed.header("etag"), Some(format!("\"{}\"", version + 1).as_str()), "{tags}");
    }
    let lines = patch(&service.api, &id, &json!({ "minutes": 99 })).header("if-match", "\"1\"");
    lines.another_header("if-match", "\"6\"").send().await.is(200);
}

async fn checks_run_in_the_documented_order(database: Database) {
    let service = Service::start(database).await;
    let other = service.tenant.other_user_id;
    let bound = service.with_key(move |key| key.user_id = Some(other)).await;
    let submitted = service.entry_in(Status::Submitted).await;
    let missing = Uuid::now_v7().to_string();
    let nobody = json!({ "userId": missing });
    // The order: the request, the entry, its user, its version, references, its status.
    patch(&bound, &missing, &json!({ "minutes": 0 }))
        .header("if-match", "\"9\"")
        .send()
        .await
        .is(400);
    patch(&bound, &missing, &nobody)
        .header("if-match", "\"9\"")
        .send()
        .await
        .fails_with(404, "not_found");
    patch(&bound, &submitted, &nobody)
        .header("if-match", "\"9\"")
        .send()
        .await
        .fails_with(403, "forbidden");
    let stale = patch(&service.api, &submitted, &nobody).header("if-match", "\"1\"").send().await;
    stale.fails_with(412, "precondition_failed");
    let current = patch(&service.api, &submitted, &nobody).header("if-match", "\"2\"").send().await;
    current.refuses(&["/userId unknown_reference"]);
    patch(&service.api, &submitted, &json!({ "minutes": 5 }))
        .send()
        .await
        .fails_with(409, "entry_not_editable");
    service
        .api
        .patch("/time-entries/1")
        .json(&nobody)
        .send()
        .await
        .refuses(&["timeEntryId invalid_id"]);
}

async fn references_must_be_of_the_entrys_own_project(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let elsewhere =
        service.api.post(&tenant.other_path()).json(&tenant.body()).send().await.is(201);
    let references = json!({ "entryId": tenant.ticket_id.to_string(), "releaseId": tenant.release_id.to_string() });
    patch(&service.api, &elsewhere.text("id"), &references)
        .send()
        .await
        .refuses(&["/entryId unknown_reference", "/releaseId unknown_reference"]);
    assert_eq!(service.read(&elsewhere.text("id")).await.body, elsewhere.body);
    let id = service.entry_in(Status::Draft).await;
    let entry = patch(&service.api, &id, &references).send().await.is(200).json();
    assert_eq!(
        (&entry["entryId"], &entry["releaseId"]),
        (&references["entryId"], &references["releaseId"])
    );
    // An archived project takes no new time, but its entries can be edited.
    service.archive(tenant.project_id, true).await;
    patch(&service.api, &id, &json!({ "minutes": 5 })).send().await.is(200);
}

async fn an_entry_of_an_inactive_user_can_still_be_edited(database: Database) {
    let service = Service::start(database).await;
    let (user, other) = (service.tenant.user_id, service.tenant.other_user_id);
    let id = service.entry_in(Status::Draft).await;
    for user in [user, other] {
        service.tenant.put_user(&service.store, user, false).await;
    }
    patch(&service.api, &id, &json!({ "minutes": 5, "userId": user.to_string() }))
        .send()
        .await
        .is(200);
    let refused = patch(&service.api, &id, &json!({ "userId": other.to_string() })).send().await;
    refused.refuses(&["/userId inactive_user"]);
}

async fn only_a_key_without_a_user_can_change_the_user_of_an_entry(database: Database) {
    let service = Service::start(database).await;
    let (user, other) = (service.tenant.user_id, service.tenant.other_user_id);
    let id = service.entry_in(Status::Draft).await;
    let giver = service.with_key(move |key| key.user_id = Some(user)).await;
    let taker = service.with_key(move |key| key.user_id = Some(other)).await;
    let over = json!({ "userId": other.to_string() });
    giver.clone().get(&format!("/time-entries/{id}")).send().await.is(200);
    for api in [&giver, &taker] {
        patch(api, &id, &over).send().await.fails_with(403, "forbidden");
    }
    let nobody = json!({ "userId": Uuid::now_v7().to_string() });
    patch(&giver, &id, &nobody).send().await.fails_with(403, "forbidden");
    patch(&giver, &id, &json!({ "userId": user.to_string(), "minutes": 5 })).send().await.is(200);
    patch(&service.api, &id, &over).send().await.is(200);
    // Now it belongs to the other user.
    service.apply(&id, &[Action::Submit, Action::Recall]).await;
    patch(&giver, &id, &json!({ "minutes": 6 })).send().await.fails_with(403, "forbidden");
    patch(&taker, &id, &json!({ "minutes": 6 })).send().await.is(200);
    let by: Vec<_> =
        service.history(&id).await.iter().map(|record| record["by"]["userId"].clone()).collect();
    let expected = [
        json!(null),
        json!(user.to_string()),
        json!(null),
        json!(null),
        json!(null),
        json!(other.to_string()),
    ];
    assert_eq!(by, expected);
}
