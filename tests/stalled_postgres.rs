//! A PostgreSQL server that stalls: a table is locked, or a backend is frozen. Every request is
//! answered in time, and never with a 4xx or 500.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use timelog_domain::Action;

use crate::support::postgres::Cluster;
use crate::support::{Answer, Call, FrozenBackends, Random, Service, Session, Setup, TABLES};

/// Short time-outs: a wait for longer than this is a stall, or a busy machine, which looks the
/// same.
pub(crate) fn impatient(setup: &mut Setup) {
    setup.database.lock_timeout = Duration::from_millis(200);
    setup.database.statement_timeout = Duration::from_millis(500);
}

/// A patient service for the preparation, and an impatient one on the same database.
async fn services() -> (Arc<Cluster>, Service, Service) {
    let cluster = Arc::new(Cluster::start(&[]));
    let patient = Service::start_on(&cluster).await;
    let service = patient.beside(impatient).await;
    (cluster, patient, service)
}

/// Requests that change something, and can be repeated until they succeed.
struct Changes {
    edited: String,
    moved: [String; 2],
    /// The path of a webhook.
    webhook: String,
    round: usize,
}

impl Changes {
    /// How many entries and stored answers a round adds.
    const ENTRIES: i64 = 4;
    const STORED: i64 = 4;

    async fn new(service: &Service) -> Self {
        let [edited, one, other] = [(); 3].map(|()| service.log_any());
        let id = async |call: Call| call.send().await.is(201).text("id");
        let body = json!({
            "destinationUrl": "https://1.1.1.1/",
            "eventNames": ["*"],
            "enabled": false,
        });
        let webhook = id(service.api.post("/webhooks").json(&body)).await;
        Self {
            edited: id(edited).await,
            moved: [id(one).await, id(other).await],
            webhook: format!("/webhooks/{webhook}"),
            round: 0,
        }
    }

    fn next(&mut self, service: &Service) -> Vec<Call> {
        self.round += 1;
        let round = self.round;
        let key = |name: &str| format!("{name}-{round}");
        let (api, tenant) = (&service.api, &service.tenant);
        let action = if round % 2 == 1 { Action::Submit } else { Action::Recall };
        let reference =
            json!({ "provider": "p", "externalType": "t", "externalId": round.to_string() });
        let (ticket, release) = (tenant.ticket_id.to_string(), tenant.release_id.to_string());
        let full = json!({ "entryId": ticket, "releaseId": release, "minutes": 1 + round });
        let project = format!("/projects/{}", tenant.project_id);
        let name = key("Name");
        let nothing = json!({ "filter": { "from": "2001-01-01", "to": "2001-01-01" } });
        vec![
            service.log(&tenant.body_with(&full)).idempotency_key(&key("log")),
            service.log(&tenant.body_with(&json!({ "externalRef": reference, "entryId": ticket }))),
            api.post(&format!("{}/batch", tenant.path()))
                .json(&json!({ "entries": [tenant.body(), tenant.body_with(&full)] }))
                .idempotency_key(&key("batch")),
            api.patch(&format!("/time-entries/{}", self.edited)).json(&json!({ "minutes": round })),
            api.post(&format!("/time-entries/{}/{action}", self.moved[0]))
                .idempotency_key(&key("move")),
            api.post("/time-entries/transitions")
                .json(&json!({ "action": action.to_string(), "ids": [self.moved[1]] }))
                .idempotency_key(&key("transitions")),
            api.post("/time-entries/edits")
                .json(&json!({ "patch": { "minutes": round }, "ids": [self.edited] })),
            api.post("/time-entries/deletions").json(&nothing),
            api.put("/closing").json(&json!({ "through": "2001-01-01", "reason": name })),
            api.patch(&self.webhook).json(&json!({ "description": name })),
            api.get(&format!("{}/failures", self.webhook)),
            api.put(&project).json(&json!({ "name": name, "archived": false })),
            api.put(&format!("/users/{}", tenant.user_id))
                .json(&json!({ "name": name, "active": true })),
            api.put(&format!("{project}/entries/{ticket}")).json(&json!({ "title": name })),
            api.put(&format!("{project}/releases/{release}")).json(&json!({ "name": name })),
        ]
    }

