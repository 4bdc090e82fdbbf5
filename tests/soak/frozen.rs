//! Backends of PostgreSQL are stopped in whatever they do and go on later. On SQLite it is the
//! service that is stopped, and its clients do not wait for it.

use std::time::Duration;

use super::locked::IMPATIENT;
use super::outbox::{Habit, Outbox};
use super::site::Site;
use super::tally::Tally;
use super::trial::{Trial, pause};
use crate::support::Frozen;

/// Sabotage: on PostgreSQL clients take a 503 for success; on SQLite they repeat without key and
/// reference.
pub(super) async fn run(mut trial: Trial) -> Tally {
    let mut site = Site::new(trial.database);
    site.flags.extend(IMPATIENT);
    site.start();
    let is_server = site.cluster().is_some();
    let habit =
        trial.habit(if is_server { Habit::TakesSilenceForYes } else { Habit::ForgetsNames });
    let patience = if is_server { Duration::from_secs(20) } else { Duration::from_millis(500) };
    let outbox = Outbox::new(&site.made, site.address(), patience, habit);
    trial
        .disturb(&mut site, &outbox, async |trial, site| {
            let time = Duration::from_millis(600) + trial.moment(1400);
            if let Some(cluster) = site.cluster() {
                let mut backends = cluster.backends(&site.database.url());
                trial.chance.shuffle(&mut backends);
                backends.truncate(1 + trial.chance.below(backends.len()));
                let frozen = Frozen::new(&backends);
                pause(time).await;
                drop(frozen);
            } else {
                let frozen = Frozen::new(&[site.program().id().to_string()]);
                pause(time).await;
                drop(frozen);
            }
            pause(trial.moment(500)).await;
        })
        .await
}
