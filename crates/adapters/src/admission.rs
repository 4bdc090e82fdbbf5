//! Which reads run now. Organizations share the connections for reads, and none keeps the others
//! out.

use std::time::Duration;

use diesel_async::pooled_connection::deadpool::PoolError;
use timelog_domain::OrganizationId;

use crate::cancellation::count_given_up;
use crate::checkout::checkout;
use crate::error::DbError;
use crate::fair_semaphore::{FairSemaphore, Permit};

/// Admits reads to the connections of a pool, as many at a time as it has.
#[derive(Clone)]
pub(crate) struct Admission {
    finds: FairSemaphore<OrganizationId>,
    reads: FairSemaphore<OrganizationId>,
    /// Counts and totals read everything that a filter matches, so they need a permit of these
    /// first. However many an organization asks for, there are connections left for its other
    /// reads.
    totals: FairSemaphore<OrganizationId>,
    wait: Duration,
}

/// What a read does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It finds single entries.
    Find,
    /// It finds one thing, or a page.
    Page,
    /// It adds up everything that a filter matches.
    Total,
}

/// A connection that may be used, until this is dropped.
pub(crate) struct Admitted<C> {
    /// Goes back to its pool before the permits do.
    pub(crate) connection: C,
    _permits: Option<(Permit<OrganizationId>, Option<Permit<OrganizationId>>)>,
}

impl<C> Admitted<C> {
    /// Without a permit.
    pub(crate) const fn at_once(connection: C) -> Self {
        Self { connection, _permits: None }
    }
}

impl Admission {
    /// `finders` are the connections for single entries, and `wait` is how long a read waits at
    /// most, for its permits and a connection together.
    pub(crate) fn new(connections: usize, finders: usize, wait: Duration) -> Self {
        let totals = FairSemaphore::new(connections.div_ceil(2));
        let finds = FairSemaphore::new(finders);
        Self { finds, reads: FairSemaphore::new(connections), totals, wait }
    }

    /// Waits for the permits of a read, and then for a connection.
    pub(crate) async fn admit<C>(
        &self,
        organization: OrganizationId,
        kind: Kind,
        connection: impl Future<Output = Result<C, PoolError>>,
    ) -> Result<Admitted<C>, DbError> {
        let _waiting = Waiting::begin();
        let admitted = checkout(self.wait, async {
            let total = if kind == Kind::Total {
                Some(self.totals.acquire(organization).await)
            } else {
                None
            };
            let reads = if kind == Kind::Find { &self.finds } else { &self.reads };
            let permits = Some((reads.acquire(organization).await, total));
            Ok(Admitted { connection: connection.await?, _permits: permits })
        });
        let admitted = admitted.await;
        if admitted.is_err() {
            count_given_up("no_turn");
            tracing::warn!(%organization, ?kind, "a read got no connection in time");
        }
        admitted
    }
}

/// Counts the reads that wait.
struct Waiting;

impl Waiting {
    fn begin() -> Self {
        metrics::gauge!("timelog_reads_waiting").increment(1);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        metrics::gauge!("timelog_reads_waiting").decrement(1);
    }
}
