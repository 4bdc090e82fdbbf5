//! Durations as settings take them.

use std::ffi::OsStr;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::{Arg, Command};

/// An hour in milliseconds.
pub(super) const HOUR: u64 = 3_600_000;

/// The durations that make sense for a setting. It is what clap reads the setting with.
#[derive(Debug, Clone, Copy)]
pub(super) struct DurationRange {
    least: Duration,
    most: Duration,
    unit: Unit,
}

/// What a duration must be a multiple of, because whatever takes it counts in that.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Milliseconds,
    Seconds,
}

impl DurationRange {
    /// Whole milliseconds, from so many to so many.
    pub(super) fn milliseconds(limits: RangeInclusive<u64>) -> Self {
        let (least, most) = limits.into_inner();
        Self {
            least: Duration::from_millis(least),
            most: Duration::from_millis(most),
            unit: Unit::Milliseconds,
        }
    }

    /// Whole seconds, from so many to so many.
    pub(super) fn seconds(limits: RangeInclusive<u64>) -> Self {
        let (least, most) = limits.into_inner();
        Self {
            least: Duration::from_secs(least),
            most: Duration::from_secs(most),
            unit: Unit::Seconds,
        }
    }

    /// Reads a duration written like `30s`, `24h` or `500ms`.
    fn read(self, text: &str) -> Result<Duration, String> {
        let read = humantime::parse_duration(text).ok();
        read.filter(|duration| self.contains(*duration)).ok_or_else(|| format!("must be {self}"))
    }

    fn contains(self, duration: Duration) -> bool {
        let rest = match self.unit {
            Unit::Milliseconds => duration.subsec_nanos() % 1_000_000,
            Unit::Seconds => duration.subsec_nanos(),
        };
        rest == 0 && (self.least..=self.most).contains(&duration)
    }
}

impl fmt::Display for DurationRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Milliseconds => "milliseconds",
            Unit::Seconds => "seconds",
        };
        let example = self.most.min(Duration::from_secs(30));
        write!(
            f,
            "{} to {}, in whole {unit}, such as {}",
            short(self.least),
            short(self.most),
            short(example)
        )
    }
}

/// A duration in the largest of the usual units that it is a multiple of.
fn short(duration: Duration) -> String {
    match duration.as_millis() {
        0 => "0s".to_owned(),
        millis if millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    }
}

impl TypedValueParser for DurationRange {
    type Value = Duration;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Duration, clap::Error> {
        let range = *self;
        let read = move |text: &str| range.read(text);
        read.parse_ref(command, argument, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn what_lies_within_the_limits_is_read() {
        let seconds = DurationRange::seconds(1..=3600);
        for (text, expected) in [("1s", SECOND), ("1h", HOUR), ("60m", HOUR), ("1000ms", SECOND)] {
            assert_eq!(seconds.read(text), Ok(expected), "{text}");
        }
        let memory = DurationRange::milliseconds(0..=1000);
        assert_eq!(memory.read("0s"), Ok(Duration::ZERO));
        assert_eq!(memory.read("1ms"), Ok(Duration::from_millis(1)));
    }

    #[test]
    fn anything_else_is_refused_with_what_would_do() {
        let seconds = DurationRange::seconds(1..=3600);
        for text in [
            "",
            "30",
            "0s",
            "999ms",
            "1500ms",
            "1h 1s",
            "100000y",
            "99999999999999999999s",
            "soon",
            "1s2",
        ] {
            let expected = "must be 1s to 1h, in whole seconds, such as 30s";
            assert_eq!(seconds.read(text), Err(expected.to_owned()), "{text}");
        }
        let memory = DurationRange::milliseconds(0..=1500);
        for text in ["1us", "1500us", "1501ms"] {
            let expected = "must be 0s to 1500ms, in whole milliseconds, such as 1500ms";
            assert_eq!(memory.read(text), Err(expected.to_owned()), "{text}");
        }
    }
}
