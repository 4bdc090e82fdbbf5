//! Deletes expired answers, and measures those that are stored.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use timelog_domain::ports::{Clock, IdempotencyCache, PortError};
use tokio::time::Instant;

use crate::error::DbError;
use crate::measure::as_value;
use crate::store::Store;

/// How many answers one statement deletes. Few, so that nobody who writes waits long for it.
const BATCH: u32 = 100;

/// After each statement, so many times as long as it took are left to those who write.
const OTHERS: u32 = 3;

/// Sweeps now and then every `interval`, for ever. A sweep that fails is logged, and the next one
/// makes up for it.
pub async fn sweep(store: &Store, clock: &dyn Clock, interval: Duration) {
    loop {
        match AssertUnwindSafe(sweep_once(store, clock)).catch_unwind().await {
            Ok(Ok(0)) => {}
            Ok(Ok(swept)) => tracing::info!(swept, "swept expired idempotency keys"),
            Ok(Err(error)) => tracing::warn!(%error, "expired idempotency keys could not be swept"),
            Err(panic) => {
                tracing::error!(reason = %DbError::panicked(&*panic), "the sweeper ended and is \
                    started again");
                metrics::counter!("timelog_worker_restarts_total", "worker" => "sweeper")
                    .increment(1);
            }
        }
        match AssertUnwindSafe(store.kept_bytes()).catch_unwind().await {
            Ok(Ok(bytes)) => {
                metrics::gauge!("timelog_idempotency_stored_bytes").set(as_value(bytes));
            }
            Ok(Err(error)) => tracing::warn!(%error, "the stored answers could not be measured"),
            Err(panic) => {
                tracing::error!(reason = %DbError::panicked(&*panic), "measuring the stored \
                    answers ended");
            }
        }
        tokio::time::sleep(interval).await;
    }
}

async fn sweep_once(cache: &dyn IdempotencyCache, clock: &dyn Clock) -> Result<u64, PortError> {
    let mut total = 0;
    loop {
        let began = Instant::now();
        let swept = cache.sweep(clock.now(), BATCH).await?;
        metrics::counter!("timelog_idempotency_swept_total").increment(swept);
        total += swept;
        if swept < u64::from(BATCH) {
            return Ok(total);
        }
        tokio::time::sleep(began.elapsed() * OTHERS).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use timelog_domain::memory::ManualClock;
    use timelog_domain::ports::PortFuture;
    use timelog_domain::{IdempotencyRecord, IdempotencyScope, Timestamp};

    use super::*;

    /// How long deleting a batch takes.
    const WORK: Duration = Duration::from_millis(10);

    /// How many answers have expired.
    struct Expired(Mutex<u64>);

    impl IdempotencyCache for Expired {
        fn find<'a>(
            &'a self,
            _: &'a IdempotencyScope,
            _: Timestamp,
        ) -> PortFuture<'a, Option<IdempotencyRecord>> {
            Box::pin(async { Ok(None) })
        }

        fn sweep(&self, _: Timestamp, limit: u32) -> PortFuture<'_, u64> {
            Box::pin(async move {
                tokio::time::sleep(WORK).await;
                let mut left = self.0.lock().unwrap();
                let swept = (*left).min(limit.into());
                *left -= swept;
                Ok(swept)
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn most_of_the_time_is_left_to_others() {
        let expired = Expired(Mutex::new(3 * u64::from(BATCH) + 1));
        let began = Instant::now();
        assert_eq!(
            sweep_once(&expired, &ManualClock::default()).await,
            Ok(3 * u64::from(BATCH) + 1)
        );
        assert_eq!(began.elapsed(), 4 * WORK + 3 * OTHERS * WORK);
    }
}
