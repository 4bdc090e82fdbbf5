//! Problems are short, however many violations a request has.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Call, Database, Service, on_every_database};

on_every_database![
    a_problem_is_short_however_many_violations_there_are,
    violations_over_the_limit_are_counted_in_detail,
    the_problem_of_each_batch_item_is_short,
];

/// The most bytes of an answer that refuses a request.
const LONGEST: usize = 64 * 1024;

#[track_caller]
fn is_short(answer: &Answer, sent: usize) {
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    let length = answer.body.len();
    assert!(length <= LONGEST, "{length} bytes for {sent}");
    // Each wrong value adds a violation, but only 100 are listed.
    assert!(length <= 16 * 1024 || length <= 2 * sent, "{length} bytes for {sent}");
}

fn joined(count: usize, separator: &str, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().join(separator)
}

async fn a_problem_is_short_however_many_violations_there_are(database: Database) {
    let service = Service::start(database).await;
    let many = "/time-entries/transitions";
    let queries = [
        joined(12_000, "&", |number| format!("{number:x}")),
        joined(6_000, "&", |_| "status=x".to_owned()),
        joined(6_000, "&", |number| format!("from={number}")),
        joined(300, "&", |number| format!("{number}{}", "y".repeat(190))),
        joined(180, "&", |number| format!("{number}{}", "%01".repeat(110))),
        joined(180, "&", |number| format!("{number}{}", "%22".repeat(110))),
        joined(100, "&", |number| format!("{number}{}", "%F0%9F%A6%86".repeat(45))),
        "z".repeat(60_000),
    ];
    for query in queries {
        for path in ["/time-entries", "/time-entries/summary", "/time-entries.csv", "/projects"] {
            let answer = service.api.get(&format!("{path}?{query}")).send().await;
            is_short(&answer, query.len());
        }
    }
    let bodies = [
        format!("{{{}}}", joined(10_000, ",", |number| format!("\"{number}\":1"))),
        format!(
            "{{{}}}",
            joined(500, ",", |number| format!("\"{number}{}\":1", "y".repeat(5_000)))
        ),
        format!(
            "{{{}}}",
            joined(500, ",", |number| format!("\"{number}{}\":1", "\\u0001".repeat(200)))
        ),
        format!("{{{}}}", joined(500, ",", |number| format!("\"{number}{}\":1", "~/".repeat(200)))),
        format!("{{{}}}", joined(10_000, ",", |_| "\"action\":1".to_owned())),
        format!(
            "{{\"action\":{},\"ids\":[{}]}}",
            "[".repeat(10_000),
            joined(500, ",", |_| format!("\"{}\"", "x".repeat(200)))
        ),
        format!(
            "{{\"action\":\"{}\",\"ids\":[{}]}}",
            "x".repeat(10_000),
            joined(500, ",", |_| "1".to_owned())
        ),
        "[".repeat(100_000),
        format!("\"{}\"", "x".repeat(100_000)),
        format!("{{\"{}", "x".repeat(100_000)),
    ];
    for body in bodies {
        let call = service.api.post(many).header("prefer", "handling=strict").body(body.clone());
        is_short(&call.send().await, body.len());
        let body = body.as_bytes()[..body.len().min(60_000)].to_vec();
        let sent = body.len();
        let call =
            service.api.post(&service.tenant.path()).header("prefer", "handling=strict").body(body);
        is_short(&call.send().await, sent);
    }
    let long = "x".repeat(20_000);
    let calls: [Call; 9] = [
        service.api.get(&format!("/{long}")),
        service.api.get(&format!("/projects/{long}/time-entries")),
        service.api.get(&format!("/docs/{long}")),
        service.api.call(Method::from_bytes(long.as_bytes()).unwrap(), "/me"),
        service.log_any().idempotency_key(&long),
        service.api.delete("/time-entries/x").header("if-match", &long),
        service.log_any().header("content-type", format!("text/{long}")),
        service.log_any().header("content-encoding", &long),
        service.api.without_key().get("/me").header("authorization", format!("Bearer {long}")),
    ];
    for call in calls {
        is_short(&call.send().await, long.len());
    }
}

async fn violations_over_the_limit_are_counted_in_detail(database: Database) {
    let service = Service::start(database).await;
    let query = joined(12_000, "&", |number| format!("{number:x}"));
    let problem = service.api.get(&format!("/time-entries?{query}")).send().await.is(400).json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 100);
    assert_eq!(problem["detail"], "12000 values are not valid. The first 100 are told.");
    let names = |length: usize| format!("/time-entries?{}", "é".repeat(length));
    service
        .api
        .get(&names(100))
        .send()
        .await
        .refuses(&[&format!("{} unknown_parameter", "é".repeat(100))]);
    service
        .api
        .get(&names(101))
        .send()
        .await
        .refuses(&[&format!("{}… unknown_parameter", "é".repeat(100))]);
    let ids: Vec<_> = (0..101).map(|_| "x").collect();
    let body = json!({ "action": "submit", "ids": ids });
    let problem =
        service.api.post("/time-entries/transitions").json(&body).send().await.is(400).json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 100);
    assert_eq!(problem["errors"][99]["pointer"], "/ids/99");
    assert_eq!(problem["detail"], "101 values are not valid. The first 100 are told.");
}

async fn the_problem_of_each_batch_item_is_short(database: Database) {
    let service = Service::start(database).await;
    let item = |unknown: usize| {
        format!(
            "{{{}}}",
            joined(unknown, ",", |number| format!("\"{number}{}\":1", "\\u0001".repeat(90)))
        )
    };
    let body = format!("{{\"entries\":[{},{}]}}", item(3000), item(300));
    let call = service
        .api
        .post(&format!("{}/batch", service.tenant.path()))
        .header("prefer", "handling=strict");
    let answer = call.body(body.clone()).send().await.is(200).json();
    for result in answer["results"].as_array().unwrap() {
        assert!(result.to_string().len() <= LONGEST, "{} bytes", result.to_string().len());
        assert_eq!(result["problem"]["errors"].as_array().map(Vec::len), Some(100));
        let detail = result["problem"]["detail"].as_str().unwrap();
        assert!(detail.ends_with("The first 100 are told."), "{detail}");
    }
    let reads = |result: &Value| result["outcome"] == "failed";
    assert!(answer["results"].as_array().unwrap().iter().all(reads));
}
