//! `GET /time-entries/{timeEntryId}`: reading an entry gives the same bytes as its create.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use timelog_domain::{Action, Permission};
use uuid::Uuid;

use crate::support::{Database, Service, Tenant, may, on_every_database};

on_every_database![
    a_read_has_the_same_bytes_as_the_create,
    a_read_shows_later_changes,
    a_current_entity_tag_is_answered_304,
    an_invalid_entity_tag_is_ignored,
    head_has_the_headers_of_get_and_no_body,
    an_invalid_id_names_the_parameter,
    an_entry_of_another_organization_is_answered_404,
    a_key_limited_to_a_project_reads_only_there,
    reading_needs_the_permission_and_is_not_limited_to_the_user,
];

async fn log(service: &Service) -> (String, crate::support::Answer) {
    let created = service.log_any().send().await.is(201);
    (created.header("location").unwrap().to_owned(), created)
}

async fn a_read_has_the_same_bytes_as_the_create(database: Database) {
    let service = Service::start(database).await;
    let body = service.tenant.body_with(&json!({
        "description": "é 🦆 \u{7f} \\ / \" \n \u{2028}",
        "entryId": service.tenant.ticket_id.to_string(),
        "releaseId": service.tenant.release_id.to_string(),
        "externalRef": { "provider": "p", "externalType": "t", "externalId": "i" },
    }));
    let created = service.log(&body).send().await.is(201);
    service.clock.advance(Duration::from_hours(1));
    let location = created.header("location").unwrap();
    for path in
        [location.to_owned(), location.to_uppercase().replace("/TIME-ENTRIES", "/time-entries")]
    {
        let read = service.api.get(&path).send().await.is(200);
        assert_eq!(read.body, created.body);
        assert_eq!(read.header("etag"), created.header("etag"));
        assert_eq!(read.header("content-type"), created.header("content-type"));
    }
}

async fn a_read_shows_later_changes(database: Database) {
    let service = Service::start(database).await;
    let (path, created) = log(&service).await;
    service.clock.advance(Duration::from_millis(1));
    service.apply(&created.text("id"), &[Action::Submit]).await;
    let read = service.api.get(&path).send().await.is(200);
    let mut expected = created.json();
    expected["status"] = json!("submitted");
    expected["updatedAt"] = json!("2026-03-01T09:00:00.001Z");
    assert_eq!(read.json(), expected);
    assert_eq!(read.header("etag"), Some("\"2\""));
}

async fn a_current_entity_tag_is_answered_304(database: Database) {
    let service = Service::start(database).await;
    let (path, created) = log(&service).await;
    let read = |tags: &str| service.api.get(&path).header("if-none-match", tags).send();
    for tags in ["\"1\"", "W/\"1\"", "*", "\"7\", \"1\"", "\"7\",W/\"1\""] {
        let answer = read(tags).await.is(304);
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("etag"), Some("\"1\""));
    }
    for tags in ["\"2\"", "W/\"01\"", "\"\"", "\"1 \"", "\"7\", \"8\""] {
        assert_eq!(read(tags).await.is(200).body, created.body, "{tags}");
    }
    let two_lines = service
        .api
        .get(&path)
        .header("if-none-match", "\"7\"")
        .another_header("if-none-match", "\"1\"");
    two_lines.send().await.is(304);
    service.apply(&created.text("id"), &[Action::Submit]).await;
    read("\"1\"").await.is(200);
    read("\"2\"").await.is(304);
}

async fn an_invalid_entity_tag_is_ignored(database: Database) {
    let service = Service::start(database).await;
    let (path, created) = log(&service).await;
    for tags in ["1", "\"1", "w/\"1\"", "\"1\" \"2\"", ","] {
        let answer = service.api.get(&path).header("if-none-match", tags).send().await;
        assert_eq!(answer.is(200).body, created.body, "{tags}");
    }
    let answer = service.api.get(&path).header("if-none-match", "\u{e9}").send().await;
    answer.refuses(&["If-None-Match invalid_header"]);
}

