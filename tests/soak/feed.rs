//! Readers follow the feed without a pause while many write through one instance or two, which are
//! killed, and on PostgreSQL lose their connections. The numbers they read are 1, 2, 3, …, and the
//! copy that they keep is the table in the end, to the byte.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::deployment::Deployment;
use super::reader::{Client, Reader};
use super::results::Results;
use super::trial::{Trial, pause};
use crate::support::{Bootstrapped, Database, Random, TestDatabase, on_every_database, until};

on_every_database! {
    a_reader_of_one_instance_meets_every_number_and_has_an_exact_copy,
    a_reader_of_two_instances_meets_every_number_and_has_an_exact_copy,
    the_soak_notices_numbers_that_are_not_given_at_the_commit,
}

/// How many clients write through each instance.
const WRITERS: usize = 8;

/// Sabotage: on PostgreSQL the numbers come from a plain sequence and nobody waits for others; on
/// SQLite every 25th number is given to nothing.
pub(super) async fn run(mut trial: Trial, instances: usize) -> Results {
    let mut deployments = vec![Deployment::new(trial.database)];
    deployments.extend((1..instances).map(|_| deployments[0].beside()).collect::<Vec<_>>());
    if trial.sabotage {
        sabotage(&deployments[0]);
    }
    deployments.iter_mut().for_each(Deployment::start);
    let made = deployments[0].made.clone();
    let readers: Vec<_> =
        deployments.iter().map(|one| Reader::start(&made, one.address())).collect();
    let tally = Arc::new(Tally::default());
    let mut results = Results::default();
    for _ in 0..trial.cycles {
        let mut writers = JoinSet::new();
        tally.is_over.store(false, Ordering::Relaxed);
        for deployment in &deployments {
            for _ in 0..WRITERS {
                let client = Client::new(&made, deployment.address(), Duration::from_secs(20));
                writers.spawn(write(client, tally.clone(), trial.random.another()));
            }
        }
        pause(Duration::from_millis(200) + trial.moment(400)).await;
        disturb(&mut trial, &mut deployments).await;
        tally.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = writers.join_next().await {
            ended.expect("a writer does not panic");
        }
        results.cycles += 1;
        check(&mut results, &deployments, &readers, &made).await;
    }
    for deployment in &mut deployments {
        if !deployment.stop() {
            results.fault("an instance did not end well".to_owned());
        }
    }
    results.requests = tally.requests.load(Ordering::Relaxed);
    results.acknowledged = tally.carried_out.load(Ordering::Relaxed);
    let [mut pages, mut changes, mut gaps, mut repeats] = [0; 4];
    for reader in &readers {
        let seen = reader.seen.lock().unwrap();
        pages += seen.pages;
        changes += seen.changes;
        gaps += seen.gaps;
        repeats += seen.repeats;
    }
    results.measured = format!(
        "{} readers had {changes} changes in {pages} pages: {gaps} gaps, {repeats} repeats or late",
        readers.len()
    );
    results
}

fn sabotage(deployment: &Deployment) {
    let statements = match &deployment.database {
        TestDatabase::Sqlite(_) => "CREATE TRIGGER sabotage AFTER INSERT ON time_entry_history \
            WHEN NEW.seq % 25 = 0 BEGIN \
            UPDATE time_entry_history SET seq = seq + 1 \
            WHERE organization_id = NEW.organization_id AND seq = NEW.seq; END"
            .to_owned(),
        TestDatabase::Postgres(..) => "CREATE FUNCTION public.pg_advisory_xact_lock(bigint) \
            RETURNS void LANGUAGE sql AS 'SELECT'; \
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', \
            current_database()); END $$; \
            CREATE SEQUENCE plain; \
            CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql AS \
            $$ BEGIN NEW.seq := nextval('public.plain'); RETURN NEW; END $$; \
            CREATE TRIGGER number BEFORE INSERT ON time_entry_history \
            FOR EACH ROW EXECUTE FUNCTION number()"
            .to_owned(),
    };
    deployment.database.execute(&statements);
}

/// Kills an instance, ends connections to PostgreSQL, or does nothing.
async fn disturb(trial: &mut Trial, deployments: &mut [Deployment]) {
    let chosen = trial.random.below(deployments.len());
    let cluster = deployments[chosen].cluster().cloned();
    for _ in 0..3 {
        match (trial.random.below(3), &cluster) {
            (0, _) => {
                deployments[chosen].kill();
                pause(trial.moment(100)).await;
                deployments[chosen].start();
            }
            (1, Some(cluster)) => {
                let database = deployments[chosen].url.rsplit('/').next().unwrap_or_default();
                let end = format!(
                    "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid \
                     FROM pg_stat_activity WHERE datname = '{database}' \
                     ORDER BY random() LIMIT 4) AS chosen"
                );
                cluster.query("postgres", &end);
            }
            _ => {}
        }
        pause(trial.moment(300)).await;
    }
}

