//! How long the work took, in whole minutes or decimal hours.

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};

use crate::given::Given;
use crate::text_form::Fixed;

/// The most digits before the decimal point of an hours text.
const MAX_WHOLE_DIGITS: usize = 4;
/// The most digits after the decimal point. Programs write 4 ÷ 3 with all digits of their numbers.
const MAX_FRACTION_DIGITS: usize = 30;

/// A duration of 1 to 1440 whole minutes, a day at most.
///
/// The value is the minutes, and hours are a way to write them: minutes → hours → minutes has the
/// same value for each duration. All arithmetic is decimal and rounding happens once, half up.
///
/// ```
/// use timelog_domain::WorkDuration;
///
/// let duration = WorkDuration::from_hours("2.5")?;
/// assert_eq!(duration.minutes(), 150);
/// assert_eq!(WorkDuration::from_minutes(100)?.hours(), "1.67");
/// # Ok::<(), timelog_domain::InvalidDuration>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WorkDuration(u16);

/// Why a number of minutes or a text of hours is not a [`WorkDuration`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    /// The minutes are fewer than 1 or more than 1440.
    #[error("must be a whole number of minutes from 1 to 1440")]
    MinutesOutOfRange,
    /// The hours are not written as `[0-9]{1,4}(\.[0-9]{1,30})?`.
    #[error(
        "must be decimal hours such as 2.5: 1 to 4 digits, optionally a point and 1 to 30 digits"
    )]
    HoursMalformed,
    /// The hours round to fewer than 1 or more than 1440 minutes.
    #[error(
        "must come to 1 to 1440 minutes (about 0.01 to 24 hours) when rounded half up to a whole \
         minute"
    )]
    HoursOutOfRange,
    /// Neither minutes nor hours were given.
    #[error("minutes or hours must be given")]
    Missing,
    /// Minutes and hours are both given and are different durations.
    #[error("must come to the same as minutes, or be left out")]
    HoursDisagree,
}

impl InvalidDuration {
    /// The member of the request that it is about, named as on the wire.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::MinutesOutOfRange | Self::Missing => "minutes",
            Self::HoursMalformed | Self::HoursOutOfRange | Self::HoursDisagree => "hours",
        }
    }
}

impl WorkDuration {
    /// The shortest duration, one minute.
    pub const MIN: Self = Self(1);
    /// The longest duration, 1440 minutes (24 hours).
    pub const MAX: Self = Self(1440);

    /// A duration of whole minutes.
    ///
    /// # Errors
    ///
    /// [`InvalidDuration::MinutesOutOfRange`] unless it is 1 to 1440.
    pub fn from_minutes(minutes: i64) -> Result<Self, InvalidDuration> {
        u16::try_from(minutes)
            .map(Self)
            .ok()
            .filter(|duration| (Self::MIN..=Self::MAX).contains(duration))
            .ok_or(InvalidDuration::MinutesOutOfRange)
    }

    /// A duration from decimal hours: `hours × 60`, rounded half up to a whole minute.
    ///
    /// The grammar is checked before any arithmetic, so a hostile text such as `1e999999999` is
    /// cheap.
    ///
    /// # Errors
    ///
    /// [`InvalidDuration::HoursMalformed`] where the text does not match the grammar,
    /// [`InvalidDuration::HoursOutOfRange`] where the rounded minutes are not 1 to 1440.
    ///
    /// ```
    /// use timelog_domain::{InvalidDuration, WorkDuration};
    ///
    /// assert_eq!(WorkDuration::from_hours("1e999999999"), Err(InvalidDuration::HoursMalformed));
    /// assert_eq!(WorkDuration::from_hours("0.008"), Err(InvalidDuration::HoursOutOfRange));
    /// ```
    pub fn from_hours(hours: &str) -> Result<Self, InvalidDuration> {
        if !is_well_formed(hours) {
            return Err(InvalidDuration::HoursMalformed);
        }
        let hours: BigDecimal = hours.parse().map_err(|_| InvalidDuration::HoursMalformed)?;
        (hours * BigDecimal::from(60))
            .with_scale_round(0, RoundingMode::HalfUp)
            .to_i64()
            .and_then(|minutes| Self::from_minutes(minutes).ok())
            .ok_or(InvalidDuration::HoursOutOfRange)
    }

    /// The duration in a request to log. If both are given, the minutes count; the hours must be
    /// well formed, but may be out of range.
    ///
    /// # Errors
    ///
    /// All errors: those of [`from_minutes`](Self::from_minutes) and
    /// [`from_hours`](Self::from_hours), or [`InvalidDuration::Missing`] where neither is given.
    /// [Unreadable](Given::Unreadable) members have none, so the list may be empty.
    pub fn to_log(minutes: Given<i64>, hours: Given<&str>) -> Result<Self, Vec<InvalidDuration>> {
        let minutes_absent = minutes.is_absent();
        let minutes = minutes.map(Self::from_minutes);
        let hours = match hours.map(Self::from_hours) {
            Given::Is(Err(InvalidDuration::HoursOutOfRange)) if !minutes_absent => Given::Absent,
            hours => hours,
        };
        match (minutes, hours) {
            (Given::Absent, Given::Absent) => Err(vec![InvalidDuration::Missing]),
            (Given::Is(Ok(duration)), Given::Absent | Given::Is(Ok(_)))
            | (Given::Absent, Given::Is(Ok(duration))) => Ok(duration),
            (minutes, hours) => Err(errors_of([minutes, hours])),
        }
    }

