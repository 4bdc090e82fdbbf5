//! Waiting for a share. Whoever gets none now waits for a turn, and those who wait take turns.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::shares::{Share, Shares};

/// Lets a bounded number in at a time, divided as [`Shares`] divides. Whoever has to wait does so
/// in the queue of its holder. When a place becomes free, the holder that has least inside is next,
/// and among those that have as much, the one whose turn is longest ago. Clones are the same
/// turnstile.
pub(crate) struct Turnstile<K: Copy + Eq + Hash>(Arc<Inner<K>>);

struct Inner<K: Copy + Eq + Hash> {
    shares: Shares<K>,
    waiting: Mutex<Waiting<K>>,
}

struct Waiting<K: Copy + Eq + Hash> {
    /// Who waits: the ends through which they get their turns, in the order in which they came.
    queues: HashMap<K, BTreeMap<u64, oneshot::Sender<Turn<K>>>>,
    /// The holders of these queues, the one whose turn is longest ago first.
    order: VecDeque<K>,
    next_number: u64,
}

impl<K: Copy + Eq + Hash> Turnstile<K> {
    pub(crate) fn new(places: usize) -> Self {
        let waiting = Waiting { queues: HashMap::new(), order: VecDeque::new(), next_number: 0 };
        Self(Arc::new(Inner { shares: Shares::new(places as u64), waiting: Mutex::new(waiting) }))
    }

    /// Waits for a turn of the holder's. Whoever stops waiting has left the queue.
    pub(crate) async fn enter(&self, holder: K) -> Turn<K> {
        loop {
            let (number, turn) = match self.try_enter(holder) {
                Ok(turn) => return turn,
                Err(place) => place,
            };
            let _leave = Leave { turnstile: &self.0, holder, number };
            // The other end is dropped without a turn only together with the queue.
            if let Ok(turn) = turn.await {
                return turn;
            }
        }
    }

    /// A turn, if nobody of the same holder waits and its share allows one more; else a place in
    /// the queue.
    fn try_enter(&self, holder: K) -> Result<Turn<K>, (u64, oneshot::Receiver<Turn<K>>)> {
        let mut waiting = self.0.lock();
        if !waiting.queues.contains_key(&holder)
            && let Some(share) = self.0.shares.take(&holder, 1)
        {
            return Ok(self.0.turn(share));
        }
        Err(waiting.join(holder))
    }
}

impl<K: Copy + Eq + Hash> Clone for Turnstile<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Copy + Eq + Hash> Inner<K> {
    fn lock(&self) -> MutexGuard<'_, Waiting<K>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(self: &Arc<Self>, share: Share<K>) -> Turn<K> {
        Turn { share: Some(share), turnstile: self.clone() }
    }

    /// Gives what is free to those who wait, as far as their shares allow.
    fn advance(self: &Arc<Self>) {
        let mut waiting = self.lock();
        // Where the one that has least may not take more, nobody may.
        while let Some((place, holder)) = waiting.next(&self.shares)
            && let Some(share) = self.shares.take(&holder, 1)
            && let Some(give) = waiting.serve(place)
        {
            if let Err(mut unwanted) = give.send(self.turn(share)) {
                // Whoever it was has just stopped waiting. The share is free again, for the next.
                drop(unwanted.share.take());
            }
        }
    }
}

impl<K: Copy + Eq + Hash> Waiting<K> {
    fn join(&mut self, holder: K) -> (u64, oneshot::Receiver<Turn<K>>) {
        let (give, turn) = oneshot::channel();
        let number = self.next_number;
        self.next_number += 1;
        let queue = self.queues.entry(holder).or_default();
        if queue.is_empty() {
            self.order.push_back(holder);
        }
        queue.insert(number, give);
        (number, turn)
    }

    fn leave(&mut self, holder: K, number: u64) {
        let Some(queue) = self.queues.get_mut(&holder) else { return };
        queue.remove(&number);
        if queue.is_empty() {
            self.queues.remove(&holder);
            self.order.retain(|other| *other != holder);
        }
    }

    /// Whose turn it is, and its place in the order.
    fn next(&self, shares: &Shares<K>) -> Option<(usize, K)> {
        self.order.iter().copied().enumerate().min_by_key(|(_, holder)| shares.held(holder))
    }

    /// Takes the first out of the queue of the holder at that place, which is the last to have a
    /// turn then.
    fn serve(&mut self, place: usize) -> Option<oneshot::Sender<Turn<K>>> {
        let holder = self.order.remove(place)?;
        let queue = self.queues.get_mut(&holder)?;
        let (_, first) = queue.pop_first()?;
        if queue.is_empty() {
            self.queues.remove(&holder);
        } else {
            self.order.push_back(holder);
        }
        Some(first)
    }
}

/// Takes somebody who stops waiting out of the queue.
struct Leave<'a, K: Copy + Eq + Hash> {
    turnstile: &'a Inner<K>,
    holder: K,
    number: u64,
}

impl<K: Copy + Eq + Hash> Drop for Leave<'_, K> {
    fn drop(&mut self) {
        self.turnstile.lock().leave(self.holder, self.number);
    }
}

/// Somebody who is inside. Dropping it makes room for the next.
#[must_use = "it is over as soon as it is dropped"]
pub(crate) struct Turn<K: Copy + Eq + Hash> {
    share: Option<Share<K>>,
    turnstile: Arc<Inner<K>>,
}

impl<K: Copy + Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        if let Some(share) = self.share.take() {
            drop(share);
            self.turnstile.advance();
        }
    }
}

#[cfg(test)]
mod tests;
