//! Rules for every request: paths, methods, request ids, the base path, health, metrics and
//! documentation.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::support::{Database, Service, document, on_every_database, raw, rules, schema_of};

on_every_database![
    an_unknown_path_is_answered_404,
    an_unsupported_method_is_answered_405_with_allow,
    a_parameter_that_a_request_does_not_know_is_refused,
    a_request_id_is_echoed_or_made,
    a_problem_has_all_its_members,
    a_base_path_prefixes_every_route,
    health_needs_no_key,
    a_service_with_an_old_schema_is_live_but_not_ready,
    metrics_are_in_the_prometheus_format,
    the_openapi_document_has_the_base_path_and_version,
    the_documentation_is_served_with_its_files,
    malformed_http_does_no_harm,
];

async fn an_unknown_path_is_answered_404(database: Database) {
    let service = Service::start(database).await;
    for path in [
        "/",
        "/x",
        "/me/",
        "//me",
        "/ME",
        "/projects//time-entries",
        "/time-entries/",
        "/health",
        "/openapi.yaml",
        "/docs/nothing",
        "/docs/..%2f..%2fetc%2fpasswd",
        "/api/v1/me",
        "/%00",
        "/%ff",
        "/.git/config",
        "/me%2f",
    ] {
        for api in [&service.api, &service.api.without_key()] {
            api.get(path).send().await.fails_with(404, "not_found");
        }
    }
    service.api.post("/x").body("{").send().await.fails_with(404, "not_found");
}

async fn an_unsupported_method_is_answered_405_with_allow(database: Database) {
    let service = Service::start(database).await;
    let id = "9a8b7c6d-0000-0000-0000-000000000002";
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];
    for (path, allowed) in [
        ("/projects/{id}/time-entries", "GET, HEAD, POST"),
        ("/projects/{id}/time-entries.csv", "GET, HEAD"),
        ("/projects/{id}/time-entries.xlsx", "GET, HEAD"),
        ("/projects/{id}/time-entries/batch", "POST"),
        ("/projects/{id}/time-entries/summary", "GET, HEAD"),
        ("/time-entries", "GET, HEAD"),
        ("/time-entries.csv", "GET, HEAD"),
        ("/time-entries.xlsx", "GET, HEAD"),
        ("/time-entries/summary", "GET, HEAD"),
        ("/time-entries/transitions", "POST"),
        ("/time-entries/edits", "POST"),
        ("/time-entries/deletions", "POST"),
        ("/time-entries/{id}", "GET, HEAD, PATCH, DELETE"),
        ("/time-entries/{id}/history", "GET, HEAD"),
        ("/time-entries/{id}/submit", "POST"),
        ("/time-entries/{id}/release-invoice", "POST"),
        ("/closing", "GET, HEAD, PUT"),
        ("/projects/{id}/closing", "GET, HEAD, PUT"),
        ("/webhooks", "GET, HEAD, POST"),
        ("/webhooks/{id}", "GET, HEAD, PATCH, DELETE"),
        ("/webhooks/{id}/rotate-secret", "POST"),
        ("/webhooks/{id}/test", "POST"),
        ("/webhooks/{id}/failures", "GET, HEAD"),
        ("/webhooks/{id}/failures/1/retry", "POST"),
        ("/projects", "GET, HEAD"),
        ("/projects/{id}", "GET, HEAD, PUT"),
        ("/projects/{id}/entries", "GET, HEAD"),
        ("/projects/{id}/releases", "GET, HEAD"),
        ("/projects/{id}/entries/{id}", "GET, HEAD, PUT"),
        ("/projects/{id}/releases/{id}", "GET, HEAD, PUT"),
        ("/users", "GET, HEAD"),
        ("/users/{id}", "GET, HEAD, PUT"),
        ("/me", "GET, HEAD"),
        ("/health/live", "GET, HEAD"),
        ("/health/ready", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
        ("/docs/", "GET, HEAD"),
    ] {
        let path = path.replace("{id}", id);
        for method in
            methods.iter().filter(|method| !allowed.split(", ").any(|allowed| allowed == **method))
        {
            let call = service.api.call(Method::from_bytes(method.as_bytes()).unwrap(), &path);
            let answer = call.send().await;
            let answer = if *method == "HEAD" {
                answer.is(405)
            } else {
                answer.fails_with(405, "method_not_allowed")
            };
            assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
        }
    }
}