    /// The duration in a request to edit, if any. If both are given, they must be equal. Otherwise
    /// the minutes would win for a client that reads an entry, corrects its hours and sends both
    /// back.
    ///
    /// # Errors
    ///
    /// All errors: those of [`from_minutes`](Self::from_minutes) and
    /// [`from_hours`](Self::from_hours), or [`InvalidDuration::HoursDisagree`].
    /// [Unreadable](Given::Unreadable) members have none, so the list may be empty.
    ///
    /// ```
    /// use timelog_domain::{Given, InvalidDuration, WorkDuration};
    ///
    /// let to_edit = |hours| WorkDuration::to_edit(Given::Is(100), hours);
    /// assert_eq!(to_edit(Given::Is("1.67"))?, Some(WorkDuration::from_hours("1.67").unwrap()));
    /// assert_eq!(to_edit(Given::Is("2")), Err(vec![InvalidDuration::HoursDisagree]));
    /// assert_eq!(WorkDuration::to_edit(Given::Absent, Given::Absent)?, None);
    /// # Ok::<(), Vec<InvalidDuration>>(())
    /// ```
    pub fn to_edit(
        minutes: Given<i64>,
        hours: Given<&str>,
    ) -> Result<Option<Self>, Vec<InvalidDuration>> {
        match (minutes.map(Self::from_minutes), hours.map(Self::from_hours)) {
            (Given::Absent, Given::Absent) => Ok(None),
            (Given::Is(Ok(minutes)), Given::Is(Ok(hours))) if minutes != hours => {
                Err(vec![InvalidDuration::HoursDisagree])
            }
            (Given::Is(Ok(duration)), Given::Absent | Given::Is(Ok(_)))
            | (Given::Absent, Given::Is(Ok(duration))) => Ok(Some(duration)),
            (minutes, hours) => Err(errors_of([minutes, hours])),
        }
    }

    /// Whole minutes, 1 to 1440.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// Decimal hours: minutes ÷ 60 rounded half up to two decimals, without trailing zeros: `2.5`,
    /// `2`, `1.67`.
    #[must_use]
    pub fn hours(self) -> String {
        hours_of_minutes(u64::from(self.0))
    }
}

/// Decimal hours of any number of minutes, as [`WorkDuration::hours`] writes them. For totals, add
/// up the minutes and convert the sum once.
///
/// ```
/// assert_eq!(timelog_domain::hours_of_minutes(50 + 50), "1.67");
/// assert_eq!(timelog_domain::hours_of_minutes(6_000), "100");
/// ```
#[must_use]
pub fn hours_of_minutes(minutes: u64) -> String {
    let (hours, minutes) = (minutes / 60, minutes % 60);
    // Hundredths of an hour, rounded half up: at most 98, for 59 minutes.
    let hundredths = (minutes * 100 + 30) / 60;
    let mut text = hours.to_string();
    if hundredths > 0 {
        let fraction = Fixed::new(*b".00").with(1..3, hundredths);
        text.push_str(fraction.as_str().trim_end_matches('0'));
    }
    text
}

fn errors_of(read: [Given<Result<WorkDuration, InvalidDuration>>; 2]) -> Vec<InvalidDuration> {
    let wrong = |read| if let Given::Is(Err(error)) = read { Some(error) } else { None };
    read.into_iter().filter_map(wrong).collect()
}