/// Waits until the readers are at the end, and compares what they have with the table.
async fn check(
    results: &mut Results,
    deployments: &[Deployment],
    readers: &[Arc<Reader>],
    made: &Arc<Bootstrapped>,
) {
    let numbers = "SELECT CAST(coalesce(max(seq), 0) AS text) AS text FROM time_entry_history";
    let last: i64 = deployments[0].database.texts(numbers)[0].parse().expect("it is a number");
    let changes = deployments[0].database.count("time_entry_history");
    if changes != last {
        results.fault(format!("{changes} changes have numbers up to {last}"));
    }
    let client = Client::new(made, deployments[0].address(), Duration::from_secs(20));
    let table = table(&client).await;
    for reader in readers {
        until("the reader is at the end", async || {
            let seen = reader.seen.lock().unwrap();
            seen.last >= last || !seen.faults.is_empty()
        })
        .await;
        let mut seen = reader.seen.lock().unwrap();
        for fault in std::mem::take(&mut seen.faults) {
            results.fault(fault);
        }
        if seen.copy != table {
            let differ = |id: &&String| seen.copy.get(*id) != table.get(*id);
            let first = seen.copy.keys().chain(table.keys()).find(differ);
            let first = first.map(|id| (id, seen.copy.get(id), table.get(id)));
            results.fault(format!(
                "the copy has {} entries, the table {}; {first:?}",
                seen.copy.len(),
                table.len()
            ));
        }
    }
}

/// The entries as the list has them, to the byte.
async fn table(client: &Client) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        data: Vec<Box<RawValue>>,
        next_cursor: Option<String>,
    }
    let (mut table, mut cursor, mut tries) = (BTreeMap::new(), String::new(), 0);
    loop {
        let path = format!("/time-entries?limit=200{cursor}");
        let page = match client.read::<Page>(&path).await {
            Ok(page) => page,
            Err(status) => {
                // Its connections may have been ended.
                tries += 1;
                assert!(tries < 100 && [0, 503].contains(&status), "the list is {status}");
                pause(Duration::from_millis(50)).await;
                continue;
            }
        };
        for entry in page.data {
            table.insert(id_of(entry.get()), entry.get().to_owned());
        }
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return table,
        }
    }
}

fn id_of(entry: &str) -> String {
    let entry: Value = serde_json::from_str(entry).expect("an entry is JSON");
    entry["id"].as_str().expect("an entry has an id").to_owned()
}

/// What writers did.
#[derive(Default)]
struct Tally {
    requests: AtomicUsize,
    carried_out: AtomicUsize,
    is_over: AtomicBool,
}

/// Changes whatever comes to mind, much of it in vain, and sends nothing twice: some of what was
/// not answered was carried out, and some was not.
async fn write(client: Client, tally: Arc<Tally>, mut random: Random) {
    let mut known: Vec<String> = Vec::new();
    while !tally.is_over.load(Ordering::Relaxed) {
        let log = client.made.path();
        let mut body = client.made.body();
        body["minutes"] = json!(1 + random.below(1440));
        body["description"] = json!(format!("é\u{1f570} \"{}\"", random.below(1000)));
        let entry = known.get(random.below(known.len().max(1))).cloned();
        let path = entry.map(|id| format!("/time-entries/{id}"));
        let (method, path, body) = match (random.below(10), path) {
            (0 | 1, Some(path)) => ("PATCH", path, body),
            (2, Some(path)) => ("DELETE", path, json!(null)),
            (3, Some(path)) => ("POST", format!("{path}/submit"), json!({})),
            (4, Some(path)) => ("POST", format!("{path}/reject"), json!({ "reason": "no" })),
            (5, _) => {
                // All meet over a few references.
                let id = random.below(5).to_string();
                body["externalRef"] =
                    json!({ "provider": "p", "externalType": "t", "externalId": id });
                ("POST", log, body)
            }
            (6, _) => {
                let entries = json!([body, body, { "minutes": 0 }]);
                let atomic = random.below(2) == 0;
                ("POST", format!("{log}/batch"), json!({ "entries": entries, "atomic": atomic }))
            }
            _ => ("POST", log, body),
        };
        tally.requests.fetch_add(1, Ordering::Relaxed);
        let url = client.url(&path).await;
        let call = client.http.request(method.parse().expect("it is a method"), url);
        let call = call.bearer_auth(&client.made.key);
        let call = if body.is_null() { call } else { call.json(&body) };
        let Ok(answer) = call.send().await else { continue };
        if answer.status().is_success() {
            tally.carried_out.fetch_add(1, Ordering::Relaxed);
        }
        if answer.status() == 201
            && let Ok(entry) = answer.json::<Value>().await
        {
            known.extend(entry["id"].as_str().map(str::to_owned));
        }
    }
}

async fn a_reader_of_one_instance_meets_every_number_and_has_an_exact_copy(database: Database) {
    let results = run(Trial::quick(database, 2), 1).await;
    assert!(results.is_sound(), "{}{}", results.measured, results.faults());
    assert!(results.acknowledged > 0);
}

async fn a_reader_of_two_instances_meets_every_number_and_has_an_exact_copy(database: Database) {
    let results = run(Trial::quick(database, 2), 2).await;
    assert!(results.is_sound(), "{}{}", results.measured, results.faults());
    assert!(results.acknowledged > 0);
}

async fn the_soak_notices_numbers_that_are_not_given_at_the_commit(database: Database) {
    let results = run(Trial::sabotage(database, 2), 2).await;
    assert!(!results.is_sound(), "{}", results.measured);
}
