//! The commands of the `timelog` program.

mod backup;
mod bootstrap;
mod copy;
mod demo;
mod end;
mod export;
mod feed;
mod global;
mod import;
mod key;
mod migrate;
mod output;
mod progress;
mod provision;
mod say;
mod serve;
#[cfg(test)]
mod tests;
mod usage;

use std::any::TypeId;
use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Arg, Parser, Subcommand};

pub use self::end::main;
use self::global::{Global, organization};
use self::say::{say, say_json};
use crate::settings::Settings;
use crate::telemetry;

/// Logs time entries over HTTP, once each, however often a client retries.
///
/// Start with "timelog serve": it creates its database, and on an empty one prints an API key and a
/// first request to paste.
#[derive(Debug, Parser)]
#[command(
    name = "timelog",
    version,
    max_term_width = 100,
    mut_args(setting),
    mut_subcommand("serve", |serve| serve.mut_args(setting))
)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every setting has: a variable beside its flag, and a name for its value where the type says
/// enough. The help does not show what variables hold: it may be a secret.
fn setting(argument: Arg) -> Arg {
    let flag = argument.get_long().unwrap_or_default();
    let variable = format!("TIMELOG_{}", flag.replace('-', "_").to_uppercase());
    let argument = argument.env(variable).hide_env_values(true);
    let kind = argument.get_value_parser().type_id();
    if kind == TypeId::of::<Duration>() {
        argument.value_name("DURATION")
    } else if kind == TypeId::of::<usize>() || kind == TypeId::of::<NonZeroU32>() {
        argument.value_name("COUNT")
    } else {
        argument
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve HTTP.
    Serve(Box<Settings>),
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
    /// Renew the feeds of changes.
    #[command(subcommand)]
    Feed(feed::Feed),
    /// Import time entries from a file: CSV of Toggl Track, Clockify or "timelog export", or
    /// NDJSON.
    ///
    /// Each row gets an external reference: its own, or else one made from its content. So
    /// importing a file again, or one that overlaps with it, adds no entry twice. Rows that cannot
    /// be imported are reported with their line numbers, and the others are imported.
    ///
    /// The exit code is 0 if no row was refused, and 1 if one was or if the import failed.
    Import(Box<import::Import>),
    /// Export time entries as CSV or NDJSON, which "timelog import" reads back.
    Export(Box<export::Export>),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// Where the command failed, with what to tell the person who called it.
    pub async fn run(self) -> anyhow::Result<()> {
        telemetry::log(&self.global.log, self.global.log_format)?;
        let global = self.global;
        let done = match self.command {
            Command::Serve(settings) => serve::run(*settings, &global).await,
            Command::Bootstrap(bootstrap) => bootstrap.run(&global).await,
            Command::Key(key) => key.run(&global).await,
            Command::Migrate(migrate) => migrate.run(&global).await,
            Command::Backup(backup) => backup.run(&global).await,
            Command::Copy(copy) => copy.run(&global).await,
            Command::Feed(feed) => feed.run(&global).await,
            Command::Import(import) => import.run(&global).await,
            Command::Export(export) => export.run(&global).await,
        };
        global.close().await;
        done
    }
}
