//! `Prefer: handling=strict`: unknown members are refused, in every body.

use reqwest::Method;
use serde_json::{Value, json};
use timelog_domain::Status;
use uuid::Uuid;

use crate::support::{Answer, Call, Database, Service, document, on_every_database};

on_every_database![
    an_unknown_member_is_refused_at_its_pointer,
    without_the_preference_unknown_members_are_ignored,
    unknown_members_are_reported_with_all_other_violations,
    every_route_with_a_body_honours_the_preference,
    a_batch_item_with_an_unknown_member_fails_alone,
    every_answer_to_a_body_has_preference_applied,
    an_answer_without_a_read_body_has_no_preference_applied,
    many_unknown_members_get_a_short_answer,
];

fn strict(call: Call) -> Call {
    call.header("prefer", "handling=strict")
}

#[track_caller]
fn is_applied(answer: &Answer) {
    assert_eq!(
        answer.header("preference-applied"),
        Some("handling=strict"),
        "{}",
        answer.describe()
    );
}

#[track_caller]
fn is_not_applied(answer: &Answer) {
    assert_eq!(answer.header("preference-applied"), None, "{}", answer.describe());
}

async fn an_unknown_member_is_refused_at_its_pointer(database: Database) {
    let service = Service::start(database).await;
    let body = service.tenant.body_with(&json!({
        "Minutes": 1, "": 2, "a/b": 3, "~": 4, "~1": 5, "é\n\"": 6, "x": { "y": 7 },
        "externalRef": {
            "provider": "p", "externalType": "t", "externalId": "i", "foo": 8, "ba/r": null, "provider ": [],
        },
    }));
    let answer = strict(service.log(&body)).send().await.refuses(&[
        "/Minutes unknown_member",
        "/ unknown_member",
        "/a~1b unknown_member",
        "/~0 unknown_member",
        "/~01 unknown_member",
        "/é\n\" unknown_member",
        "/x unknown_member",
        "/externalRef/foo unknown_member",
        "/externalRef/ba~1r unknown_member",
        "/externalRef/provider  unknown_member",
    ]);
    is_applied(&answer);
    // A repeated unknown member is listed once, and an escape in a name makes no difference.
    let body = format!(
        "{{\"x\":1,\"y\":2,\"x\":3,\"\\u0078\":4,{}",
        &service.tenant.body().to_string()[1..]
    );
    let twice = service.api.post(&service.tenant.path()).body(body);
    strict(twice).send().await.refuses(&["/x unknown_member", "/y unknown_member"]);
    let known = format!(
        "{{\"us\\u0065rId\":{}",
        &service.tenant.body().to_string()["{\"userId\":".len()..]
    );
    strict(service.api.post(&service.tenant.path()).body(known)).send().await.is(201);
    // Values inside an unknown member are ignored, however deep.
    let deep = format!(
        "{{\"x\":{}{},{}",
        "[".repeat(30_000),
        "]".repeat(30_000),
        &service.tenant.body().to_string()[1..]
    );
    let deep = service.api.post(&service.tenant.path()).body(deep);
    strict(deep).send().await.refuses(&["/x unknown_member"]);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn without_the_preference_unknown_members_are_ignored(database: Database) {
    let service = Service::start(database).await;
    let body = service.tenant.body_with(&json!({ "x": 1 }));
    for prefer in [
        "handling=lenient",
        "respond-async",
        "handling=lenient, handling=strict",
        "strict",
        "handling=\"x",
    ] {
        let answer = service.log(&body).header("prefer", prefer).send().await.is(201);
        is_not_applied(&answer);
    }
    is_not_applied(&service.log(&body).send().await.is(201));
    for prefer in ["Handling = \"strict\"; foo=bar", "wait=1, handling=strict"] {
        service.log(&body).header("prefer", prefer).send().await.refuses(&["/x unknown_member"]);
    }
    let lines = service
        .log(&body)
        .header("prefer", "respond-async")
        .another_header("prefer", "handling=strict");
    lines.send().await.refuses(&["/x unknown_member"]);
}

async fn unknown_members_are_reported_with_all_other_violations(database: Database) {
    let service = Service::start(database).await;
    let body = json!({
        "workdate": "2025-01-15", "minutes": 0, "externalRef": { "provider": " ", "externalType": "t", "external_id": "i" },
    });
    let answer = strict(service.log(&body)).send().await;
    answer.refuses(&[
        "/workdate unknown_member",
        "/userId required",
        "/workDate required",
        "/minutes out_of_range",
        "/externalRef/external_id unknown_member",
        "/externalRef/externalId required",
        "/externalRef/provider blank",
    ]);
    // A malformed body stays `malformed_json`.
    let twice =
        service.api.post(&service.tenant.path()).body("{\"x\":1,\"minutes\":1,\"minutes\":1}");
    is_applied(&strict(twice).send().await.fails_with(400, "malformed_json"));
}

/// A request for every operation with a JSON body, with a valid body.
async fn requests(service: &Service) -> Vec<(String, Call, Value)> {
    let id = service.entry_in(Status::Draft).await;
    let project = service.tenant.project_id;
    let own = |path: &str| {
        path.replace("{timeEntryId}", &id).replace("{projectId}", &project.to_string())
    };
    let mut requests = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("requestBody").is_none() {
                continue;
            }
            let name = operation["operationId"].as_str().unwrap().to_owned();
            let body = match (method.as_str(), path.rsplit('/').next().unwrap()) {
                ("post", "time-entries") => service.tenant.body(),
                ("post", "batch") => json!({ "entries": [service.tenant.body()] }),
                ("post", "transitions") => json!({ "action": "submit", "ids": [id] }),
                ("post", "edits") => json!({ "patch": {}, "ids": [id] }),
                ("post", "deletions") => json!({ "ids": [Uuid::now_v7().to_string()] }),
                ("post", "webhooks") => {
                    let url = "https://1.1.1.1/";
                    json!({ "destinationUrl": url, "eventNames": ["*"], "enabled": false })
                }
                ("post", "rotate-secret" | "test" | "retry") => json!({}),
                ("post", _) => json!({ "reason": "r", "invoiceRef": "i" }),
                ("patch", "{webhookId}") => json!({ "description": "D" }),
                ("patch", _) => json!({ "minutes": 7 }),
                ("put", "{entryId}") => json!({ "title": "T" }),
                ("put", "closing") => json!({ "through": null }),
                ("put", _) => json!({ "name": "N" }),
                _ => panic!("{name} is new here"),
            };
            // A path with an unfilled parameter is a new operation.
            let mut path = own(path).replace("{seq}", "1");
            while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
                path.replace_range(from..=to, &Uuid::now_v7().to_string());
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            requests.push((name, service.api.call(method, &path), body));
        }
    }
    requests
}

