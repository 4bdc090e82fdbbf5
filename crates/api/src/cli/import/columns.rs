//! Which column of a CSV file has which field.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use csv::ByteRecord;
use timelog_adapters::shown;

/// What wrote the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Found out by the names of the columns, or by a file name that ends in .ndjson or .jsonl.
    Auto,
    /// CSV with columns named as the members of an entry, as "timelog export" writes it.
    Timelog,
    /// The detailed report of Toggl Track, as CSV.
    Toggl,
    /// The detailed report of Clockify, as CSV.
    Clockify,
    /// One JSON object a line, as the API takes them to log an entry.
    Ndjson,
}

/// Declares the fields, and the names of their columns in the files of "timelog export".
macro_rules! fields {
    ($($field:ident = $name:literal),+ $(,)?) => {
        /// A field of a row.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Field {
            $($field),+
        }

        impl Field {
            const ALL: &'static [Self] = &[$(Self::$field),+];

            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$field => $name),+
                }
            }
        }
    };
}

fields! {
    UserId = "userId",
    WorkDate = "workDate",
    Minutes = "minutes",
    Hours = "hours",
    Duration = "duration",
    Description = "description",
    Billable = "billable",
    TicketId = "entryId",
    ReleaseId = "releaseId",
    Id = "id",
    Provider = "externalRef.provider",
    ExternalType = "externalRef.externalType",
    ExternalId = "externalRef.externalId",
}

impl Field {
    /// All names, for a message.
    fn names() -> String {
        Self::ALL.iter().map(|field| field.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Whether it says how long the work took.
    const fn is_duration(self) -> bool {
        matches!(self, Self::Minutes | Self::Hours | Self::Duration)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// `FIELD=COLUMN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    field: Field,
    /// The column; none where the field is to be left out.
    column: Option<String>,
}

/// The text is no [`Mapping`].
#[derive(Debug, thiserror::Error)]
#[error("write FIELD=COLUMN, with a FIELD of {}", Field::names())]
pub(super) struct InvalidMapping;

impl FromStr for Mapping {
    type Err = InvalidMapping;

    fn from_str(text: &str) -> Result<Self, InvalidMapping> {
        let (field, column) = text.split_once('=').ok_or(InvalidMapping)?;
        let field =
            Field::ALL.iter().find(|known| known.as_str() == field).ok_or(InvalidMapping)?;
        Ok(Self {
            field: *field,
            column: Some(column.to_owned()).filter(|column| !column.is_empty()),
        })
    }
}

/// `COLUMN=VALUE` of `--where`: only rows with this value in this column are imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    column: String,
    value: String,
}

impl FromStr for Condition {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (column, value) = text.split_once('=').ok_or("write COLUMN=VALUE")?;
        Ok(Self { column: column.to_owned(), value: value.to_owned() })
    }
}

/// How a column is normalized for the digest of a row that has no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Text,
    Person,
    Day,
    TimeOfDay,
    Duration,
}

/// The columns of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) format: Format,
    /// How many columns there are.
    pub(super) count: usize,
    /// The columns of each field. The first that is not empty counts.
    fields: BTreeMap<Field, Vec<usize>>,
    /// The fields whose columns are named by `--map`.
    mapped: Vec<Field>,
    /// The columns that identify a row that has no id. In each group the first that is not empty
    /// counts.
    pub(super) identity: Vec<(Vec<usize>, Part)>,
    conditions: Vec<(usize, String)>,
}

impl Columns {
    /// Finds the columns by their names in the header.
    pub(super) fn find(
        header: &ByteRecord,
        format: Format,
        map: &[Mapping],
        conditions: &[Condition],
    ) -> anyhow::Result<Self> {
        let names: Vec<_> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let maps_day =
            map.iter().any(|mapping| mapping.field == Field::WorkDate && mapping.column.is_some());
        let format = match format {
            Format::Auto => detect(&names, maps_day)?,
            format => format,
        };
        let mut fields = BTreeMap::new();
        for (field, columns) in default_columns(format) {
            fields.insert(field, positions(&names, &columns)?);
        }
        // A column that --map names for the duration replaces all other columns for it.
        if map.iter().any(|mapping| mapping.field.is_duration() && mapping.column.is_some()) {
            fields.retain(|field, _| !field.is_duration());
        }
        for (index, Mapping { field, column }) in map.iter().enumerate() {
            let again = map.iter().skip(index + 1).any(|other| other.field == *field);
            ensure!(!again, "--map is given twice for {}", field.as_str());
            let column = column.as_ref().map(|name| required(&names, name)).transpose()?;
            fields.insert(*field, column.into_iter().collect());
        }
        fields.retain(|_, columns| !columns.is_empty());
        let conditions =
            conditions.iter().map(|only| Ok((required(&names, &only.column)?, only.value.clone())));
        let conditions = conditions.collect::<anyhow::Result<_>>()?;
        let identity = identity(format, &names)?;
        let mapped = map.iter().map(|mapping| mapping.field).collect();
        let columns = Self { format, count: names.len(), fields, mapped, identity, conditions };
        ensure!(
            columns.has(Field::WorkDate),
            "no column says the day; name it with --map workDate=COLUMN"
        );
        ensure!(
            columns.fields.keys().any(|field| field.is_duration()),
            "no column says how long; name it with --map minutes=COLUMN, --map hours=COLUMN or \
             --map duration=COLUMN"
        );
        Ok(columns)
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.fields.contains_key(&field)
    }

