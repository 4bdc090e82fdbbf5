//! `timelog export`

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use serde::Serialize;
use timelog_domain::ports::{Directory, TimeEntryQueries};
use timelog_domain::{
    ExternalRefPart, Filter, OrganizationId, PageRequest, ProjectId, ReleaseId, Sort, Source,
    Status, TicketId, TimeEntry, UserId, WorkDate,
};

use super::Global;
use super::output::{Kept, Output, Target};
use super::progress::bar;
use super::say::unwritten;
use crate::answer::EntryBody;
use crate::csv;
use crate::http::query::Instant;
use crate::json::bytes;

/// How many entries are read at a time.
const PAGE: u32 = 1000;

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The organization. It may be left out where the database has only one.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// What to write: a table for spreadsheets, or one JSON object a line.
    #[arg(long, value_enum, default_value_t = Format::Csv, value_name = "FORMAT")]
    format: Format,
    /// The file to write; standard output if it is not given.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file of --out if it exists.
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    entries: Entries,
    /// The order: workDate, createdAt or updatedAt, after - for descending.
    #[arg(long, default_value = "workDate", allow_hyphen_values = true, value_name = "ORDER")]
    sort: Sort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Csv,
    Ndjson,
}

/// Which entries to export: all that meet every condition.
#[derive(Debug, Args)]
struct Entries {
    /// Logged on this project.
    #[arg(long, value_name = "ID")]
    project: Option<ProjectId>,
    /// Of this user.
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
    /// Spent on this ticket.
    #[arg(long, value_name = "ID")]
    entry: Option<TicketId>,
    /// Spent on this release.
    #[arg(long, value_name = "ID")]
    release: Option<ReleaseId>,
    /// In this status; may be repeated.
    #[arg(long, value_name = "STATUS")]
    status: Vec<Status>,
    /// Billable (true) or not (false).
    #[arg(long, value_name = "BOOLEAN")]
    billable: Option<bool>,
    /// Created in this way: api, ui or import.
    #[arg(long, value_name = "SOURCE")]
    source: Option<Source>,
    /// Worked on this day or later.
    #[arg(long, value_name = "DATE")]
    from: Option<WorkDate>,
    /// Worked on this day or earlier.
    #[arg(long, value_name = "DATE")]
    to: Option<WorkDate>,
    /// Last changed at this instant or later.
    #[arg(long, value_name = "INSTANT")]
    updated_since: Option<Instant>,
    /// Known to this other system.
    #[arg(long, value_name = "TEXT")]
    external_provider: Option<ExternalRefPart>,
    /// Of this kind there.
    #[arg(long, value_name = "TEXT")]
    external_type: Option<ExternalRefPart>,
    /// Under this id there.
    #[arg(long, value_name = "TEXT")]
    external_id: Option<ExternalRefPart>,
}

impl Entries {
    fn filter(self) -> Filter {
        Filter {
            project_id: self.project,
            user_id: self.user,
            ticket_id: self.entry,
            release_id: self.release,
            statuses: self.status.into_iter().collect(),
            billable: self.billable,
            source: self.source,
            from: self.from,
            to: self.to,
            updated_since: self.updated_since.map(|Instant(instant)| instant),
            external_provider: self.external_provider,
            external_type: self.external_type,
            external_id: self.external_id,
        }
    }
}

impl Export {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        let filter = self.entries.filter();
        ensure!(
            filter.from.is_none() || filter.to.is_none() || filter.from <= filter.to,
            "--from is after --to"
        );
        let kept = Kept::database(&global.database_url);
        let target = match self.out {
            Some(path) => Ok(Target::new(path, "--out", self.force, kept)),
            None => Err(Output::standard(&kept)?),
        };
        if let Ok(target) = &target {
            target.check()?;
        }
        let store = global.open().await?;
        let organization = super::organization(&store, self.organization).await?;
        if let Some(project) = filter.project_id {
            let project = store.project(organization, project).await?;
            project.context(
                "the organization has no such project, or there is no such organization",
            )?;
        }
        let total = store
            .count(organization, filter.clone())
            .await
            .context("the entries could not be counted")?;
        let mut out = match target {
            Ok(target) => target.open()?,
            Err(standard) => standard,
        };
        let bar = bar(total, "entries").with_message("exporting");
        let (sort, format) = (self.sort, self.format);
        let write = async |out: &mut Output| {
            write(&*store, organization, filter, sort, format, out, |n| bar.inc(n)).await
        };
        let written = out.fill(write).await;
        bar.finish_and_clear();
        written?;
        out.finish()
    }
}

/// Writes the entries page by page, so that memory does not grow with their number.
pub(super) async fn write(
    store: &dyn TimeEntryQueries,
    organization: OrganizationId,
    filter: Filter,
    sort: Sort,
    format: Format,
    out: impl Write,
    progress: impl Fn(u64),
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(out);
    let mut text = if format == Format::Csv { csv::header() } else { Vec::new() };
    let mut after = None;
    loop {
        let request = PageRequest { filter: filter.clone(), sort, after, limit: PAGE };
        let page =
            store.list(organization, request).await.context("the entries could not be read")?;
        for entry in &page.items {
            match format {
                Format::Csv => csv::append(&mut text, entry),
                Format::Ndjson => append(&mut text, entry),
            }
        }
        out.write_all(&text).map_err(cannot_write)?;
        progress(page.items.len() as u64);
        text.clear();
        after = page.next;
        if after.is_none() {
            return out.flush().map_err(cannot_write);
        }
    }
}

fn cannot_write(error: std::io::Error) -> anyhow::Error {
    unwritten(error, "cannot write the entries")
}

/// An entry as the API shows it, and its external reference, which the API takes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported<'a> {
    #[serde(flatten)]
    entry: EntryBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_ref: Option<Reference<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference<'a> {
    provider: &'a str,
    external_type: &'a str,
    external_id: &'a str,
}

fn append(text: &mut Vec<u8>, entry: &TimeEntry) {
    let external_ref = entry.external_ref().map(|reference| Reference {
        provider: reference.provider.as_str(),
        external_type: reference.external_type.as_str(),
        external_id: reference.external_id.as_str(),
    });
    text.extend(bytes(&Exported { entry: entry.into(), external_ref }));
    text.push(b'\n');
}