fn is_well_formed(hours: &str) -> bool {
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match hours.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole, MAX_WHOLE_DIGITS) && digits(fraction, MAX_FRACTION_DIGITS)
        }
        None => digits(hours, MAX_WHOLE_DIGITS),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_minute_of_a_day_is_the_same_after_conversion_to_hours() {
        for minutes in 1..=1440 {
            let duration = WorkDuration::from_minutes(minutes).unwrap();
            assert_eq!(
                WorkDuration::from_hours(&duration.hours()),
                Ok(duration),
                "{minutes} minutes"
            );
        }
    }

    #[test]
    fn the_hours_of_every_minute_are_the_rounded_decimal_quotient() {
        for minutes in 1..=1440_u16 {
            let quotient = (BigDecimal::from(minutes) / BigDecimal::from(60))
                .with_scale_round(2, RoundingMode::HalfUp);
            let hours = WorkDuration::from_minutes(minutes.into()).unwrap().hours();
            assert_eq!(hours, quotient.normalized().to_plain_string());
        }
    }

    #[test]
    fn minutes_outside_a_day_are_refused() {
        for minutes in [i64::MIN, -1, 0, 1441, 65_536 + 5, i64::MAX] {
            assert_eq!(
                WorkDuration::from_minutes(minutes),
                Err(InvalidDuration::MinutesOutOfRange)
            );
        }
    }

    #[test]
    fn minutes_win_over_well_formed_hours_even_out_of_range() {
        use InvalidDuration::{HoursMalformed, HoursOutOfRange, MinutesOutOfRange, Missing};
        let to_log = |minutes: Option<i64>, hours: Option<&str>| {
            WorkDuration::to_log(minutes.into(), hours.into())
        };
        assert_eq!(to_log(Some(100), Some("9999")).map(WorkDuration::minutes), Ok(100));
        assert_eq!(to_log(Some(100), Some("9999x")), Err(vec![HoursMalformed]));
        assert_eq!(to_log(Some(0), Some("1")), Err(vec![MinutesOutOfRange]));
        assert_eq!(to_log(Some(0), Some("9999")), Err(vec![MinutesOutOfRange]));
        assert_eq!(to_log(Some(0), Some("x")), Err(vec![MinutesOutOfRange, HoursMalformed]));
        assert_eq!(to_log(None, Some("9999")), Err(vec![HoursOutOfRange]));
        assert_eq!(to_log(None, None), Err(vec![Missing]));
    }

    #[test]
    fn an_edit_has_one_duration_or_none() {
        use InvalidDuration::{HoursDisagree, HoursOutOfRange, MinutesOutOfRange};
        let to_edit = |minutes: Option<i64>, hours: Option<&str>| {
            WorkDuration::to_edit(minutes.into(), hours.into())
                .map(|duration| duration.map(WorkDuration::minutes))
        };
        assert_eq!(to_edit(None, None), Ok(None));
        assert_eq!(to_edit(Some(100), None), Ok(Some(100)));
        assert_eq!(to_edit(None, Some("1.67")), Ok(Some(100)));
        assert_eq!(to_edit(Some(100), Some("1.67")), Ok(Some(100)));
        assert_eq!(to_edit(Some(100), Some("2")), Err(vec![HoursDisagree]));
        assert_eq!(to_edit(Some(0), Some("9999")), Err(vec![MinutesOutOfRange, HoursOutOfRange]));
    }

    #[test]
    fn unreadable_members_are_refused_without_an_error_of_their_own() {
        for (minutes, hours) in [
            (Given::Unreadable, Given::Absent),
            (Given::Unreadable, Given::Is("1")),
            (Given::Is(60), Given::Unreadable),
            (Given::Absent, Given::Unreadable),
        ] {
            assert_eq!(WorkDuration::to_log(minutes, hours), Err(Vec::new()));
            assert_eq!(WorkDuration::to_edit(minutes, hours), Err(Vec::new()));
        }
        // Unreadable minutes are given too, so the hours may be out of range in a request to log.
        let (minutes, hours) = (Given::Unreadable, Given::Is("9999"));
        assert_eq!(WorkDuration::to_log(minutes, hours), Err(Vec::new()));
        let out_of_range = Err(vec![InvalidDuration::HoursOutOfRange]);
        assert_eq!(WorkDuration::to_edit(minutes, hours), out_of_range);
    }

    #[test]
    fn half_a_minute_rounds_up() {
        assert_eq!(WorkDuration::from_hours("0.00833333"), Err(InvalidDuration::HoursOutOfRange));
        assert_eq!(WorkDuration::from_hours("0.00833334").unwrap().minutes(), 1);
        assert_eq!(WorkDuration::from_hours("0.025").unwrap().minutes(), 2);
        assert_eq!(WorkDuration::from_hours("24.00833333").unwrap().minutes(), 1440);
        assert_eq!(WorkDuration::from_hours("24.00833334"), Err(InvalidDuration::HoursOutOfRange));
    }

    proptest! {
        #[test]
        fn well_formed_hours_round_like_integer_arithmetic(
            whole in prop_oneof![0..=24_u128, 0..=9999_u128],
            fraction in "[0-9]{1,30}",
        ) {
            let one = 10_u128.pow(u32::try_from(fraction.len()).unwrap());
            let minutes = (whole * one + fraction.parse::<u128>().unwrap()) * 60;
            let rounded = (minutes + one / 2) / one;
            let duration = WorkDuration::from_hours(&format!("{whole}.{fraction}"));
            match duration {
                Ok(duration) => prop_assert_eq!(u128::from(duration.minutes()), rounded),
                Err(error) => {
                    prop_assert_eq!(error, InvalidDuration::HoursOutOfRange);
                    prop_assert!(!(1..=1440).contains(&rounded));
                }
            }
        }

        #[test]
        fn other_texts_are_not_hours(text in "\\PC{0,16}") {
            let grammar = text.chars().filter(|c| *c == '.').count() <= 1
                && text.chars().all(|c| c.is_ascii_digit() || c == '.')
                && !text.starts_with('.') && !text.ends_with('.') && !text.is_empty();
            if !grammar {
                prop_assert_eq!(WorkDuration::from_hours(&text), Err(InvalidDuration::HoursMalformed));
            }
        }
    }
}
