//! Recognizes rows without an id when they are imported again: by a digest of their cells, and by a
//! number where one file has equal rows.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// The digest of a row, half of a SHA-256. Only equal rows have equal digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Content(u128);

impl Content {
    pub(super) fn of(values: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut digest = Sha256::new();
        for value in values {
            let value = value.as_ref();
            // The length separates the values.
            digest.update((value.len() as u64).to_be_bytes());
            digest.update(value);
        }
        let digest: [u8; 32] = digest.finalize().into();
        Self(digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
    }

    /// The id of the `nth` row with this digest, from 1.
    pub(super) fn id(self, nth: u32) -> String {
        format!("{:032x}-{nth}", self.0)
    }
}

/// How many bits each of the two bit sets has: 2 MiB. Different rows that share a bit only cost
/// memory.
const BITS: usize = 1 << 24;

/// Numbers equal rows, without memory for each row: a first reading of the file finds digests that
/// may come more than once, and the second reading counts only those.
pub(super) struct Repeats {
    seen: Vec<u64>,
    repeated: Vec<u64>,
    counts: HashMap<Content, u32>,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self { seen: vec![0; BITS / 64], repeated: vec![0; BITS / 64], counts: HashMap::new() }
    }

    /// Notes a row of the first reading.
    pub(super) fn note(&mut self, content: Content) {
        let (word, bit) = place(content);
        self.repeated[word] |= self.seen[word] & bit;
        self.seen[word] |= bit;
    }

    /// Counts a row of the second reading, and returns its number among equal rows.
    pub(super) fn count(&mut self, content: Content) -> u32 {
        let (word, bit) = place(content);
        if self.repeated[word] & bit == 0 {
            return 1;
        }
        let count = self.counts.entry(content).or_default();
        *count += 1;
        *count
    }
}

/// The bit of a digest. All bits of a digest are equally good.
fn place(Content(digest): Content) -> (usize, u64) {
    let bit = digest as usize % BITS;
    (bit / 64, 1 << (bit % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_rows_are_counted() {
        let rows = ["a", "b", "a", "c", "a", "b"].map(|text| Content::of([text]));
        let mut repeats = Repeats::new();
        for row in rows {
            repeats.note(row);
        }
        assert_eq!(rows.map(|row| repeats.count(row)), [1, 1, 2, 1, 3, 2]);
        assert_eq!(repeats.counts.len(), 2);
    }

    #[test]
    fn different_rows_that_share_a_bit_have_their_own_counts() {
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
