//! The database goes away and comes back: answered changes are there once, and no request waits
//! long.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;

use crate::stalled_postgres::impatient;
use crate::support::postgres::Cluster;
use crate::support::{FrozenBackends, Random, Service, until};

/// What workers saw. They log entries, and repeat each with its key until it is answered.
#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    unavailable: AtomicUsize,
    acknowledged: Mutex<Vec<String>>,
    stop: AtomicBool,
}

impl Seen {
    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    fn unavailable(&self) -> usize {
        self.unavailable.load(Ordering::Relaxed)
    }

    /// Waits until something was seen, for a bounded time.
    async fn until(&self, what: &str, seen: impl Fn(&Self) -> bool) {
        until(what, async || seen(self)).await;
    }
}

async fn log_until_told(service: &Service, worker: usize, seen: &Seen) {
    let mut number = 0;
    while !seen.stop.load(Ordering::Relaxed) {
        let key = format!("{worker}-{number}");
        loop {
            seen.requests.fetch_add(1, Ordering::Relaxed);
            let answer = service.log_any().idempotency_key(&key).send().await;
            if answer.status == 201 {
                seen.acknowledged.lock().unwrap().push(answer.text("id"));
                break;
            }
            let answer = answer.fails_with(503, "unavailable");
            assert_eq!(answer.header("retry-after"), Some("1"));
            seen.unavailable.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        number += 1;
    }
}

/// Runs eight workers on two instances while `disturb` disturbs the database, and compares the rows
/// afterwards.
async fn survives(disturb: impl AsyncFnOnce(&Cluster, &Seen)) {
    // Answered changes must survive a crash of the server, so it must sync.
    let cluster = Arc::new(Cluster::start(&[("fsync", "on"), ("synchronous_commit", "on")]));
    let one = Service::start_on(&cluster).await.beside(impatient).await;
    let other = one.beside(impatient).await;
    let seen = Seen::default();
    let workers = (0..8)
        .map(|worker| log_until_told(if worker % 2 == 0 { &one } else { &other }, worker, &seen));
    let disturbance = async {
        seen.until("the first answers", |seen| seen.acknowledged() > 50).await;
        disturb(&cluster, &seen).await;
        let before = seen.acknowledged();
        seen.until("answers again", |seen| seen.acknowledged() > before + 50).await;
        seen.stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(join_all(workers), disturbance);
    let acknowledged = seen.acknowledged.lock().unwrap().clone();
    let distinct: BTreeSet<_> = acknowledged.iter().collect();
    let summary = format!(
        "{} requests, {} acknowledged, {} stored, {} duplicates, {} times 503",
        seen.requests.load(Ordering::Relaxed),
        acknowledged.len(),
        one.database.count("time_entries"),
        acknowledged.len() - distinct.len(),
        seen.unavailable(),
    );
    assert_eq!(distinct.len(), acknowledged.len(), "no entry answers two keys: {summary}");
    let stored = i64::try_from(acknowledged.len()).unwrap();
    assert_eq!(one.database.count("time_entries"), stored, "{summary}");
    assert_eq!(one.database.count("idempotency_keys"), stored, "{summary}");
    for id in acknowledged.iter().step_by(7) {
        other.api.get(&format!("/time-entries/{id}")).send().await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_crash_loses_and_doubles_nothing() {
    survives(async |cluster, seen| {
        cluster.stop();
        let before = seen.unavailable();
        seen.until("503 while the database is away", |seen| seen.unavailable() > before + 50).await;
        cluster.start_again();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_database_connections_lose_and_double_nothing() {
    survives(async |cluster, seen| {
        for _ in 0..10 {
            let before = seen.acknowledged();
            cluster.kill_backends("timelog_0");
            seen.until("answers between two cuts", |seen| seen.acknowledged() > before + 20).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_database_backends_lose_and_double_nothing() {
    let mut random = Random::new();
    survives(async |cluster, seen| {
        for _ in 0..5 {
            let mut backends = cluster.backends("timelog_0");
            random.shuffle(&mut backends);
            backends.truncate(1 + random.below(backends.len()));
            let before = (seen.acknowledged(), seen.unavailable());
            let frozen = FrozenBackends::new(&backends);
            // A frozen backend that holds a lock may delay all others; one without a lock delays
            // them only briefly.
            seen.until("answers while backends are frozen", |seen| {
                seen.unavailable() > before.1 + 20 || seen.acknowledged() > before.0 + 100
            })
            .await;
            drop(frozen);
            let before = seen.acknowledged();
            seen.until("answers between two freezes", |seen| seen.acknowledged() > before + 20)
                .await;
        }
    })
    .await;
}
