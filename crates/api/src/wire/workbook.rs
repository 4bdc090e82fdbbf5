//! Time entries as a workbook (Office Open XML), for spreadsheets: dates are dates, minutes and
//! hours are numbers, and whatever else is a text stays one. It is written to temporary files while
//! it grows, so that memory does not grow with it.

use std::io::Write;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Formula, Worksheet, XlsxError};
use serde_json::Value;
use timelog_domain::{Names, TimeEntry, hours_of_minutes};

use super::table;

/// The most rows of a sheet, with its header and its total.
const MOST_ROWS: u32 = 1_048_576;

/// The columns that are not texts. The others are as their values are.
const DAYS: [&str; 1] = ["workDate"];
const INSTANTS: [&str; 2] = ["createdAt", "updatedAt"];

/// The first day that all spreadsheets number alike. One before it stays a text: some of them know
/// a 29th of February 1900, and none a day before that year.
const FIRST_DAY: &str = "1900-03-01";

const HOURS: &str = "hours";
const MINUTES: &str = "minutes";

/// More text than this may make a sheet larger than 4 GiB, which a ZIP file without its 64-bit
/// extension cannot have: a row is about 1500 bytes without its texts, and what is escaped of them
/// takes up to seven times as many.
const LARGE: usize = 256 << 20;

/// A workbook that is not complete yet.
pub(crate) struct Workbook {
    file: rust_xlsxwriter::Workbook,
    columns: Vec<String>,
    formats: Formats,
    /// How many sheets there are, and the next row of the last one.
    sheets: usize,
    row: u32,
    /// The most rows of a sheet.
    most_rows: u32,
    minutes: u64,
    /// How many bytes of text there are.
    text: usize,
    /// When one of the entries changed last, in seconds since 1970.
    changed: i64,
    /// The cells with minutes, sheet by sheet.
    ranges: Vec<String>,
}

struct Formats {
    header: Format,
    day: Format,
    instant: Format,
    hours: Format,
    /// For programs that take a truth value for a number.
    flag: Format,
    total: Format,
    total_hours: Format,
}

impl Workbook {
    pub(crate) fn new() -> Result<Self, XlsxError> {
        Self::with_rows(MOST_ROWS)
    }

    /// One whose sheets have at most so many rows.
    fn with_rows(most_rows: u32) -> Result<Self, XlsxError> {
        let bold = Format::new().set_bold();
        let mut workbook = Self {
            file: rust_xlsxwriter::Workbook::new(),
            columns: table::columns(),
            formats: Formats {
                header: bold.clone(),
                day: Format::new().set_num_format("yyyy-mm-dd"),
                instant: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
                hours: Format::new().set_num_format("0.00"),
                flag: Format::new().set_num_format("\"TRUE\";\"TRUE\";\"FALSE\""),
                total: bold.clone(),
                total_hours: bold.set_num_format("0.00"),
            },
            sheets: 0,
            row: 0,
            most_rows,
            minutes: 0,
            text: 0,
            changed: 0,
            ranges: Vec::new(),
        };
        workbook.begin_sheet()?;
        Ok(workbook)
    }

    /// Adds the row of an entry.
    pub(crate) fn append(&mut self, entry: &TimeEntry, names: &Names) -> Result<(), XlsxError> {
        // The last row is for the total.
        if self.row + 1 >= self.most_rows {
            self.end_sheet();
            self.begin_sheet()?;
        }
        let sheet = self.file.worksheet_from_index(self.sheets - 1)?;
        let cells = self.columns.iter().zip(table::row(entry, names));
        for (column, (name, value)) in (0..).zip(cells) {
            self.text += value.as_str().map_or(0, str::len);
            write(sheet, (self.row, column), name, value, &self.formats)?;
        }
        self.row += 1;
        self.changed = self.changed.max(entry.updated_at().unix_millis() / 1000);
        self.minutes += u64::from(entry.details().duration.minutes());
        Ok(())
    }

    /// Adds the total and writes the whole.
    pub(crate) fn finish(mut self, to: impl Write + Send) -> Result<(), XlsxError> {
        self.end_sheet();
        let (hours, minutes) = (self.column(HOURS), self.column(MINUTES));
        let sum = format!("SUM({})", self.ranges.join(","));
        let (sum, total) =
            if self.ranges.is_empty() { ("0".to_owned(), 0) } else { (sum, self.minutes) };
        let sheet = self.file.worksheet_from_index(self.sheets - 1)?;
        sheet.write_string_with_format(self.row, 0, "Total", &self.formats.total)?;
        // From the minutes: the hours of entries are rounded, and would add up to something else.
        let of_hours =
            Formula::new(format!("=ROUND({sum}/60,2)")).set_result(hours_of_minutes(total));
        sheet.write_formula_with_format(self.row, hours, of_hours, &self.formats.total_hours)?;
        let of_minutes = Formula::new(format!("={sum}")).set_result(total.to_string());
        sheet.write_formula_with_format(self.row, minutes, of_minutes, &self.formats.total)?;
        // And not the present moment: the same entries make the same file.
        let changed = ExcelDateTime::from_timestamp(self.changed)?;
        self.file.set_properties(&DocProperties::new().set_creation_datetime(&changed));
        self.file.use_zip_large_file(self.text > LARGE).save_to_writer(to)
    }

    fn begin_sheet(&mut self) -> Result<(), XlsxError> {
        let sheet = self.file.add_worksheet_with_constant_memory()?;
        self.sheets += 1;
        sheet.set_name(sheet_name(self.sheets))?;
        // The header stays, on the screen and on paper.
        sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
        sheet.set_landscape().set_print_fit_to_pages(1, 0);
        for (column, name) in (0..).zip(&self.columns) {
            let width = if INSTANTS.contains(&&**name) {
                19
            } else if name == "description" {
                40
            } else {
                12.max(name.len())
            };
            sheet.set_column_width(column, u32::try_from(width).unwrap_or(12))?;
            sheet.write_string_with_format(0, column, name, &self.formats.header)?;
        }
        self.row = 1;
        Ok(())
    }

