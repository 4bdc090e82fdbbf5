//! One run of a kind of disturbance: its parameters, and the loop that most kinds have.

use std::sync::Arc;
use std::time::Duration;

use super::audit::audit;
use super::deployment::Deployment;
use super::outbox::{Outbox, RetryPolicy};
use super::results::Results;
use crate::support::{Database, Random};

/// The parameters of a run.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    pub(super) database: Database,
    pub(super) cycles: usize,
    pub(super) random: Random,
    /// Whether the promise, or the check of it, is broken on purpose.
    pub(super) sabotage: bool,
}

/// How many clients send at the same time.
const CLIENTS: usize = 16;

impl Trial {
    /// The quick form.
    pub(super) fn quick(database: Database, cycles: usize) -> Self {
        Self { database, cycles, random: Random::new(), sabotage: false }
    }

    /// The quick form with the sabotage.
    pub(super) fn sabotage(database: Database, cycles: usize) -> Self {
        Self { sabotage: true, ..Self::quick(database, cycles) }
    }

    /// A random time below that many milliseconds.
    pub(super) fn moment(&mut self, below: usize) -> Duration {
        Duration::from_millis(self.random.below(below) as u64)
    }

    /// The retry policy of the clients: careful unless this is a sabotage.
    pub(super) fn policy(&self, sabotaged: RetryPolicy) -> RetryPolicy {
        if self.sabotage { sabotaged } else { RetryPolicy::Careful }
    }

    /// In each cycle, sends requests while something disturbs the service, and compares afterwards.
    /// The service must be running.
    pub(super) async fn disturb(
        &mut self,
        deployment: &mut Deployment,
        outbox: &Arc<Outbox>,
        mut disturb: impl AsyncFnMut(&mut Self, &mut Deployment),
    ) -> Results {
        let mut results = Results::default();
        for _ in 0..self.cycles {
            let load = outbox.begin(CLIENTS, &mut self.random);
            pause(Duration::from_millis(100) + self.moment(400)).await;
            disturb(self, deployment).await;
            load.finish().await;
            results.cycles += 1;
            audit(&mut results, outbox, deployment).await;
        }
        if !deployment.stop() {
            results.fault("the service did not end well".to_owned());
        }
        results
    }
}

/// Waits: a disturbance begins and ends at any moment.
pub(super) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