async fn head_has_the_headers_of_get_and_no_body(database: Database) {
    let service = Service::start(database).await;
    let (path, created) = log(&service).await;
    let head = service.api.call(Method::HEAD, &path).send().await.is(200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("etag"), created.header("etag"));
    assert_eq!(head.header("content-length"), Some(created.body.len().to_string().as_str()));
    service
        .api
        .call(Method::HEAD, &format!("/time-entries/{}", Uuid::now_v7()))
        .send()
        .await
        .is(404);
}

async fn an_invalid_id_names_the_parameter(database: Database) {
    let service = Service::start(database).await;
    for id in [
        "1",
        "x",
        "%20",
        "%00",
        "9a8b7c6d000000000000000000000002",
        "%7B9a8b7c6d-0000-0000-0000-000000000002%7D",
    ] {
        let answer = service.api.get(&format!("/time-entries/{id}")).send().await;
        answer.refuses(&["timeEntryId invalid_id"]);
        let call =
            service.api.post(&format!("/projects/{id}/time-entries")).json(&service.tenant.body());
        call.send().await.refuses(&["projectId invalid_id"]);
    }
}

async fn an_entry_of_another_organization_is_answered_404(database: Database) {
    let service = Service::start(database).await;
    let (path, _) = log(&service).await;
    let stranger = Tenant::provision(&service.store).await;
    let (ours, theirs) = (service.api.clone(), stranger.api(&service.api));
    let missing = format!("/time-entries/{}", Uuid::now_v7());
    // Whether it exists or not, all answers are equal except for the request id.
    for tags in [None, Some("*"), Some("\"1\"")] {
        let ask = |path: &str| {
            let call = theirs.get(path).header("x-request-id", "r");
            tags.into_iter().fold(call, |call, tags| call.header("if-none-match", tags)).send()
        };
        let hidden = ask(&path).await.fails_with(404, "not_found");
        assert_eq!(hidden.body, ask(&missing).await.fails_with(404, "not_found").body);
    }
    let log_on =
        |path: &str| theirs.post(path).json(&stranger.body()).header("x-request-id", "r").send();
    let hidden = log_on(&service.tenant.path()).await.fails_with(404, "not_found");
    let missing = log_on(&format!("/projects/{}/time-entries", Uuid::now_v7()))
        .await
        .fails_with(404, "not_found");
    assert_eq!(hidden.body, missing.body);
    ours.get(&path).send().await.is(200);
}

async fn a_key_limited_to_a_project_reads_only_there(database: Database) {
    let service = Service::start(database).await;
    let (path, _) = log(&service).await;
    let (own, other) = (service.tenant.project_id, service.tenant.other_project_id);
    let own = service.with_key(move |key| key.project_id = Some(own)).await;
    let other = service.with_key(move |key| key.project_id = Some(other)).await;
    own.get(&path).send().await.is(200);
    other.get(&path).send().await.fails_with(403, "scope_violation");
    other.get(&path).header("if-none-match", "*").send().await.fails_with(403, "scope_violation");
    other
        .get(&format!("/time-entries/{}", Uuid::now_v7()))
        .send()
        .await
        .fails_with(404, "not_found");
}

async fn reading_needs_the_permission_and_is_not_limited_to_the_user(database: Database) {
    let service = Service::start(database).await;
    let (path, created) = log(&service).await;
    let blind = [Permission::Write, Permission::Approve, Permission::Bill, Permission::Admin];
    let blind = service.with_key(may(&blind)).await;
    blind.get(&path).send().await.fails_with(403, "forbidden");
    let another = service.tenant.other_user_id;
    let bound = service.with_key(move |key| key.user_id = Some(another)).await;
    assert_eq!(bound.get(&path).send().await.is(200).body, created.body);
}