    /// Notes where the minutes of the sheet are.
    fn end_sheet(&mut self) {
        if self.row > 1 {
            let column = rust_xlsxwriter::utility::column_number_to_name(self.column(MINUTES));
            let (name, last) = (sheet_name(self.sheets), self.row);
            self.ranges.push(format!("'{name}'!{column}2:{column}{last}"));
        }
    }

    fn column(&self, name: &str) -> u16 {
        let place = self.columns.iter().position(|column| column == name);
        place.and_then(|place| u16::try_from(place).ok()).unwrap_or_default()
    }
}

fn sheet_name(number: usize) -> String {
    format!("Time entries {number}")
}

fn write(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    name: &str,
    value: Value,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let text = match value {
        Value::Null => return Ok(()),
        Value::Bool(flag) => {
            return sheet.write_boolean_with_format(row, column, flag, &formats.flag).map(drop);
        }
        Value::String(text) => text,
        number => {
            let number = number.as_f64().unwrap_or_default();
            return sheet.write_number(row, column, number).map(drop);
        }
    };
    let is_instant = INSTANTS.contains(&name);
    if DAYS.contains(&name) || is_instant {
        let format = if is_instant { &formats.instant } else { &formats.day };
        if *text >= *FIRST_DAY {
            let moment = ExcelDateTime::parse_from_str(&text)?;
            return sheet.write_datetime_with_format(row, column, &moment, format).map(drop);
        }
    }
    match text.parse::<f64>() {
        Ok(hours) if name == HOURS => {
            sheet.write_number_with_format(row, column, hours, &formats.hours).map(drop)
        }
        _ => sheet.write_string(row, column, readable(&text)).map(drop),
    }
}

/// The text without the two characters that no XML may have and the library lets through.
fn readable(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// The error as one of reading and writing, where it is one.
pub(crate) fn io_error(error: XlsxError) -> std::io::Error {
    match error {
        XlsxError::IoError(error) => error,
        XlsxError::ZipError(error) => error.into(),
        error => std::io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};
    use timelog_domain::*;
    use uuid::Uuid;

    use super::*;

    fn entry(minutes: i64, description: &str) -> TimeEntry {
        let mut details = Details::new(
            UserId::new(Uuid::from_u128(3)),
            "2025-01-15".parse().unwrap(),
            WorkDuration::from_minutes(minutes).unwrap(),
        );
        details.description = Some(description.to_owned().try_into().unwrap());
        let (id, organization) = (Uuid::from_u128(1), OrganizationId::new(Uuid::from_u128(2)));
        let now = Timestamp::from_unix_millis(1_736_928_417_472).unwrap();
        let project = ProjectId::new(Uuid::from_u128(4));
        TimeEntry::log(TimeEntryId::new(id), organization, project, details, None, Source::Api, now)
    }

    /// The sheets of a workbook with these entries, at most two of them in each.
    fn sheets(entries: &[TimeEntry]) -> Vec<(String, Vec<Vec<Data>>)> {
        let mut workbook = Workbook::with_rows(4).unwrap();
        for entry in entries {
            workbook.append(entry, &Names::default()).unwrap();
        }
        let mut file = Vec::new();
        workbook.finish(&mut file).unwrap();
        let mut read: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(file)).unwrap();
        let rows = |(name, sheet): (String, calamine::Range<Data>)| {
            (name, sheet.rows().map(<[Data]>::to_vec).collect())
        };
        read.worksheets().into_iter().map(rows).collect()
    }

    #[test]
    fn what_one_sheet_cannot_hold_is_in_several_with_one_total() {
        let place = |name| table::columns().iter().position(|column| column == name).unwrap();
        for (count, rows) in [(0, vec![2]), (2, vec![4]), (3, vec![3, 3]), (5, vec![3, 3, 3])] {
            let entries: Vec<_> = (1..=count).map(|minutes| entry(minutes, "")).collect();
            let sheets = sheets(&entries);
            let names: Vec<_> = sheets.iter().map(|(name, _)| name.clone()).collect();
            let expected: Vec<_> = (1..=rows.len()).map(sheet_name).collect();
            assert_eq!(names, expected);
            // The last one has the total too.
            let found: Vec<_> = sheets.iter().map(|(_, rows)| rows.len()).collect();
            assert_eq!(found[..rows.len() - 1], rows[..rows.len() - 1]);
            let (_, last) = sheets.last().unwrap();
            let total = &last[last.len() - 1];
            assert_eq!(total[0], Data::String("Total".to_owned()));
            let minutes = count * (count + 1) / 2;
            assert_eq!(total[place(MINUTES)].to_string(), minutes.to_string());
            for (_, rows) in &sheets {
                assert_eq!(rows[0][0], Data::String("id".to_owned()));
            }
        }
    }

    #[test]
    fn every_character_that_a_description_may_have_is_readable() {
        let all: Vec<_> = (1..=0xffff_u32).filter_map(char::from_u32).collect();
        let texts: Vec<String> = all.chunks(2000).map(|chunk| chunk.iter().collect()).collect();
        let place = table::columns().iter().position(|column| column == "description").unwrap();
        for text in texts {
            let sheets = sheets(&[entry(1, &text)]);
            let Data::String(found) = &sheets[0].1[1][place] else { panic!("{sheets:?}") };
            assert_eq!(*found, readable(&text));
        }
    }
}
