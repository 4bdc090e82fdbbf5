//! PostgreSQL backends are frozen at any moment and resumed later. On SQLite the service itself is
//! frozen, and its clients do not wait for it.

use std::time::Duration;

use super::deployment::Deployment;
use super::locked::IMPATIENT;
use super::outbox::{Outbox, RetryPolicy};
use super::results::Results;
use super::trial::{Trial, pause};
use crate::support::FrozenBackends;

/// Sabotage: on PostgreSQL clients take a 503 for success; on SQLite they repeat without key and
/// reference.
pub(super) async fn run(mut trial: Trial) -> Results {
    let mut deployment = Deployment::new(trial.database);
    deployment.flags.extend(IMPATIENT);
    deployment.start();
    let is_server = deployment.cluster().is_some();
    let policy = trial.policy(if is_server {
        RetryPolicy::TakesFailureForSuccess
    } else {
        RetryPolicy::DropsKeys
    });
    let patience = if is_server { Duration::from_secs(20) } else { Duration::from_millis(500) };
    let outbox = Outbox::new(&deployment.made, deployment.address(), patience, policy);
    trial
        .disturb(&mut deployment, &outbox, async |trial, deployment| {
            let time = Duration::from_millis(600) + trial.moment(1400);
            if let Some(cluster) = deployment.cluster() {
                let mut backends = cluster.backends(&deployment.database.url());
                trial.random.shuffle(&mut backends);
                backends.truncate(1 + trial.random.below(backends.len()));
                let frozen = FrozenBackends::new(&backends);
                pause(time).await;
                drop(frozen);
            } else {
                let frozen = FrozenBackends::new(&[deployment.program().id().to_string()]);
                pause(time).await;
                drop(frozen);
            }
            pause(trial.moment(500)).await;
        })
        .await
}
