//! `timelog backup`

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use timelog_adapters::{DatabaseUrl, partial_backup};

use super::progress::bar;
use super::{Global, say};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write. It must not exist yet.
    #[arg(value_name = "PATH")]
    path: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        let store = global.open().await?;
        let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
        let total = match &global.database_url {
            DatabaseUrl::Sqlite(path) => size(path),
            DatabaseUrl::Postgres(_) => 0,
        };
        let (bar, partial) = (bar(total, "bytes").with_message("backing up"), partial_backup(&self.path));
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        let mut backup = std::pin::pin!(store.backup(self.path.clone()));
        let done = loop {
            tokio::select! {
                done = &mut backup => break done,
                _ = tick.tick() => bar.set_position(size(&partial)),
            }
        };
        bar.finish_and_clear();
        done.with_context(|| format!("cannot back up to {}", self.path.display()))?;
        say(format_args!("Backed up to {} ({} bytes).", self.path.display(), size(&self.path)));
        Ok(())
    }
}
