//! `timelog copy`

use std::sync::Mutex;

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use timelog_adapters::{CopyProgress, DatabaseUrl, copy};

use super::global::Global;
use super::output::Kept;
use super::progress::bar;
use super::say;

#[derive(Debug, Args)]
pub(super) struct Copy {
    /// The database to copy from. Nothing may write to it meanwhile: stop the service first.
    #[arg(long, value_name = "URL")]
    from: DatabaseUrl,
    /// The database to copy to. It is created or migrated. A copy that was interrupted continues
    /// where it stopped.
    #[arg(long, value_name = "URL")]
    to: DatabaseUrl,
}

impl Copy {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        anyhow::ensure!(!same(&self.from, &self.to), "--from and --to name the same database");
        let from = global.open_at(&self.from).await?;
        let (to, _) = global.open_or_make(&self.to).await?;
        let shown: Mutex<Option<(&str, ProgressBar)>> = Mutex::new(None);
        let show = |progress: CopyProgress| {
            let mut shown = shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if shown.as_ref().is_none_or(|(table, _)| *table != progress.table) {
                let bar = bar(progress.total, "rows").with_message(progress.table);
                if let Some((_, before)) = shown.replace((progress.table, bar)) {
                    before.finish_and_clear();
                }
            }
            if let Some((_, bar)) = &*shown {
                bar.set_position(progress.rows);
            }
        };
        let copied = copy(&from, &to, &show).await;
        if let Ok(Some((_, bar))) = shown.lock().map(|mut shown| shown.take()) {
            bar.finish_and_clear();
        }
        for table in
            copied.with_context(|| format!("cannot copy from {} to {}", self.from, self.to))?
        {
            say(format_args!("{:<20} {:>12} rows in both", table.table, table.total))?;
        }
        Ok(())
    }
}

/// Whether two URLs name the same database. For PostgreSQL only the URLs are compared: a database
/// that is copied onto itself does not change.
fn same(from: &DatabaseUrl, to: &DatabaseUrl) -> bool {
    let files = matches!((from, to), (DatabaseUrl::Sqlite(_), DatabaseUrl::Sqlite(_)));
    let from_files = Kept::database(from);
    from == to || (files && to.files().iter().any(|file| from_files.find(file).is_some()))
}
