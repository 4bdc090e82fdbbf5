//! Durations and times of day as other programs write them.

use timelog_domain::WorkDuration;

use super::fault::quoted;

/// The seconds of a duration written `H:MM:SS` or `H:MM`.
pub(super) fn seconds(cell: &str) -> Option<u32> {
    let mut parts = cell.splitn(4, ':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next().unwrap_or("00"));
    let number = |part: &str, most: usize| {
        let digits =
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u32>().ok()).flatten()
    };
    let sixtieths = |part: &str| number(part, 2).filter(|number| *number < 60);
    let seconds = number(hours, 4)? * 3600 + sixtieths(minutes)? * 60 + sixtieths(seconds)?;
    parts.next().is_none().then_some(seconds)
}

/// The duration in a cell, rounded half up to a whole minute.
pub(super) fn duration(cell: &str) -> Result<WorkDuration, String> {
    let seconds = seconds(cell)
        .ok_or_else(|| format!("{} is no duration written H:MM:SS or H:MM", quoted(cell)))?;
    let minutes = (seconds + 30) / 60;
    WorkDuration::from_minutes(minutes.into()).map_err(|_| {
        format!("{} rounds to {minutes} minutes; an entry has 1 to 1440 (a day)", quoted(cell))
    })
}

/// A time of day as `HH:MM:SS`, whether the file has 12 or 24 hours. Other text stays as it is.
pub(super) fn time_of_day(cell: &str) -> String {
    let cell = cell.trim();
    let lower = cell.to_ascii_lowercase();
    let (clock, offset) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(clock), _) => (clock.trim(), Some(0)),
        (_, Some(clock)) => (clock.trim(), Some(12)),
        _ => (lower.as_str(), None),
    };
    let time = seconds(clock).and_then(|seconds| match (offset, seconds / 3600) {
        (None, 0..=23) => Some(seconds),
        (Some(offset), hour @ 1..=12) => Some(seconds - hour * 3600 + (hour % 12 + offset) * 3600),
        _ => None,
    });
    time.map_or_else(
        || cell.to_owned(),
        |time| format!("{:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_minute_rounds_up() {
        for (cell, minutes) in [
            ("0:00:30", 1),
            ("00:01:29", 1),
            ("00:01:30", 2),
            ("1:30", 90),
            ("2:00:00", 120),
            ("23:59:30", 1440),
        ] {
            assert_eq!(duration(cell).map(WorkDuration::minutes), Ok(minutes), "{cell}");
        }
    }

    #[test]
    fn less_than_a_minute_and_more_than_a_day_are_refused() {
        for cell in ["00:00:00", "00:00:29", "24:00:30", "9999:59:59"] {
            assert!(duration(cell).unwrap_err().contains("1 to 1440"), "{cell}");
        }
    }

    #[test]
    fn other_texts_are_not_durations() {
        for cell in [
            "",
            "90",
            "1:60",
            "1:00:60",
            "-1:00",
            "1:00:00:00",
            "1:",
            ":30",
            "1h 30m",
            "1.5",
            "１:00",
            "1:00 ",
        ] {
            assert!(duration(cell).unwrap_err().contains("no duration"), "{cell:?}");
        }
    }

    #[test]
    fn a_time_of_day_is_the_same_with_12_or_24_hours() {
        for (cell, expected) in [
            ("09:00:00", "09:00:00"),
            ("9:00 AM", "09:00:00"),
            ("12:05 AM", "00:05:00"),
            ("12:00 PM", "12:00:00"),
            ("2:30:15 pm", "14:30:15"),
            ("14:30", "14:30:00"),
            ("13:00 PM", "13:00 PM"),
            ("noon", "noon"),
        ] {
            assert_eq!(time_of_day(cell), expected, "{cell}");
        }
    }
}
