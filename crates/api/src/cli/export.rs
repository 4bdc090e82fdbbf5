//! `timelog export`

use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use rust_xlsxwriter::XlsxError;
use timelog_domain::ports::{Directory, TimeEntryQueries};
use timelog_domain::{Filter, Names, OrganizationId, PageRequest, ProjectId, Sort, TimeEntry};

use super::Global;
use super::output::{Kept, Output, Target};
use super::progress::bar;
use super::say::unwritten;
use crate::wire::filter::EntryFilter;
use crate::wire::include::{Include, Included};
use crate::wire::time_entry::TimeEntryBody;
use crate::wire::workbook::{self, Workbook};
use crate::wire::{bytes, csv};

/// How many entries are read at a time.
const PAGE: u32 = 1000;

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The organization. It may be left out where the database has only one.
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// What to write: a table as CSV, one JSON object a line, or a workbook for spreadsheets.
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
    Xlsx,
}

impl Export {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        let filter = self.entries.filter(self.project, None);
        ensure!(
            filter.from.is_none() || filter.to.is_none() || filter.from <= filter.to,
            "--from is after --to"
        );
        ensure!(
            self.format != Format::Xlsx || self.out.is_some() || !std::io::stdout().is_terminal(),
            "a terminal cannot show a workbook; name a file with --out"
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
            project.context("the organization has no such project")?;
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
    store: &(impl TimeEntryQueries + Directory),
    organization: OrganizationId,
    filter: Filter,
    sort: Sort,
    format: Format,
    out: impl Write + Send,
    progress: impl Fn(u64),
) -> anyhow::Result<()> {
    let mut table = Table::begin(format, BufWriter::new(out))?;
    let mut after = None;
    loop {
        let request = PageRequest { filter: filter.clone(), sort, after, limit: PAGE };
        let page = store.list(organization, request).await.context(UNREAD)?;
        let names = match format {
            Format::Ndjson => Names::default(),
            Format::Csv | Format::Xlsx => {
                store.names(organization, page.items.iter().collect()).await.context(UNREAD)?
            }
        };
        table.append(&page.items, &names)?;
        progress(page.items.len() as u64);
        after = page.next;
        if after.is_none() {
            return table.finish();
        }
    }
}

const UNREAD: &str = "the entries could not be read";

/// A table that is being written.
enum Table<W: Write> {
    Lines { out: W, append: fn(&mut Vec<u8>, &TimeEntry, &Names) },
    Workbook { out: W, workbook: Box<Workbook> },
}

impl<W: Write + Send> Table<W> {
    fn begin(format: Format, mut out: W) -> anyhow::Result<Self> {
        Ok(match format {
            Format::Csv => {
                out.write_all(&csv::header()).map_err(cannot_write)?;
                Self::Lines { out, append: csv::append }
            }
            Format::Ndjson => Self::Lines { out, append },
            Format::Xlsx => {
                let workbook = Box::new(Workbook::new().map_err(without_room)?);
                Self::Workbook { out, workbook }
            }
        })
    }

    fn append(&mut self, entries: &[TimeEntry], names: &Names) -> anyhow::Result<()> {
        match self {
            Self::Lines { out, append } => {
                let mut text = Vec::new();
                for entry in entries {
                    append(&mut text, entry, names);
                }
                out.write_all(&text).map_err(cannot_write)
            }
            Self::Workbook { workbook, .. } => {
                let mut entries = entries.iter();
                entries.try_for_each(|entry| workbook.append(entry, names)).map_err(without_room)
            }
        }
    }

    fn finish(self) -> anyhow::Result<()> {
        let mut out = match self {
            Self::Lines { out, .. } => out,
            Self::Workbook { mut out, workbook } => {
                workbook.finish(&mut out).map_err(without_room)?;
                out
            }
        };
        out.flush().map_err(cannot_write)
    }
}

fn without_room(error: XlsxError) -> anyhow::Error {
    unwritten(workbook::io_error(error), "cannot write the workbook")
}

fn cannot_write(error: std::io::Error) -> anyhow::Error {
    unwritten(error, "cannot write the entries")
}

/// An entry as the API answers it, with its external reference if it has one, so that it can be
/// imported again.
fn append(text: &mut Vec<u8>, entry: &TimeEntry, _: &Names) {
    let none = Include::default();
    let reference = entry.external_ref().map(|_| none.and(Included::ExternalRef));
    let include = reference.unwrap_or(none);
    text.extend(bytes(&TimeEntryBody::showing(entry, include)));
    text.push(b'\n');
}
