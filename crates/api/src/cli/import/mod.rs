//! `timelog import`

mod clock;
mod columns;
mod date_format;
mod fault;
mod file;
mod identity;
mod lines;
mod load;
mod report;
mod row;
#[cfg(test)]
mod tests;
mod users;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use timelog_adapters::shown;
use timelog_domain::ports::{Closings, Directory, TimeEntryQueries, TimeEntryRepository};
use timelog_domain::{Caller, KeyId, OrganizationId, ProjectId, UserId};
use uuid::Uuid;

use self::columns::{Condition, Format, Mapping};
use self::date_format::DateFormat;
use self::file::Source;
use self::identity::Repeats;
use self::load::{Load, Refused};
use self::report::{Counts, RefusedRows};
use self::row::{Identity, Row};
use self::users::Users;
use super::end::unless_told_to_stop;
use super::output::{Kept, Output, Target};
use super::progress::bar;
use super::{Global, say, say_json};

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file to import. It is read twice, so it must be a file and not a pipe.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The project to log on.
    #[arg(long, value_name = "ID")]
    project: ProjectId,
    /// The organization of the project. It may be left out where the database has only one.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// The user that every row belongs to.
    #[arg(long, value_name = "ID", conflicts_with = "users")]
    user: Option<UserId>,
    /// A CSV file that says which user a row belongs to: on each line an e-mail address or name as
    /// the rows have it, and the user's id.
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// What wrote the file.
    #[arg(long, value_enum, default_value_t = Format::Auto, value_name = "FORMAT")]
    format: Format,
    /// Take a field from this column, or leave it out where no column is named. Fields: userId,
    /// workDate, minutes, hours, duration (H:MM:SS), description, billable, entryId, releaseId, id,
    /// externalRef.provider, externalRef.externalType, externalRef.externalId.
    #[arg(long, value_name = "FIELD=COLUMN")]
    map: Vec<Mapping>,
    /// Import only the rows that have this value in this column, such as Project=Website.
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    conditions: Vec<Condition>,
    /// How the file writes days, where that is not YYYY-MM-DD: such as MM/DD/YYYY or DD.MM.YYYY. It
    /// is never guessed.
    #[arg(long, value_name = "FORMAT")]
    date_format: Option<DateFormat>,
    /// What separates the columns.
    #[arg(long, default_value = ",", value_parser = delimiter, value_name = "CHARACTER")]
    delimiter: u8,
    /// Decide everything and store nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write the refused rows to this CSV file (line, field, message) instead of standard error.
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
    /// Replace the file of --refused if it exists.
    #[arg(long, requires = "refused")]
    force: bool,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        let size = self.size()?;
        let target = self.target(global)?;
        let users = match (self.user, &self.users) {
            (Some(user), _) => Users::one(user),
            (None, Some(path)) => Users::read(path)?,
            (None, None) => Users::default(),
        };
        let store = global.open().await?;
        let organization = super::organization(&store, self.organization).await?;
        let (project, dry_run, json) = (self.project, self.dry_run, self.json);
        let source = self.source();
        let began = Instant::now();
        let bar =
            bar(size * 2, "bytes").with_message(if dry_run { "checking" } else { "importing" });
        let file = target.map(Target::open).transpose()?;
        let is_new_file = matches!(file, Some(Output::New(_)));
        let mut refused = RefusedRows::to(file, &bar)?;
        let job = Job { organization, project, users: &users, dry_run, bar: &bar };
        let work = job.run(&*store, &source, &mut refused);
        let done = if is_new_file { unless_told_to_stop(work).await } else { work.await };
        bar.finish_and_clear();
        refused.finish()?;
        let counts = done?;
        summarize(counts, began, dry_run, json)?;
        match counts.refused {
            0 => Ok(()),
            refused => bail!("{refused} of {} rows were refused", counts.rows()),
        }
    }

    /// The size of the file, if it is one.
    fn size(&self) -> anyhow::Result<u64> {
        let file = std::fs::metadata(&self.file)
            .with_context(|| format!("cannot open {}", shown::path(&self.file)))?;
        ensure!(
            file.is_file(),
            "{} is not a file; it is read twice, so it must be one",
            shown::path(&self.file)
        );
        Ok(file.len())
    }

    /// The file for refused rows. It must not be one of the files that are read. Those must not
    /// belong to the database.
    fn target(&self, global: &Global) -> anyhow::Result<Option<Target>> {
        let mut kept = Kept::database(&global.database_url);
        for file in [Some(&self.file), self.users.as_ref()].into_iter().flatten() {
            ensure!(
                kept.find(file).is_none(),
                "{} is the database, or belongs to it",
                shown::path(file)
            );
        }
        kept = kept.and(&self.file, "the file that is imported");
        if let Some(users) = &self.users {
            kept = kept.and(users, "the file of --users");
        }
        let target =
            self.refused.clone().map(|path| Target::new(path, "--refused", self.force, kept));
        target.as_ref().map_or(Ok(()), Target::check)?;
        Ok(target)
    }

    fn source(self) -> Source {
        let Self { file: path, format, map, conditions, date_format: dates, delimiter, .. } = self;
        Source { path, format, map, conditions, dates, delimiter }
    }
}

