//! Which column of a CSV file says what.

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

/// Declares what columns can say, and the names of our own columns for it.
macro_rules! fields {
    ($($field:ident = $name:literal),+ $(,)?) => {
        /// What a column can say.
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
    /// The names of all, for a message.
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

/// `COLUMN=VALUE`: only the rows that have this value in this column are imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Only {
    column: String,
    value: String,
}

impl FromStr for Only {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (column, value) = text.split_once('=').ok_or("write COLUMN=VALUE")?;
        Ok(Self { column: column.to_owned(), value: value.to_owned() })
    }
}

/// What a column adds to the identity of a row that has no id.
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
    /// The columns that say something. Where there are several, the first that is not empty counts.
    fields: BTreeMap<Field, Vec<usize>>,
    /// The fields whose columns were named by the person who imports.
    mapped: Vec<Field>,
    /// The columns that tell a row from others, where it has no id. Of those that stand together
    /// the first counts that is not empty.
    pub(super) identity: Vec<(Vec<usize>, Part)>,
    only: Vec<(usize, String)>,
}

impl Columns {
    /// Finds the columns by their names in the header.
    pub(super) fn find(
        header: &ByteRecord,
        format: Format,
        map: &[Mapping],
        only: &[Only],
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
        for (field, columns) in usual(format) {
            fields.insert(field, positions(&names, &columns)?);
        }
        // Whoever names a column for the duration does not want another one to win.
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
        let only =
            only.iter().map(|only| Ok((required(&names, &only.column)?, only.value.clone())));
        let only = only.collect::<anyhow::Result<_>>()?;
        let identity = identity(format, &names)?;
        let mapped = map.iter().map(|mapping| mapping.field).collect();
        let columns = Self { format, count: names.len(), fields, mapped, identity, only };
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

    /// Whether the column is one that "timelog export" wrote, and not one that was named to stand
    /// for it.
    pub(super) fn is_our_own(&self, field: Field) -> bool {
        self.format == Format::Timelog && !self.mapped.contains(&field)
    }

    /// What the row says, in each column that says it and is not empty.
    pub(super) fn cells<'a>(&self, field: Field, row: &[&'a str]) -> impl Iterator<Item = &'a str> {
        let columns = self.fields.get(&field).map(Vec::as_slice).unwrap_or_default();
        let cells: Vec<_> = columns.iter().filter_map(|column| row.get(*column).copied()).collect();
        cells.into_iter().filter(|cell| !cell.is_empty())
    }

    /// What the row says.
    pub(super) fn cell<'a>(&self, field: Field, row: &[&'a str]) -> Option<&'a str> {
        self.cells(field, row).next()
    }

    /// Whether the row is one of those to import.
    pub(super) fn wants(&self, row: &ByteRecord) -> bool {
        self.only.iter().all(|(column, value)| row.get(*column) == Some(value.as_bytes()))
    }
}

/// The columns that each field usually has: in our own files the one that is named like it.
fn usual(format: Format) -> Vec<(Field, Vec<&'static str>)> {
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

/// The columns that make a row what it is. Rates, amounts, clients, tags and teams are left out:
/// they change in the other program without the work having been another. A file of our own kind
/// can have any columns, and all of them count.
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
    // Those that are missing still have their place, so that what stands in one column is never
    // taken for another.
    all.iter().map(|(columns, part)| Ok((positions(names, columns)?, *part))).collect()
}

/// Tells the formats apart. Toggl Track and Clockify name most columns alike, but not these.
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

/// The place of a column, if there is one of that name. Letter case does not matter.
fn position(names: &[String], name: &str) -> anyhow::Result<Option<usize>> {
    let mut places = names.iter().enumerate().filter(|(_, other)| other.eq_ignore_ascii_case(name));
    let first = places.next().map(|(place, _)| place);
    ensure!(places.next().is_none(), "there are two columns named {}", named(name));
    Ok(first)
}

/// The places of those of the columns that there are.
fn positions(names: &[String], columns: &[&str]) -> anyhow::Result<Vec<usize>> {
    columns.iter().filter_map(|name| position(names, name).transpose()).collect()
}

fn required(names: &[String], name: &str) -> anyhow::Result<usize> {
    let place = position(names, name)?;
    place.with_context(|| {
        format!("there is no column named {}; there are {}", named(name), list(names))
    })
}

/// The beginning of the name that a file gives to a column, for a message.
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
    fn formats_are_told_apart_by_their_columns() {
        assert_eq!(find(TOGGL, &[]).unwrap().format, Format::Toggl);
        assert_eq!(find(CLOCKIFY, &[]).unwrap().format, Format::Clockify);
        assert_eq!(find("hours,workDate,userId", &[]).unwrap().format, Format::Timelog);
        let unknown = find("Date,Person,Time", &[]).unwrap_err().to_string();
        assert!(unknown.contains("Date, Person, Time") && unknown.contains("--map"), "{unknown}");
    }

    #[test]
    fn a_column_can_be_named_for_a_field_and_a_field_left_out() {
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
    fn a_named_duration_wins_over_the_usual_ones() {
        let columns = find(CLOCKIFY, &["hours=Duration (decimal)"]).unwrap();
        assert!(columns.has(Field::Hours) && !columns.has(Field::Duration));
        assert!(find("workDate,hours", &["hours="]).unwrap_err().to_string().contains("how long"));
    }

    #[test]
    fn two_columns_of_one_name_are_refused_where_that_matters() {
        assert!(
            find("workDate,hours,hours", &[])
                .unwrap_err()
                .to_string()
                .contains("two columns named hours")
        );
        assert!(find("workDate,hours,note,note", &[]).is_ok());
    }
}
