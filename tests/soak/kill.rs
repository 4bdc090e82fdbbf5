//! The service is killed under load, and on PostgreSQL the server too.

use std::time::Duration;

use super::deployment::Deployment;
use super::outbox::{Outbox, RetryPolicy};
use super::results::Results;
use super::trial::{Trial, pause};

/// Sabotage: on SQLite clients repeat without key and reference; on PostgreSQL, where a kill seldom
/// meets a commit, they take no answer for success.
pub(super) async fn run(mut trial: Trial) -> Results {
    let mut deployment = Deployment::new(trial.database);
    deployment.start();
    let is_server = deployment.cluster().is_some();
    let policy = trial.policy(if is_server {
        RetryPolicy::TakesFailureForSuccess
    } else {
        RetryPolicy::DropsKeys
    });
    let outbox =
        Outbox::new(&deployment.made, deployment.address(), Duration::from_secs(20), policy);
    trial
        .disturb(&mut deployment, &outbox, async |trial, deployment| {
            let cluster = deployment.cluster().filter(|_| trial.random.below(2) == 0).cloned();
            if let Some(cluster) = &cluster {
                cluster.stop();
                pause(trial.moment(100)).await;
            }
            deployment.kill();
            pause(trial.moment(200)).await;
            if let Some(cluster) = &cluster {
                cluster.start_again();
            }
            deployment.start();
            pause(trial.moment(300)).await;
        })
        .await
}
