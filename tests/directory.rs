//! The directory: putting and reading projects, users, tickets and releases.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use timelog_domain::Permission;
use uuid::Uuid;

use crate::support::{Api, Database, Service, Tenant, may, on_every_database};

on_every_database![
    a_put_creates_then_replaces_and_is_read_back,
    an_absent_member_takes_its_default_again,
    every_violation_of_a_put_is_reported_at_once,
    time_can_be_logged_on_what_was_put,
    archived_projects_and_inactive_users_take_no_new_time,
    tickets_and_releases_belong_to_one_project,
    a_key_limited_to_a_project_puts_only_there,
    lists_are_paged_in_the_order_of_ids,
    lists_of_a_project_are_its_own,
    a_cursor_of_another_list_is_refused,
    organizations_do_not_share_a_directory,
    me_describes_every_kind_of_key,
];

/// A path for each kind of thing, with a new id, and the body of one.
fn things(service: &Service) -> Vec<(String, Value)> {
    let (project, id) = (service.tenant.project_id, Uuid::now_v7());
    vec![
        (format!("/projects/{id}"), json!({ "name": "Name é 🦆", "archived": true })),
        (format!("/users/{id}"), json!({ "name": "Name", "active": false })),
        (format!("/projects/{project}/entries/{id}"), json!({ "title": " Title " })),
        (format!("/projects/{project}/releases/{id}"), json!({ "name": "1.0" })),
    ]
}

/// The answer for a thing: its ids and what was put.
fn shown(path: &str, body: &Value) -> Value {
    let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
    let mut shown = body.clone();
    shown["id"] = json!(parts.last().unwrap().to_lowercase());
    if parts.len() > 2 {
        shown["projectId"] = json!(parts[1].to_lowercase());
    }
    shown
}

async fn a_put_creates_then_replaces_and_is_read_back(database: Database) {
    let service = Service::start(database).await;
    for (path, body) in things(&service) {
        service.api.get(&path).send().await.fails_with(404, "not_found");
        let put = service.api.put(&path).json(&body);
        let created = put.clone().send().await.is(201);
        assert_eq!(created.json(), shown(&path, &body));
        let rows = service.database.counts();
        let again = put.header("idempotency-key", "k").send().await.is(200);
        assert!(!again.is_replayed());
        assert_eq!(again.body, created.body);
        let mut other = body.clone();
        other[if path.contains("/entries/") { "title" } else { "name" }] = json!("n".repeat(255));
        let (head, id) = path.rsplit_once('/').unwrap();
        let shouted = format!("{head}/{}", id.to_uppercase());
        let replaced = service.api.put(&shouted).json(&other).send().await.is(200);
        assert_eq!(replaced.json(), shown(&path, &other));
        assert_eq!(service.api.get(&path).send().await.is(200).body, replaced.body);
        assert_eq!(service.database.counts(), rows);
    }
}

async fn an_absent_member_takes_its_default_again(database: Database) {
    let service = Service::start(database).await;
    for (path, body) in things(&service).drain(..2) {
        service.api.put(&path).json(&body).send().await.is(201);
        let bare = service
            .api
            .put(&path)
            .json(&json!({ "name": "Name", "id": 1, "x": 1 }))
            .send()
            .await
            .is(200)
            .json();
        if path.starts_with("/projects") {
            assert_eq!(bare["archived"], false);
        } else {
            assert_eq!(bare["active"], true);
        }
    }
}

