//! A queue in which organizations take turns. Each has a line of its own.
//!
//! It is deficit round robin with a short way for newcomers, the scheduler of RFC 8290 (section
//! 4.2) with entries for bytes. A turn is worth [`TURN`] entries of credit. A line brings what its
//! credit pays for and saves the rest for its next turn. So an organization that asks for hundreds
//! of entries at a time gets no more than one that asks for single entries. A new line comes first,
//! once, so that a small request does not wait for all the large ones.

use std::collections::{HashMap, VecDeque};

use timelog_domain::OrganizationId;

/// How many entries a turn is worth.
pub(crate) const TURN: usize = 32;

/// The most entries in the jobs of one transaction, unless a single job has more.
pub(crate) const MOST_ENTRIES: usize = 512;

/// Jobs that wait.
pub(crate) struct FairQueue<T> {
    lines: HashMap<OrganizationId, Line<T>>,
    /// Those whose first turn is to come.
    newcomers: VecDeque<OrganizationId>,
    /// The others, the next one first. One whose line was used up in its first turn stays here for
    /// another turn, so that it cannot be a newcomer again and again.
    ring: VecDeque<OrganizationId>,
    jobs: usize,
    organizations: usize,
}

/// The jobs of one organization, the oldest first.
struct Line<T> {
    jobs: VecDeque<(usize, T)>,
    /// How many entries it may bring now.
    credit: usize,
}

/// What was taken, in its order.
pub(crate) struct Taken<T> {
    /// To be committed together.
    pub(crate) ready: Vec<T>,
    /// What had waited too long when its turn came. It costs no credit.
    pub(crate) late: Vec<T>,
    weight: usize,
}

/// How a turn ended.
enum Turn {
    /// The line is used up.
    Over,
    /// The next job costs more than the line may bring.
    Spent,
    /// The next job does not fit into the transaction.
    Full,
}

impl<T> Default for FairQueue<T> {
    fn default() -> Self {
        Self {
            lines: HashMap::new(),
            newcomers: VecDeque::new(),
            ring: VecDeque::new(),
            jobs: 0,
            organizations: 0,
        }
    }
}

impl<T> FairQueue<T> {
    /// Puts a job at the end of its organization's line.
    pub(crate) fn push(&mut self, organization: OrganizationId, weight: usize, job: T) {
        let line = self.lines.entry(organization).or_insert_with(|| {
            self.newcomers.push_back(organization);
            Line { jobs: VecDeque::new(), credit: TURN }
        });
        self.organizations += usize::from(line.jobs.is_empty());
        self.jobs += 1;
        line.jobs.push_back((weight, job));
    }

    /// How many jobs wait.
    pub(crate) const fn jobs(&self) -> usize {
        self.jobs
    }

    /// How many organizations they belong to.
    pub(crate) const fn organizations(&self) -> usize {
        self.organizations
    }

    /// Takes what is to be committed next: at least one job if any waits that is not late, at most
    /// so many, and no more entries than fit. Once it has a job, it does not wait until heavy ones
    /// have saved enough credit, so that they do not hold up light ones.
    pub(crate) fn take(&mut self, most_jobs: usize, is_late: impl Fn(&T) -> bool) -> Taken<T> {
        let mut taken = Taken { ready: Vec::new(), late: Vec::new(), weight: 0 };
        // How many turns in a row brought nothing.
        let mut idle = 0;
        while let Some((organization, is_newcomer)) = self.next() {
            if !taken.ready.is_empty() && idle >= self.lines.len() {
                break;
            }
            let before = (taken.ready.len(), taken.late.len());
            // A line that is alone need not save: there is nobody to give way to.
            let is_alone = self.lines.len() == 1;
            let Some(line) = self.lines.get_mut(&organization) else { break };
            let was_waiting = !line.jobs.is_empty();
            let turn = line.bring(&mut taken, most_jobs, is_alone, &is_late);
            self.organizations -= usize::from(was_waiting && line.jobs.is_empty());
            self.jobs -= taken.ready.len() + taken.late.len() - before.0 - before.1;
            match turn {
                Turn::Full => break,
                Turn::Spent => {
                    line.credit += TURN;
                    self.leave_front(is_newcomer);
                    self.ring.push_back(organization);
                }
                Turn::Over if is_newcomer => {
                    line.credit = TURN;
                    self.leave_front(is_newcomer);
                    self.ring.push_back(organization);
                }
                Turn::Over => {
                    self.lines.remove(&organization);
                    self.leave_front(is_newcomer);
                }
            }
            idle = if taken.ready.len() > before.0 { 0 } else { idle + 1 };
        }
        taken
    }

    /// Whose turn is next, and whether it is its first.
    fn next(&self) -> Option<(OrganizationId, bool)> {
        match self.newcomers.front() {
            Some(organization) => Some((*organization, true)),
            None => self.ring.front().map(|organization| (*organization, false)),
        }
    }

    fn leave_front(&mut self, is_newcomer: bool) {
        let line = if is_newcomer { &mut self.newcomers } else { &mut self.ring };
        line.pop_front();
    }
}

impl<T> Line<T> {
    fn bring(
        &mut self,
        taken: &mut Taken<T>,
        most_jobs: usize,
        is_alone: bool,
        is_late: impl Fn(&T) -> bool,
    ) -> Turn {
        while let Some((weight, job)) = self.jobs.pop_front() {
            if is_late(&job) {
                taken.late.push(job);
            } else if weight > self.credit && !is_alone {
                self.jobs.push_front((weight, job));
                return Turn::Spent;
            } else if !taken.has_room_for(weight, most_jobs) {
                self.jobs.push_front((weight, job));
                return Turn::Full;
            } else {
                self.credit = self.credit.saturating_sub(weight);
                taken.weight += weight;
                taken.ready.push(job);
            }
        }
        Turn::Over
    }
}

impl<T> Taken<T> {
    /// Light jobs must not wait for the work of a heavy one in their transaction: what weighs more
    /// than a turn, and more than all of them, is left to the next transaction.
    fn has_room_for(&self, weight: usize, most_jobs: usize) -> bool {
        self.ready.is_empty()
            || self.ready.len() < most_jobs
                && self.weight + weight <= MOST_ENTRIES
                && weight <= self.weight.max(TURN)
    }
}

#[cfg(test)]
mod tests;
