//! `Cache-Control` and `Vary` on every answer, and what a shared cache does with them.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;
use timelog_domain::{Permission, Status};
use uuid::Uuid;

use crate::support::{
    Answer, Api, Call, Database, FOR_WHO_ASKS, Service, SharedCache, Tenant, document, may,
    on_every_database,
};

on_every_database![
    every_path_and_method_sets_the_right_cache_control,
    every_status_of_a_private_answer_sets_the_right_cache_control,
    a_shared_cache_never_serves_one_callers_answer_to_another,
];

/// Paths whose successful answers are public, with their `Cache-Control`.
const FOR_EVERYBODY: [(&str, &str); 6] = [
    ("/health/live", "no-store"),
    ("/health/ready", "no-store"),
    ("/metrics", "no-store"),
    ("/openapi.json", "public, max-age=300"),
    ("/docs", "public, max-age=300"),
    ("/docs/", "public, max-age=300"),
];

#[track_caller]
fn is_kept_as(answer: &Answer, expected: (&str, Option<&str>)) {
    let told = (answer.header("cache-control"), answer.header("vary"));
    assert_eq!(told, (Some(expected.0), expected.1), "{}", answer.describe());
}

/// No webhook has it: what they answer has a file of its own.
const UNKNOWN: &str = "01946a11-7c00-7b52-8e1f-3c4d5e6f7081";

/// The paths of the document, with real values for their parameters.
fn paths(service: &Service, entry: &str) -> Vec<String> {
    let tenant = &service.tenant;
    let fill = |path: &String| {
        let path = path
            .replace("{timeEntryId}", entry)
            .replace("{projectId}", &tenant.project_id.to_string());
        let path = path.replace("{entryId}", &tenant.ticket_id.to_string());
        let path = path.replace("{releaseId}", &tenant.release_id.to_string());
        let path = path.replace("{userId}", &tenant.user_id.to_string());
        let path = path.replace("{webhookId}", UNKNOWN).replace("{seq}", "1");
        assert!(!path.contains('{'), "{path} has a parameter that is new here");
        path
    };
    document()["paths"].as_object().unwrap().keys().map(fill).collect()
}

async fn every_path_and_method_sets_the_right_cache_control(database: Database) {
    let service = Service::start(database).await;
    let entry = service.entry_in(Status::Draft).await;
    let mut paths = paths(&service, &entry);
    assert!(paths.len() > 25, "only {} paths were found", paths.len());
    let real = paths.len();
    paths.extend(
        ["/nothing", "/docs/nothing", "/time-entries/x", "/projects/x/time-entries"]
            .map(str::to_owned),
    );
    let callers = [
        service.api.clone(),
        service.api.without_key(),
        service.api.with_key("tlk_0123456789ab_x"),
        service.with_key(may(&[Permission::Bill])).await,
    ];
    let mut statuses = BTreeSet::new();
    for (index, path) in paths.iter().enumerate() {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "BREW"] {
            for api in &callers {
                let mut call = api.call(Method::from_bytes(method.as_bytes()).unwrap(), path);
                if ["POST", "PUT", "PATCH"].contains(&method) {
                    call = call.json(&json!({}));
                }
                let answer = call.send().await;
                let public =
                    FOR_EVERYBODY.iter().find(|(known, _)| known == path).filter(|_| index < real);
                let expected = match public {
                    Some((_, told)) if answer.status < 400 => (*told, None),
                    _ => FOR_WHO_ASKS,
                };
                is_kept_as(&answer, expected);
                statuses.insert(answer.status);
            }
        }
    }
    assert_eq!(statuses, BTreeSet::from([200, 204, 308, 400, 401, 403, 404, 405]));
}