async fn every_violation_of_a_put_is_reported_at_once(database: Database) {
    let service = Service::start(database).await;
    let rows = service.database.counts();
    for (path, _) in things(&service) {
        let (name, flag) = match path.split('/').nth_back(1).unwrap() {
            "projects" => ("name", Some("archived")),
            "users" => ("name", Some("active")),
            "entries" => ("title", None),
            _ => ("name", None),
        };
        let put = service.api.put(&path);
        put.clone().json(&json!({})).send().await.refuses(&[&format!("/{name} required")]);
        for (value, code) in [
            (json!(null), "wrong_type"),
            (json!(1), "wrong_type"),
            (json!(""), "blank"),
            (json!(" \u{3000}"), "blank"),
            (json!("n".repeat(256)), "too_long"),
            (json!("a\u{0}"), "invalid_character"),
        ] {
            let mut body = json!({ name: value });
            let mut expected = vec![format!("/{name} {code}")];
            if let Some(flag) = flag {
                body[flag] = json!("true");
                expected.push(format!("/{flag} wrong_type"));
            }
            let expected: Vec<_> = expected.iter().map(String::as_str).collect();
            put.clone().json(&body).send().await.refuses(&expected);
        }
        put.clone().body("[]").send().await.refuses(&[" wrong_type"]);
        put.clone().body("{").send().await.fails_with(400, "malformed_json");
        put.clone()
            .body(format!("{{\"{name}\":\"a\",\"{name}\":\"a\"}}"))
            .send()
            .await
            .fails_with(400, "malformed_json");
        put.clone().send().await.fails_with(415, "unsupported_media_type");
        put.body(" ".repeat(64 * 1024 + 1)).send().await.fails_with(413, "payload_too_large");
        let parameter =
            path.split('/').nth_back(1).unwrap().trim_end_matches('s').replace("entrie", "entry");
        let (head, _) = path.rsplit_once('/').unwrap();
        for call in [
            service.api.get(&format!("{head}/1")),
            service.api.put(&format!("{head}/1")).json(&json!({})),
        ] {
            call.send().await.refuses(&[&format!("{parameter}Id invalid_id")]);
        }
    }
    assert_eq!(service.database.counts(), rows);
}

async fn time_can_be_logged_on_what_was_put(database: Database) {
    let service = Service::start(database).await;
    let [project, user, entry, release] = std::array::from_fn(|_| Uuid::now_v7().to_string());
    let body = json!({
        "userId": user, "workDate": "2025-01-15", "minutes": 1, "entryId": entry, "releaseId": release,
    });
    let log = service.api.post(&format!("/projects/{project}/time-entries")).json(&body);
    log.clone().send().await.fails_with(404, "not_found");
    service
        .api
        .put(&format!("/projects/{project}"))
        .json(&json!({ "name": "P" }))
        .send()
        .await
        .is(201);
    let unknown =
        ["/userId unknown_reference", "/entryId unknown_reference", "/releaseId unknown_reference"];
    log.clone().send().await.refuses(&unknown);
    service.api.put(&format!("/users/{user}")).json(&json!({ "name": "U" })).send().await.is(201);
    log.clone().send().await.refuses(&unknown[1..]);
    service
        .api
        .put(&format!("/projects/{project}/entries/{entry}"))
        .json(&json!({ "title": "E" }))
        .send()
        .await
        .is(201);
    log.clone().send().await.refuses(&unknown[2..]);
    service
        .api
        .put(&format!("/projects/{project}/releases/{release}"))
        .json(&json!({ "name": "R" }))
        .send()
        .await
        .is(201);
    log.send().await.is(201);
}

async fn archived_projects_and_inactive_users_take_no_new_time(database: Database) {
    let service = Service::start(database).await;
    let project = format!("/projects/{}", service.tenant.project_id);
    let user = format!("/users/{}", service.tenant.user_id);
    let put =
        async |path: &str, body: Value| service.api.put(path).json(&body).send().await.is(200);
    put(&project, json!({ "name": "P", "archived": true })).await;
    service.log_any().send().await.fails_with(409, "project_archived");
    put(&user, json!({ "name": "U", "active": false })).await;
    service.log_any().send().await.refuses(&["/userId inactive_user"]);
    put(&project, json!({ "name": "P", "archived": false })).await;
    service.log_any().send().await.refuses(&["/userId inactive_user"]);
    put(&user, json!({ "name": "U", "active": true })).await;
    let id = service.log_any().send().await.is(201).text("id");
    // Entries from before stay.
    put(&project, json!({ "name": "P", "archived": true })).await;
    put(&user, json!({ "name": "U", "active": false })).await;
    service.api.post(&format!("/time-entries/{id}/submit")).send().await.is(200);
    service.api.post(&format!("/time-entries/{id}/approve")).send().await.is(200);
    let list = service.api.get(&service.tenant.path()).send().await.is(200).json();
    assert_eq!(list["data"][0]["status"], "approved");
}

async fn tickets_and_releases_belong_to_one_project(database: Database) {
    let service = Service::start(database).await;
    let (own, other, missing) =
        (service.tenant.project_id, service.tenant.other_project_id, Uuid::now_v7());
    for (kind, id, body) in [
        ("entries", service.tenant.ticket_id.to_string(), json!({ "title": "Other" })),
        ("releases", service.tenant.release_id.to_string(), json!({ "name": "Other" })),
    ] {
        let path = |project: &dyn std::fmt::Display| format!("/projects/{project}/{kind}/{id}");
        service.api.put(&path(&missing)).json(&body).send().await.fails_with(404, "not_found");
        service.api.get(&path(&missing)).send().await.fails_with(404, "not_found");
        service.api.get(&path(&other)).send().await.fails_with(404, "not_found");
        let before = service.api.get(&path(&own)).send().await.is(200).body;
        // The same id names another thing in another project.
        service.api.put(&path(&other)).json(&body).send().await.is(201);
        assert_eq!(service.api.get(&path(&own)).send().await.is(200).body, before);
    }
}

