//! Somebody else holds a lock for longer than anybody waits.

use std::time::Duration;

use super::outbox::{Habit, Outbox};
use super::site::Site;
use super::tally::Tally;
use super::trial::{Trial, pause};
use crate::support::{Session, TABLES, TestDatabase};

/// What is waited for less long than it takes.
pub(super) const IMPATIENT: [&str; 6] =
    ["--lock-timeout", "200ms", "--statement-timeout", "500ms", "--queue-timeout", "1s"];

/// Sabotage: clients take a 503 for success.
pub(super) async fn run(mut trial: Trial) -> Tally {
    let mut site = Site::new(trial.database);
    site.flags.extend(IMPATIENT);
    site.start();
    let habit = trial.habit(Habit::TakesSilenceForYes);
    let outbox = Outbox::new(&site.made, site.address(), Duration::from_secs(20), habit);
    let mut tally = trial
        .disturb(&mut site, &outbox, async |trial, site| {
            let table = TABLES[trial.chance.below(TABLES.len())];
            let time = Duration::from_millis(300) + trial.moment(1200);
            match &site.database {
                TestDatabase::Sqlite(_) => {
                    let lock = site.database.lock_against_writing();
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
    if tally.server_errors == 0 {
        tally.fault("nobody met a lock".to_owned());
    }
    tally
}
