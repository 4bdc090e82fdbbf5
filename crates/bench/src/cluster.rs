//! A private PostgreSQL, as the tests start it, with settings of a server that keeps its promises.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::delay::Delay;
use crate::process;

#[expect(
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "it is written for tests, of which the benchmarks need a part"
)]
#[path = "../../../tests/support/postgres.rs"]
mod postgres;

/// What differs from PostgreSQL's own defaults. The tests turn off what makes commits durable, and
/// the benchmarks need it on.
pub(crate) const SETTINGS: [(&str, &str); 8] = [
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "512MB"),
    ("maintenance_work_mem", "256MB"),
    ("max_wal_size", "4GB"),
    ("checkpoint_timeout", "15min"),
    ("autovacuum", "on"),
];

/// A running PostgreSQL. It is stopped and removed when this is dropped, and when the process ends
/// in any other way.
pub(crate) struct Cluster(postgres::Cluster);

impl Cluster {
    /// Starts a server whose syncs can be delayed.
    pub(crate) fn start(delay: &Delay) -> Self {
        Self(postgres::Cluster::start_with(&SETTINGS, &delay.variables()))
    }

    /// The URL of a new, empty database.
    pub(crate) fn url_of_new_database(&self) -> String {
        self.0.url_of_new_database()
    }

    /// The version of the server.
    pub(crate) fn version(&self) -> anyhow::Result<String> {
        let version = self.query("postgres", "SHOW server_version")?;
        Ok(version.split(' ').next().unwrap_or(&version).to_owned())
    }

    /// Runs statements on a database, and returns what psql prints: a line per row.
    pub(crate) fn query(&self, url: &str, sql: &str) -> anyhow::Result<String> {
        let output = self.psql(url).args(["-c", sql]).stdin(Stdio::null()).output()?;
        if !output.status.success() {
            bail!("{sql}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?.trim_end_matches('\n').to_owned())
    }

    /// A psql on a database.
    pub(crate) fn psql(&self, url: &str) -> Command {
        self.0.psql(url)
    }

    /// A pgbench on a database.
    pub(crate) fn pgbench(&self, url: &str) -> Command {
        // It stands beside psql.
        let psql = self.0.psql(url);
        let program = std::path::Path::new(psql.get_program()).with_file_name("pgbench");
        let mut pgbench = Command::new(program);
        let database = url.rsplit('/').next().unwrap_or(url);
        let port = self.0.port().to_string();
        pgbench.args(["-h", "127.0.0.1", "-p", &port, "-U", "timelog", database]);
        pgbench
    }

    /// The processor time of all its processes, in seconds.
    pub(crate) fn cpu(&self) -> anyhow::Result<f64> {
        let file = self.0.folder().join("data/postmaster.pid");
        let text = std::fs::read_to_string(file)?;
        let pid = text.lines().next().context("the server has an id")?.trim().parse()?;
        process::cpu_with_children(pid)
    }
}