async fn every_status_of_a_private_answer_sets_the_right_cache_control(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let mut statuses = BTreeSet::new();
    let mut kept = async |call: Call| {
        let answer = call.send().await;
        is_kept_as(&answer, FOR_WHO_ASKS);
        statuses.insert(answer.status);
        answer
    };
    let created = kept(service.log_any().idempotency_key("k")).await.is(201);
    assert!(kept(service.log_any().idempotency_key("k")).await.is(201).is_replayed());
    let path = created.header("location").unwrap().to_owned();
    kept(service.api.get(&path).header("if-none-match", "\"1\"")).await.is(304);
    kept(service.api.patch(&path).json(&json!({ "minutes": 1 })).header("if-match", "\"9\""))
        .await
        .is(412);
    kept(service.log_any().body(" ".repeat(70_000))).await.is(413);
    kept(service.log_any().header("content-type", "text/plain")).await.is(415);
    kept(service.log(&json!({ "minutes": 0 }))).await.is(400);
    kept(service.log_any().idempotency_key("")).await.is(400);
    kept(service.api.post(&format!("{path}/unlock")).json(&json!({ "reason": "r" }))).await.is(409);
    let batch = service.api.post(&format!("{}/batch", tenant.path()));
    kept(batch.clone().json(&json!({ "entries": [tenant.body(), {}] }))).await.is(200);
    kept(batch.json(&json!({ "entries": [tenant.body(), {}], "atomic": true }))).await.is(409);
    for query in ["", "?limit=1", "?nonsense=1"] {
        kept(service.api.get(&format!("/time-entries{query}"))).await;
        kept(service.api.get(&format!("/time-entries.csv{query}"))).await;
        kept(service.api.get(&format!("/time-entries.xlsx{query}"))).await;
    }
    let reader = service.with_key(may(&[Permission::Read])).await;
    kept(reader.post(&tenant.path()).json(&tenant.body())).await.is(403);
    kept(service.api.delete(&path)).await.is(204);
    kept(service.api.get(&path)).await.is(404);
    let strict =
        service.beside(|setup| setup.settings.rate_limit = std::num::NonZeroU32::new(1)).await;
    for _ in 0..1000 {
        if kept(strict.api.get("/me")).await.status == 429 {
            break;
        }
    }
    assert!(
        statuses.is_superset(&BTreeSet::from([
            200, 201, 204, 304, 400, 403, 404, 409, 412, 413, 415, 429
        ])),
        "{statuses:?}"
    );
}

/// Two ways to present a key, and none.
fn ways(api: &Api, key: &str, path: &str) -> [Call; 2] {
    let anonymous = api.without_key().get(path).header("x-request-id", "r");
    [
        anonymous.clone().header("x-api-key", key),
        anonymous.header("authorization", format!("Bearer {key}")),
    ]
}

async fn a_shared_cache_never_serves_one_callers_answer_to_another(database: Database) {
    let service = Service::start(database).await;
    let other = Tenant::provision(&service.store).await;
    let entry = service.entry_in(Status::Draft).await;
    let mut paths = paths(&service, &entry);
    paths.extend([
        "/time-entries?limit=1".to_owned(),
        "/nothing".to_owned(),
        format!("/projects/{}", Uuid::now_v7()),
    ]);
    // These answers change from moment to moment, so a cached one cannot be compared.
    paths.retain(|path| !["/metrics", "/health/live", "/health/ready"].contains(&path.as_str()));
    let mut cache = SharedCache::default();
    let mut hits = BTreeSet::new();
    for path in &paths {
        let [own, own_bearer] = ways(&service.api, &service.tenant.key.text, path);
        let [theirs, theirs_bearer] = ways(&service.api, &other.key.text, path);
        let nobody = service.api.without_key().get(path).header("x-request-id", "r");
        for call in [&own, &theirs, &nobody, &own_bearer, &theirs_bearer, &nobody, &own, &theirs] {
            let (answer, was_kept) = cache.ask(call.clone()).await;
            let real = call.clone().send().await;
            assert_eq!((answer.status, &answer.body), (real.status, &real.body), "{path}");
            if was_kept {
                hits.insert(path.as_str());
            }
        }
    }
    // It stores the public answers, and nothing else.
    assert_eq!(hits, BTreeSet::from(["/docs", "/docs/", "/openapi.json"]));
}
