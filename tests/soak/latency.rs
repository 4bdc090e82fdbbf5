//! The latency of one client that asks again and again.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::support::Bootstrapped;

/// The latencies, shortest first, and the statuses.
#[derive(Debug, Default)]
pub(super) struct Latency {
    times: Vec<Duration>,
    pub(super) server_errors: usize,
    /// Answers that were neither 2xx nor 5xx, and missing answers.
    pub(super) others: usize,
}

impl Latency {
    /// Asks for a path again and again until the work is done.
    pub(super) async fn measure(
        address: SocketAddr,
        made: &Bootstrapped,
        path: &str,
        work: impl Future<Output = ()>,
    ) -> Self {
        let http = crate::support::client().timeout(Duration::from_mins(1)).build();
        let http = http.expect("a client can be made");
        let mut latency = Self::default();
        let asking = async {
            loop {
                latency
                    .time(http.get(format!("http://{address}{path}")).bearer_auth(&made.key))
                    .await;
            }
        };
        tokio::select! {
            () = asking => {}
            () = work => {}
        }
        latency
    }

    /// Makes one call and notes how long it took.
    pub(super) async fn time(&mut self, call: reqwest::RequestBuilder) {
        let begun = tokio::time::Instant::now();
        let status = match call.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                answer.bytes().await.map_or(0, |_| status)
            }
            Err(_) => 0,
        };
        match status {
            200..300 => {}
            500.. => self.server_errors += 1,
            _ => self.others += 1,
        }
        let time = begun.elapsed();
        let place = self.times.partition_point(|other| *other < time);
        self.times.insert(place, time);
    }

    /// Adds what another one measured.
    pub(super) fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.times.sort_unstable();
        self.server_errors += other.server_errors;
        self.others += other.others;
    }

    pub(super) fn count(&self) -> usize {
        self.times.len()
    }

    pub(super) fn median(&self) -> Duration {
        self.times.get(self.times.len() / 2).copied().unwrap_or_default()
    }

    pub(super) fn worst(&self) -> Duration {
        self.times.last().copied().unwrap_or_default()
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            out,
            "{:.1} ms, at worst {:.0} ms",
            milliseconds(self.median()),
            milliseconds(self.worst())
        )
    }
}
