//! A semaphore whose holders (organizations) get a fair share of its permits.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::shares::{Share, Shares};

/// A bounded number of permits, divided as [`Shares`] divides. Each holder has a queue of those who
/// wait. A permit that becomes free goes to the holder that has the fewest, and among those that
/// have as few, to the one that got its last permit the longest ago. Clones are the same semaphore.
pub(crate) struct FairSemaphore<K: Copy + Eq + Hash>(Arc<Inner<K>>);

struct Inner<K: Copy + Eq + Hash> {
    shares: Shares<K>,
    waiting: Mutex<Waiting<K>>,
}

struct Waiting<K: Copy + Eq + Hash> {
    /// Those who wait, in the order in which they came: each gets its permit through its sender.
    queues: HashMap<K, BTreeMap<u64, oneshot::Sender<Permit<K>>>>,
    /// The holders of these queues, first the one that got its last permit the longest ago.
    order: VecDeque<K>,
    next_number: u64,
}

impl<K: Copy + Eq + Hash> FairSemaphore<K> {
    pub(crate) fn new(places: usize) -> Self {
        let waiting = Waiting { queues: HashMap::new(), order: VecDeque::new(), next_number: 0 };
        Self(Arc::new(Inner { shares: Shares::new(places as u64), waiting: Mutex::new(waiting) }))
    }

    /// Waits for a permit. A caller that stops waiting leaves the queue.
    pub(crate) async fn acquire(&self, holder: K) -> Permit<K> {
        loop {
            let (number, permit) = match self.try_acquire(holder) {
                Ok(permit) => return permit,
                Err(place) => place,
            };
            let _leave = Leave { semaphore: &self.0, holder, number };
            // The sender is dropped without a permit only together with the queue.
            if let Ok(permit) = permit.await {
                return permit;
            }
        }
    }

    /// A permit, if nobody of the same holder waits and its share allows one more; else a place in
    /// the queue.
    fn try_acquire(&self, holder: K) -> Result<Permit<K>, (u64, oneshot::Receiver<Permit<K>>)> {
        let mut waiting = self.0.lock();
        if !waiting.queues.contains_key(&holder)
            && let Some(share) = self.0.shares.take(&holder, 1)
        {
            return Ok(self.0.permit(share));
        }
        Err(waiting.join(holder))
    }
}

impl<K: Copy + Eq + Hash> Clone for FairSemaphore<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Copy + Eq + Hash> Inner<K> {
    fn lock(&self) -> MutexGuard<'_, Waiting<K>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn permit(self: &Arc<Self>, share: Share<K>) -> Permit<K> {
        Permit { share: Some(share), semaphore: self.clone() }
    }

    /// Gives free permits to those who wait, as far as their shares allow.
    fn advance(self: &Arc<Self>) {
        let mut waiting = self.lock();
        // Where the holder that has the fewest may not take more, nobody may.
        while let Some((place, holder)) = waiting.next(&self.shares)
            && let Some(share) = self.shares.take(&holder, 1)
            && let Some(give) = waiting.serve(place)
        {
            if let Err(mut unwanted) = give.send(self.permit(share)) {
                // Its caller has just stopped waiting, so the share is free for the next.
                drop(unwanted.share.take());
            }
        }
    }
}

impl<K: Copy + Eq + Hash> Waiting<K> {
    fn join(&mut self, holder: K) -> (u64, oneshot::Receiver<Permit<K>>) {
        let (give, permit) = oneshot::channel();
        let number = self.next_number;
        self.next_number += 1;
        let queue = self.queues.entry(holder).or_default();
        if queue.is_empty() {
            self.order.push_back(holder);
        }
        queue.insert(number, give);
        (number, permit)
    }

    fn leave(&mut self, holder: K, number: u64) {
        let Some(queue) = self.queues.get_mut(&holder) else { return };
        queue.remove(&number);
        if queue.is_empty() {
            self.queues.remove(&holder);
            self.order.retain(|other| *other != holder);
        }
    }

    /// The holder that is next, and its place in the order.
    fn next(&self, shares: &Shares<K>) -> Option<(usize, K)> {
        self.order.iter().copied().enumerate().min_by_key(|(_, holder)| shares.held(holder))
    }

    /// Takes the first out of the queue of the holder at that place, which then comes last.
    fn serve(&mut self, place: usize) -> Option<oneshot::Sender<Permit<K>>> {
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

/// Takes a caller that stops waiting out of the queue.
struct Leave<'a, K: Copy + Eq + Hash> {
    semaphore: &'a Inner<K>,
    holder: K,
    number: u64,
}

impl<K: Copy + Eq + Hash> Drop for Leave<'_, K> {
    fn drop(&mut self) {
        self.semaphore.lock().leave(self.holder, self.number);
    }
}

/// Dropping it makes room for the next.
#[must_use = "it is over as soon as it is dropped"]
pub(crate) struct Permit<K: Copy + Eq + Hash> {
    share: Option<Share<K>>,
    semaphore: Arc<Inner<K>>,
}

impl<K: Copy + Eq + Hash> Drop for Permit<K> {
    fn drop(&mut self) {
        if let Some(share) = self.share.take() {
            drop(share);
            self.semaphore.advance();
        }
    }
}

#[cfg(test)]
mod tests;
