//! `timelog migrate`

use clap::Args;
use timelog_adapters::QueueOptions;

use super::{Global, say};

#[derive(Debug, Args)]
pub(super) struct Migrate {}

impl Migrate {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        let (_, applied) = global.open_with(&global.database_url, &global.sparing(), &QueueOptions::default()).await?;
        if applied.is_empty() {
            say("The database schema is up to date.");
        }
        for version in applied {
            say(format_args!("Applied migration {version}."));
        }
        Ok(())
    }
}
