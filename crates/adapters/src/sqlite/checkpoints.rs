//! Checkpoints: moving what is in the log to the database file, beside the commits.
//!
//! SQLite would do it within the commit that happens to fill the log, and whoever waits for that
//! one would wait for hundreds of pages. Here another connection moves nearly all of them while
//! commits go on. Only what was committed meanwhile is left for a moment in which nobody writes,
//! and then the log begins anew.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel_async::pooled_connection::deadpool::Pool;
use tokio::sync::mpsc;

use super::connection::AsyncSqlite;
use super::log::Log;
use crate::checkout::checkout;
use crate::error::DbError;

/// The log is moved when it has so many pages more than after the last try: 16 MiB.
const FULL: i32 = 4096;

/// So many pages are moved while nobody writes, and no more.
const FEW: i32 = 256;

/// How often the connection beside the commits tries to leave no more than that.
const PASSES: usize = 8;

/// How long commits are not asked about. So the log is looked at now and then, not each time.
const PAUSE: Duration = Duration::from_millis(20);

/// How long commits wait for reads that are still in the log. Most end sooner; for longer ones the
/// log grows on.
const PATIENCE_MILLIS: u64 = 5;

/// Tells the task that makes checkpoints of writes. It ends when all of these are gone.
#[derive(Clone)]
pub(super) struct Checkpoints {
    written: mpsc::Sender<()>,
}

impl Checkpoints {
    /// Starts the task, with a connection of its own and the one that writes.
    pub(super) fn start(own: Pool<AsyncSqlite>, writer: Pool<AsyncSqlite>, wait: Duration) -> Self {
        let (written, told) = mpsc::channel(1);
        tokio::spawn(Checkpointer { own, writer, wait }.run(told));
        Self { written }
    }

    /// Something is about to be written.
    pub(super) fn note_write(&self) {
        // Where the channel is full, the task is told already.
        let (Ok(()) | Err(_)) = self.written.try_send(());
    }
}

struct Checkpointer {
    own: Pool<AsyncSqlite>,
    writer: Pool<AsyncSqlite>,
    /// How long to wait for a connection.
    wait: Duration,
}

impl Checkpointer {
    async fn run(self, mut told: mpsc::Receiver<()>) {
        let mut due = FULL;
        while told.recv().await.is_some() {
            tokio::time::sleep(PAUSE).await;
            if self.own.is_closed() {
                break;
            }
            match self.checkpoint(due).await {
                Ok(left) => due = left + FULL,
                // The database was closed meanwhile, which moves the log too.
                Err(_) if self.own.is_closed() => break,
                Err(error) => tracing::warn!(%error, "a checkpoint failed, so the log grows on"),
            }
        }
    }

    /// Moves the log to the database if it has as many pages as are due, and returns how many it
    /// has from then on.
    async fn checkpoint(&self, due: i32) -> Result<i32, DbError> {
        let mut conn = checkout(self.wait, self.own.get()).await?;
        let beside = conn.spawn_blocking(move |conn| {
            let mut log = Log::look(conn)?;
            if log.pages < due {
                return Ok(None);
            }
            for _ in 0..PASSES {
                if log.rest() <= FEW {
                    break;
                }
                Log::ask(conn, "PASSIVE")?;
                log = Log::look(conn)?;
            }
            Ok(Some(log))
        });
        let Some(log) = beside.await? else { return Ok(due - FULL) };
        drop(conn);
        if log.rest() > FEW {
            // A long read needs what is there.
            return Ok(log.pages);
        }
        let mut writer = checkout(self.wait, self.writer.get()).await?;
        let wait = self.wait.as_millis();
        let restart = writer.spawn_blocking(move |conn| {
            conn.batch_execute(&format!("PRAGMA busy_timeout = {PATIENCE_MILLIS}"))?;
            let log = Log::ask(conn, "RESTART");
            conn.batch_execute(&format!("PRAGMA busy_timeout = {wait}"))?;
            log
        });
        let log = restart.await?;
        Ok(if log.busy == 0 { 0 } else { log.pages })
    }
}
