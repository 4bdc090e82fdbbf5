//! One organization floods the service with totals, exports and batches, while another one works as
//! if it were alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::deployment::Deployment;
use super::latency::Latency;
use super::results::Results;
use super::trial::{Trial, pause};
use crate::support::{Bootstrapped, TestDatabase, bootstrap};

/// How many entries the flooding organization has.
const ENTRIES: usize = 300_000;

/// How many of its clients send each of the slow requests.
const EACH: usize = 8;

/// The time of measuring in each cycle.
const TIME: Duration = Duration::from_secs(15);

/// No request of the other organization may be refused or take this long.
const AT_MOST: Duration = Duration::from_secs(5);

/// Sabotage: the measured client belongs to the flooding organization.
pub(super) async fn run(trial: Trial) -> Results {
    let mut deployment = Deployment::new(trial.database);
    fill(&deployment.database, &deployment.made, ENTRIES);
    let other = Arc::new(bootstrap(&deployment.database.url()));
    deployment.start();
    let address = deployment.program().address;
    let mut results = Results::default();
    let measured = if trial.sabotage { &deployment.made } else { &other };
    let alone = ask_for(Duration::from_secs(3), address, measured).await;
    let (mut beside, mut among) = (Asked::default(), Asked::default());
    let flooding = Arc::new(AtomicUsize::new(0));
    for _ in 0..trial.cycles {
        let flood = flood(address, &deployment.made, &flooding);
        pause(Duration::from_secs(1)).await;
        // The latency is compared with that of one more client of the flooding organization, so
        // that the speed of the machine does not matter.
        let both = tokio::join!(
            ask_for(TIME, address, measured),
            ask_for(TIME, address, &deployment.made)
        );
        beside.add(both.0);
        among.add(both.1);
        drop(flood);
        results.cycles += 1;
    }
    results.requests = beside.reads.count() + beside.writes.count() + beside.ready.count();
    results.acknowledged =
        beside.writes.count() - beside.writes.server_errors - beside.writes.others;
    results.measured = format!(
        "reads {} → {}; writes {} → {}; readiness {} → {}; one who is among {} requests of the \
         flood waits for {}, {} and {}",
        alone.reads,
        beside.reads,
        alone.writes,
        beside.writes,
        alone.ready,
        beside.ready,
        flooding.load(Ordering::Relaxed),
        among.reads,
        among.writes,
        among.ready,
    );
    if beside.rounds() * 2 < among.rounds() * 3 {
        results.fault(format!(
            "{} rounds beside the flood, and {} in it",
            beside.rounds(),
            among.rounds()
        ));
    }
    for (what, latency) in
        [("reads", &beside.reads), ("writes", &beside.writes), ("readiness", &beside.ready)]
    {
        results.server_errors += latency.server_errors;
        if latency.server_errors + latency.others > 0 || latency.worst() > AT_MOST {
            let Latency { server_errors, others, .. } = latency;
            results.fault(format!("{what}: {server_errors} times 5xx, {others} others, {latency}"));
        }
    }
    deployment.kill();
    results
}

/// The latencies of the measured client.
#[derive(Debug, Default)]
struct Asked {
    reads: Latency,
    writes: Latency,
    ready: Latency,
}

impl Asked {
    /// How often it did all that it does.
    fn rounds(&self) -> usize {
        self.ready.count()
    }

    fn add(&mut self, other: Self) {
        self.reads.add(other.reads);
        self.writes.add(other.writes);
        self.ready.add(other.ready);
    }
}

/// Works for a while as one client: it reads a list, logs an entry, and asks for the readiness.
async fn ask_for(time: Duration, address: SocketAddr, made: &Bootstrapped) -> Asked {
    let http = crate::support::client().timeout(Duration::from_mins(1)).build();
    let http = http.expect("a client can be made");
    let (mut asked, begun) = (Asked::default(), tokio::time::Instant::now());
    let root = format!("http://{address}");
    while begun.elapsed() < time {
        asked
            .reads
            .time(http.get(format!("{root}/time-entries?limit=50")).bearer_auth(&made.key))
            .await;
        asked
            .writes
            .time(
                http.post(format!("{root}{}", made.path()))
                    .bearer_auth(&made.key)
                    .json(&made.body()),
            )
            .await;
        asked.ready.time(http.get(format!("{root}/health/ready"))).await;
    }
    asked
}

/// Floods until the returned set is dropped.
fn flood(address: SocketAddr, made: &Arc<Bootstrapped>, count: &Arc<AtomicUsize>) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for _ in 0..EACH {
        for path in [
            "/time-entries/summary?groupBy=user,month",
            "/time-entries?limit=1&includeTotal=true",
            "/time-entries.csv",
        ] {
            clients.spawn(ask_again(address, made.clone(), path.to_owned(), None, count.clone()));
        }
    }
    let batch = json!({ "entries": vec![made.body(); 100] });
    for _ in 0..16 * EACH {
        let path = format!("{}/batch", made.path());
        clients.spawn(ask_again(address, made.clone(), path, Some(batch.clone()), count.clone()));
    }
    clients
}

/// Asks for the same again and again, whatever the answer is.
async fn ask_again(
    address: SocketAddr,
    made: Arc<Bootstrapped>,
    path: String,
    body: Option<Value>,
    count: Arc<AtomicUsize>,
) {
    let http = crate::support::client().build().expect("a client can be made");
    let url = format!("http://{address}{path}");
    loop {
        let call = match &body {
            Some(body) => http.post(&url).json(body),
            None => http.get(&url),
        };
        if let Ok(answer) = call.bearer_auth(&made.key).send().await {
            let _ = answer.bytes().await;
        }
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives an organization many entries, behind the service's back.
pub(super) fn fill(database: &TestDatabase, made: &Bootstrapped, entries: usize) {
    let [organization, project, user] =
        ["organizationId", "projectId", "userId"].map(|name| made.id(name));
    let columns = "organization_id, id, project_id, user_id, work_date, minutes, description, \
        billable, source, status, \
                   version, created_at, updated_at";
    let sql = match database {
        TestDatabase::Sqlite(_) => {
            let [organization, project, user] =
                [organization, project, user].map(|id| format!("x'{}'", id.replace('-', "")));
            format!(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \
                 {entries}) \
                 INSERT INTO time_entries ({columns}) SELECT {organization}, randomblob(16), \
                 {project}, {user}, \
                 18262 + i % 2000, 1 + i % 1440, 'Entry ' || i, i \
                 % 2, 'api', 'draft', \
                 1, 1700000000000 + i, 1700000000000 + i FROM n"
            )
        }
        TestDatabase::Postgres(..) => format!(
            "INSERT INTO time_entries ({columns}) SELECT '{organization}', gen_random_uuid(), \
             '{project}', '{user}', \
             date '2020-01-01' + i % 2000, 1 + i % 1440, 'Entry ' || i, i % 2 = 0, 'api', 'draft', \
             1, now(), now() FROM generate_series(1, {entries}) AS i"
        ),
    };
    database.execute(&sql);
}