async fn every_route_with_a_body_honours_the_preference(database: Database) {
    let service = Service::start(database).await;
    let requests = requests(&service).await;
    assert!(requests.len() >= 17, "only {} operations have a body", requests.len());
    for (name, call, body) in requests {
        let mut more = body.clone();
        more["x"] = json!(1);
        let refused = strict(call.clone().json(&more)).send().await.refuses(&["/x unknown_member"]);
        is_applied(&refused);
        let taken = strict(call.clone().json(&body)).send().await;
        assert_ne!(taken.status, 400, "{name}: {}", taken.describe());
        is_applied(&taken);
        let ignored = call.json(&more).send().await;
        assert_ne!(ignored.status, 400, "{name}: {}", ignored.describe());
        is_not_applied(&ignored);
    }
}

async fn a_batch_item_with_an_unknown_member_fails_alone(database: Database) {
    let service = Service::start(database).await;
    let reference = json!({ "provider": "p", "externalType": "t", "externalId": "i", "a/b": 1 });
    let entries = [
        service.tenant.body(),
        service.tenant.body_with(&json!({ "x": 1, "externalRef": reference })),
        service.tenant.body_with(&json!({ "y": 1, "minutes": 0 })),
    ];
    let call = service
        .api
        .post(&format!("{}/batch", service.tenant.path()))
        .json(&json!({ "entries": entries }));
    let answer = strict(call.clone()).send().await.is(200);
    is_applied(&answer);
    let results = answer.json()["results"].clone();
    assert_eq!(results[0]["outcome"], "created");
    let errors = |index: usize| -> Vec<_> {
        let errors = results[index]["problem"]["errors"].as_array().unwrap().iter();
        errors
            .map(|error| {
                format!(
                    "{} {}",
                    error["pointer"].as_str().unwrap(),
                    error["code"].as_str().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(errors(1), ["/x unknown_member", "/externalRef/a~1b unknown_member"]);
    assert_eq!(errors(2), ["/minutes out_of_range", "/y unknown_member"]);
    assert_eq!(service.database.count("time_entries"), 1);
    // An invalid envelope is refused as a whole.
    let envelope = json!({ "entries": entries, "Atomic": true });
    let call = service.api.post(&format!("{}/batch", service.tenant.path())).json(&envelope);
    strict(call).send().await.refuses(&["/Atomic unknown_member"]);
    let atomic = json!({ "entries": entries, "atomic": true });
    let call = service.api.post(&format!("{}/batch", service.tenant.path())).json(&atomic);
    is_applied(&strict(call).send().await.fails_with(409, "batch_failed"));
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn every_answer_to_a_body_has_preference_applied(database: Database) {
    let service = Service::start(database).await;
    let call = strict(service.log_any()).idempotency_key("k");
    is_applied(&call.clone().send().await.is(201));
    let replay = call.clone().send().await.is(201);
    assert!(replay.is_replayed());
    is_applied(&replay);
    // The `Prefer` of the repeat counts, not that of the first request.
    let lenient = call.without_header("prefer").send().await.is(201);
    assert!(lenient.is_replayed());
    is_not_applied(&lenient);
    is_applied(
        &strict(service.log_any())
            .idempotency_key("")
            .send()
            .await
            .fails_with(400, "invalid_idempotency_key"),
    );
    let nobody = service.tenant.body_with(&json!({ "userId": Uuid::now_v7().to_string() }));
    is_applied(&strict(service.log(&nobody)).send().await.is(400));
    let id = service.entry_in(Status::Approved).await;
    let edit = service.api.patch(&format!("/time-entries/{id}")).json(&json!({ "minutes": 1 }));
    is_applied(&strict(edit.clone()).send().await.fails_with(409, "entry_not_editable"));
    is_applied(
        &strict(edit)
            .header("if-match", "\"9\"")
            .send()
            .await
            .fails_with(412, "precondition_failed"),
    );
    let nothing = service
        .api
        .patch(&format!("/time-entries/{}", Uuid::now_v7()))
        .json(&json!({ "minutes": 1 }));
    is_applied(&strict(nothing).send().await.fails_with(404, "not_found"));
}

async fn an_answer_without_a_read_body_has_no_preference_applied(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    let path = format!("/time-entries/{id}");
    is_not_applied(&strict(service.api.get(&path)).send().await.is(200));
    is_not_applied(
        &strict(service.api.without_key().post(&service.tenant.path()))
            .json(&json!({}))
            .send()
            .await
            .is(401),
    );
    is_not_applied(
        &strict(service.log_any()).header("content-type", "text/plain").send().await.is(415),
    );
    is_not_applied(&strict(service.api.post("/nothing")).json(&json!({})).send().await.is(404));
    is_not_applied(&strict(service.api.put("/me")).json(&json!({})).send().await.is(405));
    let long = " ".repeat(64 * 1024 + 1);
    is_not_applied(
        &strict(service.api.post(&service.tenant.path()).body(long)).send().await.is(413),
    );
    // An action needs no body.
    is_not_applied(&strict(service.api.post(&format!("{path}/submit"))).send().await.is(200));
    is_not_applied(
        &strict(service.api.delete(&path)).send().await.fails_with(409, "entry_not_editable"),
    );
}

async fn many_unknown_members_get_a_short_answer(database: Database) {
    let service = Service::start(database).await;
    let many: Vec<_> = (0..150_000).map(|number| format!("\"{number:x}\":1")).collect();
    let call = service.api.post("/time-entries/transitions").body(format!(
        "{{{},{}}}",
        many.join(","),
        many.join(",")
    ));
    let answer = strict(call).send().await.fails_with(400, "validation_error");
    assert!(answer.body.len() < 20_000, "{} bytes", answer.body.len());
    let problem = answer.json();
    let errors = problem["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 100);
    // Other violations come first.
    let told: Vec<_> =
        errors.iter().take(3).map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(told, ["/action", "/ids", "/0"]);
    // Members of the second half are listed or counted as far as the first hundred go.
    let count = 300_000 - 100 + 2;
    assert_eq!(problem["detail"], format!("{count} values are not valid. The first 100 are told."));
    // A long name is cut.
    let long = service.tenant.body_with(&json!({ "x".repeat(50_000): 1 }));
    let expected = format!("/{}… unknown_member", "x".repeat(100));
    let answer = strict(service.log(&long)).send().await.refuses(&[&expected]);
    assert!(answer.body.len() < 1000, "{} bytes", answer.body.len());
}
