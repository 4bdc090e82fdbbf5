//! API keys: how they are sent, their permissions and their limits.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::json;
use timelog_domain::ports::{ApiKeys, Clock};
use timelog_domain::{Permission, Permissions};
use uuid::Uuid;

use crate::support::{Answer, Database, Service, may, on_every_database};

on_every_database![
    a_key_is_accepted_in_either_header,
    a_missing_or_malformed_key_is_answered_401_with_a_challenge,
    a_revoked_key_is_answered_401_key_revoked,
    a_revocation_reaches_every_instance_within_key_memory,
    me_describes_the_key_and_its_permissions,
    logging_without_the_write_permission_is_answered_403,
    a_key_limited_to_a_project_logs_only_there,
    a_key_bound_to_a_user_logs_only_for_that_user,
    checks_run_in_the_documented_order,
    a_key_over_its_rate_is_answered_429_with_retry_after,
];

#[track_caller]
fn is_challenged(answer: Answer, code: &str) {
    let answer = answer.fails_with(401, code);
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

async fn a_key_is_accepted_in_either_header(database: Database) {
    let service = Service::start(database).await;
    let key = &service.tenant.key.text;
    let call = service.api.without_key().get("/me");
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
        call.clone().header("authorization", format!("{scheme} {key}")).send().await.is(200);
    }
    call.clone().header("x-api-key", key).send().await.is(200);
    // Both headers are accepted while they agree; another scheme is ignored.
    let both = call.clone().header("x-api-key", key);
    both.clone().header("authorization", format!("Bearer {key}")).send().await.is(200);
    both.clone().header("authorization", "Basic dXNlcjpwYXNz").send().await.is(200);
    let another = service.key(|_| ()).await.text;
    is_challenged(
        both.header("authorization", format!("Bearer {another}")).send().await,
        "unauthorized",
    );
}

async fn a_missing_or_malformed_key_is_answered_401_with_a_challenge(database: Database) {
    let service = Service::start(database).await;
    let key = &service.tenant.key.text;
    let anonymous = service.api.without_key();
    let (prefix, secret) = key.rsplit_once('_').unwrap();
    let other_secret = format!("{prefix}_{}", "0".repeat(secret.len()));
    let other_prefix = format!("tlk_{}_{secret}", "0".repeat(12));
    let (cut, longer, shouted) = (&key[..key.len() - 1], format!("{key}0"), key.to_uppercase());
    let wrong = [
        "",
        "tlk_",
        "x",
        "'; DROP TABLE api_keys --",
        &other_secret,
        &other_prefix,
        cut,
        &longer,
        &shouted,
    ];
    for call in
        [anonymous.get("/me"), anonymous.post(&service.tenant.path()).json(&service.tenant.body())]
    {
        is_challenged(call.clone().send().await, "unauthorized");
        for text in wrong {
            is_challenged(call.clone().header("x-api-key", text).send().await, "unauthorized");
            is_challenged(
                call.clone().header("authorization", format!("Bearer {text}")).send().await,
                "unauthorized",
            );
        }
        for header in
            [key.clone(), format!("Basic {key}"), format!("Bearer{key}"), format!("Bearer {key} x")]
        {
            is_challenged(
                call.clone().header("authorization", header).send().await,
                "unauthorized",
            );
        }
        let binary = [b"Bearer ", key.as_bytes(), b"\xff"].concat();
        is_challenged(call.clone().header("authorization", binary).send().await, "unauthorized");
        let twice = call.clone().header("x-api-key", key).another_header("x-api-key", key);
        is_challenged(twice.send().await, "unauthorized");
        let bearer = format!("Bearer {key}");
        let twice =
            call.clone().header("authorization", &bearer).another_header("authorization", &bearer);
        is_challenged(twice.send().await, "unauthorized");
    }
    assert_eq!(service.database.count("time_entries"), 0);
}

