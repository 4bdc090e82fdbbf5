//! Cancelling a read when its caller stops waiting.

use timelog_domain::ports::PortError;
use tokio::sync::watch;

use crate::error::DbError;

/// Tells a read that its caller has stopped waiting. Clones tell the same.
#[derive(Clone)]
pub(crate) struct Cancellation(watch::Receiver<()>);

impl Cancellation {
    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Waits for the cancellation.
    pub(crate) async fn cancelled(&self) {
        let mut waiting = self.0.clone();
        while waiting.changed().await.is_ok() {}
    }
}

/// Runs a read in a task of its own, because a connection must not be dropped in the middle of a
/// statement. When the caller stops waiting (its client hung up), the read is told, and must end
/// itself.
pub(crate) async fn cancellable<T, W>(read: impl FnOnce(Cancellation) -> W) -> Result<T, PortError>
where
    T: Send + 'static,
    W: Future<Output = Result<T, DbError>> + Send + 'static,
{
    // Dropped with this future, which is the cancellation.
    let (_waiting, cancellation) = watch::channel(());
    let read = read(Cancellation(cancellation));
    let read = tokio::spawn(async move {
        let done = read.await;
        match &done {
            Err(DbError::TimedOut(_)) => count_given_up("too_long"),
            Err(DbError::Cancelled) => count_given_up("nobody_waits"),
            _ => {}
        }
        done
    });
    match read.await {
        Ok(done) => done.map_err(PortError::from),
        Err(error) => Err(PortError::Internal(error.to_string())),
    }
}

/// Counts a read that did not finish.
pub(crate) fn count_given_up(why: &'static str) {
    metrics::counter!("timelog_reads_given_up_total", "why" => why).increment(1);
}