    /// Whether the column is one of "timelog export", and not one that `--map` names.
    pub(super) fn is_exported(&self, field: Field) -> bool {
        self.format == Format::Timelog && !self.mapped.contains(&field)
    }

    /// The cells of a field that are not empty.
    pub(super) fn cells<'a>(&self, field: Field, row: &[&'a str]) -> impl Iterator<Item = &'a str> {
        let columns = self.fields.get(&field).map(Vec::as_slice).unwrap_or_default();
        let cells: Vec<_> = columns.iter().filter_map(|column| row.get(*column).copied()).collect();
        cells.into_iter().filter(|cell| !cell.is_empty())
    }

    /// The first cell of a field that is not empty.
    pub(super) fn cell<'a>(&self, field: Field, row: &[&'a str]) -> Option<&'a str> {
        self.cells(field, row).next()
    }

    /// Whether the row meets every condition of `--where`.
    pub(super) fn is_wanted(&self, row: &ByteRecord) -> bool {
        self.conditions.iter().all(|(column, value)| row.get(*column) == Some(value.as_bytes()))
    }
}

/// The columns of each field by default. In the format of timelog they have the field's name.
fn default_columns(format: Format) -> Vec<(Field, Vec<&'static str>)> {
    let (day, durations) = match format {
        Format::Toggl => ("Start date", vec![(Field::Duration, vec!["Duration"])]),
        Format::Clockify => {
            let hours = (Field::Hours, vec!["Duration (decimal)"]);
            ("Start Date", vec![(Field::Duration, vec!["Duration (h)"]), hours])
        }
        Format::Auto | Format::Timelog | Format::Ndjson => {
            return Field::ALL.iter().map(|field| (*field, vec![field.as_str()])).collect();
        }
    };
    let others = [
        (Field::UserId, vec!["Email", "User"]),
        (Field::WorkDate, vec![day]),
        (Field::Description, vec!["Description"]),
        (Field::Billable, vec!["Billable"]),
    ];
    others.into_iter().chain(durations).collect()
}

/// The columns that identify a row. Rates, amounts, clients, tags and teams are left out, because
/// the other program can change them later for the same work. The format of timelog can have any
/// columns, and all of them count.
fn identity(format: Format, names: &[String]) -> anyhow::Result<Vec<(Vec<usize>, Part)>> {
    let all: &[(&[&str], Part)] = match format {
        Format::Toggl | Format::Clockify => &[
            (&["Email", "User"], Part::Person),
            (&["Project"], Part::Text),
            (&["Task"], Part::Text),
            (&["Description"], Part::Text),
            (&["Billable"], Part::Text),
            (&["Start date"], Part::Day),
            (&["Start time"], Part::TimeOfDay),
            (&["End date", "Stop date"], Part::Day),
            (&["End time", "Stop time"], Part::TimeOfDay),
            (&["Duration", "Duration (h)", "Duration (decimal)"], Part::Duration),
        ],
        Format::Auto | Format::Timelog | Format::Ndjson => {
            let mut columns: Vec<_> = names.iter().enumerate().collect();
            columns.sort_by_key(|(_, name)| *name);
            return Ok(columns.into_iter().map(|(column, _)| (vec![column], Part::Text)).collect());
        }
    };
    // A missing column still has its place, so that no value is taken for that of another column.
    all.iter().map(|(columns, part)| Ok((positions(names, columns)?, *part))).collect()
}

