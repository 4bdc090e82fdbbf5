//! Requests that wait for changes. They keep their connections, so there are fewer of them than
//! connections, which organizations share. They end when the service stops.

use std::time::Duration;

use timelog_adapters::{Share, Shares};
use timelog_domain::OrganizationId;
use timelog_domain::ports::{Notice, PortError};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// The places of those that wait.
pub(crate) struct Waiting {
    places: Shares<OrganizationId>,
    stopping: watch::Sender<bool>,
    gauge: metrics::Gauge,
}

/// A place of somebody who waits.
pub(crate) struct Place<'a> {
    waiting: &'a Waiting,
    stopping: watch::Receiver<bool>,
    until: Instant,
    _share: Share<OrganizationId>,
}

impl Waiting {
    /// With a place for every second connection.
    pub(crate) fn new(connections: usize) -> Self {
        Self {
            places: Shares::new(connections.div_ceil(2) as u64),
            stopping: watch::Sender::new(false),
            gauge: metrics::gauge!("timelog_feed_readers_waiting"),
        }
    }

    /// A place for so long, if the organization's share allows for it.
    pub(crate) fn enter(
        &self,
        organization: OrganizationId,
        wait: Duration,
    ) -> Result<Place<'_>, PortError> {
        let share = self.places.take(&organization, 1).ok_or(PortError::Busy)?;
        self.gauge.increment(1);
        let (stopping, until) = (self.stopping.subscribe(), Instant::now() + wait);
        Ok(Place { waiting: self, stopping, until, _share: share })
    }

    /// Ends all waiting, for good.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }
}

impl Place<'_> {
    /// Waits for a notice. Whether it came before the time was over.
    pub(crate) async fn wait(&mut self, notice: Notice) -> bool {
        tokio::select! {
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => false,
            noticed = timeout_at(self.until, notice) => noticed.is_ok(),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.gauge.decrement(1);
    }
}
