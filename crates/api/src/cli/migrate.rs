//! `timelog migrate`

use clap::Args;

use super::global::Global;
use super::say;

#[derive(Debug, Args)]
pub(super) struct Migrate {}

impl Migrate {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        let (_, applied) = global.open_or_make(&global.database_url).await?;
        if applied.is_empty() {
            say("The database schema is up to date.")?;
        }
        for version in applied {
            say(format_args!("Applied migration {version}."))?;
        }
        Ok(())
    }
}
