//! What every figure needs: the databases, the plan, and where findings go.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::columns::COUNT_ENTRIES;
use crate::curl;
use crate::delay::Delay;
use crate::filled::Filled;
use crate::plan::{Plan, real};
use crate::report::Report;
use crate::service::Service;
use crate::site::{Kind, Site};
use crate::{psql, sqlite};

/// What every figure needs. Dropping it stops and removes everything.
pub(crate) struct Bench {
    pub(crate) plan: Plan,
    pub(crate) report: Report,
    pub(crate) cluster: Cluster,
    pub(crate) delay: Delay,
    pub(crate) folder: TempDir,
    progress: ProgressBar,
    timelog: PathBuf,
    databases: u32,
}

impl Bench {
    /// Starts what is needed.
    pub(crate) fn start(plan: Plan) -> anyhow::Result<Self> {
        let timelog = std::env::current_exe()?.with_file_name("timelog");
        ensure!(timelog.exists(), "make build builds the program that is measured");
        let progress = ProgressBar::new(1);
        let style = ProgressStyle::with_template("{elapsed_precise} {spinner} {wide_msg}")?;
        progress.set_style(style);
        progress.enable_steady_tick(std::time::Duration::from_millis(200));
        progress.set_message("Starting PostgreSQL");
        let delay = Delay::prepare()?;
        Ok(Self {
            plan,
            report: Report::default(),
            cluster: Cluster::start(&delay),
            delay,
            folder: tempfile::tempdir()?,
            progress,
            timelog,
            databases: 0,
        })
    }

    /// Says what is being done, on a terminal.
    pub(crate) fn says(&self, what: impl Into<String>) {
        self.progress.set_message(what.into());
    }

    /// A new database with an organization.
    pub(crate) fn site(&mut self, kind: Kind) -> anyhow::Result<Site> {
        self.databases += 1;
        let url = match kind {
            Kind::Postgres => self.cluster.url_of_new_database(),
            Kind::Sqlite => {
                let file = self.folder.path().join(format!("{}.db", self.databases));
                format!("sqlite:{}", file.display())
            }
        };
        Site::make(&self.timelog, kind, url)
    }

    /// A new database with one entry that the service logged: what other rows are made after.
    pub(crate) fn seeded(&mut self, kind: Kind) -> anyhow::Result<Site> {
        let site = self.site(kind)?;
        let service = Service::start(&site, &[])?;
        curl::log(&site, service.address, "seed-of-fifteen")?;
        service.stop()?;
        Ok(site)
    }

    /// A new database with so many entries.
    pub(crate) fn filled(&mut self, kind: Kind, entries: u64) -> anyhow::Result<(Site, Filled)> {
        let site = self.seeded(kind)?;
        let filled = Filled::new(&site, [&site.ticket, &site.release], entries)?;
        let progress = |done: u64| {
            let percent = done * 100 / entries.max(1);
            self.says(format!("Filling {} with {entries} entries: {percent} %", kind.name()));
        };
        match kind {
            Kind::Sqlite => sqlite::fill(&site.file(), &filled, &progress)?,
            Kind::Postgres => psql::fill(&self.cluster, &site.url, &filled, &progress)?,
        }
        Ok((site, filled))
    }

    /// Adds expired idempotency keys to a database with one entry.
    pub(crate) fn fill_expired(&self, site: &Site, how_many: u64) -> anyhow::Result<()> {
        self.says(format!("Filling {} with expired keys", site.kind.name()));
        let filled = Filled::new(site, [&site.ticket, &site.release], how_many)?;
        match site.kind {
            Kind::Sqlite => sqlite::fill_expired(&site.file(), &filled),
            Kind::Postgres => psql::fill_expired(&self.cluster, &site.url, &filled),
        }
    }

    /// How many entries a database has.
    pub(crate) fn entries(&self, site: &Site) -> anyhow::Result<f64> {
        self.number(site, COUNT_ENTRIES)
    }

    fn number(&self, site: &Site, sql: &str) -> anyhow::Result<f64> {
        match site.kind {
            Kind::Sqlite => sqlite::number(&site.file(), sql),
            Kind::Postgres => self.cluster.query(&site.url, sql)?.parse().context("it is a number"),
        }
    }

    /// How many bytes a database takes. The service must have been stopped.
    pub(crate) fn bytes(&self, site: &Site) -> anyhow::Result<f64> {
        match site.kind {
            Kind::Sqlite => Ok(real(std::fs::metadata(site.file())?.len())),
            Kind::Postgres => {
                self.number(site, "SELECT pg_database_size(current_database())::bigint")
            }
        }
    }

    /// Removes a database that is not needed any more.
    pub(crate) fn remove(&self, site: &Site) -> anyhow::Result<()> {
        match site.kind {
            Kind::Sqlite => {
                std::fs::remove_file(site.file())?;
                for beside in ["wal", "shm"] {
                    // They are there only if the last program on it was killed.
                    let _ =
                        std::fs::remove_file(site.file().with_extension(format!("db-{beside}")));
                }
            }
            Kind::Postgres => {
                let name = site.url.rsplit('/').next().context("a URL names a database")?;
                self.cluster.query("postgres", &format!("DROP DATABASE {name} (FORCE)"))?;
            }
        }
        Ok(())
    }
}