/// An import that is ready to run.
struct Job<'a> {
    organization: OrganizationId,
    project: ProjectId,
    users: &'a Users,
    dry_run: bool,
    bar: &'a ProgressBar,
}

impl Job<'_> {
    async fn run<S: TimeEntryRepository + TimeEntryQueries + Directory + Closings>(
        &self,
        store: &S,
        source: &Source,
        refused: &mut RefusedRows<'_>,
    ) -> anyhow::Result<Counts> {
        let project = store
            .project(self.organization, self.project)
            .await
            .context("the project could not be read")?;
        let project = project.context("the organization has no such project")?;
        ensure!(!project.archived, "the project is archived and takes no more time");
        let mut rows = source.rows()?;
        let format = rows.format();
        ensure!(
            rows.name_users() || !self.users.is_empty(),
            "no column says who a row is about; name a user with --user, or the column with --map \
             userId=COLUMN"
        );
        ensure!(
            !matches!(format, Format::Toggl | Format::Clockify) || !self.users.is_empty(),
            "the rows name people by e-mail address; say who they are with --users FILE, or with \
             --user ID for all of them"
        );
        let mut repeats = Repeats::new();
        let mut read = 0;
        while let Some(Row { draft, .. }) = rows.next()? {
            if let Ok(Identity::Content(content)) = draft.map(|draft| draft.identity) {
                repeats.note(content);
            }
            self.bar.set_position(rows.bytes());
            yield_at_times(&mut read).await;
        }
        let first_reading = rows.bytes();
        let mut load = Load {
            store,
            // No key makes these changes. The history shows the nil id.
            caller: Caller::new(self.organization, KeyId::new(Uuid::nil())),
            project: self.project,
            users: self.users,
            format,
            repeats,
            dry_run: self.dry_run,
            counts: Counts::default(),
            waiting: Vec::new(),
        };
        let mut rows = source.rows()?;
        let mut tell =
            |rows: Refused| rows.iter().try_for_each(|(line, faults)| refused.tell(*line, faults));
        while let Some(row) = rows.next()? {
            tell(load.take(row).await?)?;
            self.bar.set_position(first_reading + rows.bytes());
            yield_at_times(&mut read).await;
        }
        tell(load.flush().await?)?;
        Ok(load.counts)
    }
}

/// Counts a row that was read, and yields after every 1000 rows. Reading never waits, so without
/// this a signal would not be noticed.
async fn yield_at_times(read: &mut u64) {
    *read += 1;
    if read.is_multiple_of(1000) {
        tokio::task::yield_now().await;
    }
}

fn summarize(counts: Counts, began: Instant, dry_run: bool, as_json: bool) -> anyhow::Result<()> {
    let Counts { created, updated, unchanged, refused, skipped } = counts;
    let seconds = began.elapsed().as_secs_f64();
    if as_json {
        return say_json(&json!({
            "dryRun": dry_run, "rows": counts.rows(), "created": created, "updated": updated, "unchanged": unchanged,
            "refused": refused, "skipped": skipped, "seconds": (seconds * 1000.0).round() / 1000.0,
        }));
    }
    let what = [
        ("created", created),
        ("updated", updated),
        ("unchanged", unchanged),
        ("refused", refused),
    ];
    for (name, count) in
        what.into_iter().chain((skipped > 0).then_some(("left out by --where", skipped)))
    {
        say(format_args!("{name:<20} {count:>12}"))?;
    }
    #[expect(clippy::cast_precision_loss, reason = "it is a rate")]
    let rate = counts.rows() as f64 / seconds.max(0.001);
    say(format_args!("{} rows in {seconds:.1} s, {rate:.0} a second", counts.rows()))?;
    if dry_run {
        say("This was a dry run: nothing was stored.")?;
    }
    Ok(())
}

/// One ASCII character, or `\t`.
fn delimiter(text: &str) -> Result<u8, &'static str> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(*byte),
        _ => Err("write one character, such as ; or \\t for a tab"),
    }
}