async fn a_parameter_that_a_request_does_not_know_is_refused(database: Database) {
    let service = Service::start(database).await;
    let before = service.database.counts();
    let mut asked = 0;
    for (path, operations) in document()["paths"].as_object().unwrap() {
        let path: Vec<_> = path
            .split('/')
            .map(|part| match part {
                "{projectId}" => service.tenant.project_id.to_string(),
                "{seq}" => "1".to_owned(),
                id if id.starts_with('{') => "9a8b7c6d-0000-0000-0000-000000000002".to_owned(),
                part => part.to_owned(),
            })
            .collect();
        for (method, operation) in operations.as_object().unwrap() {
            if operation["responses"].get("401").is_none() {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let call = service.api.call(method, &format!("{}?bogus=1", path.join("/")));
            let call =
                if operation.get("requestBody").is_some() { call.json(&json!({})) } else { call };
            call.send().await.refuses(&["bogus unknown_parameter"]);
            asked += 1;
        }
    }
    assert!(asked > 40, "{asked}");
    assert_eq!(service.database.counts(), before);
}

async fn a_request_id_is_echoed_or_made(database: Database) {
    let service = Service::start(database).await;
    let (longest, longer) = ("r".repeat(128), "r".repeat(129));
    for path in ["/me", "/health/live", "/nothing", "/openapi.json"] {
        let call = service.api.get(path);
        for id in ["1", "a-b_c.d:e/f", "!~", &longest] {
            assert_eq!(
                call.clone().header("x-request-id", id).send().await.header("x-request-id"),
                Some(id)
            );
        }
        for id in ["", "a b", "\t", &longer, "\u{e9}"] {
            let answer = call.clone().header("x-request-id", id).send().await;
            assert_eq!(
                uuid::Uuid::parse_str(answer.header("x-request-id").unwrap())
                    .unwrap()
                    .get_version_num(),
                7
            );
        }
        let two_lines = call
            .clone()
            .header("x-request-id", "a")
            .another_header("x-request-id", "b")
            .send()
            .await;
        assert!(!["a", "b"].contains(&two_lines.header("x-request-id").unwrap()));
        let first = call.clone().send().await;
        assert_ne!(first.header("x-request-id"), call.send().await.header("x-request-id"));
    }
}

async fn a_problem_has_all_its_members(database: Database) {
    let service = Service::start(database).await;
    let answer = service.log(&json!({})).header("x-request-id", "r-1").send().await.is(400);
    let problem = answer.json();
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let members: Vec<_> = problem.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["type", "title", "status", "detail", "code", "requestId", "errors"]);
    assert_eq!(problem["type"], "urn:timelog:problem:validation_error");
    assert_eq!((&problem["status"], &problem["requestId"]), (&json!(400), &json!("r-1")));
    for error in problem["errors"].as_array().unwrap() {
        assert!(
            ["pointer", "code", "message"].iter().all(|member| error[member].is_string()),
            "{error}"
        );
    }
    // Another kind of problem has no list of errors.
    let problem = service.api.get("/nothing").send().await.is(404).json();
    assert_eq!(problem.get("errors"), None);
}

async fn a_base_path_prefixes_every_route(database: Database) {
    let service =
        Service::start_with(database, |setup| setup.settings.base_path = "/api/v1".into()).await;
    let created = service.log_any().idempotency_key("k").send().await.is(201);
    let location = created.header("location").unwrap().to_owned();
    assert_eq!(location, format!("/api/v1/time-entries/{}", created.text("id")));
    let repeat = service.log_any().idempotency_key("k").send().await.is(201);
    assert_eq!(repeat.header("location"), Some(location.as_str()));
    service.api.get(location.strip_prefix("/api/v1").unwrap()).send().await.is(200);
    for path in ["/me", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs/"] {
        service.api.get(path).send().await.is(200);
    }
    let described = service.api.get("/openapi.json").send().await.json();
    assert_eq!(described["servers"], json!([{ "url": "/api/v1" }]));
    let redirect = service.api.get("/docs").send().await.is(308);
    assert_eq!(redirect.header("location"), Some("/api/v1/docs/"));
    for path in ["/me", "/health/live", "/api/v1", "/api/v1x/me", "/api/v2/me"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(service.address, request).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
    }
}

