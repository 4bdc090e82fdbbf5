//! Dividing a bounded number of things among several holders, so that one who takes much does not
//! keep the others out.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A bounded number of something (connections, places, bytes) that several holders share.
///
/// A holder may take more only if as much as it already holds then stays free. So a single holder
/// gets half of all, each further one half of what is left, and one that holds nothing gets what is
/// free. Clones share the same whole.
#[derive(Debug)]
pub struct Shares<K>(Arc<Mutex<State<K>>>);

#[derive(Debug)]
struct State<K> {
    free: u64,
    held: HashMap<K, u64>,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// Divides that many.
    #[must_use]
    pub fn new(all: u64) -> Self {
        Self(Arc::new(Mutex::new(State { free: all, held: HashMap::new() })))
    }

    /// Takes some for a holder, or nothing where its share does not allow that now.
    #[must_use]
    pub fn take(&self, holder: &K, amount: u64) -> Option<Share<K>> {
        let mut state = self.lock();
        let held = state.held.get(holder).copied().unwrap_or(0);
        state.free = state.free.checked_sub(amount).filter(|left| *left >= held)?;
        state.held.insert(holder.clone(), held + amount);
        drop(state);
        Some(Share { all: self.clone(), holder: holder.clone(), amount })
    }

    /// How much a holder has.
    #[must_use]
    pub fn held(&self, holder: &K) -> u64 {
        self.lock().held.get(holder).copied().unwrap_or(0)
    }

    /// How much nobody holds.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.lock().free
    }
}

impl<K> Shares<K> {
    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// What a holder took. Dropping it gives it back.
#[derive(Debug)]
#[must_use = "it is given back as soon as it is dropped"]
pub struct Share<K: Eq + Hash> {
    all: Shares<K>,
    holder: K,
    amount: u64,
}

impl<K: Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut state = self.all.lock();
        state.free += self.amount;
        if let Some(held) = state.held.get_mut(&self.holder) {
            *held -= self.amount;
            if *held == 0 {
                state.held.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one at a time, as many as there are for that holder.
    fn take_all(shares: &Shares<&'static str>, holder: &'static str) -> Vec<Share<&'static str>> {
        std::iter::from_fn(|| shares.take(&holder, 1)).collect()
    }

    #[test]
    fn one_holder_gets_half_and_every_other_one_still_gets_something() {
        for (all, first, second) in [(1, 1, 0), (2, 1, 1), (4, 2, 1), (8, 4, 2), (4096, 2048, 1024)]
        {
            let shares = Shares::new(all);
            let taken = [take_all(&shares, "a"), take_all(&shares, "b")];
            assert_eq!(taken.map(|taken| taken.len()), [first, second], "of {all}");
        }
    }

    #[test]
    fn what_is_dropped_can_be_taken_again_and_leaves_no_trace() {
        let shares = Shares::new(8);
        for _ in 0..100 {
            assert_eq!(take_all(&shares, "a").len(), 4);
        }
        assert!(shares.take(&"a", 9).is_none());
        assert_eq!(shares.free(), 8);
        assert!(shares.lock().held.is_empty());
    }
}