    /// The final rows: the first entries, and those of every round, once each.
    fn are_all_there_once(&self, service: &Service) {
        let rounds = i64::try_from(self.round).unwrap();
        assert_eq!(service.database.count("time_entries"), 3 + rounds * Self::ENTRIES);
        assert_eq!(service.database.count("idempotency_keys"), rounds * Self::STORED);
        assert_eq!(service.database.count("projects"), 2);
    }
}

/// One read of each kind, and the readiness.
fn reads(service: &Service, entry: &str) -> Vec<Call> {
    service.tenant.reads(entry).iter().map(|path| service.api.get(path)).collect()
}

/// Makes all of the calls at once. Each succeeds or is answered 503 with `Retry-After`.
async fn settle(mut calls: Vec<Call>, random: &mut Random) -> Vec<Answer> {
    random.shuffle(&mut calls);
    // Much more than any of them takes, so that an endless wait is not confused with a busy
    // machine.
    let answers =
        tokio::time::timeout(Duration::from_mins(3), join_all(calls.into_iter().map(Call::send)))
            .await;
    let answers = answers.expect("every request is answered");
    for answer in &answers {
        if !(200..300).contains(&answer.status) {
            assert!(answer.clone().fails_with(503, "unavailable").header("retry-after").is_some());
        }
    }
    answers
}

/// Repeats each call until it succeeds, as clients do.
async fn carry_out(calls: Vec<Call>) {
    for call in calls {
        let mut answer = call.clone().send().await;
        for _ in 0..200 {
            if answer.status != 503 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer = call.clone().send().await;
        }
        assert!((200..300).contains(&answer.status), "{}", answer.describe());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_table_is_answered_503_and_nothing_is_stored_twice() {
    let mut random = Random::new();
    let (cluster, patient, service) = services().await;
    let mut changes = Changes::new(&patient).await;
    // The former secrets are read only for a key that is not found otherwise.
    let met = TABLES
        .into_iter()
        .filter(|table| *table != "former_secrets")
        .chain(["__diesel_schema_migrations"]);
    let mut tables: Vec<_> = met.clone().chain(met).collect();
    random.shuffle(&mut tables);
    for table in tables {
        let mut session = Session::open(&cluster, &service.database.url());
        session.run(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
        let calls = changes.next(&service);
        let answers =
            settle([calls.clone(), reads(&service, &changes.edited)].concat(), &mut random).await;
        assert!(
            answers.iter().any(|answer| answer.status == 503),
            "nobody met the lock on {table}"
        );
        drop(session);
        carry_out([calls, reads(&service, &changes.edited)].concat()).await;
    }
    changes.are_all_there_once(&service);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_backends_are_abandoned_and_replaced() {
    let mut random = Random::new();
    let (cluster, patient, service) = services().await;
    let mut changes = Changes::new(&patient).await;
    drop(patient);
    for _ in 0..3 {
        let calls = changes.next(&service);
        carry_out([calls, reads(&service, &changes.edited)].concat()).await;
        settle(reads(&service, &changes.edited), &mut random).await;
        // They are idle, so they hold nothing that others need.
        let frozen = cluster.backends(&service.database.url());
        assert!(frozen.len() > 1, "{frozen:?}");
        let frozen = FrozenBackends::new(&frozen);
        let calls = changes.next(&service);
        settle([calls.clone(), reads(&service, &changes.edited)].concat(), &mut random).await;
        carry_out([calls, reads(&service, &changes.edited)].concat()).await;
        drop(frozen);
        settle(reads(&service, &changes.edited), &mut random).await;
    }
    changes.are_all_there_once(&service);
}
