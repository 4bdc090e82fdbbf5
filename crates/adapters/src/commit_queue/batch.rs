//! A batch: requests that are decided together and committed in one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use timelog_domain::ports::{Clock, PortError};
use timelog_domain::{Decision, Ledger, Request, Timestamp, handle};

use crate::error::DbError;

/// The decision on one request of a batch, or why there is none.
pub(crate) type Settled = Result<Decision, PortError>;

/// Runs one transaction: load what the requests touch, [`decide`] them in order, save what changed,
/// commit.
pub(crate) trait CommitBatch: Send + Sync + 'static {
    /// `holding` says to hold the time entries that are loaded, so that nobody else changes them
    /// meanwhile.
    ///
    /// Returns only after the commit is durable. On an error nothing is stored, except that after
    /// [`DbError::Unavailable`] it is unknown.
    fn commit(
        &self,
        requests: Arc<[Request]>,
        clock: &Arc<dyn Clock>,
        holding: bool,
    ) -> impl Future<Output = Result<Vec<Settled>, DbError>> + Send;
}

/// Decides the requests of a batch one after the other, as if they were made now. One that panics
/// fails alone, and leaves no trace in the ledger.
pub(crate) fn decide(requests: &[Request], ledger: &mut Ledger, now: Timestamp) -> Vec<Settled> {
    let decide = |request: &Request| {
        let savepoint = ledger.savepoint();
        let decide = || handle(&request.made_at(now), ledger, now);
        catch_unwind(AssertUnwindSafe(decide)).map_err(|_| {
            ledger.roll_back_to(savepoint);
            PortError::Internal("a decision panicked".to_owned())
        })
    };
    requests.iter().map(decide).collect()
}
