//! `DELETE /time-entries/{timeEntryId}`: the entry goes, and its history stays.

use std::time::Duration;

use serde_json::{Value, json};
use timelog_domain::{Action, Status};

use crate::support::{Database, Service, Tenant, on_every_database};

on_every_database![
    a_deleted_entry_remains_only_in_its_history,
    only_draft_and_rejected_entries_can_be_deleted,
    if_match_with_another_version_is_answered_412,
    the_history_of_a_deleted_entry_is_guarded_like_the_entry,
    the_reference_of_a_deleted_entry_is_free_again,
    a_repeat_is_replayed_although_the_entry_was_deleted,
];

fn path(id: &str) -> String {
    format!("/time-entries/{id}")
}

async fn a_deleted_entry_remains_only_in_its_history(database: Database) {
    let service = Service::start(database).await;
    let members = json!({ "description": "text", "entryId": service.tenant.ticket_id.to_string() });
    let created = service.log(&service.tenant.body_with(&members)).send().await.is(201);
    let id = created.text("id");
    service.clock.advance(Duration::from_mins(1));
    let deleted = service.api.delete(&path(&id)).send().await.is(204);
    assert!(deleted.body.is_empty());
    assert_eq!((deleted.header("etag"), deleted.header("location")), (None, None));
    let rows = service.database.counts();
    for call in [
        service.api.get(&path(&id)),
        service.api.delete(&path(&id)),
        service.api.delete(&path(&id)).header("if-match", "\"1\""),
        service.api.patch(&path(&id)).json(&json!({ "minutes": 5 })),
        service.api.patch(&path(&id)).json(&json!({})),
        service.api.post(&format!("{}/submit", path(&id))),
    ] {
        call.send().await.fails_with(404, "not_found");
    }
    assert_eq!(service.database.counts(), rows);
    assert_eq!(
        service.api.get("/time-entries?includeTotal=true").send().await.is(200).json()["total"],
        0
    );
    assert_eq!(
        service.api.get("/time-entries/summary").send().await.is(200).json()["total"]["entries"],
        0
    );
    let history = service.history(&id).await;
    let actions: Vec<_> = history.iter().map(|record| record["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["log", "delete"]);
    let last = &history[1];
    assert_eq!((&last["from"], &last["to"]), (&json!("draft"), &Value::Null));
    assert_eq!((&last["version"], &last["at"]), (&json!(2), &json!("2026-03-01T09:01:00.000Z")));
    for (member, change) in last["changes"].as_object().unwrap() {
        assert_eq!(
            (&change["old"], &change["new"]),
            (&created.json()[member], &Value::Null),
            "{member}"
        );
    }
    assert_eq!(last["changes"].as_object().unwrap().len(), 7);
}

async fn only_draft_and_rejected_entries_can_be_deleted(database: Database) {
    let service = Service::start(database).await;
    for &status in Status::ALL {
        let id = service.entry_in(status).await;
        let rows = service.database.counts();
        let answer = service.api.delete(&path(&id)).send().await;
        if [Status::Draft, Status::Rejected].contains(&status) {
            answer.is(204);
            assert_eq!(service.history(&id).await.last().unwrap()["from"], status.as_str());
        } else {
            let refused = answer.fails_with(409, "entry_not_editable");
            assert!(refused.text("detail").contains(status.as_str()), "{}", refused.describe());
            assert_eq!(service.read(&id).await.text("status"), status.as_str());
            assert_eq!(service.database.counts(), rows);
        }
    }
}

async fn if_match_with_another_version_is_answered_412(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Rejected).await;
    for tags in ["\"2\"", "W/\"3\"", "3", "\"03\"", ""] {
        let refused = service.api.delete(&path(&id)).header("if-match", tags).send().await;
        refused.fails_with(412, "precondition_failed");
    }
    service
        .api
        .delete(&path(&id))
        .header("if-match", "\u{e9}")
        .send()
        .await
        .refuses(&["If-Match invalid_header"]);
    service.read(&id).await;
    service.api.delete(&path(&id)).header("if-match", "\"2\", \"3\"").send().await.is(204);
    let id = service.entry_in(Status::Draft).await;
    service.api.delete(&path(&id)).header("if-match", "*").send().await.is(204);
    // 412 for the version comes before 409 for the status.
    let id = service.entry_in(Status::Submitted).await;
    let stale = service.api.delete(&path(&id)).header("if-match", "\"1\"").send().await;
    stale.fails_with(412, "precondition_failed");
    let current = service.api.delete(&path(&id)).header("if-match", "\"2\"").send().await;
    current.fails_with(409, "entry_not_editable");
}

async fn the_history_of_a_deleted_entry_is_guarded_like_the_entry(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    service.api.delete(&path(&id)).send().await.is(204);
    let history = format!("{}/history", path(&id));
    let (own, other) = (service.tenant.project_id, service.tenant.other_project_id);
    let own = service.with_key(move |key| key.project_id = Some(own)).await;
    let other = service.with_key(move |key| key.project_id = Some(other)).await;
    let stranger = Tenant::provision(&service.store).await;
    own.get(&history).send().await.is(200);
    other.get(&history).send().await.fails_with(403, "scope_violation");
    stranger.api(&service.api).get(&history).send().await.fails_with(404, "not_found");
    service.api.without_key().get(&history).send().await.fails_with(401, "unauthorized");
}

async fn the_reference_of_a_deleted_entry_is_free_again(database: Database) {
    let service = Service::start(database).await;
    let reference = json!({ "provider": "jira", "externalType": "worklog", "externalId": "1" });
    let body = service.tenant.body_with(&json!({ "externalRef": reference }));
    let mut ids = Vec::new();
    for _ in 0..3 {
        let created = service.log(&body).send().await.is(201);
        assert!(!ids.contains(&created.text("id")));
        assert_eq!(created.header("etag"), Some("\"1\""));
        assert_eq!(service.log(&body).send().await.is(200).body, created.body);
        ids.push(created.text("id"));
        service.api.delete(&path(&created.text("id"))).send().await.is(204);
    }
    // Another project may use the reference now.
    service.api.post(&service.tenant.other_path()).json(&body).send().await.is(201);
    service.log(&body).send().await.fails_with(409, "external_ref_conflict");
    for id in &ids {
        assert_eq!(service.history(id).await.len(), 2);
    }
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_repeat_is_replayed_although_the_entry_was_deleted(database: Database) {
    let service = Service::start(database).await;
    let first = service.log_any().idempotency_key("k").send().await.is(201);
    let id = first.text("id");
    service.apply(&id, &[Action::Submit, Action::Reject]).await;
    service.api.delete(&path(&id)).send().await.is(204);
    let repeat = service.log_any().idempotency_key("k").send().await.is(201);
    assert!(repeat.is_replayed());
    assert_eq!(repeat.body, first.body);
    for header in ["etag", "location"] {
        assert_eq!(repeat.header(header), first.header(header));
    }
    assert_eq!(service.database.count("time_entries"), 0);
    service.api.get(&path(&id)).send().await.fails_with(404, "not_found");
}
