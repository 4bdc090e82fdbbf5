//! `POST /projects/{projectId}/time-entries`: valid bodies.

use serde_json::{Value, json};

use crate::support::{Database, Service, Tenant, on_every_database};

on_every_database![
    a_new_entry_is_answered_with_exactly_its_sixteen_members,
    every_member_that_is_sent_is_answered,
    ids_are_read_in_any_case_and_written_in_lower_case,
    null_is_the_same_as_absent_where_null_is_allowed,
    unknown_members_are_ignored,
    every_accepted_duration_matches_the_vectors,
    every_refused_duration_matches_the_vectors,
    references_must_be_of_the_organization_and_the_project,
    an_archived_project_is_answered_409,
    a_body_is_accepted_under_every_json_media_type,
];

async fn a_new_entry_is_answered_with_exactly_its_sixteen_members(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let answer = service.log_any().send().await.is(201);
    let id = answer.text("id");
    let expected = json!({
        "id": id,
        "organizationId": tenant.organization_id.to_string(),
        "projectId": tenant.project_id.to_string(),
        "userId": tenant.user_id.to_string(),
        "entryId": null,
        "releaseId": null,
        "workDate": "2025-01-15",
        "hours": "2.5",
        "minutes": 150,
        "description": null,
        "billable": true,
        "source": "api",
        "status": "draft",
        "invoiced": false,
        "createdAt": "2026-03-01T09:00:00.000Z",
        "updatedAt": "2026-03-01T09:00:00.000Z",
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7);
    assert_eq!(answer.header("location"), Some(format!("/time-entries/{id}").as_str()));
    assert_eq!(answer.header("etag"), Some("\"1\""));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn every_member_that_is_sent_is_answered(database: Database) {
    let service = Service::start(database).await;
    let given = json!({
        "userId": service.tenant.other_user_id.to_string(),
        "workDate": "2024-02-29",
        "minutes": 61,
        "description": "Zażółć 🦆 \u{200d} \"quoted\" \\ \n\t\u{7f}",
        "billable": false,
        "entryId": service.tenant.ticket_id.to_string(),
        "releaseId": service.tenant.release_id.to_string(),
    });
    let entry = service.log(&given).send().await.is(201).json();
    for (member, value) in given.as_object().unwrap() {
        assert_eq!(&entry[member], value, "{member}");
    }
    assert_eq!(entry["hours"], "1.02");
}

async fn ids_are_read_in_any_case_and_written_in_lower_case(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let upper = |id: String| id.to_uppercase();
    let body = tenant.body_with(&json!({
        "userId": upper(tenant.user_id.to_string()),
        "entryId": upper(tenant.ticket_id.to_string()),
        "releaseId": upper(tenant.release_id.to_string()),
    }));
    let path = format!("/projects/{}/time-entries", upper(tenant.project_id.to_string()));
    let entry = service.api.post(&path).json(&body).send().await.is(201).json();
    assert_eq!(entry["userId"], tenant.user_id.to_string());
    assert_eq!(entry["entryId"], tenant.ticket_id.to_string());
    assert_eq!(entry["releaseId"], tenant.release_id.to_string());
    assert_eq!(entry["projectId"], tenant.project_id.to_string());
}

async fn null_is_the_same_as_absent_where_null_is_allowed(database: Database) {
    let service = Service::start(database).await;
    let body = service
        .tenant
        .body_with(&json!({ "description": null, "entryId": null, "releaseId": null }));
    let entry = service.log(&body).send().await.is(201).json();
    assert_eq!([&entry["description"], &entry["entryId"], &entry["releaseId"]], [&Value::Null; 3]);
}

async fn unknown_members_are_ignored(database: Database) {
    let service = Service::start(database).await;
    let body = service.tenant.body_with(
        &json!({ "status": "invoiced", "id": 1, "x": { "minutes": [] }, "Minutes": "" }),
    );
    let entry = service.log(&body).send().await.is(201).json();
    assert_eq!(entry["status"], "draft");
    // An unknown member may even be repeated.
    let body = format!("{{\"x\":1,\"x\":2,{}", &service.tenant.body().to_string()[1..]);
    service.api.post(&service.tenant.path()).body(body).send().await.is(201);
}

fn vectors(name: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/duration.json")).unwrap();
    vectors[name].as_array().unwrap().clone()
}

fn with_duration(tenant: &Tenant, vector: &Value) -> Value {
    let mut body = tenant.body_without("minutes");
    for (name, value) in vector["in"].as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn every_accepted_duration_matches_the_vectors(database: Database) {
    let service = Service::start(database).await;
    for vector in vectors("accepted") {
        let entry =
            service.log(&with_duration(&service.tenant, &vector)).send().await.is(201).json();
        assert_eq!(
            (&entry["minutes"], &entry["hours"]),
            (&vector["minutes"], &vector["hours"]),
            "{vector}"
        );
    }
}

async fn every_refused_duration_matches_the_vectors(database: Database) {
    let service = Service::start(database).await;
    for vector in vectors("refused") {
        let answer = service.log(&with_duration(&service.tenant, &vector)).send().await;
        let answer = answer.fails_with(400, "validation_error");
        let violations = answer.violations();
        let named = violations.iter().all(|violation| {
            violation.starts_with("/minutes ") || violation.starts_with("/hours ")
        });
        assert!(named && !violations.is_empty(), "{vector}: {violations:?}");
    }
    assert_eq!(service.database.count("time_entries"), 0);
}

async fn references_must_be_of_the_organization_and_the_project(database: Database) {
    let service = Service::start(database).await;
    let (tenant, stranger) = (&service.tenant, Tenant::provision(&service.store).await);
    let nobody = "00000000-0000-4000-8000-000000000000";
    for user in [stranger.user_id.to_string(), nobody.to_owned()] {
        service
            .log(&tenant.body_with(&json!({ "userId": user })))
            .send()
            .await
            .refuses(&["/userId unknown_reference"]);
    }
    // All of them at once. A ticket or release of another project is unknown.
    let body = tenant.body_with(&json!({
        "userId": nobody,
        "entryId": stranger.ticket_id.to_string(),
        "releaseId": stranger.release_id.to_string(),
    }));
    let expected =
        ["/userId unknown_reference", "/entryId unknown_reference", "/releaseId unknown_reference"];
    service.log(&body).send().await.refuses(&expected);
    let body = tenant.body_with(&json!({
        "entryId": tenant.ticket_id.to_string(),
        "releaseId": tenant.release_id.to_string(),
    }));
    service.api.post(&tenant.other_path()).json(&body).send().await.refuses(&expected[1..]);
    tenant.put_user(&service.store, tenant.user_id, false).await;
    service.log_any().send().await.refuses(&["/userId inactive_user"]);
    assert_eq!(service.database.count("time_entries"), 0);
}

async fn an_archived_project_is_answered_409(database: Database) {
    let service = Service::start(database).await;
    service.archive(service.tenant.project_id, true).await;
    service.log_any().send().await.fails_with(409, "project_archived");
    service.archive(service.tenant.project_id, false).await;
    service.log_any().send().await.is(201);
}

async fn a_body_is_accepted_under_every_json_media_type(database: Database) {
    let service = Service::start(database).await;
    for name in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/vnd.timelog+json",
        "application/vnd.timelog.v1+json; charset=utf-8",
    ] {
        service.log_any().header("content-type", name).send().await.is(201);
    }
    for name in [
        "",
        "json",
        "text/json",
        "text/plain",
        "text/plain+json",
        "application/jsonx",
        "application/json+xml",
        "application/vnd.timelog+json+xml",
        "application/xml; q=\"+json\"",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=iso-8859-1",
        "application/json, application/json",
        "application/\u{e9}",
    ] {
        service
            .log_any()
            .header("content-type", name)
            .send()
            .await
            .fails_with(415, "unsupported_media_type");
    }
    let none = service.log_any().without_header("content-type").send().await;
    none.fails_with(415, "unsupported_media_type");
    let twice = service.log_any().another_header("content-type", "application/json").send().await;
    twice.fails_with(415, "unsupported_media_type");
    let plain = service.log_any().header("content-encoding", "identity");
    plain.clone().send().await.is(201);
    let compressed = service.log_any().header("content-encoding", "gzip").send().await;
    compressed.fails_with(415, "unsupported_media_type");
    let both = plain.another_header("content-encoding", "gzip").send().await;
    both.fails_with(415, "unsupported_media_type");
}