async fn a_key_limited_to_a_project_puts_only_there(database: Database) {
    let service = Service::start(database).await;
    let (own, other, user) =
        (service.tenant.project_id, service.tenant.other_project_id, service.tenant.user_id);
    let api = service.with_key(move |key| key.project_id = Some(own)).await;
    let name = json!({ "name": "Another", "title": "Another" });
    let id = Uuid::now_v7();
    api.put(&format!("/projects/{own}")).json(&name).send().await.is(200);
    api.put(&format!("/projects/{own}/entries/{id}")).json(&name).send().await.is(201);
    api.put(&format!("/projects/{own}/releases/{id}")).json(&name).send().await.is(201);
    api.get(&format!("/users/{user}")).send().await.is(200);
    let rows = service.database.counts();
    // Another project is refused in the same way, whether it exists or not; users belong to all
    // projects.
    for project in [other.to_string(), id.to_string()] {
        for path in [String::new(), format!("/entries/{id}"), format!("/releases/{id}")] {
            let path = format!("/projects/{project}{path}");
            api.get(&path).send().await.fails_with(403, "scope_violation");
            api.put(&path).json(&name).send().await.fails_with(403, "scope_violation");
        }
    }
    for user in [user.to_string(), id.to_string()] {
        api.put(&format!("/users/{user}"))
            .json(&name)
            .send()
            .await
            .fails_with(403, "scope_violation");
    }
    assert_eq!(service.database.counts(), rows);
    let projects = api.get("/projects").send().await.is(200);
    let ids: Vec<_> =
        projects.json()["data"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    assert_eq!(ids, [json!(own.to_string())]);
    assert_eq!(projects.json()["nextCursor"], json!(null));
    assert_eq!(
        api.get("/users").send().await.is(200).body,
        service.api.get("/users").send().await.is(200).body
    );
}

/// Follows the links of a list to its end. Every page but the last is full.
async fn walk(api: &Api, path: &str, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = Some(format!("{path}?limit={limit}"));
    while let Some(path) = next.take() {
        let page = api.get(&path).send().await.is(200);
        let data = page.json()["data"].as_array().unwrap().clone();
        ids.extend(data.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        next = page.header("link").map(|link| {
            let path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
            assert!(path.contains(page.json()["nextCursor"].as_str().unwrap()));
            path.to_owned()
        });
        assert_eq!(next.is_some(), !page.json()["nextCursor"].is_null());
        assert!(next.is_none() || data.len() == limit);
        assert!(ids.len() < 1000, "the walk has an end");
    }
    ids
}

async fn lists_are_paged_in_the_order_of_ids(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let mut projects =
        BTreeSet::from([tenant.project_id.to_string(), tenant.other_project_id.to_string()]);
    let mut users = BTreeSet::from([tenant.user_id.to_string(), tenant.other_user_id.to_string()]);
    let mut tickets = BTreeSet::from([tenant.ticket_id.to_string()]);
    let mut releases = BTreeSet::from([tenant.release_id.to_string()]);
    for number in 0..10_u128 {
        // The ids are not made in their order.
        let id = Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834))
            .to_string();
        service
            .api
            .put(&format!("/projects/{id}"))
            .json(&json!({ "name": "P" }))
            .send()
            .await
            .is(201);
        let own = format!("/projects/{}", tenant.project_id);
        for (path, body) in [
            (format!("/users/{id}"), json!({ "name": "U" })),
            (format!("{own}/entries/{id}"), json!({ "title": "T" })),
            (format!("{own}/releases/{id}"), json!({ "name": "R" })),
        ] {
            service.api.put(&path).json(&body).send().await.is(201);
        }
        projects.insert(id.clone());
        users.insert(id.clone());
        tickets.insert(id.clone());
        releases.insert(id);
    }
    let (entries, versions) = ["entries", "releases"]
        .map(|list| format!("/projects/{}/{list}", tenant.project_id))
        .into();
    let lists =
        [("/projects", projects), ("/users", users), (&entries, tickets), (&versions, releases)];
    for (path, expected) in lists {
        let expected: Vec<_> = expected.into_iter().collect();
        for limit in [1, 4, 11, 12, 13, 200] {
            assert_eq!(walk(&service.api, path, limit).await, expected, "{path} by {limit}");
        }
        for (query, violation) in [
            ("limit=0", "limit out_of_range"),
            ("limit=201", "limit out_of_range"),
            ("limit=", "limit out_of_range"),
            ("limit=1&limit=2", "limit repeated"),
            ("cursor=x", "cursor invalid_cursor"),
            ("cursor=", "cursor invalid_cursor"),
            ("sort=workDate", "sort unknown_parameter"),
            ("includeTotal=true", "includeTotal unknown_parameter"),
            ("archived=true", "archived unknown_parameter"),
            ("=1", " unknown_parameter"),
        ] {
            service.api.get(&format!("{path}?{query}")).send().await.refuses(&[violation]);
        }
    }
}

