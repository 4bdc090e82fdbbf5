//! The log of what was committed is moved to the database beside the commits.

use std::fs;
use std::time::Duration;

use super::file;
use crate::subject::sqlite;
use crate::world::*;

/// So many batches, of about 2 MB each, are more than the log may hold.
const BATCHES: u128 = 60;

#[tokio::test]
async fn the_log_does_not_grow_with_what_is_written() {
    let subject = sqlite().await;
    let (path, mut grown) = (file(&subject).with_extension("db-wal"), 0);
    for batch in 0..BATCHES {
        let number = |nth| 10_000 + 500 * batch + nth;
        let long = |nth| {
            let mut command = log(number(nth));
            command.details.description = Some("x".repeat(2000).try_into().unwrap());
            Some(command)
        };
        let batch = log_many((0..500).map(long).collect(), false);
        subject.time_entries.execute(batch).await.unwrap().unwrap();
        grown = grown.max(fs::metadata(&path).unwrap().len());
        // Time for the checkpoint, which nobody waits for.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let database = fs::metadata(file(&subject)).unwrap().len();
    assert!(database > 64 << 20 && grown < 40 << 20, "{grown} beside {database}");
}
