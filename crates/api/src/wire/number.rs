//! Whole numbers as JSON writes them.

/// The value of a JSON number that is whole, however it is written: `150`, `150.0` and `1.5e2` are
/// the same. One that does not fit an `i64` becomes the nearest end of its range. The text must be
/// a JSON number; its cost is its length.
pub(super) fn whole(number: &str) -> Option<i64> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (negative, mantissa) =
        mantissa.strip_prefix('-').map_or((false, mantissa), |mantissa| (true, mantissa));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{integer}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let trailing_zeros = digits.len() - digits.trim_end_matches('0').len();
    // An exponent too long for an i64 is beyond every number that fits, whichever way it points.
    let exponent =
        exponent.parse().unwrap_or(if exponent.starts_with('-') { i64::MIN } else { i64::MAX });
    let shift = exponent
        .saturating_sub(length(fraction))
        .saturating_add(i64::try_from(trailing_zeros).ok()?);
    if shift < 0 {
        return None;
    }
    let magnitude = if length(significant).saturating_add(shift) > 18 {
        i64::MAX
    } else {
        significant.parse::<i64>().ok()? * 10_i64.pow(u32::try_from(shift).ok()?)
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_whole_in_every_spelling() {
        for text in ["150", "150.0", "1.5e2", "1.5E+2", "15e1", "1500e-1", "0.15e3", "150.000e0"] {
            assert_eq!(whole(text), Some(150), "{text}");
        }
        for text in ["0", "-0", "0.0", "0e9", "0e-999999999999999999999"] {
            assert_eq!(whole(text), Some(0), "{text}");
        }
        assert_eq!(whole("-5"), Some(-5));
        assert_eq!(whole("100"), Some(100));
    }

    #[test]
    fn a_fraction_is_not_whole() {
        for text in ["150.5", "1e-1", "15e-1", "0.1", "1e-99999999999999999999"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_too_large_is_the_largest() {
        for text in ["1e999999999", "1e99999999999999999999", &"9".repeat(100_000)] {
            assert_eq!(whole(text), Some(i64::MAX));
            assert_eq!(whole(&format!("-{text}")), Some(-i64::MAX));
        }
    }
}