/// Detects the format by columns that Toggl Track and Clockify name differently.
fn detect(names: &[String], maps_day: bool) -> anyhow::Result<Format> {
    let has = |name: &str| names.iter().any(|other| other == name);
    if has("workDate") && (has("minutes") || has("hours") || has("duration")) {
        Ok(Format::Timelog)
    } else if has("Start date") && has("Duration") {
        Ok(Format::Toggl)
    } else if has("Start Date") && (has("Duration (h)") || has("Duration (decimal)")) {
        Ok(Format::Clockify)
    } else if maps_day {
        Ok(Format::Timelog)
    } else {
        bail!(
            "the columns are not those of timelog, Toggl Track or Clockify: {}. Name the format \
             with --format, or the columns \
             with --map, such as --map workDate=COLUMN --map hours=COLUMN",
            list(names)
        )
    }
}

/// The position of the column of that name, in any case of letters.
fn position(names: &[String], name: &str) -> anyhow::Result<Option<usize>> {
    let mut places = names.iter().enumerate().filter(|(_, other)| other.eq_ignore_ascii_case(name));
    let first = places.next().map(|(place, _)| place);
    ensure!(places.next().is_none(), "there are two columns named {}", named(name));
    Ok(first)
}

/// The positions of those columns that exist.
fn positions(names: &[String], columns: &[&str]) -> anyhow::Result<Vec<usize>> {
    columns.iter().filter_map(|name| position(names, name).transpose()).collect()
}

fn required(names: &[String], name: &str) -> anyhow::Result<usize> {
    let place = position(names, name)?;
    place.with_context(|| {
        format!("there is no column named {}; there are {}", named(name), list(names))
    })
}

/// The beginning of the name of a column, for a message.
fn named(name: &str) -> String {
    const MOST: usize = 40;
    shown::escaped(&shown::cut(name, MOST), |_| false).into_owned()
}

/// The names of the first columns.
fn list(names: &[String]) -> String {
    const MOST: usize = 50;
    let mut shown: Vec<_> = names.iter().take(MOST).map(|name| named(name)).collect();
    if names.len() > MOST {
        shown.push(format!("and {} more", names.len() - MOST));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(header: &str, map: &[&str]) -> anyhow::Result<Columns> {
        let header: Vec<_> = header.split(',').collect();
        let map: Vec<_> = map.iter().map(|mapping| mapping.parse().unwrap()).collect();
        Columns::find(&ByteRecord::from(header), Format::Auto, &map, &[])
    }

    const TOGGL: &str = "User,Email,Client,Project,Task,Description,Billable,Start date,Start \
        time,End date,End time,\
        Duration,Tags,Amount (USD)";
    const CLOCKIFY: &str = "Project,Client,Description,Task,User,Group,Email,Tags,Billable,Start \
        Date,Start Time,End Date,\
        End Time,Duration (h),Duration (decimal),Billable Rate (USD),Billable Amount (USD)";

    #[test]
    fn the_format_is_detected_by_its_columns() {
        assert_eq!(find(TOGGL, &[]).unwrap().format, Format::Toggl);
        assert_eq!(find(CLOCKIFY, &[]).unwrap().format, Format::Clockify);
        assert_eq!(find("hours,workDate,userId", &[]).unwrap().format, Format::Timelog);
        let unknown = find("Date,Person,Time", &[]).unwrap_err().to_string();
        assert!(unknown.contains("Date, Person, Time") && unknown.contains("--map"), "{unknown}");
    }

    #[test]
    fn a_field_can_have_another_column_or_none() {
        let row = ["2025-01-15", "Ann", "1.5"];
        let columns =
            find("Date,Person,Time", &["workDate=Date", "userId=person", "hours=Time"]).unwrap();
        assert_eq!(columns.cell(Field::UserId, &row), Some("Ann"));
        assert_eq!(columns.cell(Field::Hours, &row), Some("1.5"));
        let columns = find("workDate,hours,entryId", &["entryId="]).unwrap();
        assert_eq!(columns.cell(Field::TicketId, &["", "", "x"]), None);
        assert!(
            find("workDate,hours", &["userId=Who"])
                .unwrap_err()
                .to_string()
                .contains("no column named Who")
        );
    }

    #[test]
    fn a_mapped_duration_replaces_the_default_columns() {
        let columns = find(CLOCKIFY, &["hours=Duration (decimal)"]).unwrap();
        assert!(columns.has(Field::Hours) && !columns.has(Field::Duration));
        assert!(find("workDate,hours", &["hours="]).unwrap_err().to_string().contains("how long"));
    }

    #[test]
    fn two_columns_of_one_name_are_refused_only_for_fields() {
        assert!(
            find("workDate,hours,hours", &[])
                .unwrap_err()
                .to_string()
                .contains("two columns named hours")
        );
        assert!(find("workDate,hours,note,note", &[]).is_ok());
    }
}
