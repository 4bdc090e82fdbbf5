//! The connection to PostgreSQL is cut at a COMMIT.

use std::time::Duration;

use super::deployment::Deployment;
use super::outbox::{Outbox, RetryPolicy};
use super::results::Results;
use super::trial::{Trial, pause};
use crate::support::{Cut, Database, Proxy};

/// Sabotage: clients send what was answered 503 again without its key and its reference.
pub(super) async fn run(mut trial: Trial) -> Results {
    let mut deployment = Deployment::new(trial.database);
    let port = deployment.cluster().expect("only a server is reached over a network").port();
    let proxy = Proxy::before(port, trial.random.another()).await;
    deployment.url = proxy.url(&deployment.url, port);
    deployment.start();
    let policy = trial.policy(RetryPolicy::DropsKeys);
    let outbox =
        Outbox::new(&deployment.made, deployment.address(), Duration::from_secs(20), policy);
    let mut results = trial
        .disturb(&mut deployment, &outbox, async |trial, _| {
            proxy.cut_one_of(2 + trial.random.below(6));
            // Otherwise the case did not occur.
            let before = cuts(&proxy);
            for _ in 0..1000 {
                if cuts(&proxy).iter().zip(before).all(|(now, before)| *now > before) {
                    break;
                }
                pause(Duration::from_millis(20)).await;
            }
            proxy.cut_one_of(0);
        })
        .await;
    let [unheard, heard, unanswered] = cuts(&proxy);
    results.measured = format!(
        "cut before the COMMIT {unheard} times, after it {heard}, before its answer {unanswered}"
    );
    if unheard * heard * unanswered == 0 {
        results.fault(format!("not every kind of cut was made: {}", results.measured));
    }
    results
}

fn cuts(proxy: &Proxy) -> [usize; 3] {
    let cuts = proxy.cuts();
    Cut::ALL.map(|cut| cuts.get(&cut).copied().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_at_commit_lose_and_double_nothing() {
    let results = run(Trial::quick(Database::Postgres, 2)).await;
    assert!(results.is_sound(), "{results:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_repeat_without_a_key_after_a_cut_are_reported() {
    // Whether the cut commit was carried out is random, so it is tried more than once.
    for _ in 0..20 {
        if !run(Trial::sabotage(Database::Postgres, 2)).await.is_sound() {
            return;
        }
    }
    panic!("nobody notices");
}
