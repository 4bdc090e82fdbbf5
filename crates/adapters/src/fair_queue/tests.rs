use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const MOST_JOBS: usize = 32;

/// What waits, and who it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Job {
    organization: u128,
    number: usize,
    weight: usize,
}

fn organization(number: u128) -> OrganizationId {
    OrganizationId::new(Uuid::from_u128(number))
}

/// Numbers jobs, and takes them.
#[derive(Default)]
struct Desk {
    turns: FairQueue<Job>,
    jobs: usize,
}

impl Desk {
    fn push(&mut self, owner: u128, weight: usize) -> Job {
        let job = Job { organization: owner, number: self.jobs, weight };
        self.jobs += 1;
        self.turns.push(organization(owner), weight, job);
        job
    }

    fn take(&mut self) -> Vec<Job> {
        let taken = self.turns.take(MOST_JOBS, |_| false);
        assert!(taken.late.is_empty());
        taken.ready
    }

    /// The weights of each transaction until nothing waits.
    fn take_all(&mut self) -> Vec<Vec<usize>> {
        std::iter::from_fn(|| Some(self.take()).filter(|taken| !taken.is_empty()))
            .map(|taken| taken.iter().map(|job| job.weight).collect())
            .collect()
    }
}

#[test]
fn one_entry_is_taken_next_and_by_itself_though_somebody_has_1200_batches_waiting() {
    let mut desk = Desk::default();
    for _ in 0..1200 {
        desk.push(1, 500);
    }
    assert_eq!(desk.take().len(), 1);
    // Again and again, also where the other has saved up for its next batch.
    for _ in 0..100 {
        let light = desk.push(2, 1);
        let (first, second) = (desk.take(), desk.take());
        let both = [&first[..], &second[..]].concat();
        assert!(
            first == [light] || (both.contains(&light) && both.len() <= 3),
            "{first:?}, {second:?}"
        );
    }
    assert!(desk.turns.jobs() > 1000, "the batches were not what was taken all the time");
}

#[test]
fn however_many_ask_for_much_a_newcomer_is_taken_next() {
    let mut desk = Desk::default();
    for owner in 10..60 {
        for _ in 0..5 {
            desk.push(owner, 500);
        }
    }
    for newcomer in 100..130 {
        desk.take();
        let job = desk.push(newcomer, 1);
        assert_eq!(desk.take(), [job]);
    }
}

#[test]
fn many_who_ask_for_little_hold_nobody_up_who_asks_for_much() {
    let mut desk = Desk::default();
    desk.push(1, 1);
    desk.take();
    let heavy = desk.push(2, 500);
    // Somebody always has a job waiting, and most of the time another one comes.
    let mut taken = Vec::new();
    for round in 0..2 * (500 / TURN + 1) {
        desk.push(10 + (round as u128) % 3, 1);
        taken.extend(desk.take());
    }
    assert!(taken.contains(&heavy));
}

#[test]
fn who_is_alone_gets_all_that_fits_into_a_transaction() {
    for (weight, together) in
        [(1, MOST_JOBS), (16, MOST_JOBS), (40, 12), (100, 5), (256, 2), (500, 1), (2000, 1)]
    {
        let mut desk = Desk::default();
        for _ in 0..100 {
            desk.push(1, weight);
        }
        let sizes: Vec<_> = desk.take_all().iter().map(Vec::len).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 100);
        assert!(
            sizes[..sizes.len() - 1].iter().all(|size| *size == together),
            "{weight}: {sizes:?}"
        );
    }
}

#[test]
fn a_job_waits_for_the_next_transaction_rather_than_hold_up_lighter_ones_before_it() {
    let mut desk = Desk::default();
    for weight in [1, 32, 33, 500, 1, 1, 500] {
        desk.push(1, weight);
    }
    assert_eq!(desk.take_all(), [vec![1, 32, 33], vec![500, 1, 1], vec![500]]);
}

#[test]
fn heavy_jobs_that_have_to_save_up_are_not_waited_for() {
    let mut desk = Desk::default();
    let heavy = [1, 2].map(|owner| desk.push(owner, 100));
    // Together they are so many that a heavy one might join them.
    let light: Vec<_> =
        (3..7).flat_map(|owner| [8; 4].map(|weight| desk.push(owner, weight))).collect();
    assert_eq!(desk.take(), light);
    assert_eq!(desk.take(), heavy);
}

