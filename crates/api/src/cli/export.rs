//! `timelog export`

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use timelog_domain::ports::{Directory, TimeEntryQueries};
use timelog_domain::{Filter, OrganizationId, PageRequest, ProjectId, Sort, TimeEntry};

use super::Global;
use super::output::{Kept, Output, Target};
use super::progress::bar;
use super::say::unwritten;
use crate::wire::filter::EntryFilter;
use crate::wire::include::{Include, Included};
use crate::wire::time_entry::TimeEntryBody;
use crate::wire::{bytes, csv};

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
    /// Only the entries of this project.
    #[arg(long, value_name = "ID")]
    project: Option<ProjectId>,
    #[command(flatten)]
    entries: EntryFilter,
    /// The order: workDate, createdAt or updatedAt, after - for descending.
    #[arg(long, default_value = "workDate", allow_hyphen_values = true, value_name = "ORDER")]
    sort: Sort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Csv,
    Ndjson,
}

impl Export {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        let filter = self.entries.filter(self.project, None);
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

/// An entry as the API answers it, with its external reference if it has one, so that it can be
/// imported again.
fn append(text: &mut Vec<u8>, entry: &TimeEntry) {
    let none = Include::default();
    let reference = entry.external_ref().map(|_| none.and(Included::ExternalRef));
    let include = reference.unwrap_or(none);
    text.extend(bytes(&TimeEntryBody::showing(entry, include)));
    text.push(b'\n');
}
