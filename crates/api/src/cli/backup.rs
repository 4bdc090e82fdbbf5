//! `timelog backup`

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use timelog_adapters::{DatabaseUrl, Store, shown};

use super::end::unless_told_to_stop;
use super::global::Global;
use super::output::{Kept, NewFile, Target};
use super::progress::bar;
use super::say;

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Replace the file if it exists. The old one stays until the new one is complete.
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        let DatabaseUrl::Sqlite(database) = &global.database_url else {
            bail!("only an SQLite database is backed up this way; use pg_dump or pg_basebackup");
        };
        // If there is no database, opening it reports that.
        let found = fs::metadata(database).ok();
        let target = Target::new(
            self.path.clone(),
            "PATH",
            self.force,
            Kept::database(&global.database_url),
        );
        // Whoever may not read the database must not read its copy either.
        let target = target.with_mode(found.as_ref().map_or(0, |found| found.permissions().mode()));
        target.check()?;
        has_no_companions(&self.path)?;
        let store = global.open().await?;
        let file = target.begin()?;
        let copied =
            unless_told_to_stop(copy(&store, &file, found.map_or(0, |found| found.len()))).await;
        if copied.is_err() {
            // SQLite keeps a journal beside the file while it writes it. It may be gone already.
            companions(file.partial()).for_each(|journal| drop(fs::remove_file(journal)));
        }
        copied.with_context(|| format!("cannot back up to {}", shown::path(&self.path)))?;
        let size = file.size();
        has_no_companions(&self.path)?;
        file.finish()?;
        say(format_args!("Backed up to {} ({size} bytes).", shown::path(&self.path)))
    }
}

async fn copy(store: &Store, file: &NewFile, expected: u64) -> anyhow::Result<()> {
    let bar = bar(expected, "bytes").with_message("backing up");
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let mut backup = std::pin::pin!(store.backup(file.partial().to_owned()));
    let done = loop {
        tokio::select! {
            done = &mut backup => break done,
            _ = tick.tick() => bar.set_position(file.size()),
        }
    };
    bar.finish_and_clear();
    Ok(done?)
}

/// The files that SQLite keeps beside a database.
fn companions(path: &Path) -> impl Iterator<Item = PathBuf> {
    DatabaseUrl::Sqlite(path.to_owned()).files().into_iter().skip(1)
}

/// SQLite takes files with these names for the latest changes of the database beside them. Those of
/// another database would be applied to the backup.
fn has_no_companions(path: &Path) -> anyhow::Result<()> {
    for companion in companions(path) {
        let left = fs::metadata(&companion).is_ok_and(|file| file.len() > 0);
        let name = shown::path(&companion);
        ensure!(
            !left,
            "{name} lies there, which SQLite would take for a part of the backup; move it away \
             first"
        );
    }
    Ok(())
}
