//! Parses one row of a file.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use csv::ByteRecord;
use timelog_domain::{
    Description, Details, ExternalRef, ExternalRefPart, InvalidDuration, TimeEntryId, UserId,
    WorkDuration,
};
use uuid::Uuid;

use super::clock;
use super::columns::{Columns, Field, Format, Part};
use super::date_format::{self, DateFormat};
use super::fault::{Fault, quoted};
use super::identity::Content;

/// A row of a file.
#[derive(Debug)]
pub(super) struct Row {
    /// The line it begins on.
    pub(super) line: u64,
    /// Whether it meets the conditions of `--where`.
    pub(super) wanted: bool,
    /// The parsed row, or all its faults.
    pub(super) draft: Result<Draft, Vec<Fault>>,
}

/// The user of a row before its user is looked up.
const NOBODY: UserId = UserId::new(Uuid::nil());

/// A parsed row, before its user is looked up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Draft {
    /// The names of the user in the row, the best first.
    pub(super) names: Vec<String>,
    /// Everything else. Its user is [`NOBODY`].
    pub(super) details: Details,
    pub(super) identity: Identity,
}

/// How a row is recognized when it is imported again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// By its name in another system.
    Reference(ExternalRef),
    /// By the id it has as a time entry of the service that it was exported from.
    TimeEntry(TimeEntryId),
    /// By a digest of its cells.
    Content(Content),
}

/// The cells of a row, their columns, and the faults that were found.
struct Cells<'a> {
    columns: &'a Columns,
    values: Vec<&'a str>,
    faults: Vec<Fault>,
}

impl<'a> Cells<'a> {
    fn cell(&self, field: Field) -> Option<&'a str> {
        self.columns.cell(field, &self.values)
    }

    /// A cell with a text. The columns of "timelog export" may protect it with an apostrophe.
    fn text(&self, field: Field) -> Option<Cow<'a, str>> {
        let cell = self.cell(field)?;
        if self.columns.is_exported(field) {
            crate::wire::csv::read(cell)
        } else {
            Some(Cow::Borrowed(cell))
        }
    }

    fn check<T>(&mut self, field: Field, value: Result<T, impl Display>) -> Option<T> {
        value.map_err(|message| self.faults.push(Fault::new(field, message))).ok()
    }

    /// A cell that parses into a `T`.
    fn parsed<T: FromStr<Err: Display>>(&mut self, field: Field) -> Option<T> {
        let value = self.cell(field)?.parse::<T>().map_err(|error| format!("{error}"));
        self.check(field, value)
    }
}

/// Reads a row of a CSV file.
pub(super) fn read(
    row: &ByteRecord,
    columns: &Columns,
    dates: Option<&DateFormat>,
) -> Result<Draft, Vec<Fault>> {
    if row.len() != columns.count {
        let message = format!("the row has {} cells and the header {}", row.len(), columns.count);
        return Err(vec![Fault::new("", message)]);
    }
    let values = row.iter().map(std::str::from_utf8).collect::<Result<Vec<_>, _>>();
    let values =
        values.map_err(|error| vec![Fault::new("", format!("the row is not UTF-8: {error}"))])?;
    let mut cells = Cells { columns, values, faults: Vec::new() };
    let work_date = match cells.cell(Field::WorkDate) {
        Some(cell) => cells.check(Field::WorkDate, date_format::day(cell, dates)),
        None => cells.check(Field::WorkDate, Err("is required")),
    };
    let duration = duration(&mut cells);
    let description = cells.text(Field::Description).map(|text| text.parse::<Description>());
    let description = description.and_then(|text| cells.check(Field::Description, text));
    let billable = cells.cell(Field::Billable).map_or(Some(true), |cell| {
        let billable =
            boolean(cell).ok_or_else(|| format!("{} is neither yes nor no", quoted(cell)));
        cells.check(Field::Billable, billable)
    });
    let ticket_id = cells.parsed(Field::TicketId);
    let release_id = cells.parsed(Field::ReleaseId);
    let names =
        columns.cells(Field::UserId, &cells.values).map(|name| name.trim().to_owned()).collect();
    let identity = identity(&mut cells, dates);
    let draft = || {
        let (work_date, duration, billable) = (work_date?, duration?, billable?);
        let details = Details {
            description,
            billable,
            ticket_id,
            release_id,
            ..Details::new(NOBODY, work_date, duration)
        };
        Some(Draft { names, details, identity: identity? })
    };
    match draft() {
        Some(draft) if cells.faults.is_empty() => Ok(draft),
        _ => Err(cells.faults),
    }
}

