//! The service is killed under load, and on PostgreSQL the server too.

use std::time::Duration;

use super::outbox::{Habit, Outbox};
use super::site::Site;
use super::tally::Tally;
use super::trial::{Trial, pause};

/// Sabotage: on SQLite clients send what was not answered again without its key and its reference;
/// on PostgreSQL, where a commit is short and a kill seldom meets it, they take it that it was
/// carried out.
pub(super) async fn run(mut trial: Trial) -> Tally {
    let mut site = Site::new(trial.database);
    site.start();
    let is_server = site.cluster().is_some();
    let habit =
        trial.habit(if is_server { Habit::TakesSilenceForYes } else { Habit::ForgetsNames });
    let outbox = Outbox::new(&site.made, site.address(), Duration::from_secs(20), habit);
    trial
        .disturb(&mut site, &outbox, async |trial, site| {
            let cluster = site.cluster().filter(|_| trial.chance.below(2) == 0).cloned();
            if let Some(cluster) = &cluster {
                cluster.stop();
                pause(trial.moment(100)).await;
            }
            site.kill();
            pause(trial.moment(200)).await;
            if let Some(cluster) = &cluster {
                cluster.start_again();
            }
            site.start();
            pause(trial.moment(300)).await;
        })
        .await
}
