//! Reads the file row by row, with only one row in memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use anyhow::{Context, bail};
use csv::ByteRecord;
use timelog_adapters::shown;

use super::columns::{Columns, Condition, Field, Format, Mapping};
use super::date_format::DateFormat;
use super::fault::{Fault, faults};
use super::identity::Content;
use super::lines::{LONGEST_ROW, Lines};
use super::row::{self, Draft, Identity, Row};
use crate::wire::time_entry::{ExportedBody, LogBody, Logged};
use crate::wire::{Handling, Json, Unreadable};

/// A file and how to read it.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) format: Format,
    pub(super) map: Vec<Mapping>,
    pub(super) conditions: Vec<Condition>,
    pub(super) dates: Option<DateFormat>,
    pub(super) delimiter: u8,
}

/// The rows of a file.
pub(super) enum Rows<'a> {
    Csv(Box<CsvRows<'a>>),
    Ndjson(NdjsonRows),
}

impl Source {
    /// Reads the file from its beginning.
    pub(super) fn rows(&self) -> anyhow::Result<Rows<'_>> {
        let file = File::open(&self.path)
            .with_context(|| format!("cannot open {}", shown::path(&self.path)))?;
        if !self.is_ndjson() {
            return Ok(Rows::Csv(Box::new(CsvRows::of(file, self)?)));
        }
        if !(self.map.is_empty()
            && self.conditions.is_empty()
            && self.dates.is_none()
            && self.delimiter == b',')
        {
            bail!(
                "--map, --where, --date-format and --delimiter are for CSV; the members of NDJSON \
                 have the names and forms \
                 of the API"
            );
        }
        Ok(Rows::Ndjson(NdjsonRows { file: BufReader::new(file), read: 0, line: 0 }))
    }

    fn is_ndjson(&self) -> bool {
        let extension = self.path.extension().unwrap_or_default();
        match self.format {
            Format::Ndjson => true,
            Format::Auto => {
                ["ndjson", "jsonl"].iter().any(|known| extension.eq_ignore_ascii_case(known))
            }
            Format::Timelog | Format::Toggl | Format::Clockify => false,
        }
    }
}

impl Rows<'_> {
    /// The format, detected if it was `auto`.
    pub(super) fn format(&self) -> Format {
        match self {
            Self::Csv(rows) => rows.columns.format,
            Self::Ndjson(_) => Format::Ndjson,
        }
    }

    /// Whether rows can name their users.
    pub(super) fn name_users(&self) -> bool {
        match self {
            Self::Csv(rows) => rows.columns.has(Field::UserId),
            Self::Ndjson(_) => true,
        }
    }

    /// How many bytes were read.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.reader.get_ref().bytes_read(),
            Self::Ndjson(rows) => rows.read,
        }
    }

    /// The next row, if there is one. An error means that the rest of the file cannot be read.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Row>> {
        match self {
            Self::Csv(rows) => rows.next(),
            Self::Ndjson(rows) => rows.next(),
        }
    }
}

pub(super) struct CsvRows<'a> {
    reader: csv::Reader<Lines<File>>,
    record: ByteRecord,
    columns: Columns,
    dates: Option<&'a DateFormat>,
}

impl<'a> CsvRows<'a> {
    fn of(file: File, source: &'a Source) -> anyhow::Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(source.delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(Lines::of(file));
        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).context("cannot read the file")? {
            bail!("the file is empty; its first line must name the columns");
        }
        let columns = Columns::find(&record, source.format, &source.map, &source.conditions)?;
        Ok(Self { reader, record, columns, dates: source.dates.as_ref() })
    }

    fn next(&mut self) -> anyhow::Result<Option<Row>> {
        if !self.reader.read_byte_record(&mut self.record).context("cannot read the file")? {
            return Ok(None);
        }
        let byte = self.record.position().map_or(0, csv::Position::byte);
        let line = self.reader.get_mut().line_of_row_at(byte);
        let draft = row::read(&self.record, &self.columns, self.dates);
        Ok(Some(Row { line, wanted: self.columns.is_wanted(&self.record), draft }))
    }
}

pub(super) struct NdjsonRows {
    file: BufReader<File>,
    read: u64,
    line: u64,
}

impl NdjsonRows {
    fn next(&mut self) -> anyhow::Result<Option<Row>> {
        loop {
            let mut line = Vec::new();
            let mut limited = Read::by_ref(&mut self.file).take(LONGEST_ROW);
            let count =
                limited.read_until(b'\n', &mut line).context("cannot read the file")? as u64;
            if count == 0 {
                return Ok(None);
            }
            self.read += count;
            self.line += 1;
            if count == LONGEST_ROW && line.last() != Some(&b'\n') {
                bail!("line {} is longer than {LONGEST_ROW} bytes", self.line);
            }
            let text = if self.line == 1 {
                line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line)
            } else {
                &line
            };
            if !text.trim_ascii().is_empty() {
                return Ok(Some(Row { line: self.line, wanted: true, draft: draft_of_json(text) }));
            }
        }
    }
}

/// Parses a line like the body of a request. A line of "timelog export" also has the entry's id.
fn draft_of_json(line: &[u8]) -> Result<Draft, Vec<Fault>> {
    let json = Json::new(line, Handling::Lenient);
    let Logged { details, external_ref } =
        json.read::<LogBody>(()).map_err(|error| of_body(&error))?;
    let identity = match external_ref {
        Some(reference) => Identity::Reference(reference),
        None => match json.read::<ExportedBody>(()).map_err(|error| of_body(&error))?.id {
            Some(id) => Identity::TimeEntry(id),
            None => Identity::Content(Content::of([
                details.user_id.to_string(),
                details.work_date.to_string(),
                details.duration.minutes().to_string(),
                details.description.as_ref().map(|text| format!("={text}")).unwrap_or_default(),
                details.billable.to_string(),
                details.ticket_id.map(|id| id.to_string()).unwrap_or_default(),
                details.release_id.map(|id| id.to_string()).unwrap_or_default(),
            ])),
        },
    };
    Ok(Draft { names: vec![details.user_id.to_string()], details, identity })
}

fn of_body(unreadable: &Unreadable) -> Vec<Fault> {
    faults(unreadable.reasons())
}