async fn a_revoked_key_is_answered_401_key_revoked(database: Database) {
    let service = Service::start(database).await;
    let key = service.key(|_| ()).await;
    let api = service.api.with_key(&key.text);
    api.get("/me").send().await.is(200);
    assert_eq!(service.store.revoke(key.key.id, service.clock.now()).await, Ok(true));
    is_challenged(api.get("/me").send().await, "key_revoked");
    is_challenged(
        api.post(&service.tenant.path()).json(&service.tenant.body()).send().await,
        "key_revoked",
    );
    // Another key of the organization still works.
    service.api.get("/me").send().await.is(200);
}

async fn a_revocation_reaches_every_instance_within_key_memory(database: Database) {
    let memory = Duration::from_millis(200);
    let service = Service::start_with(database, |setup| setup.settings.key_memory = memory).await;
    let key = service.key(|_| ()).await;
    let api = service.api.with_key(&key.text);
    api.get("/me").send().await.is(200);
    assert_eq!(service.store.revoke(key.key.id, service.clock.now()).await, Ok(true));
    // It may work until then, and never afterwards.
    let mut answer = api.get("/me").send().await;
    for _ in 0..20_000 {
        if answer.status != 200 {
            break;
        }
        answer = api.get("/me").send().await;
    }
    is_challenged(answer, "key_revoked");
    is_challenged(api.get("/me").send().await, "key_revoked");
}

async fn me_describes_the_key_and_its_permissions(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let prefix = |text: &str| text.split('_').nth(1).unwrap().to_owned();
    let me = service.api.get("/me").send().await.is(200).json();
    let expected = json!({
        "keyId": tenant.key.key.id.to_string(),
        "prefix": prefix(&tenant.key.text),
        "organizationId": tenant.organization_id.to_string(),
        "projectId": null,
        "userId": null,
        "permissions": ["read", "write", "approve", "bill", "admin"],
    });
    assert_eq!(me, expected);
    let (project, user) = (tenant.project_id, tenant.user_id);
    let key = service.key(|key| {
        (key.project_id, key.user_id) = (Some(project), Some(user));
        key.permissions = Permissions::from_iter([Permission::Bill]);
    });
    let key = key.await;
    let answer = service.api.with_key(&key.text).get("/me").send().await.is(200);
    let me = answer.json();
    assert_eq!(
        (&me["projectId"], &me["userId"]),
        (&json!(project.to_string()), &json!(user.to_string()))
    );
    assert_eq!(me["permissions"], json!(["bill"]));
    assert!(!String::from_utf8_lossy(&answer.body).contains(key.text.rsplit_once('_').unwrap().1));
}

