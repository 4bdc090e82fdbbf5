//! Choices by chance that can be made again.

/// What chance begins with: `TIMELOG_TEST_SEED`, or another number each time. It is printed, so
/// that it can be given again.
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

/// A source of choices. It says what it began with, and `TIMELOG_TEST_SEED` makes it begin there
/// again.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new() -> Self {
        Self(seed())
    }

    /// One that begins where it is told to. What is added makes two of one seed differ.
    pub(crate) fn beginning(seed: u64, which: &str) -> Self {
        let mut chance = Self(seed);
        for byte in which.bytes() {
            chance.0 = chance.0.wrapping_add(u64::from(byte));
            chance.below(1);
        }
        chance
    }

    /// Another one, whose choices depend on nobody else's from here on.
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
