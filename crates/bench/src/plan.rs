//! How much is measured.

use std::time::Duration;

/// How much is measured, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How often each of two things is measured, in turn.
    pub(crate) rounds: usize,
    /// How long a round is. The load generator takes whole seconds.
    pub(crate) round: Duration,
    /// How many entries a large database has.
    pub(crate) many: u64,
    /// How many entries a small one has.
    pub(crate) few: u64,
    /// How many expired idempotency keys there are to sweep.
    pub(crate) expired: u64,
    /// How often the start of the program is measured.
    pub(crate) starts: usize,
}

impl Plan {
    pub(crate) const FULL: Self = Self {
        rounds: 3,
        round: Duration::from_secs(3),
        many: 5_000_000,
        few: 5_000,
        expired: 1_000_000,
        starts: 9,
    };

    /// About a tenth.
    pub(crate) const QUICK: Self = Self {
        rounds: 2,
        round: Duration::from_secs(1),
        many: 500_000,
        few: 5_000,
        expired: 100_000,
        starts: 3,
    };
}

/// A count as a number to divide.
#[expect(clippy::cast_precision_loss, reason = "nothing counted here has more than 52 bits")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// The middle of some measurements; 0 if there is none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        let medians = [vec![], vec![3.0, 1.0, 2.0], vec![4.0, 1.0]].map(|values| median(&values));
        assert_eq!(medians.map(|median| median.to_string()), ["0", "2", "2.5"]);
    }
}
