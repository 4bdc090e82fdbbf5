//! Instants in milliseconds.

use std::time::Duration;

use time::OffsetDateTime;

use crate::text_form::Fixed;

/// A UTC instant in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Stored and displayed values have the same precision, so neither changes a value. It displays as
/// RFC 3339 with `Z` and exactly three fraction digits.
///
/// ```
/// use timelog_domain::Timestamp;
///
/// let at = Timestamp::from_unix_millis(1_736_928_000_000).unwrap();
/// assert_eq!(at.to_string(), "2025-01-15T08:00:00.000Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The instant lies outside the years 0001 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must lie in the years 0001 to 9999")]
pub struct TimestampOutOfRange;

impl Timestamp {
    /// 0001-01-01T00:00:00.000Z.
    pub const MIN: Self = Self(-62_135_596_800_000);
    /// 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The instant this many milliseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    ///
    /// [`TimestampOutOfRange`] outside the years 0001 to 9999.
    pub const fn from_unix_millis(millis: i64) -> Result<Self, TimestampOutOfRange> {
        if millis < Self::MIN.0 || millis > Self::MAX.0 {
            return Err(TimestampOutOfRange);
        }
        Ok(Self(millis))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, negative before it.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// RFC 3339, always in UTC and with three fraction digits.
    fn text(self) -> Fixed<24> {
        let at = OffsetDateTime::from(self);
        let (hour, minute, second, millis) = at.to_hms_milli();
        Fixed::new(*b"YYYY-MM-DDThh:mm:ss.mmmZ")
            .with_date(at.date())
            .with(11..13, hour.into())
            .with(14..16, minute.into())
            .with(17..19, second.into())
            .with(20..23, millis.into())
    }

    /// The instant that is `duration` later, in whole milliseconds, or [`Timestamp::MAX`].
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis).min(Self::MAX.0))
    }
}

impl From<OffsetDateTime> for Timestamp {
    /// Rounds down to a millisecond. An instant outside the range becomes the nearest end of it.
    fn from(instant: OffsetDateTime) -> Self {
        let millis = instant.unix_timestamp_nanos().div_euclid(1_000_000);
        let millis = i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX });
        Self(millis.clamp(Self::MIN.0, Self::MAX.0))
    }
}

impl From<Timestamp> for OffsetDateTime {
    fn from(instant: Timestamp) -> Self {
        // The range of a Timestamp lies inside that of an OffsetDateTime, so the fallback is never
        // taken.
        Self::from_unix_timestamp_nanos(i128::from(instant.0) * 1_000_000)
            .unwrap_or(Self::UNIX_EPOCH)
    }
}

crate::text_form::fixed!(Timestamp);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_display_in_full() {
        assert_eq!(Timestamp::MIN.to_string(), "0001-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
        assert!(Timestamp::from_unix_millis(Timestamp::MIN.0 - 1).is_err());
        assert!(Timestamp::from_unix_millis(Timestamp::MAX.0 + 1).is_err());
    }

    #[test]
    fn an_instant_is_rounded_down_to_a_millisecond() {
        let before_epoch = OffsetDateTime::from_unix_timestamp_nanos(-1).unwrap();
        assert_eq!(Timestamp::from(before_epoch).to_string(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn adding_stops_at_the_end_of_the_range() {
        assert_eq!(Timestamp::MAX.saturating_add(Duration::MAX), Timestamp::MAX);
        let epoch = Timestamp::from_unix_millis(0).unwrap();
        assert_eq!(epoch.saturating_add(Duration::from_millis(1500)).unix_millis(), 1500);
    }
}
