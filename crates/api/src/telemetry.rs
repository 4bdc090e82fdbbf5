//! Log lines and figures.

use std::io::IsTerminal;
use std::sync::OnceLock;

use anyhow::Context;
use clap::ValueEnum;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Upper ends of the histogram buckets for durations, in seconds.
const SECONDS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper ends of the histogram buckets for numbers of requests.
const SIZES: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// Starts writing log lines to standard error, where they do not mix with a command's output.
///
/// # Errors
///
/// Where the filter cannot be read, or log lines are written already.
pub fn log(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(filter).context("--log cannot be read, try info or timelog_api=debug")?;
    // A line that cannot be written is lost. To say so on standard error would fail as well, and end the thread that tried.
    let subscriber = tracing_subscriber::fmt().log_internal_errors(false);
    let subscriber = subscriber.with_env_filter(filter).with_writer(std::io::stderr);
    let terminal = std::io::stderr().is_terminal();
    let installed = if format == LogFormat::Json || (format == LogFormat::Auto && !terminal) {
        subscriber.json().flatten_event(true).with_current_span(false).try_init()
    } else {
        subscriber.with_target(false).with_ansi(terminal).try_init()
    };
    installed.map_err(|error| anyhow::anyhow!("log lines cannot be written: {error}"))
}

/// The figures of this process.
pub(crate) fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = builder().unwrap_or_default().build_recorder();
        let handle = recorder.handle();
        // Whoever installed a recorder before keeps it, and these figures stay empty.
        drop(metrics::set_global_recorder(recorder));
        handle
    })
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let suffix = |suffix: &str| Matcher::Suffix(suffix.to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(suffix("_seconds"), &SECONDS)?
        .set_buckets_for_metric(suffix("_size"), &SIZES)
}
