use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

type Acquiring = Pin<Box<dyn Future<Output = Permit<u8>>>>;

/// Somebody who wants to get in.
fn acquiring(semaphore: &FairSemaphore<u8>, holder: u8) -> Acquiring {
    let semaphore = semaphore.clone();
    Box::pin(async move { semaphore.acquire(holder).await })
}

fn poll(acquiring: &mut Acquiring) -> Option<Permit<u8>> {
    match acquiring.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(turn) => Some(turn),
        Poll::Pending => None,
    }
}

/// Everybody who is inside or waits, in the order in which they came.
struct Crowd {
    semaphore: FairSemaphore<u8>,
    inside: Vec<(u8, Permit<u8>)>,
    outside: Vec<(u8, Acquiring)>,
}

impl Crowd {
    fn before(places: usize) -> Self {
        Self { semaphore: FairSemaphore::new(places), inside: Vec::new(), outside: Vec::new() }
    }

    /// Somebody comes. Returns whether they are inside at once.
    fn come(&mut self, holder: u8) -> bool {
        let mut acquiring = acquiring(&self.semaphore, holder);
        let turn = poll(&mut acquiring);
        let is_inside = turn.is_some();
        match turn {
            Some(turn) => self.inside.push((holder, turn)),
            None => self.outside.push((holder, acquiring)),
        }
        is_inside
    }

    /// Whoever has got a turn goes in. Returns whose they are, in the order in which they came.
    fn has_let_in(&mut self) -> Vec<u8> {
        let mut holders = Vec::new();
        let mut outside = Vec::new();
        for (holder, mut acquiring) in self.outside.drain(..) {
            match poll(&mut acquiring) {
                Some(turn) => {
                    holders.push(holder);
                    self.inside.push((holder, turn));
                }
                None => outside.push((holder, acquiring)),
            }
        }
        self.outside = outside;
        holders
    }

    /// One of a holder's leaves. Returns who comes in instead.
    fn leave(&mut self, holder: u8) -> Vec<u8> {
        let place = self.inside.iter().position(|(other, _)| *other == holder).unwrap();
        drop(self.inside.remove(place));
        self.has_let_in()
    }

    fn held(&self, holder: u8) -> usize {
        self.inside.iter().filter(|(other, _)| *other == holder).count()
    }

    /// Nobody waits who may come in, and what is counted is what there is.
    fn is_settled(&self, places: usize) {
        let free = places - self.inside.len();
        let Inner { shares, waiting } = &*self.semaphore.0;
        assert_eq!(shares.free(), free as u64);
        for (holder, _) in &self.outside {
            assert!(free == 0 || free - 1 < self.held(*holder), "{holder} waits for nothing");
        }
        let waiting = waiting.lock().unwrap();
        let mut counted: Vec<_> =
            waiting.queues.iter().map(|(holder, queue)| (*holder, queue.len())).collect();
        counted.sort_unstable();
        let mut holders: Vec<_> = self.outside.iter().map(|(holder, _)| *holder).collect();
        holders.sort_unstable();
        let expected: Vec<_> =
            holders.chunk_by(u8::eq).map(|chunk| (chunk[0], chunk.len())).collect();
        assert_eq!(counted, expected, "a queue has others than those who wait");
        let mut order: Vec<_> = waiting.order.iter().copied().collect();
        order.sort_unstable();
        holders.dedup();
        assert_eq!(order, holders, "whoever waits has one place in the order");
    }
}

#[test]
fn those_who_wait_take_turns_however_many_wait_for_one_of_them() {
    let mut crowd = Crowd::before(2);
    assert!(crowd.come(1));
    assert!(crowd.come(2));
    for holder in [1, 1, 1, 1, 2, 3, 3, 4] {
        crowd.come(holder);
    }
    let mut turns = Vec::new();
    for leaving in [1, 2, 1, 2, 3, 4, 1, 3, 1] {
        turns.extend(crowd.leave(leaving));
        crowd.is_settled(2);
    }
    assert_eq!(turns, [1, 2, 3, 4, 1, 3, 1, 1]);
}

#[test]
fn one_alone_leaves_half_for_others_and_they_come_in_at_once() {
    let mut crowd = Crowd::before(8);
    for _ in 0..100 {
        crowd.come(1);
    }
    assert_eq!((crowd.held(1), crowd.outside.len()), (4, 96));
    assert!(crowd.come(2));
    assert!(crowd.come(3));
    crowd.is_settled(8);
}

#[test]
fn who_stops_waiting_leaves_no_trace_also_when_the_turn_was_given_already() {
    let mut crowd = Crowd::before(1);
    crowd.come(1);
    for holder in [1, 2, 2, 3] {
        crowd.come(holder);
    }
    // The first of 2 stops waiting.
    drop(crowd.outside.remove(1));
    crowd.is_settled(1);
    // A turn is given to 1, which stops waiting before it takes it, and then to 2, which does so
    // too.
    drop(crowd.inside.pop());
    drop(crowd.outside.remove(0));
    drop(crowd.outside.remove(0));
    assert_eq!(crowd.has_let_in(), [3]);
    crowd.is_settled(1);
    assert_eq!(crowd.leave(3), [0; 0]);
    crowd.is_settled(1);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Come(u8),
    /// The one at this place, of those who are inside, leaves.
    Leave(usize),
    /// The one at this place, of those who wait, waits no longer.
    GiveUp(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..6_u8).prop_map(Step::Come),
        4 => any::<usize>().prop_map(Step::Leave),
        1 => any::<usize>().prop_map(Step::GiveUp),
    ];
    proptest::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn turns_are_fair_and_none_is_lost(places in 1..10_usize, steps in steps()) {
        let mut crowd = Crowd::before(places);
        // When each holder that waits had its last turn, or else began to wait.
        let mut last = HashMap::<u8, usize>::new();
        for (now, step) in steps.into_iter().enumerate() {
            match step {
                Step::Come(holder) => {
                    let waited = crowd.outside.iter().any(|(other, _)| *other == holder);
                    if crowd.come(holder) {
                        prop_assert!(!waited, "it came past those who wait");
                    } else if !waited {
                        last.insert(holder, now);
                    }
                }
                Step::Leave(place) if !crowd.inside.is_empty() => {
                    let place = place % crowd.inside.len();
                    let waiting: Vec<_> = crowd.outside.iter().map(|(holder, _)| *holder).collect();
                    let (leaving, turn) = crowd.inside.remove(place);
                    drop(turn);
                    let before: HashMap<u8, usize> = waiting.iter().map(|holder| (*holder, crowd.held(*holder))).collect();
                    let rank = |holder: &u8| (before[holder], last[holder]);
                    let let_in = crowd.has_let_in();
                    prop_assert!(let_in.len() <= 1, "{leaving} made room for {let_in:?}");
                    if let [next] = let_in[..] {
                        prop_assert_eq!(Some(rank(&next)), waiting.iter().map(rank).min(), "{} was not next", next);
                        last.insert(next, now);
                    }
                }
                Step::GiveUp(place) if !crowd.outside.is_empty() => {
                    let place = place % crowd.outside.len();
                    drop(crowd.outside.remove(place));
                }
                Step::Leave(_) | Step::GiveUp(_) => {}
            }
            crowd.is_settled(places);
        }
        // In the end everybody gets in.
        while let Some((holder, _)) = crowd.inside.first() {
            let holder = *holder;
            crowd.leave(holder);
            crowd.is_settled(places);
        }
        prop_assert!(crowd.outside.is_empty());
    }
}