/// How long the work took. The most exact cell wins: `H:MM:SS`, then minutes, then hours.
fn duration(cells: &mut Cells<'_>) -> Option<WorkDuration> {
    if let Some(cell) = cells.cell(Field::Duration) {
        return cells.check(Field::Duration, clock::duration(cell));
    }
    let minutes = cells.cell(Field::Minutes).map(str::parse::<i64>);
    if let Some(Err(_)) = minutes {
        return cells.check(Field::Minutes, Err(InvalidDuration::MinutesOutOfRange));
    }
    let hours = cells.cell(Field::Hours);
    let duration = WorkDuration::to_log(minutes.and_then(Result::ok).into(), hours.into());
    let fault = |error: InvalidDuration| Fault::new(error.member(), error);
    duration.map_err(|errors| cells.faults.extend(errors.into_iter().map(fault))).ok()
}

fn boolean(cell: &str) -> Option<bool> {
    match cell.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// How the row is recognized: by its own id if it has one, otherwise by its content.
fn identity(cells: &mut Cells<'_>, dates: Option<&DateFormat>) -> Option<Identity> {
    const NAMES: [Field; 3] = [Field::Provider, Field::ExternalType, Field::ExternalId];
    if NAMES.iter().any(|field| cells.cell(*field).is_some()) {
        let (provider, kind) = default_names(cells.columns.format);
        let mut part = |field, usual: &str| {
            let text = cells.text(field).unwrap_or(Cow::Borrowed(usual)).parse::<ExternalRefPart>();
            cells.check(field, text)
        };
        let provider = part(Field::Provider, provider);
        let external_type = part(Field::ExternalType, kind);
        let external_id = part(Field::ExternalId, "");
        return Some(Identity::Reference(ExternalRef {
            provider: provider?,
            external_type: external_type?,
            external_id: external_id?,
        }));
    }
    if cells.cell(Field::Id).is_some() {
        return cells.parsed(Field::Id).map(Identity::TimeEntry);
    }
    Some(Identity::Content(content(cells, dates)))
}

/// The default provider and type of an external reference.
pub(super) const fn default_names(format: Format) -> (&'static str, &'static str) {
    match format {
        Format::Toggl => ("toggl", "time-entry"),
        Format::Clockify => ("clockify", "time-entry"),
        Format::Ndjson => ("ndjson", "row"),
        Format::Auto | Format::Timelog => ("csv", "row"),
    }
}

/// The digest of the row's cells, with days, times and durations in one form. `--map` and `--users`
/// do not change it.
fn content(cells: &Cells<'_>, dates: Option<&DateFormat>) -> Content {
    let values = cells.columns.identity.iter().map(|(columns, part)| {
        let mut filled = columns
            .iter()
            .filter_map(|column| cells.values.get(*column))
            .filter(|cell| !cell.is_empty());
        let cell = filled.next().copied().unwrap_or_default();
        match part {
            Part::Text => cell.to_owned(),
            Part::Person => cell.trim().to_lowercase(),
            Part::Day => date_format::day(cell, dates)
                .map_or_else(|_| cell.to_owned(), |day| day.to_string()),
            Part::TimeOfDay => clock::time_of_day(cell),
            Part::Duration => {
                clock::seconds(cell).map_or_else(|| cell.to_owned(), |seconds| seconds.to_string())
            }
        }
    });
    Content::of(values)
}
