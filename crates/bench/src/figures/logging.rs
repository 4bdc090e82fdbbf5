//! Logging under idempotency keys, beside what could be had at best, and what it takes.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;

use crate::bench::Bench;
use crate::plan::median;
use crate::report::{Figure, number};
use crate::service::Service;
use crate::site::{Kind, Site};
use crate::wrk::{Load, Measured};
use crate::{curl, psql, requests, sqlite};

const SECTION: &str = "Logging";
const CONNECTIONS: usize = 64;

/// Rates of the service and of its baselines, a value a round.
#[derive(Default)]
struct Rates {
    service: Vec<f64>,
    /// Of two instances that log for one organization.
    two: Vec<f64>,
    deciding: Vec<f64>,
    /// SQLite's loop, or pgbench.
    rows: Vec<f64>,
}

pub(super) fn measure(bench: &mut Bench, kind: Kind) -> anyhow::Result<()> {
    bench.says(format!("Logging on {}", kind.name()));
    let site = bench.seeded(kind)?;
    // The rows of the baseline are written into a database of its own.
    let beside = bench.seeded(kind)?;
    let (bytes_before, entries_before) = (bench.bytes(&site)?, bench.entries(&site)?);
    let service = Service::start(&site, &[])?;
    let second = Service::start(&site, &[])?;
    let deciding = Service::start_deciding(&beside)?;
    let warm = Duration::from_secs(1);
    log(&site, &service, warm)?;
    log(&site, &second, warm)?;
    log(&beside, &deciding, warm)?;
    let mut rates = Rates::default();
    let (mut requests, mut cpu, mut cpu_of_database) = (0.0, 0.0, 0.0);
    let (mut entries, mut commits) = (0.0, 0.0);
    let counted = |part: &str| {
        curl::metric(&site, service.address, &format!("timelog_commit_batch_size_{part}"))
    };
    let statement = bench.folder.path().join("pgbench.sql");
    if kind == Kind::Postgres {
        fs::write(&statement, psql::statement(&bench.cluster, &beside.url)?)?;
    }
    let time = bench.plan.round;
    for _ in 0..bench.plan.rounds {
        let (before, database_before) = (service.cpu()?, bench.cluster.cpu()?);
        let (entries_before, commits_before) = (counted("sum")?, counted("count")?);
        let measured = log(&site, &service, time)?;
        entries += counted("sum")? - entries_before;
        commits += counted("count")? - commits_before;
        cpu += service.cpu()? - before;
        cpu_of_database += bench.cluster.cpu()? - database_before;
        requests += measured.requests;
        rates.service.push(measured.rate);
        rates.two.push(log_through_both(&site, [&service, &second], time)?);
        rates.deciding.push(log(&beside, &deciding, time)?.rate);
        rates.rows.push(match kind {
            Kind::Sqlite => sqlite::loop_for(&beside.file(), time)?,
            Kind::Postgres => pgbench(bench, &beside, &statement, time)?,
        });
    }
    let memory = service.peak_memory()?;
    let together = entries / commits;
    service.stop()?;
    second.stop()?;
    drop(deciding);
    let bytes = bench.bytes(&site)? - bytes_before;
    let per_entry = bytes / (bench.entries(&site)? - entries_before);
    let mut figures = ratios(kind, &rates);
    let [two, one] = [&rates.two, &rates.service].map(|all| median(all));
    let what = "logging through two instances for one organization ÷ through one";
    figures.push(Figure::ratio(what, kind, two, one));
    let thousands = requests / 1000.0;
    figures.push(
        Figure::new(
            "processor time of the service for 1,000 entries",
            kind,
            cpu / thousands * 1e3,
            " ms",
        )
        .from(format!("{} entries", number(requests))),
    );
    if kind == Kind::Postgres {
        let value = cpu_of_database / thousands * 1e3;
        let what = "processor time of the server for 1,000 entries";
        figures.push(Figure::new(what, kind, value, " ms"));
    }
    figures.push(Figure::new("peak memory under this load", kind, memory, " MiB").at_most(64.0));
    let disk = Figure::new("bytes on disk for an entry with its key", kind, per_entry, "");
    figures.push(if kind == Kind::Sqlite { disk.at_most(1000.0) } else { disk });
    figures.push(Figure::new("entries in a commit", kind, together, ""));
    bench.report.add(SECTION, figures);
    for site in [&site, &beside] {
        bench.remove(site)?;
    }
    Ok(())
}

fn ratios(kind: Kind, rates: &Rates) -> Vec<Figure> {
    let [service, deciding, rows] =
        [&rates.service, &rates.deciding, &rates.rows].map(|all| median(all));
    let ratio = |what, below| Figure::ratio(what, kind, service, below);
    match kind {
        Kind::Sqlite => vec![
            ratio("logging ÷ deciding without storing", deciding).at_least(0.33),
            ratio("logging ÷ a loop that writes the same rows", rows).at_least(0.9),
        ],
        Kind::Postgres => vec![
            ratio("logging ÷ deciding without storing", deciding),
            ratio("logging ÷ pgbench with the same rows", rows).at_least(2.5),
        ],
    }
}

fn log(site: &Site, service: &Service, time: Duration) -> anyhow::Result<Measured> {
    let requests = [requests::log(site)];
    Load { address: service.address, requests: &requests, connections: CONNECTIONS, time }.run()
}

/// How many entries a second two instances log together, with as many connections as one.
fn log_through_both(site: &Site, both: [&Service; 2], time: Duration) -> anyhow::Result<f64> {
    let requests = [requests::log(site)];
    let connections = CONNECTIONS / both.len();
    let begin = |service: &Service| {
        Load { address: service.address, requests: &requests, connections, time }.begin()
    };
    let running = both.map(begin);
    running.into_iter().map(|running| Ok(running?.end()?.rate)).sum()
}

/// The transactions in a second of as many clients that repeat the statement.
fn pgbench(
    bench: &Bench,
    site: &Site,
    statement: &std::path::Path,
    time: Duration,
) -> anyhow::Result<f64> {
    let output = bench
        .cluster
        .pgbench(&site.url)
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--file"])
        .arg(statement)
        .args([format!("--client={CONNECTIONS}"), format!("--time={}", time.as_secs())])
        .stdin(Stdio::null())
        .output()
        .context("pgbench is needed: scripts/setup bench installs it")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
    rate.and_then(|rate| rate.parse().ok())
        .with_context(|| format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)))
}
