//! The commands of the `timelog` program.

mod backup;
mod bootstrap;
mod copy;
mod duration;
mod end;
mod export;
mod import;
mod key;
mod migrate;
mod output;
mod progress;
mod provision;
mod say;
mod serve;
mod usage;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use timelog_adapters::{DatabaseOptions, DatabaseUrl, QueueOptions, Store};
use timelog_domain::OrganizationId;
use timelog_domain::ports::PortError;

use self::duration::{DurationRange, HOUR};
pub use self::end::main;
use self::say::{say, say_json};
use crate::clock::SystemClock;
use crate::telemetry::{self, LogFormat};

/// Logs time entries over HTTP, once each, however often a client retries.
///
/// Start with "timelog serve": it creates its database, and on an empty one prints an API key and a
/// first request to paste.
#[derive(Debug, Parser)]
#[command(name = "timelog", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command can be told.
#[derive(Debug, Args)]
struct Global {
    /// The database: sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME.
    #[arg(
        long,
        global = true,
        env = "TIMELOG_DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite:timelog.db",
        value_name = "URL"
    )]
    database_url: DatabaseUrl,
    /// How long to wait at the start for a database that is away or locked, 0s to 24h.
    #[arg(
        long,
        global = true,
        env = "TIMELOG_CONNECT_TIMEOUT",
        default_value = "30s",
        value_parser = DurationRange::milliseconds(0..=24 * HOUR),
        value_name = "DURATION"
    )]
    connect_timeout: Duration,
    /// How long a request waits for a connection, or for a lock that another process holds, 100ms
    /// to 1h.
    #[arg(
        long,
        global = true,
        env = "TIMELOG_LOCK_TIMEOUT",
        default_value = "5s",
        value_parser = DurationRange::milliseconds(100..=HOUR),
        value_name = "DURATION"
    )]
    lock_timeout: Duration,
    /// Which log lines to write: error, warn, info, debug or trace, also by module.
    #[arg(
        long,
        global = true,
        env = "TIMELOG_LOG",
        default_value = "info,actix_server=warn,actix_http=off",
        value_name = "FILTER"
    )]
    log: String,
    /// How log lines look on standard error.
    #[arg(
        long,
        global = true,
        env = "TIMELOG_LOG_FORMAT",
        default_value = "auto",
        value_enum,
        value_name = "FORMAT"
    )]
    log_format: LogFormat,
    #[arg(skip)]
    opened: Opened,
}

/// The databases that a command has opened. They are closed when it ends, however it ends.
#[derive(Default)]
struct Opened(Mutex<Vec<Arc<Store>>>);

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve HTTP.
    Serve(Box<serve::Serve>),
    /// Make a fresh organization with a project, a user, a ticket, a release and a key that may do
    /// everything.
    Bootstrap(bootstrap::Bootstrap),
    /// Make, list, rotate and revoke API keys.
    #[command(subcommand)]
    Key(key::Key),
    /// Bring the database schema up to date.
    Migrate(migrate::Migrate),
    /// Write an SQLite database to a new file, while it is in use.
    Backup(backup::Backup),
    /// Copy everything from one database to another, such as from SQLite to PostgreSQL.
    Copy(copy::Copy),
    /// Import time entries from a file: CSV of Toggl Track, Clockify or "timelog export", or
    /// NDJSON.
    ///
    /// Each row gets an external reference: the one that it has, or else one made of what it says.
    /// So importing a file again, or one that overlaps with it, adds nothing that is there. Rows
    /// that cannot be imported are told with their line numbers, and the others are imported.
    ///
    /// The exit code is 0 if no row was refused, and 1 if one was or if the import could not go on.
    Import(Box<import::Import>),
    /// Export time entries as CSV or NDJSON, which "timelog import" reads back.
    Export(Box<export::Export>),
}

impl Cli {
    /// Carries the command out.
    ///
    /// # Errors
    ///
    /// Says what failed, for the person who called.
    pub async fn run(self) -> anyhow::Result<()> {
        telemetry::log(&self.global.log, self.global.log_format)?;
        let global = self.global;
        let done = match self.command {
            Command::Serve(serve) => serve.run(&global).await,
            Command::Bootstrap(bootstrap) => bootstrap.run(&global).await,
            Command::Key(key) => key.run(&global).await,
            Command::Migrate(migrate) => migrate.run(&global).await,
            Command::Backup(backup) => backup.run(&global).await,
            Command::Copy(copy) => copy.run(&global).await,
            Command::Import(import) => import.run(&global).await,
            Command::Export(export) => export.run(&global).await,
        };
        global.close().await;
        done
    }
}

impl Global {
    /// Opens the database, which must be there, with an up-to-date schema. A command that only
    /// works with what is there must not make a database: whoever calls it in another folder would
    /// believe that everything is gone.
    async fn open(&self) -> anyhow::Result<Arc<Store>> {
        self.open_at(&self.database_url).await
    }

    /// Opens another database, likewise.
    async fn open_at(&self, url: &DatabaseUrl) -> anyhow::Result<Arc<Store>> {
        let (store, _) = self.open_with(url, &self.sparing(url), &QueueOptions::default()).await?;
        Ok(store)
    }

