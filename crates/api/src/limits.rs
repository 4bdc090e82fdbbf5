//! Values with limits. clap reads a setting with them, and shows the limits in its help.

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::builder::{PossibleValue, RangedI64ValueParser, TypedValueParser};
use clap::{Arg, Command};

/// An hour in milliseconds.
pub(crate) const HOUR: u64 = 3_600_000;

/// What stands between the least value and the most.
const DASH: char = '–';

/// A whole number within limits.
pub(crate) fn count(limits: RangeInclusive<usize>) -> impl TypedValueParser<Value = usize> {
    let [least, most] = [*limits.start(), *limits.end()];
    // What is below zero is to be told that it is not within the limits either.
    let [from, to] = [least, most].map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
    let parser = RangedI64ValueParser::new().range(from..=to);
    Limited { parser, limits: format!("{least}{DASH}{most}") }
}

/// A duration of whole milliseconds, written like `500ms`, `30s` or `24h`.
pub(crate) fn milliseconds(limits: RangeInclusive<u64>) -> impl TypedValueParser<Value = Duration> {
    duration(limits, Duration::from_millis, "milliseconds")
}

/// A duration of whole seconds, for what counts in seconds.
pub(crate) fn seconds(limits: RangeInclusive<u64>) -> impl TypedValueParser<Value = Duration> {
    duration(limits, Duration::from_secs, "seconds")
}

fn duration(
    limits: RangeInclusive<u64>,
    of: fn(u64) -> Duration,
    unit: &str,
) -> impl TypedValueParser<Value = Duration> {
    let (least, most) = (of(*limits.start()), of(*limits.end()));
    let (from, to, example) = (text(least), text(most), text(most.min(Duration::from_secs(30))));
    let limits = format!("{from}{DASH}{to}");
    let refusal = format!("must be {from} to {to}, in whole {unit}, such as {example}");
    let fits = move |duration: &Duration| {
        (least..=most).contains(duration) && duration.as_nanos().is_multiple_of(of(1).as_nanos())
    };
    let parser = move |text: &str| {
        humantime::parse_duration(text).ok().filter(fits).ok_or_else(|| refusal.clone())
    };
    Limited { parser, limits }
}

/// A duration as it is written, in the largest of the usual units that it is a multiple of.
pub(crate) fn text(duration: Duration) -> String {
    match duration.as_millis() {
        0 => "0s".to_owned(),
        millis if millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        millis if millis % 1000 == 0 => format!("{}s", millis / 1000),
        millis => format!("{millis}ms"),
    }
}

/// A parser that says between which limits it takes a value.
#[derive(Clone)]
struct Limited<P> {
    parser: P,
    limits: String,
}

impl<P: TypedValueParser> TypedValueParser for Limited<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<P::Value, clap::Error> {
        self.parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(std::iter::once(PossibleValue::new(self.limits.clone()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn read<T>(parser: &impl TypedValueParser<Value = T>, text: &str) -> Result<T, String> {
        let read = parser.parse_ref(&Command::new("timelog"), None, OsStr::new(text));
        read.map_err(|refused| refused.to_string())
    }

    fn limits<T>(parser: &impl TypedValueParser<Value = T>) -> Vec<String> {
        let values = parser.possible_values().unwrap();
        values.map(|value| value.get_name().to_owned()).collect()
    }

    #[test]
    fn what_is_within_the_limits_is_read() {
        let hour = 3600 * SECOND;
        let parser = seconds(1..=3600);
        for (text, expected) in [("1s", SECOND), ("1h", hour), ("60m", hour), ("1000ms", SECOND)] {
            assert_eq!(read(&parser, text), Ok(expected), "{text}");
        }
        let parser = milliseconds(0..=1000);
        assert_eq!(read(&parser, "0s"), Ok(Duration::ZERO));
        assert_eq!(read(&parser, "1ms"), Ok(Duration::from_millis(1)));
        assert_eq!(read(&count(1..=128), "128"), Ok(128));
    }

    #[test]
    fn anything_else_is_refused_with_what_would_do() {
        let parser = seconds(1..=3600);
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
            let refused = read(&parser, text).unwrap_err();
            let expected = "must be 1s to 1h, in whole seconds, such as 30s\n";
            assert!(refused.contains(expected), "{text}: {refused}");
        }
        let parser = milliseconds(0..=1500);
        for text in ["1us", "1500us", "1501ms"] {
            let refused = read(&parser, text).unwrap_err();
            let expected = "must be 0s to 1500ms, in whole milliseconds, such as 1500ms\n";
            assert!(refused.contains(expected), "{text}: {refused}");
        }
        for text in ["", "0", "129", "-1", "1.5", "many"] {
            assert!(read(&count(1..=128), text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_limits_are_told() {
        assert_eq!(limits(&count(1..=128)), ["1–128"]);
        assert_eq!(limits(&milliseconds(100..=24 * HOUR)), ["100ms–24h"]);
        assert_eq!(limits(&seconds(1..=90)), ["1s–90s"]);
    }
}
