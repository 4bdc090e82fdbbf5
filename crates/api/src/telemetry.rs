//! Log lines and metrics.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use anyhow::Context;
use clap::ValueEnum;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use timelog_adapters::shown;
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
const SECONDS: [f64; 12] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper ends of the histogram buckets for numbers of requests.
const SIZES: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// Starts writing log lines to standard error, where they do not mix with a command's output.
///
/// # Errors
///
/// Where the filter cannot be read, or logging was started before.
pub fn log(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    // The error of the parser may repeat the filter, which may be a secret in the wrong place.
    let filter = EnvFilter::builder().parse(filter).ok();
    let filter = filter.context("--log cannot be read, try info or timelog_api=debug")?;
    // A line that cannot be written is lost. Reporting that on standard error would fail too, and
    // end the thread.
    let subscriber = tracing_subscriber::fmt().log_internal_errors(false);
    let terminal = std::io::stderr().is_terminal();
    let json = format == LogFormat::Json || (format == LogFormat::Auto && !terminal);
    let subscriber = subscriber
        .with_env_filter(filter)
        .with_writer(move || LogLines { json, colours: terminal });
    let installed = if json {
        subscriber.json().flatten_event(true).with_current_span(false).try_init()
    } else {
        subscriber.with_target(false).with_ansi(terminal).try_init()
    };
    installed.map_err(|error| anyhow::anyhow!("log lines cannot be written: {error}"))
}

/// Standard error, for lines with text from anywhere: requests, errors, other programs.
struct LogLines {
    json: bool,
    /// Whether the line has escape sequences for colours. Those in its fields are escaped already.
    colours: bool,
}

impl LogLines {
    /// A line without secrets, and without characters that control a terminal or break the line.
    fn clean(&self, line: &str) -> String {
        if self.json {
            // JSON has no spaces between its parts, so passwords cannot be recognized here. They
            // are left out where the fields are made. Its texts may have characters unescaped that
            // control a terminal.
            let line = shown::without_keys(line);
            let escaped = shown::escaped_as(&line, |_| false, |letter| format!("\\u{letter:04x}"));
            return escaped.into_owned();
        }
        let line = shown::without_secrets(line);
        let stays = |letter| self.colours && letter == '\u{1b}';
        shown::escaped(&line, stays).into_owned()
    }
}

impl Write for LogLines {
    /// Gets one whole line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let mut text = self.clean(text.trim_end_matches('\n'));
        text.push('\n');
        io::stderr().write_all(text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// The metrics of this process.
pub(crate) fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let recorder = builder().unwrap_or_default().build_recorder();
        let handle = recorder.handle();
        // If there is a recorder already, it stays, and this one stays empty.
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn a_log_line_has_no_secrets_and_does_nothing_to_a_terminal() {
        let line = format!(
            "INFO path=/x/tlk_0123456789ab_{SECRET} from=a:pass@db\r\nINFO \u{1b}[2J\u{9b}\u{202e}"
        );
        let human = LogLines { json: false, colours: false };
        assert_eq!(
            human.clean(&line),
            "INFO path=/x/tlk_0123456789ab_… from=a:…@db\\u{d}\\u{a}INFO \\u{1b}[2J\\u{9b}\\u{202e}"
        );
        let coloured = LogLines { json: false, colours: true };
        assert_eq!(
            coloured.clean("\u{1b}[1mINFO\u{1b}[0m a\nb"),
            "\u{1b}[1mINFO\u{1b}[0m a\\u{a}b"
        );
    }

    #[test]
    fn a_json_line_stays_json_and_says_the_same() {
        let value = serde_json::json!({ "a": "x\u{1b}\u{9b}\u{202e}\u{7f}\n", "b": "me:x@db" });
        let line = value.to_string();
        let clean = LogLines { json: true, colours: false }.clean(&line);
        assert!(!clean.contains(shown::acts_on_a_terminal), "{clean}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).unwrap(), value);
        let key = format!("{{\"path\":\"/tlk_0123456789ab_{SECRET}\"}}");
        assert_eq!(
            LogLines { json: true, colours: false }.clean(&key),
            "{\"path\":\"/tlk_0123456789ab_…\"}"
        );
    }
}
