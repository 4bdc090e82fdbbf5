//! The connection to PostgreSQL is cut when a COMMIT passes.

use std::time::Duration;

use super::outbox::{Habit, Outbox};
use super::site::Site;
use super::tally::Tally;
use super::trial::{Trial, pause};
use crate::support::{Cut, Database, Proxy};

/// Sabotage: clients send what was answered 503 again without its key and its reference.
pub(super) async fn run(mut trial: Trial) -> Tally {
    let mut site = Site::new(trial.database);
    let port = site.cluster().expect("only a server is reached over a network").port();
    let proxy = Proxy::before(port, trial.chance.another()).await;
    site.url = proxy.url(&site.url, port);
    site.start();
    let habit = trial.habit(Habit::ForgetsNames);
    let outbox = Outbox::new(&site.made, site.address(), Duration::from_secs(20), habit);
    let mut tally = trial
        .disturb(&mut site, &outbox, async |trial, _| {
            proxy.cut_one_of(2 + trial.chance.below(6));
            // Else nothing was provoked.
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
    tally.measured = format!(
        "cut before the COMMIT {unheard} times, after it {heard}, before its answer {unanswered}"
    );
    if unheard * heard * unanswered == 0 {
        tally.fault(format!("not every kind of cut was made: {}", tally.measured));
    }
    tally
}

fn cuts(proxy: &Proxy) -> [usize; 3] {
    let cuts = proxy.cuts();
    Cut::ALL.map(|cut| cuts.get(&cut).copied().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_at_commit_lose_and_double_nothing() {
    let tally = run(Trial::quick(Database::Postgres, 2)).await;
    assert!(tally.is_sound(), "{tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_repeat_without_a_key_after_a_cut_are_reported() {
    // It is chance whether what is cut has been carried out, and how often.
    for _ in 0..20 {
        if !run(Trial::sabotage(Database::Postgres, 2)).await.is_sound() {
            return;
        }
    }
    panic!("nobody notices");
}
