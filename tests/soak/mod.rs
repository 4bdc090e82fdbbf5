//! The soak: the program is disturbed from outside for many cycles, clients note what they send and
//! are told, and afterwards the database is compared with their notes. `make soak` runs it;
//! docs/soak.md describes each kind.
//!
//! Each kind has a sabotage, which breaks what holds the promise or what checks it; the run must
//! then fail. `make soak-sabotage` runs those.

mod audit;
mod clients;
mod commit;
mod deployment;
mod feed;
mod frozen;
mod full;
mod journal;
mod kill;
mod latency;
mod locked;
mod outbox;
mod power;
mod reader;
mod results;
mod schemathesis;
mod tenants;
mod trial;

use std::time::Duration;

use results::{HEAD, Line, Results};
use trial::Trial;

use crate::support::{Database, Random, seed};

/// The kinds of disturbance, and their cycles unless `SOAK_CYCLES` is given.
const KINDS: [(&str, usize); 11] = [
    ("kill", 12),
    ("power", 2),
    ("full", 12),
    ("commit", 12),
    ("locked", 12),
    ("frozen", 12),
    ("feed", 60),
    ("feed-of-two", 60),
    ("clients", 1),
    ("tenants", 2),
    ("schemathesis", 1),
];

/// No kind takes this long.
const AT_MOST: Duration = Duration::from_mins(20);

/// The databases of a kind, as far as they were asked for.
fn databases(kind: &str) -> Vec<(&'static str, Database)> {
    let asked = variable("SOAK_DATABASES");
    let mut databases = vec![("SQLite", Database::Sqlite), ("PostgreSQL", Database::Postgres)];
    // SQLite has no connection that can be cut.
    databases.retain(|(name, _)| kind != "commit" || *name == "PostgreSQL");
    databases.retain(|(name, _)| {
        asked.as_ref().is_none_or(|asked| asked.split([',', ' ']).any(|wanted| wanted == *name))
    });
    databases
}

async fn run(kind: &str, trial: Trial) -> Results {
    match kind {
        "kill" => kill::run(trial).await,
        "power" => power::run(trial).await,
        "full" => full::run(trial).await,
        "commit" => commit::run(trial).await,
        "locked" => locked::run(trial).await,
        "frozen" => frozen::run(trial).await,
        "feed" => feed::run(trial, 1).await,
        "feed-of-two" => feed::run(trial, 2).await,
        "clients" => clients::run(trial).await,
        "tenants" => tenants::run(trial).await,
        "schemathesis" => schemathesis::run(trial).await,
        other => panic!("there is no kind {other}; there are {KINDS:?}"),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The kinds that were asked for, all of them if none were.
fn kinds() -> Vec<(String, usize)> {
    let cycles: Option<usize> =
        variable("SOAK_CYCLES").map(|cycles| cycles.parse().expect("SOAK_CYCLES is a number"));
    let asked = variable("SOAK_KINDS");
    let asked: Option<Vec<_>> = asked.as_ref().map(|kinds| kinds.split([',', ' ']).collect());
    if let Some(unknown) =
        asked.iter().flatten().find(|kind| !KINDS.iter().any(|(name, _)| name == *kind))
    {
        panic!("there is no kind {unknown}; there are {KINDS:?}");
    }
    let wanted =
        KINDS.iter().filter(|(kind, _)| asked.as_ref().is_none_or(|kinds| kinds.contains(kind)));
    wanted.map(|(kind, usual)| ((*kind).to_owned(), cycles.unwrap_or(*usual))).collect()
}

#[expect(clippy::print_stdout, reason = "whoever runs it wants to see how far it is")]
fn say(text: &str) {
    println!("{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes minutes: make soak"]
async fn soak() {
    let seed = seed();
    let sabotage = variable("SOAK_SABOTAGE").is_some_and(|value| value != "0");
    let (mut lines, mut failed) = (Vec::new(), Vec::new());
    for (kind, cycles) in kinds() {
        for (name, database) in databases(&kind) {
            let random = Random::with_seed(seed, &format!("{kind} {name}"));
            let trial = Trial { database, cycles, random, sabotage };
            let results = tokio::time::timeout(AT_MOST, run(&kind, trial)).await;
            let results = results
                .unwrap_or_else(|_| panic!("{kind} on {name} takes longer than {AT_MOST:?}"));
            let line = Line(&kind, name, &results).to_string();
            say(&format!("{line}{}", results.faults()));
            if results.is_sound() == sabotage {
                failed.push(format!("{kind} on {name}"));
            }
            lines.push(line);
        }
    }
    say(&format!("\n{HEAD}\n{}\n", lines.join("\n")));
    assert!(!lines.is_empty(), "no kind is for the databases that were asked for");
    let what = if sabotage { "was sabotaged, and nobody noticed" } else { "is not sound" };
    assert!(
        failed.is_empty(),
        "{} {what}; TIMELOG_TEST_SEED={seed} does the same again",
        failed.join(", ")
    );
}
