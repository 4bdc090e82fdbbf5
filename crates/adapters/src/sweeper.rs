//! Deletes expired answers, and measures those that are stored.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use timelog_domain::ports::{Clock, IdempotencyCache, PortError};

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
