//! Whether anybody still waits for a read. What nobody waits for is not carried on.

use timelog_domain::ports::PortError;
use tokio::sync::watch;

use crate::error::DbError;

/// Knows whether somebody waits. Clones know the same.
#[derive(Clone)]
pub(crate) struct Attendance(watch::Receiver<()>);

impl Attendance {
    /// Whether nobody waits any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Waits until nobody waits any more.
    pub(crate) async fn ended(&self) {
        let mut waiting = self.0.clone();
        while waiting.changed().await.is_ok() {}
    }
}

/// Runs a read in a task of its own, because a connection must not be abandoned in the middle of a
/// statement. When the caller stops waiting (a client that hung up), the read is told, and has to
/// see to it that it ends.
pub(crate) async fn attended<T, W>(read: impl FnOnce(Attendance) -> W) -> Result<T, PortError>
where
    T: Send + 'static,
    W: Future<Output = Result<T, DbError>> + Send + 'static,
{
    // Dropped with this future, which is how the read is told.
    let (_waiting, attendance) = watch::channel(());
    let read = read(Attendance(attendance));
    let read = tokio::spawn(async move {
        let done = read.await;
        match &done {
            Err(DbError::Overdue(_)) => given_up("too_long"),
            Err(DbError::Abandoned) => given_up("nobody_waits"),
            _ => {}
        }
        done
    });
    match read.await {
        Ok(done) => done.map_err(PortError::from),
        Err(error) => Err(PortError::Internal(error.to_string())),
    }
}

/// Counts a read that was not carried to its end.
pub(crate) fn given_up(why: &'static str) {
    metrics::counter!("timelog_reads_given_up_total", "why" => why).increment(1);
}