async fn health_needs_no_key(database: Database) {
    let service = Service::start(database).await;
    let api = service.api.without_key();
    assert_eq!(api.get("/health/live").send().await.is(200).json(), json!({ "status": "live" }));
    let ready = api.get("/health/ready").send().await.is(200).json();
    assert_eq!(ready["status"], "ready");
    // The tests' own server is fast rather than safe, and readiness reports it.
    assert_eq!(ready["detail"].is_string(), matches!(database, Database::Postgres));
    api.call(Method::HEAD, "/health/ready").send().await.is(200);
}

async fn a_service_with_an_old_schema_is_live_but_not_ready(database: Database) {
    let service = Service::start(database).await;
    let api = service.api.without_key();
    service
        .database
        .execute("DELETE FROM __diesel_schema_migrations WHERE version = '20260901000003'");
    let unready = api.get("/health/ready").send().await.fails_with(503, "unavailable");
    assert!(unready.header("retry-after").is_some());
    assert!(unready.text("detail").contains("timelog migrate"));
    api.get("/health/live").send().await.is(200);
}

async fn metrics_are_in_the_prometheus_format(database: Database) {
    let service = Service::start(database).await;
    service.log_any().idempotency_key("k").send().await.is(201);
    service.api.call(Method::from_bytes(b"BREW").unwrap(), "/me").send().await.is(405);
    let answer = service.api.without_key().get("/metrics").send().await.is(200);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let metrics = String::from_utf8(answer.body.clone()).unwrap();
    let route = "method=\"POST\",route=\"/projects/{projectId}/time-entries\",status=\"201\"";
    for metric in [
        format!("timelog_http_requests_total{{{route}}}"),
        "timelog_http_request_seconds_bucket".to_owned(),
        "timelog_commit_batch_size_bucket".to_owned(),
    ] {
        assert!(metrics.contains(&metric), "{metric} is missing:\n{metrics}");
    }
    // No path, key, id or invented method makes a series.
    assert!(!metrics.contains(&service.tenant.project_id.to_string()));
    assert!(!metrics.contains("BREW"), "{metrics}");
    assert!(metrics.contains("method=\"other\",route=\"/me\",status=\"405\""), "{metrics}");
}

async fn the_openapi_document_has_the_base_path_and_version(database: Database) {
    let service = Service::start(database).await;
    let served = service.api.without_key().get("/openapi.json").send().await.is(200).json();
    assert_eq!(served["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(served["servers"], json!([{ "url": "/" }]));
    assert_eq!(&served, document());
}

async fn the_documentation_is_served_with_its_files(database: Database) {
    let service = Service::start(database).await;
    let api = service.api.without_key();
    assert_eq!(api.get("/docs").send().await.is(308).header("location"), Some("/docs/"));
    let page = api.get("/docs/").send().await.is(200);
    let page = String::from_utf8(page.body.clone()).unwrap();
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "it needs nothing from elsewhere"
    );
    let quoted = page.split('"').skip(1).step_by(2).filter(|text| text.starts_with("./"));
    let mut files: Vec<_> = quoted.map(|file| format!("/docs/{}", &file[2..])).collect();
    assert!(files.len() >= 3, "{page}");
    files.push("/docs/swagger-initializer.js".to_owned());
    for file in &files {
        assert!(!api.get(file).send().await.is(200).body.is_empty(), "{file}");
    }
    let initializer = api.get("/docs/swagger-initializer.js").send().await.body;
    assert!(String::from_utf8(initializer).unwrap().contains("\"/openapi.json\""));
}

async fn malformed_http_does_no_harm(database: Database) {
    let service = Service::start(database).await;
    let long = "x".repeat(300_000);
    let requests = [
        "GET\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n".to_owned(),
        "GET /me HTTP/9.9\r\n\r\n".to_owned(),
        "GET /me HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n".to_owned(),
        "POST /me HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "POST /me HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: \
         2\r\n\r\nxx"
            .to_owned(),
        "POST /me HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: \
         3\r\n\r\nabc"
            .to_owned(),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        format!("GET /me HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\nConnection: close\r\n\r\n"),
    ];
    for request in requests {
        let answer = raw(service.address, request.clone()).await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(
            line.is_empty() || line.starts_with("HTTP/1.1 4"),
            "{request:.60} is answered {line}"
        );
    }
    service.log_any().send().await.is(201);
}

/// Visits every object of the document, with its JSON pointer.
fn walk<'a>(at: &'a Value, pointer: &str, visit: &mut impl FnMut(&str, &'a Map<String, Value>)) {
    let Value::Object(members) = at else { return };
    visit(pointer, members);
    for (name, member) in members {
        walk(member, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), visit);
    }
}

