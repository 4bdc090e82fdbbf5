//! Another session holds a lock for longer than the time-outs.

use std::time::Duration;

use super::deployment::Deployment;
use super::outbox::{Outbox, RetryPolicy};
use super::results::Results;
use super::trial::{Trial, pause};
use crate::support::{Session, TABLES, TestDatabase};

/// Time-outs that are shorter than the lock.
pub(super) const IMPATIENT: [&str; 6] =
    ["--lock-timeout", "200ms", "--statement-timeout", "500ms", "--queue-timeout", "1s"];

/// Sabotage: clients take a 503 for success.
pub(super) async fn run(mut trial: Trial) -> Results {
    let mut deployment = Deployment::new(trial.database);
    deployment.flags.extend(IMPATIENT);
    deployment.start();
    let policy = trial.policy(RetryPolicy::TakesFailureForSuccess);
    let outbox =
        Outbox::new(&deployment.made, deployment.address(), Duration::from_secs(20), policy);
    let mut results = trial
        .disturb(&mut deployment, &outbox, async |trial, deployment| {
            let table = TABLES[trial.random.below(TABLES.len())];
            let time = Duration::from_millis(300) + trial.moment(1200);
            match &deployment.database {
                TestDatabase::Sqlite(_) => {
                    let lock = deployment.database.lock_against_writing();
                    pause(time).await;
                    drop(lock);
                }
                TestDatabase::Postgres(cluster, url) => {
                    let mut session = Session::open(cluster, url);
                    session.run(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
                    pause(time).await;
                    drop(session);
                }
            }
        })
        .await;
    if results.server_errors == 0 {
        results.fault("nobody met a lock".to_owned());
    }
    results
}