    /// Opens a database, and makes it where it is not there. Returns the migrations that were
    /// applied too.
    async fn open_or_make(&self, url: &DatabaseUrl) -> anyhow::Result<(Arc<Store>, Vec<String>)> {
        let database = DatabaseOptions { create: true, ..self.sparing(url) };
        self.open_with(url, &database, &QueueOptions::default()).await
    }

    /// As few connections as a command needs, to a database that is there.
    fn sparing(&self, url: &DatabaseUrl) -> DatabaseOptions {
        let defaults = DatabaseOptions::default();
        let statement_timeout = match url {
            // Whoever started the command waits for it, and nobody else does.
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

    async fn close(&self) {
        let opened =
            std::mem::take(&mut *self.opened.0.lock().unwrap_or_else(PoisonError::into_inner));
        for store in opened {
            store.close().await;
        }
    }

    /// Opens and migrates the database, and waits for it while it is away. Returns the migrations
    /// that were applied too.
    async fn open_with(
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

/// The organization that a command works in: the one that is named, or else the only one that the
/// database has.
async fn organization(
    store: &Store,
    named: Option<OrganizationId>,
) -> anyhow::Result<OrganizationId> {
    if let Some(named) = named {
        return Ok(named);
    }
    let only = store.only_organization().await.context("the organizations could not be read")?;
    only.context("the database has not exactly one organization; name one with --organization")
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;
    use std::num::NonZeroU32;

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Every argument of a command and of those below it, with the words that lead there.
    fn arguments<'a>(
        command: &'a clap::Command,
        words: &[&'a str],
    ) -> Vec<(Vec<&'a str>, &'a clap::Arg)> {
        let words = [words, &[command.get_name()]].concat();
        let below = command
            .get_subcommands()
            .flat_map(|command| arguments(command, &words))
            .collect::<Vec<_>>();
        command.get_arguments().map(|argument| (words.clone(), argument)).chain(below).collect()
    }

    /// What the program says to a value of an argument. One that every command has is tried on
    /// `serve`.
    fn complaint(words: &[&str], argument: &clap::Arg, value: &str) -> String {
        let flag = format!("--{}={value}", argument.get_long().unwrap());
        let words = if words.len() == 1 { &["timelog", "serve"] } else { words };
        Cli::try_parse_from([words, &[&flag]].concat()).map(drop).unwrap_err().to_string()
    }

    /// The limits that a complaint names, such as `1s to 1h`.
    fn limits(complaint: &str) -> String {
        let after = |start: &str| {
            complaint.split_once(start).map(|(_, rest)| rest.split([',', '\n']).next().unwrap())
        };
        let limits = after("must be ")
            .or_else(|| after("is not in "))
            .unwrap_or_else(|| panic!("{complaint}"));
        limits.replace("..=", " to ")
    }

    #[test]
    fn every_duration_and_every_count_has_limits_and_they_are_documented() {
        let table = include_str!("../../../../docs/operations.md");
        let durations = [TypeId::of::<Duration>()];
        let counts = [
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<usize>(),
            TypeId::of::<NonZeroU32>(),
        ];
        let mut seen = 0;
        let command = Cli::command();
        for (words, argument) in arguments(&command, &[]) {
            let complaint = |value| complaint(&words, argument, value);
            let id = argument.get_value_parser().type_id();
            let nonsense: &[&str] = if durations.iter().any(|known| id == *known) {
                &["1ns", "10001us", "2161h", "9999999y", "30"]
            } else if counts.iter().any(|known| id == *known) {
                &["0", "-1", "1.5", "1000001", "99999999999999999999"]
            } else {
                continue;
            };
            seen += 1;
            let flag = format!("--{}", argument.get_long().unwrap());
            let limits = limits(&complaint(nonsense[0]));
            for value in nonsense {
                assert!(complaint(value).contains(&flag), "{flag} {value}");
            }
            let help = argument.get_help().unwrap().to_string();
            assert!(help.contains(&limits), "{flag} does not have {limits} in its help");
            let (flag, documented) = (format!("`{flag}`"), limits.replace(" to ", "–"));
            assert!(
                table.lines().any(|line| line.contains(&flag) && line.contains(&documented)),
                "{flag} {documented}"
            );
            // These can be nothing at all: do not wait, do not remember, do not keep.
            if id == durations[0]
                && !["connect_timeout", "key_memory", "grace"].contains(&argument.get_id().as_str())
            {
                assert!(complaint("0s").contains("must be"), "{flag}");
            }
        }
        assert_eq!(seen, 21, "a setting was added or lost");
    }

    #[test]
    fn every_flag_of_every_command_that_serves_has_a_variable() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        for argument in command.get_arguments().chain(serve.get_arguments()) {
            let name = argument.get_id().as_str();
            let variable = format!("TIMELOG_{}", name.to_uppercase());
            assert_eq!(
                argument.get_env().and_then(|name| name.to_str()),
                Some(variable.as_str()),
                "--{name}"
            );
            assert!(argument.get_help().is_some(), "--{name} has no help");
        }
    }
}
