//! Settings of every command, and opening databases with them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use timelog_adapters::{DatabaseOptions, DatabaseUrl, QueueOptions, Store};
use timelog_domain::OrganizationId;
use timelog_domain::ports::PortError;

use crate::clock::SystemClock;
use crate::limits::{HOUR, milliseconds, text};
use crate::telemetry::LogFormat;

/// Settings of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The database: sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME.
    #[arg(long, global = true, default_value = "sqlite:timelog.db", value_name = "URL")]
    pub(super) database_url: DatabaseUrl,
    /// How long to wait at the start for a database that is away or locked; 0s tries once. Then the
    /// program exits with 1 and says why.
    #[arg(long, global = true, default_value = "30s", value_parser = milliseconds(0..=24 * HOUR))]
    connect_timeout: Duration,
    /// How long a request waits for its turn to read, for a connection, and for a lock that another
    /// process holds. Then it is answered 503.
    #[arg(
        long,
        global = true,
        default_value = text(DatabaseOptions::default().lock_timeout),
        value_parser = milliseconds(100..=HOUR)
    )]
    pub(super) lock_timeout: Duration,
    /// Which log lines to write: error, warn, info, debug or trace, also by module. The default
    /// leaves out connections that do not speak HTTP.
    #[arg(
        long,
        global = true,
        default_value = "info,actix_server=warn,actix_http=off",
        value_name = "FILTER"
    )]
    pub(super) log: String,
    /// How log lines look on standard error.
    #[arg(long, global = true, default_value = "auto", value_enum, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
    #[arg(skip)]
    opened: Opened,
}

/// The databases that a command has opened. They are closed when it ends, also after an error.
#[derive(Default)]
struct Opened(Mutex<Vec<Arc<Store>>>);

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

impl Global {
    /// Opens the database, which must exist, and brings its schema up to date. A command that only
    /// uses what is stored must not make a database: called in the wrong folder, it would look as
    /// if everything were gone.
    pub(super) async fn open(&self) -> anyhow::Result<Arc<Store>> {
        self.open_at(&self.database_url).await
    }

    /// Opens another database in the same way.
    pub(super) async fn open_at(&self, url: &DatabaseUrl) -> anyhow::Result<Arc<Store>> {
        let (store, _) = self.open_with(url, &self.options(url), &QueueOptions::default()).await?;
        Ok(store)
    }

    /// Opens a database, and makes it if it does not exist. Returns the migrations that were
    /// applied, too.
    pub(super) async fn open_or_make(
        &self,
        url: &DatabaseUrl,
    ) -> anyhow::Result<(Arc<Store>, Vec<String>)> {
        let database = DatabaseOptions { create: true, ..self.options(url) };
        self.open_with(url, &database, &QueueOptions::default()).await
    }

    /// The options of a command: few connections, to a database that exists.
    fn options(&self, url: &DatabaseUrl) -> DatabaseOptions {
        let defaults = DatabaseOptions::default();
        let statement_timeout = match url {
            // Nobody waits for it but the person who started the command.
            DatabaseUrl::Sqlite(_) => Duration::from_hours(24),
            DatabaseUrl::Postgres(_) => defaults.statement_timeout,
        };
        DatabaseOptions {
            create: false,
            read_connections: 1,
            lanes: 1,
            lock_timeout: self.lock_timeout,
            statement_timeout,
        }
    }

    pub(super) async fn close(&self) {
        let opened =
            std::mem::take(&mut *self.opened.0.lock().unwrap_or_else(PoisonError::into_inner));
        for store in opened {
            store.close().await;
        }
    }

    /// Opens and migrates a database, and waits for it while it is away. Returns the migrations
    /// that were applied, too.
    pub(super) async fn open_with(
        &self,
        url: &DatabaseUrl,
        database: &DatabaseOptions,
        queue: &QueueOptions,
    ) -> anyhow::Result<(Arc<Store>, Vec<String>)> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let opened = self.try_open(url, database, queue).await;
            let left = self.connect_timeout.saturating_sub(began.elapsed());
            let error = match opened {
                Err(error @ PortError::Unavailable(_)) if !left.is_zero() => error,
                Err(PortError::Internal(reason)) => {
                    bail!("cannot open the database {url}: {reason}")
                }
                opened => return opened.with_context(|| format!("cannot open the database {url}")),
            };
            tracing::warn!(%error, "waiting for the database");
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    async fn try_open(
        &self,
        url: &DatabaseUrl,
        database: &DatabaseOptions,
        queue: &QueueOptions,
    ) -> Result<(Arc<Store>, Vec<String>), PortError> {
        let store = Arc::new(Store::open(url, database, queue, Arc::new(SystemClock)).await?);
        match store.migrate().await {
            Ok(applied) => {
                self.opened.0.lock().unwrap_or_else(PoisonError::into_inner).push(store.clone());
                Ok((store, applied))
            }
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    }
}

/// The organization that a command works on: the one that is named, or else the only one in the
/// database.
pub(super) async fn organization(
    store: &Store,
    named: Option<OrganizationId>,
) -> anyhow::Result<OrganizationId> {
    const UNREAD: &str = "the organizations could not be read";
    if let Some(named) = named {
        let is_there = store.has_organization(named).await.context(UNREAD)?;
        ensure!(is_there, "the database has no organization {named}");
        return Ok(named);
    }
    let only = store.only_organization().await.context(UNREAD)?;
    only.context("the database has not exactly one organization; name one with --organization")
}
