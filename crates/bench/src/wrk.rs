//! The load: `wrk`, which sends requests that are written here.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tempfile::{NamedTempFile, TempPath};

const AS_FAST_AS_POSSIBLE: &str = include_str!("wrk.lua");
const PACED: &str = include_str!("paced.lua");

/// Whole requests, which are sent in turn.
pub(crate) struct Load<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) requests: &'a [String],
    pub(crate) connections: usize,
    pub(crate) time: Duration,
}

/// What was measured. Latencies are in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) requests: f64,
    /// Requests in a second.
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Load<'_> {
    /// Sends as fast as answers come.
    pub(crate) fn run(&self) -> anyhow::Result<Measured> {
        self.start(AS_FAST_AS_POSSIBLE, None)?.end()
    }

    /// Begins to send as fast as answers come.
    pub(crate) fn begin(&self) -> anyhow::Result<Running> {
        self.start(AS_FAST_AS_POSSIBLE, None)
    }

    /// Sends this many requests a second. Latencies count from when a request should have been
    /// sent.
    pub(crate) fn run_at(&self, rate: f64) -> anyhow::Result<Measured> {
        self.start(&format!("{AS_FAST_AS_POSSIBLE}\n{PACED}"), Some(rate))?.end()
    }

    fn start(&self, script: &str, rate: Option<f64>) -> anyhow::Result<Running> {
        // Of each run, so that no run repeats an idempotency key of another.
        static RUN: AtomicU32 = AtomicU32::new(1);
        let script = file(script.as_bytes())?;
        let requests = file(self.requests.join("\u{1}").as_bytes())?;
        let process = Command::new("wrk")
            .args(["--threads", "1", "--latency", "--timeout", "30"])
            .args(["--connections", &self.connections.to_string()])
            .args(["--duration", &format!("{}s", self.time.as_secs())])
            .arg("--script")
            .arg(&script)
            .arg(format!("http://{}/", self.address))
            .arg("--")
            .arg(&requests)
            .arg(RUN.fetch_add(1, Ordering::Relaxed).to_string())
            .args(rate.map(|rate| rate.to_string()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("wrk is needed: scripts/setup bench installs it")?;
        Ok(Running { process: Some(process), _files: [script, requests] })
    }
}

/// A load that is being sent. It ends when this is dropped.
pub(crate) struct Running {
    process: Option<Child>,
    _files: [TempPath; 2],
}

impl Running {
    /// Waits until it ends by itself.
    pub(crate) fn end(mut self) -> anyhow::Result<Measured> {
        let process = self.process.take().context("it was ended")?;
        let output = process.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let Some(line) = text.lines().rev().find(|line| line.starts_with('{')) else {
            bail!("wrk: {text}{}", String::from_utf8_lossy(&output.stderr));
        };
        let value: Value = serde_json::from_str(line)?;
        let number = |name: &str| value[name].as_f64().context("wrk measures a number");
        if number("refused")? + number("broken")? > 0.0 {
            bail!("not every request was answered as it should be: {line}");
        }
        let requests = number("requests")?;
        Ok(Measured {
            requests,
            rate: requests / number("microseconds")? * 1e6,
            p50: number("p50")? / 1e3,
            p99: number("p99")? / 1e3,
            p999: number("p999")? / 1e3,
            max: number("max")? / 1e3,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended already.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn file(content: &[u8]) -> anyhow::Result<TempPath> {
    let mut file = NamedTempFile::new()?;
    file.write_all(content)?;
    Ok(file.into_temp_path())
}
