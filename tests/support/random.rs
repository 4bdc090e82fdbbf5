//! Random choices that can be repeated.

/// The seed: `TIMELOG_TEST_SEED`, or another number each time. It is printed, so that it can be
/// given again.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("TIMELOG_TEST_SEED").ok();
    let seed = given.map_or_else(
        || uuid::Uuid::new_v4().as_u64_pair().0,
        |seed| seed.parse().expect("TIMELOG_TEST_SEED is a number"),
    );
    #[expect(clippy::print_stdout, reason = "a test that fails shows what it printed")]
    {
        println!("TIMELOG_TEST_SEED={seed}");
    }
    seed
}

/// A random number generator. It prints its seed, and `TIMELOG_TEST_SEED` repeats its choices.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        Self(seed())
    }

    /// One with that seed. The text makes two of one seed differ.
    pub(crate) fn with_seed(seed: u64, which: &str) -> Self {
        let mut random = Self(seed);
        for byte in which.bytes() {
            random.0 = random.0.wrapping_add(u64::from(byte));
            random.below(1);
        }
        random
    }

    /// Another generator, independent of this one from here on.
    pub(crate) fn another(&mut self) -> Self {
        Self(self.below(usize::MAX) as u64)
    }

    /// A number below that one. The generator is splitmix64.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).expect("it is below a usize")
    }

    /// Puts them into another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
