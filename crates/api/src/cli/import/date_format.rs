//! Days that are not written `YYYY-MM-DD`. The user must name the format: `03/04/2025` is in March
//! or in April, and nobody would notice a wrong guess.

use std::str::FromStr;

use time::{Date, Month};
use timelog_domain::WorkDate;

use super::fault::quoted;

/// How days are written, such as `MM/DD/YYYY` or `D.M.YYYY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DateFormat {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Literal(char),
}

/// The text is not a format of days.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write YYYY, MM and DD once each with what stands between them, such as MM/DD/YYYY or \
     DD.MM.YYYY"
)]
pub(super) struct InvalidDateFormat;

impl FromStr for DateFormat {
    type Err = InvalidDateFormat;

    fn from_str(text: &str) -> Result<Self, InvalidDateFormat> {
        const NAMES: [(&str, Part); 5] = [
            ("YYYY", Part::Year),
            ("MM", Part::Month),
            ("M", Part::Month),
            ("DD", Part::Day),
            ("D", Part::Day),
        ];
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(first) = rest.chars().next() {
            let named =
                NAMES.iter().find_map(|(name, part)| Some((*part, rest.strip_prefix(name)?)));
            let (part, after) = named.unwrap_or((Part::Literal(first), &rest[first.len_utf8()..]));
            if matches!(part, Part::Literal(letter) if letter.is_alphanumeric()) {
                return Err(InvalidDateFormat);
            }
            parts.push(part);
            rest = after;
        }
        let once = |part| parts.iter().filter(|other| **other == part).count() == 1;
        if !(once(Part::Year) && once(Part::Month) && once(Part::Day)) {
            return Err(InvalidDateFormat);
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

impl DateFormat {
    /// The day, if the text has this format and the day exists. Months and days need no leading
    /// zero. Years have four digits, because two are ambiguous.
    fn parse(&self, text: &str) -> Option<WorkDate> {
        let (mut year, mut month, mut day, mut rest) = (0, 0, 0, text);
        for part in &self.parts {
            match part {
                Part::Year => (year, rest) = number(rest, 4, 4)?,
                Part::Month => (month, rest) = number(rest, 1, 2)?,
                Part::Day => (day, rest) = number(rest, 1, 2)?,
                Part::Literal(literal) => rest = rest.strip_prefix(*literal)?,
            }
        }
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        let date =
            Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
        rest.is_empty().then(|| date.try_into().ok()).flatten()
    }
}

/// The number at the beginning of a text, and the rest.
fn number(text: &str, least: usize, most: usize) -> Option<(u16, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits).filter(|_| digits >= least)?;
    Some((number.parse().ok()?, rest))
}

/// The day in a cell.
pub(super) fn day(cell: &str, format: Option<&DateFormat>) -> Result<WorkDate, String> {
    match format {
        None => cell.parse().map_err(|_| {
            format!(
                "{} is no day written YYYY-MM-DD; if the file writes days in another way, say how \
                 with --date-format, such as \
                 MM/DD/YYYY or DD/MM/YYYY",
                quoted(cell)
            )
        }),
        Some(format) => format.parse(cell).ok_or_else(|| {
            format!(
                "{} is no day \
                written {}",
                quoted(cell),
                format.text
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cell: &str, format: &str) -> Option<String> {
        day(cell, Some(&format.parse().unwrap())).ok().map(|day| day.to_string())
    }

    #[test]
    fn days_are_read_as_the_format_says() {
        for (cell, format, expected) in [
            ("03/04/2025", "MM/DD/YYYY", "2025-03-04"),
            ("03/04/2025", "DD/MM/YYYY", "2025-04-03"),
            ("3/4/2025", "M/D/YYYY", "2025-03-04"),
            ("31.12.2025", "DD.MM.YYYY", "2025-12-31"),
            ("20250304", "YYYYMMDD", "2025-03-04"),
            ("2025-03-04", "YYYY-DD-MM", "2025-04-03"),
        ] {
            assert_eq!(read(cell, format).as_deref(), Some(expected), "{cell} as {format}");
        }
    }

    #[test]
    fn other_formats_are_refused() {
        for cell in [
            "13/04/2025",
            "02/30/2025",
            "2025-03-04",
            "03/04/25",
            "03/04/2025 ",
            "03-04-2025",
            "",
            "０3/04/2025",
        ] {
            assert_eq!(read(cell, "MM/DD/YYYY"), None, "{cell:?}");
        }
    }

    #[test]
    fn a_day_is_never_guessed() {
        for cell in ["03/04/2025", "31/12/2025", "2025-1-5"] {
            let refused = day(cell, None).unwrap_err();
            assert!(refused.contains(cell) && refused.contains("--date-format"), "{refused}");
        }
        assert!(day("2025-12-31", None).is_ok());
    }

    #[test]
    fn a_format_has_each_part_once() {
        for format in ["", "MM/DD", "MM/DD/YY", "MM/DD/MM/YYYY", "month/DD/YYYY"] {
            assert_eq!(format.parse::<DateFormat>(), Err(InvalidDateFormat), "{format:?}");
        }
    }
}
