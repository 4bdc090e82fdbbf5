//! A disk that is full or broken, for some calls or for a while.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::deployment::{Deployment, SOUND};
use super::outbox::{Outbox, RetryPolicy};
use super::results::Results;
use super::trial::{Trial, pause};
use crate::support::postgres::Cluster;
use crate::support::{Database, Fault, WatchedDisk, on_every_database};

on_every_database![a_failing_disk_loses_and_doubles_nothing,];

/// Sabotage: clients take a 503 for success.
pub(super) async fn run(mut trial: Trial) -> Results {
    let disk = WatchedDisk::new("");
    let mut deployment = match trial.database {
        Database::Sqlite => Deployment::new(trial.database),
        Database::Postgres => {
            Deployment::on_server(Arc::new(Cluster::start_with(&SOUND, &disk.failing())))
        }
    };
    if deployment.cluster().is_none() {
        deployment.variables = disk.failing();
    }
    deployment.start();
    let policy = trial.policy(RetryPolicy::TakesFailureForSuccess);
    let outbox =
        Outbox::new(&deployment.made, deployment.address(), Duration::from_secs(20), policy);
    let mut failed = 0;
    let mut results = trial
        .disturb(&mut deployment, &outbox, async |trial, deployment| {
            let fault = fault(trial, deployment);
            disk.break_down(&fault);
            if let Some(cluster) = deployment.cluster()
                && fault.files == "/base/"
            {
                // It fails, or the server comes back from a crash meanwhile.
                let _ = cluster.psql("postgres").args(["-c", "CHECKPOINT"]).output();
            }
            let before = outbox.server_errors.load(Ordering::Relaxed);
            let is_met = || match fault.fail {
                WHILE => outbox.server_errors.load(Ordering::Relaxed) > before,
                _ => !disk.is_broken(),
            };
            for _ in 0..3000 {
                if is_met() {
                    failed += 1;
                    break;
                }
                pause(Duration::from_millis(10)).await;
            }
            pause(trial.moment(1000)).await;
            disk.mend();
            pause(trial.moment(200)).await;
            // A server that crashed comes back by itself.
            for _ in 0..600 {
                let asked = deployment
                    .cluster()
                    .map(|cluster| cluster.psql("postgres").args(["-c", "SELECT 1"]).output());
                if asked.is_none_or(|asked| asked.is_ok_and(|output| output.status.success())) {
                    break;
                }
                pause(Duration::from_millis(100)).await;
            }
        })
        .await;
    results.measured = format!("in {failed} cycles a call failed, or all did for a while");
    if failed == 0 {
        results.fault("nobody met a broken disk".to_owned());
    }
    results
}

/// More calls than happen before the disk is repaired.
const WHILE: usize = 1_000_000_000;

fn fault(trial: &mut Trial, deployment: &Deployment) -> Fault {
    let of_syncs = trial.random.below(2) == 0;
    let error = if trial.random.below(2) == 0 { Fault::NO_SPACE } else { Fault::BROKEN };
    if deployment.cluster().is_some() {
        // A server that cannot write its log starts again by itself, and would not if that failed
        // too.
        let files = if trial.random.below(2) == 0 { "/pg_wal/" } else { "/base/" };
        return Fault {
            of_syncs,
            error,
            work: trial.random.below(20),
            fail: 1,
            files: files.to_owned(),
        };
    }
    let fail = if trial.random.below(2) == 0 { WHILE } else { 1 + trial.random.below(20) };
    let folder =
        deployment.database.path().parent().expect("a file is in a folder").display().to_string();
    Fault { of_syncs, error, work: trial.random.below(200), fail, files: folder }
}

async fn a_failing_disk_loses_and_doubles_nothing(database: Database) {
    let results = run(Trial::quick(database, 2)).await;
    assert!(results.is_sound(), "{results:?}");
}
