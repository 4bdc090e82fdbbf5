//! PostgreSQL alone: several programs, outages, and other defaults.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::postgres::Cluster;
use crate::support::{Database, Program, Service, bootstrap};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_identical_requests_to_two_programs_make_one_entry() {
    let database = Database::Postgres.create();
    let made = bootstrap(&database.url());
    let programs = [Program::serve(&database.url(), &[]), Program::serve(&database.url(), &[])];
    for round in 1..=10 {
        let mut running = JoinSet::new();
        for index in 0..64 {
            let api = programs[index % 2].api.with_key(&made.key);
            // Half of the rounds have the same reference and different keys.
            let call = if round % 2 == 0 {
                api.post(&made.path()).json(&made.body()).idempotency_key(&format!("key-{round}"))
            } else {
                let mut body = made.body();
                body["externalRef"] = json!({ "provider": "p", "externalType": "t", "externalId": round.to_string() });
                api.post(&made.path()).json(&body)
            };
            running.spawn(call.send());
        }
        let answers = running.join_all().await;
        let new =
            answers.iter().filter(|answer| answer.status == 201 && !answer.is_replayed()).count();
        assert_eq!(new, 1);
        assert!(answers.iter().all(|answer| answer.body == answers[0].body && answer.status < 300));
        assert_eq!(database.count("time_entries"), round);
    }
    for program in programs {
        assert!(program.stop().status.success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_answered_503_until_it_is_back() {
    let cluster = Arc::new(Cluster::start(&[("fsync", "on"), ("synchronous_commit", "on")]));
    let service = Service::start_on(&cluster).await;
    let before = service.log_any().idempotency_key("before").send().await.is(201);
    let (during, path) = (
        service.log_any().idempotency_key("during"),
        format!("/time-entries/{}", before.text("id")),
    );
    cluster.stop();
    for call in [during.clone(), service.api.get(&path), service.api.get("/health/ready")] {
        let refused = call.send().await.fails_with(503, "unavailable");
        assert!(refused.header("retry-after").is_some());
    }
    service.api.get("/health/live").send().await.is(200);
    cluster.start_again();
    service.api.get("/health/ready").send().await.is(200);
    assert_eq!(service.api.get(&path).send().await.is(200).body, before.body);
    assert!(service.log_any().idempotency_key("before").send().await.is(201).is_replayed());
    assert!(!during.clone().send().await.is(201).is_replayed());
    // A connection that was cut while idle fails at most once.
    cluster.kill_backends(service.database.url().as_str());
    let mut answer = during.clone().send().await;
    for _ in 0..20 {
        if answer.status != 503 {
            break;
        }
        answer = during.clone().send().await;
    }
    assert!(answer.is(201).is_replayed());
    assert_eq!(service.database.count("time_entries"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_default_isolation_of_serializable_changes_no_answer() {
    let cluster = Arc::new(Cluster::start(&[("default_transaction_isolation", "serializable")]));
    let service = Service::start_on(&cluster).await;
    for round in 0..10 {
        let mut running = JoinSet::new();
        for index in 0..32 {
            let reference = json!({ "provider": "p", "externalType": "t", "externalId": (index % 4).to_string() });
            let body = service
                .tenant
                .body_with(&json!({ "minutes": round * 32 + index + 1, "externalRef": reference }));
            running.spawn(service.log(&body).idempotency_key(&format!("{round}-{index}")).send());
        }
        for answer in running.join_all().await {
            assert!([200, 201].contains(&answer.status), "{}", answer.describe());
        }
    }
    assert_eq!(service.database.count("time_entries"), 4);
}
