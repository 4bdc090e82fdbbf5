//! A disk that has no space, or is broken, for some calls or for a while.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::outbox::{Habit, Outbox};
use super::site::{SOUND, Site};
use super::tally::Tally;
use super::trial::{Trial, pause};
use crate::support::postgres::Cluster;
use crate::support::{Database, Fault, WatchedDisk, on_every_database};

on_every_database![a_failing_disk_loses_and_doubles_nothing,];

/// Sabotage: clients take a 503 for success.
pub(super) async fn run(mut trial: Trial) -> Tally {
    let disk = WatchedDisk::new("");
    let mut site = match trial.database {
        Database::Sqlite => Site::new(trial.database),
        Database::Postgres => {
            Site::on_server(Arc::new(Cluster::start_with(&SOUND, &disk.failing())))
        }
    };
    if site.cluster().is_none() {
        site.variables = disk.failing();
    }
    site.start();
    let habit = trial.habit(Habit::TakesSilenceForYes);
    let outbox = Outbox::new(&site.made, site.address(), Duration::from_secs(20), habit);
    let mut failed = 0;
    let mut tally = trial
        .disturb(&mut site, &outbox, async |trial, site| {
            let fault = fault(trial, site);
            disk.break_down(&fault);
            if let Some(cluster) = site.cluster()
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
                let asked = site
                    .cluster()
                    .map(|cluster| cluster.psql("postgres").args(["-c", "SELECT 1"]).output());
                if asked.is_none_or(|asked| asked.is_ok_and(|output| output.status.success())) {
                    break;
                }
                pause(Duration::from_millis(100)).await;
            }
        })
        .await;
    tally.measured = format!("in {failed} cycles a call failed, or all did for a while");
    if failed == 0 {
        tally.fault("nobody met a broken disk".to_owned());
    }
    tally
}

/// So many calls that all of them fail until the disk is mended.
const WHILE: usize = 1_000_000_000;

fn fault(trial: &mut Trial, site: &Site) -> Fault {
    let of_syncs = trial.chance.below(2) == 0;
    let error = if trial.chance.below(2) == 0 { Fault::NO_SPACE } else { Fault::BROKEN };
    if site.cluster().is_some() {
        // A server that cannot write its log starts again by itself, and would not if that failed
        // too.
        let files = if trial.chance.below(2) == 0 { "/pg_wal/" } else { "/base/" };
        return Fault {
            of_syncs,
            error,
            work: trial.chance.below(20),
            fail: 1,
            files: files.to_owned(),
        };
    }
    let fail = if trial.chance.below(2) == 0 { WHILE } else { 1 + trial.chance.below(20) };
    let folder =
        site.database.path().parent().expect("a file is in a folder").display().to_string();
    Fault { of_syncs, error, work: trial.chance.below(200), fail, files: folder }
}

async fn a_failing_disk_loses_and_doubles_nothing(database: Database) {
    let tally = run(Trial::quick(database, 2)).await;
    assert!(tally.is_sound(), "{tally:?}");
}
