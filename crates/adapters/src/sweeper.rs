//! Deletes expired answers.

use std::time::Duration;

use timelog_domain::ports::{Clock, IdempotencyCache};

/// How many answers one statement deletes. Small, so that those who write never wait long for the sweeper.
const BATCH: u32 = 500;

/// Sweeps now and then every `interval`, for ever. A sweep that fails is logged, and the next one catches up.
pub async fn sweep(cache: &dyn IdempotencyCache, clock: &dyn Clock, interval: Duration) {
    loop {
        match sweep_once(cache, clock).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "swept expired idempotency keys"),
            Err(error) => tracing::warn!(%error, "expired idempotency keys could not be swept"),
        }
        tokio::time::sleep(interval).await;
    }
}

async fn sweep_once(cache: &dyn IdempotencyCache, clock: &dyn Clock) -> Result<u64, timelog_domain::ports::PortError> {
    let mut total = 0;
    loop {
        let swept = cache.sweep(clock.now(), BATCH).await?;
        metrics::counter!("timelog_idempotency_swept_total").increment(swept);
        total += swept;
        if swept < u64::from(BATCH) {
            return Ok(total);
        }
        tokio::task::yield_now().await;
    }
}