async fn logging_without_the_write_permission_is_answered_403(database: Database) {
    let service = Service::start(database).await;
    let others = [Permission::Read, Permission::Approve, Permission::Bill, Permission::Admin];
    let api = service.with_key(may(&others)).await;
    let call = api.post(&service.tenant.path()).json(&service.tenant.body());
    call.send().await.fails_with(403, "forbidden");
    let api = service.with_key(may(&[Permission::Write])).await;
    api.post(&service.tenant.path()).json(&service.tenant.body()).send().await.is(201);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_key_limited_to_a_project_logs_only_there(database: Database) {
    let service = Service::start(database).await;
    let own = service.tenant.project_id;
    let api = service.with_key(move |key| key.project_id = Some(own)).await;
    let log =
        |path: &str| api.post(path).json(&service.tenant.body()).header("x-request-id", "r").send();
    log(&service.tenant.path()).await.is(201);
    // Another project is refused in the same way, whether it exists or not.
    let there = log(&service.tenant.other_path()).await.fails_with(403, "scope_violation");
    let nowhere = log(&format!("/projects/{}/time-entries", Uuid::now_v7()))
        .await
        .fails_with(403, "scope_violation");
    assert_eq!(there.body, nowhere.body);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_key_bound_to_a_user_logs_only_for_that_user(database: Database) {
    let service = Service::start(database).await;
    let user = service.tenant.user_id;
    let api = service.with_key(move |key| key.user_id = Some(user)).await;
    let log = |user: String, id: &str| {
        let reference = json!({ "provider": "p", "externalType": "t", "externalId": id });
        let body = service.tenant.body_with(&json!({ "userId": user, "externalRef": reference }));
        (api.post(&service.tenant.path()).json(&body), service.log(&body))
    };
    let another = service.tenant.other_user_id.to_string();
    log(user.to_string(), "own").0.send().await.is(201);
    log(another.clone(), "new").0.send().await.fails_with(403, "forbidden");
    // It may not take over an entry of another user, give one away, or find out that a user does
    // not exist.
    log(another.clone(), "theirs").1.send().await.is(201);
    log(user.to_string(), "theirs").0.send().await.fails_with(403, "forbidden");
    log(another.clone(), "theirs").0.send().await.fails_with(403, "forbidden");
    log(another, "own").0.send().await.fails_with(403, "forbidden");
    log(Uuid::now_v7().to_string(), "new").0.send().await.fails_with(403, "forbidden");
    assert_eq!(service.database.count("time_entries"), 2);
    assert_eq!(service.database.count("time_entry_history"), 2);
}

async fn checks_run_in_the_documented_order(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let (own, user) = (tenant.project_id, tenant.user_id);
    let missing = format!("/projects/{}/time-entries", Uuid::now_v7());
    let reader = service.with_key(may(&[Permission::Read])).await;
    let narrow = service.with_key(move |key| key.project_id = Some(own)).await;
    let bound = service.with_key(move |key| key.user_id = Some(user)).await;
    // 401 before 403, 400, 404, 413 and 415.
    let call = service
        .api
        .without_key()
        .post(&missing)
        .header("content-type", "text/plain")
        .body(" ".repeat(70_000));
    call.send().await.fails_with(401, "unauthorized");
    // 403 for the permission and the scope comes before 400.
    reader.post(&missing).body("{").send().await.fails_with(403, "forbidden");
    reader.post("/projects/x/time-entries").body("{").send().await.fails_with(403, "forbidden");
    reader
        .post(&missing)
        .header("content-type", "text/plain")
        .body("{")
        .send()
        .await
        .fails_with(403, "forbidden");
    narrow
        .post(&tenant.other_path())
        .body("{")
        .idempotency_key("")
        .send()
        .await
        .fails_with(403, "scope_violation");
    // 400 before 404.
    service.api.post(&missing).body("{").send().await.fails_with(400, "malformed_json");
    service
        .api
        .post(&missing)
        .json(&tenant.body())
        .idempotency_key("")
        .send()
        .await
        .fails_with(400, "invalid_idempotency_key");
    service.api.post(&missing).json(&tenant.body()).send().await.fails_with(404, "not_found");
    // 404 comes before 403 for another user's entry, which comes before unknown references.
    let theirs = tenant.body_with(&json!({
        "userId": tenant.other_user_id.to_string(),
        "entryId": Uuid::now_v7().to_string(),
    }));
    bound.post(&missing).json(&theirs).send().await.fails_with(404, "not_found");
    bound.post(&tenant.path()).json(&theirs).send().await.fails_with(403, "forbidden");
    // References come before the state of the project.
    service.archive(own, true).await;
    service.log(&theirs).send().await.refuses(&["/entryId unknown_reference"]);
    service.log_any().send().await.fails_with(409, "project_archived");
    assert_eq!(service.database.count("time_entries"), 0);
}

async fn a_key_over_its_rate_is_answered_429_with_retry_after(database: Database) {
    let service =
        Service::start_with(database, |setup| setup.settings.rate_limit = NonZeroU32::new(2)).await;
    let mut answers = Vec::new();
    for _ in 0..100 {
        answers.push(service.api.get("/me").send().await);
        if answers.last().unwrap().status == 429 {
            break;
        }
    }
    let refused = answers.pop().unwrap().fails_with(429, "rate_limited");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    assert!(answers.len() >= 2, "as many as a second allows may come at once");
    // Each key has its own rate, and paths without a key have none.
    service.with_key(|_| ()).await.get("/me").send().await.is(200);
    service.api.get("/health/live").send().await.is(200);
}