#[test]
fn what_is_late_costs_no_turn() {
    let mut desk = Desk::default();
    let late: Vec<_> = (0..10).map(|_| desk.push(1, 500)).collect();
    let other = desk.push(2, 20);
    let in_time = desk.push(1, 20);
    let taken = desk.turns.take(MOST_JOBS, |job| job.number < 10);
    assert_eq!((taken.late, taken.ready), (late, vec![in_time, other]));
    assert_eq!((desk.turns.jobs(), desk.turns.organizations()), (0, 0));
}

#[test]
fn nothing_is_left_of_those_for_whom_nothing_waits() {
    let mut desk = Desk::default();
    for owner in 0..100 {
        desk.push(owner, 1 + owner as usize);
    }
    desk.take_all();
    assert!(
        desk.turns.lines.is_empty()
            && desk.turns.ring.is_empty()
            && desk.turns.newcomers.is_empty()
    );
}

/// Of one organization a job of that weight; or something is taken.
fn steps() -> impl Strategy<Value = Vec<Option<(u128, usize)>>> {
    let weight = prop_oneof![4 => Just(1_usize), 2 => 1..=40_usize, 1 => 100..=500_usize];
    let step = prop_oneof![3 => (0..6_u128, weight).prop_map(Some), 1 => Just(None)];
    prop::collection::vec(step, 1..400)
}

proptest! {
    #[test]
    fn every_job_is_taken_once_in_the_order_of_its_organization_and_in_time(steps in steps()) {
        let mut desk = Desk::default();
        let mut waiting: BTreeMap<u128, VecDeque<Job>> = BTreeMap::new();
        // For how many transactions the first of each line has been that.
        let mut waited: BTreeMap<u128, usize> = BTreeMap::new();
        for step in steps.into_iter().chain(std::iter::repeat_n(None, 400)) {
            if let Some((owner, weight)) = step {
                let job = desk.push(owner, weight);
                waiting.entry(owner).or_default().push_back(job);
                continue;
            }
            let others = waiting.len().saturating_sub(1);
            let taken = desk.take();
            prop_assert_eq!(taken.is_empty(), waiting.is_empty());
            prop_assert!(taken.len() <= MOST_JOBS);
            let weight: usize = taken.iter().map(|job| job.weight).sum();
            prop_assert!(weight <= MOST_ENTRIES || taken.len() == 1, "{taken:?}");
            for count in waited.values_mut() {
                *count += 1;
            }
            for job in taken {
                let line = waiting.get_mut(&job.organization).unwrap();
                prop_assert_eq!(line.pop_front(), Some(job));
                waited.insert(job.organization, 0);
            }
            waiting.retain(|_, line| !line.is_empty());
            waited.retain(|owner, _| waiting.contains_key(owner));
            for (owner, line) in &waiting {
                let count = *waited.entry(*owner).or_insert(0);
                prop_assert!(line[0].weight > 1 || count <= 3 * others + 1, "{owner} has waited \
                    for {count}");
            }
            prop_assert_eq!(desk.turns.organizations(), waiting.len());
            prop_assert_eq!(desk.turns.jobs(), waiting.values().map(VecDeque::len).sum::<usize>());
        }
        prop_assert!(waiting.is_empty());
    }

    #[test]
    fn two_who_always_have_something_waiting_get_as_many_entries(weights in prop::collection::vec((1..=500_usize, 1..=500_usize), 300)) {
        let mut desk = Desk::default();
        let mut got = [0_usize; 2];
        for (one, other) in &weights {
            desk.push(0, *one);
            desk.push(1, *other);
        }
        while got.iter().sum::<usize>() < 60_000 {
            for job in desk.take() {
                got[job.organization as usize] += job.weight;
            }
            prop_assert!(got[0].abs_diff(got[1]) <= 2 * (500 + TURN), "{got:?}");
            prop_assume!(desk.turns.organizations() == 2);
        }
    }
}
