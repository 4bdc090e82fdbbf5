//! Which reads run now. Organizations share the connections that read, so that none keeps the
//! others out.

use std::time::Duration;

use diesel_async::pooled_connection::deadpool::PoolError;
use timelog_domain::OrganizationId;

use crate::attendance::given_up;
use crate::checkout::checkout;
use crate::error::DbError;
use crate::turnstile::{Turn, Turnstile};

/// Admits reads to the connections of a pool, as many at a time as there are.
#[derive(Clone)]
pub(crate) struct Admission {
    reads: Turnstile<OrganizationId>,
    /// Counts and totals read everything that a filter matches, so they wait for a turn here first.
    /// However many an organization asks for, its other reads find connections beside them.
    totals: Turnstile<OrganizationId>,
    wait: Duration,
}

/// What a read does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It looks one thing up, or a page.
    Page,
    /// It adds up whatever there is.
    Total,
}

/// A connection that may be used, until this is dropped.
pub(crate) struct Admitted<C> {
    /// Goes back to its pool before the turn is over.
    pub(crate) connection: C,
    _turns: Option<(Turn<OrganizationId>, Option<Turn<OrganizationId>>)>,
}

impl<C> Admitted<C> {
    /// One that nobody has to wait for a turn for.
    pub(crate) const fn at_once(connection: C) -> Self {
        Self { connection, _turns: None }
    }
}

impl Admission {
    /// `wait` is how long a read waits at most, for its turn and a connection together.
    pub(crate) fn new(connections: usize, wait: Duration) -> Self {
        let totals = Turnstile::new(connections.div_ceil(2));
        Self { reads: Turnstile::new(connections), totals, wait }
    }

    /// Waits for a turn of the organization's, and then for a connection.
    pub(crate) async fn admit<C>(
        &self,
        organization: OrganizationId,
        kind: Kind,
        connection: impl Future<Output = Result<C, PoolError>>,
    ) -> Result<Admitted<C>, DbError> {
        let _waiting = Waiting::begin();
        let admitted = checkout(self.wait, async {
            let total = if kind == Kind::Total {
                Some(self.totals.enter(organization).await)
            } else {
                None
            };
            let turns = Some((self.reads.enter(organization).await, total));
            Ok(Admitted { connection: connection.await?, _turns: turns })
        });
        let admitted = admitted.await;
        if admitted.is_err() {
            given_up("no_turn");
            tracing::warn!(%organization, ?kind, "a read got no connection in time");
        }
        admitted
    }
}

/// Counts those who wait, for as long as they do.
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
