//! What more than one file measures.

/// Counts the bytes of stored answers that were committed.
pub(crate) fn count_stored(bytes: u64) {
    metrics::counter!("timelog_idempotency_kept_bytes_total").increment(bytes);
}

/// A number as the value of a gauge or a histogram.
#[expect(clippy::cast_precision_loss, reason = "petabytes need not be exact to the byte")]
pub(crate) const fn as_value(number: u64) -> f64 {
    number as f64
}
