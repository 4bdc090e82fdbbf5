//! Knowing a row again that has no id: by a digest of what it says, and by a count where one file
//! says the same twice.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// The digest of what a row says. Rows that say the same have the same, and no others: it is half
/// of a SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Content(u128);

impl Content {
    pub(super) fn of(values: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut digest = Sha256::new();
        for value in values {
            let value = value.as_ref();
            // The length keeps apart what would run together.
            digest.update((value.len() as u64).to_be_bytes());
            digest.update(value);
        }
        let digest: [u8; 32] = digest.finalize().into();
        Self(digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }

    /// The id of the row that says this for the `nth` time, from 1.
    pub(super) fn id(self, nth: u32) -> String {
        format!("{:032x}-{nth}", self.0)
    }
}

/// How many bits tell apart what comes once from what may come again: 2 MiB for each of the two.
/// Rows that share one by chance cost memory and nothing else.
const BITS: usize = 1 << 24;

/// Counts how often a file says the same, in memory that does not grow with the file: a first
/// reading finds what may come more than once, and only that is counted in the second.
pub(super) struct Repeats {
    once: Vec<u64>,
    again: Vec<u64>,
    counts: HashMap<Content, u32>,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self { once: vec![0; BITS / 64], again: vec![0; BITS / 64], counts: HashMap::new() }
    }

    /// Notes a row of the first reading.
    pub(super) fn note(&mut self, content: Content) {
        let (word, bit) = place(content);
        self.again[word] |= self.once[word] & bit;
        self.once[word] |= bit;
    }

    /// Counts a row of the second reading: the how manieth it is that says this.
    pub(super) fn count(&mut self, content: Content) -> u32 {
        let (word, bit) = place(content);
        if self.again[word] & bit == 0 {
            return 1;
        }
        let count = self.counts.entry(content).or_default();
        *count += 1;
        *count
    }
}

/// Any bits of a digest will do.
fn place(Content(digest): Content) -> (usize, u64) {
    let bit = digest as usize % BITS;
    (bit / 64, 1 << (bit % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_is_counted_and_nothing_else() {
        let rows = ["a", "b", "a", "c", "a", "b"].map(|text| Content::of([text]));
        let mut repeats = Repeats::new();
        for row in rows {
            repeats.note(row);
        }
        assert_eq!(rows.map(|row| repeats.count(row)), [1, 1, 2, 1, 3, 2]);
        assert_eq!(repeats.counts.len(), 2);
    }

    #[test]
    fn rows_that_share_a_bit_are_still_told_apart() {
        let (one, other) = (Content(7), Content(7 + BITS as u128));
        let mut repeats = Repeats::new();
        for row in [one, other, one] {
            repeats.note(row);
        }
        assert_eq!([one, other, one].map(|row| repeats.count(row)), [1, 1, 2]);
    }

    #[test]
    fn an_id_is_the_same_in_every_version() {
        let row = ["Developer", "2025-01-15", "9000", "=Löten, \"heiß\"", ""];
        assert_eq!(Content::of(row).id(2), "957ebd5f35b3a806768dde0c7645a70a-2");
    }

    #[test]
    fn values_do_not_run_together() {
        assert_ne!(Content::of(["ab", "c"]), Content::of(["a", "bc"]));
        assert_ne!(Content::of(["a", ""]), Content::of(["a"]));
        assert_eq!(Content::of(["a"]).id(2).len(), 34);
    }
}