async fn lists_of_a_project_are_its_own(database: Database) {
    let service = Service::start(database).await;
    for list in ["entries", "releases"] {
        let of = |project: &str| service.api.get(&format!("/projects/{project}/{list}"));
        let other = service.tenant.other_project_id.to_string();
        assert_eq!(of(&other).send().await.is(200).json()["data"], json!([]));
        let unknown = "01946a11-7c00-7b52-8e1f-3c4d5e6f7081";
        of(unknown).send().await.fails_with(404, "not_found");
        let own = of(&service.tenant.project_id.to_string()).send().await.is(200).json();
        assert_eq!(own["data"].as_array().unwrap().len(), 1);
        let stranger = Tenant::provision(&service.store).await;
        of(&stranger.project_id.to_string()).send().await.fails_with(404, "not_found");
    }
}

async fn a_cursor_of_another_list_is_refused(database: Database) {
    let service = Service::start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    let theirs = stranger.api(&service.api);
    let cursor = service.api.get("/projects?limit=1").send().await.is(200).text("nextCursor");
    service.api.get(&format!("/projects?limit=7&cursor={cursor}")).send().await.is(200);
    for (api, path) in
        [(&service.api, "/users"), (&service.api, "/time-entries"), (&theirs, "/projects")]
    {
        let answer = api.get(&format!("{path}?cursor={cursor}")).send().await;
        answer.refuses(&["cursor invalid_cursor"]);
    }
}

async fn organizations_do_not_share_a_directory(database: Database) {
    let service = Service::start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    let theirs = stranger.api(&service.api);
    let (project, user) = (service.tenant.project_id, service.tenant.user_id);
    for path in [format!("/projects/{project}"), format!("/users/{user}")] {
        let ours = service.api.get(&path).send().await.is(200).body;
        theirs.get(&path).send().await.fails_with(404, "not_found");
        // The same id names another thing in another organization.
        theirs.put(&path).json(&json!({ "name": "Theirs" })).send().await.is(201);
        assert_eq!(service.api.get(&path).send().await.is(200).body, ours);
    }
    // Their project with that id has none of our tickets and entries.
    let ticket = format!("/projects/{project}/entries/{}", service.tenant.ticket_id);
    theirs.get(&ticket).send().await.fails_with(404, "not_found");
    service.log_any().send().await.is(201);
    let list = theirs.get(&service.tenant.path()).send().await.is(200).json();
    assert_eq!(list["data"], json!([]));
    assert_eq!(walk(&service.api, "/projects", 200).await.len(), 2);
    assert_eq!(walk(&theirs, "/projects", 200).await.len(), 3);
}

async fn me_describes_every_kind_of_key(database: Database) {
    let service = Service::start(database).await;
    let (project, user) = (service.tenant.project_id, service.tenant.user_id);
    for &permission in Permission::ALL {
        let me = service.with_key(may(&[permission])).await.get("/me").send().await.is(200).json();
        assert_eq!(me["permissions"], json!([permission.as_str()]));
        assert_eq!((&me["projectId"], &me["userId"]), (&json!(null), &json!(null)));
        assert_eq!(me["organizationId"], service.tenant.organization_id.to_string());
    }
    let limited = service
        .with_key(move |key| (key.project_id, key.user_id) = (Some(project), Some(user)))
        .await;
    let me = limited.get("/me").send().await.is(200).json();
    assert_eq!(
        (&me["projectId"], &me["userId"]),
        (&json!(project.to_string()), &json!(user.to_string()))
    );
}
