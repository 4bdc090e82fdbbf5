//! What `make bench` runs: the service and its baselines, in turn, on this machine. How to read
//! what it finds is in `docs/benchmarks.md`.

mod bench;
mod chart;
mod cluster;
mod columns;
mod curl;
mod deciding;
mod delay;
mod document;
mod figures;
mod filled;
mod instructions;
mod machine;
mod plan;
mod process;
mod psql;
mod report;
mod requests;
mod service;
mod site;
mod sqlite;
mod wrk;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use clap::{Parser, Subcommand};

use crate::bench::Bench;
use crate::deciding::Deciding;
use crate::figures::Subject;
use crate::plan::Plan;

// As in the program, whose baseline this is.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What part of the document is written here.
const DOCUMENT: &str = "docs/benchmarks.md";
const CHART: &str = "docs/benchmarks.svg";

/// Measures the service beside its baselines.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure.
    Run {
        /// About a tenth of it, and print it instead of writing the document.
        #[arg(long)]
        quick: bool,
        /// Only these, and print them. May be repeated.
        #[arg(long)]
        only: Vec<Subject>,
    },
    /// Count the instructions of deciding and of rendering.
    Instructions,
    /// Serve as `timelog serve` does, but store nothing.
    Deciding(Deciding),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Run { quick, only } => run(quick, &only),
        Command::Instructions => instructions::run(Path::new(DOCUMENT)),
        Command::Deciding(deciding) => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(deciding.run()),
    }
}

fn run(quick: bool, only: &[Subject]) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut bench = Bench::start(if quick { Plan::QUICK } else { Plan::FULL })?;
    let versions = machine::versions(&bench.cluster.version()?)?;
    let mut probe = tempfile::tempfile_in(bench.folder.path())?;
    let sync = machine::sync_time(&mut probe)?;
    figures::measure(&mut bench, only)?;
    let settings: Vec<_> =
        cluster::SETTINGS.iter().map(|(name, value)| format!("`{name} = {value}`")).collect();
    let content = format!(
        "Measured on {}, in {} minutes.\n\n- Machine: {}. Writing and syncing a page takes {} ms.\n\
         - Versions: {versions}.\n- PostgreSQL: {}.\n\n{}",
        machine::today(),
        report::number(begun.elapsed().as_secs_f64() / 60.0),
        machine::machine()?,
        report::number(sync),
        settings.join(", "),
        bench.report.tables(),
    );
    if quick || !only.is_empty() {
        writeln!(std::io::stdout(), "{content}")?;
        return Ok(());
    }
    let chart = "![How much of its goal each figure reaches](benchmarks.svg)";
    document::replace(Path::new(DOCUMENT), "figures", &format!("{content}\n{chart}"))?;
    fs::write(CHART, chart::draw(bench.report.with_goals()))?;
    Ok(())
}
