//! The day the work was done on.

use std::str::FromStr;

use time::Date;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

use crate::text_form::Fixed;

const YYYY_MM_DD: StaticFormatDescription = format_description!("[year]-[month]-[day]");

/// A calendar day of the years 0001 to 9999, without a time and without a time zone.
///
/// It is never computed from an instant, so no time zone can change it.
///
/// ```
/// use timelog_domain::WorkDate;
///
/// let day: WorkDate = "2024-02-29".parse()?;
/// assert_eq!(day.to_string(), "2024-02-29");
/// assert!("2025-02-29".parse::<WorkDate>().is_err());
/// assert!("2025-01-15T00:00:00Z".parse::<WorkDate>().is_err());
/// # Ok::<(), timelog_domain::InvalidWorkDate>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkDate(Date);

/// The text or date is not a [`WorkDate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a calendar day written YYYY-MM-DD, in the years 0001 to 9999")]
pub struct InvalidWorkDate;

impl WorkDate {
    /// The day as a [`time::Date`].
    #[must_use]
    pub const fn date(self) -> Date {
        self.0
    }

    fn text(self) -> Fixed<10> {
        Fixed::new(*b"YYYY-MM-DD").with_date(self.0)
    }

    /// The ISO week it lies in.
    #[must_use]
    pub const fn week(self) -> Week {
        let (year, week, _) = self.0.to_iso_week_date();
        Week { year, week }
    }

    /// The month it lies in.
    #[must_use]
    pub const fn month(self) -> Month {
        Month { year: self.0.year(), month: self.0.month() as u8 }
    }
}

/// An ISO 8601 week: it begins on a Monday and belongs to the year that has its Thursday. Displays
/// as `2025-W03`.
///
/// ```
/// use timelog_domain::WorkDate;
///
/// let day: WorkDate = "2024-12-30".parse()?;
/// assert_eq!(day.week().to_string(), "2025-W01");
/// # Ok::<(), timelog_domain::InvalidWorkDate>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week {
    year: i32,
    week: u8,
}

/// A month of a year. Displays as `2025-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    month: u8,
}

crate::text_form::fixed!(WorkDate, Week, Month);

impl Week {
    fn text(self) -> Fixed<8> {
        Fixed::new(*b"YYYY-Www")
            .with(0..4, self.year.unsigned_abs().into())
            .with(6..8, self.week.into())
    }
}

impl Month {
    fn text(self) -> Fixed<7> {
        Fixed::new(*b"YYYY-MM")
            .with(0..4, self.year.unsigned_abs().into())
            .with(5..7, self.month.into())
    }
}

impl TryFrom<Date> for WorkDate {
    type Error = InvalidWorkDate;

    fn try_from(date: Date) -> Result<Self, InvalidWorkDate> {
        if (1..=9999).contains(&date.year()) { Ok(Self(date)) } else { Err(InvalidWorkDate) }
    }
}

impl FromStr for WorkDate {
    type Err = InvalidWorkDate;

    fn from_str(text: &str) -> Result<Self, InvalidWorkDate> {
        // A text of this length has no sign before the year.
        if text.len() != "YYYY-MM-DD".len() {
            return Err(InvalidWorkDate);
        }
        Date::parse(text, YYYY_MM_DD).map_err(|_| InvalidWorkDate)?.try_into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_real_days_in_one_spelling_are_dates() {
        for text in ["0001-01-01", "9999-12-31", "2000-02-29", "2025-12-31"] {
            assert_eq!(text.parse::<WorkDate>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "0000-01-01",
            "2025-02-30",
            "1900-02-29",
            "2025-00-10",
            "2025-13-01",
            "2025-01-00",
            "2025-01-32",
            "2025-1-5",
            "20250115",
            "+2025-01-15",
            "+202-01-15",
            "+0202-1-15",
            "-001-01-01",
            "2025-01-15 ",
            "2025-01-15T00:00:00Z",
            "2025/01/15",
            "２０２５-01-15",
            "2025-W03-3",
        ] {
            assert_eq!(text.parse::<WorkDate>(), Err(InvalidWorkDate), "{text:?}");
        }
    }

    #[test]
    fn a_week_belongs_to_the_year_of_its_thursday() {
        for (day, week) in [
            ("2024-12-29", "2024-W52"),
            ("2024-12-30", "2025-W01"),
            ("2025-01-05", "2025-W01"),
            ("2025-01-06", "2025-W02"),
            ("2021-01-03", "2020-W53"),
            ("0001-01-01", "0001-W01"),
            ("9999-12-31", "9999-W52"),
        ] {
            assert_eq!(day.parse::<WorkDate>().unwrap().week().to_string(), week, "{day}");
        }
    }

    #[test]
    fn months_and_weeks_are_ordered_as_their_days_are() {
        let [first, second] =
            ["2024-12-29", "2025-01-06"].map(|day| day.parse::<WorkDate>().unwrap());
        assert!(first.week() < second.week() && first.month() < second.month());
        assert_eq!(first.month().to_string(), "2024-12");
    }

    proptest! {
        #[test]
        fn a_parsed_day_is_displayed_as_it_was_written(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]") {
            if let Ok(day) = text.parse::<WorkDate>() {
                prop_assert_eq!(day.to_string(), text);
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,20}") {
            let _ = text.parse::<WorkDate>();
        }
    }
}