/// The examples beside a schema.
fn examples(members: &Map<String, Value>) -> Vec<&Value> {
    let named = members.get("examples").and_then(Value::as_object).into_iter().flatten();
    let named = named.filter_map(|(_, example)| example.get("value"));
    members.get("example").into_iter().chain(named).collect()
}

#[test]
fn every_example_of_the_openapi_document_fits_its_schema() {
    let mut checked = 0;
    walk(document(), "", &mut |pointer, members| {
        for example in if members.contains_key("schema") { examples(members) } else { vec![] } {
            let errors: Vec<_> = schema_of(&format!("{pointer}/schema"))
                .iter_errors(example)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{pointer}: {errors:?} in {example}");
            let broken = match pointer
                .strip_prefix("/paths/")
                .and_then(|rest| rest.split_once("/post/requestBody/"))
            {
                Some((path, _)) => rules::broken_by_request(&path.replace("~1", "/"), example),
                None => rules::broken_by_answer(example),
            };
            assert!(broken.is_empty(), "{pointer}: {broken:?}");
            checked += 1;
        }
    });
    assert!(checked > 20, "only {checked} examples were found");
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        for example in schema["examples"].as_array().into_iter().flatten() {
            assert!(
                schema_of(&format!("/components/schemas/{name}")).is_valid(example),
                "{name}: {example}"
            );
            assert_eq!(rules::broken_by_answer(example), [""; 0], "{name}");
        }
    }
}

#[test]
fn every_problem_response_lists_its_codes_with_an_example_of_each() {
    let mut found = BTreeSet::new();
    walk(document(), "", &mut |pointer, members| {
        let Some(content) =
            members.get("content").and_then(|content| content.get("application/problem+json"))
        else {
            return assert!(!members.contains_key("x-codes"), "{pointer} is no problem");
        };
        let codes =
            members["x-codes"].as_array().unwrap_or_else(|| panic!("{pointer} has no codes"));
        let codes: BTreeSet<_> = codes.iter().map(|code| code.as_str().unwrap()).collect();
        let shown = examples(content.as_object().unwrap())
            .into_iter()
            .map(|example| example["code"].as_str().unwrap());
        assert_eq!(shown.collect::<BTreeSet<_>>(), codes, "{pointer}");
        found.extend(codes);
    });
    let every = document()["components"]["schemas"]["ProblemCode"]["enum"].as_array().unwrap();
    assert_eq!(found, every.iter().map(|code| code.as_str().unwrap()).collect());
}

#[test]
fn every_response_schema_is_simple_enough_for_client_generators() {
    const CLEVER: [&str; 9] = [
        "allOf",
        "if",
        "then",
        "else",
        "not",
        "dependentSchemas",
        "unevaluatedProperties",
        "patternProperties",
        "$dynamicRef",
    ];
    let mut answers = 0;
    walk(document(), "", &mut |pointer, members| {
        for word in CLEVER {
            assert!(!members.contains_key(word), "{pointer} says {word}");
        }
        // A `oneOf` chooses between types, and adds no further rules.
        for word in ["oneOf", "anyOf"] {
            let choices = members.get(word).and_then(Value::as_array).into_iter().flatten();
            for choice in choices {
                assert!(
                    choice.get("$ref").is_some() || choice.get("type").is_some(),
                    "{pointer}: {choice}"
                );
            }
            assert!(
                !(members.contains_key(word) && members.contains_key("properties")),
                "{pointer} narrows by {word}"
            );
        }
        if pointer.contains("/responses/")
            && let Some(schema) = members.get("schema")
        {
            let is_plain = schema.get("$ref").is_some() || schema["type"].is_string();
            assert!(is_plain, "{pointer}: {schema}");
            answers += usize::from(pointer.contains("/content/"));
        }
    });
    assert!(answers > 40, "only {answers} answers were found");
}
