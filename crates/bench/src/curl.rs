//! Single requests, by `curl`.

use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::site::Site;

/// The body of an answer, which must be a success.
pub(crate) fn get(site: &Site, address: SocketAddr, path: &str) -> anyhow::Result<String> {
    ask(site, address, path, [])
}

fn ask<'a>(
    site: &Site,
    address: SocketAddr,
    path: &str,
    arguments: impl IntoIterator<Item = &'a str>,
) -> anyhow::Result<String> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail-with-body", "--header"])
        .arg(format!("Authorization: Bearer {}", site.key))
        .args(arguments)
        .arg(format!("http://{address}{path}"))
        .output()
        .context("curl is needed: scripts/setup bench installs it")?;
    let body = String::from_utf8(output.stdout)?;
    if !output.status.success() {
        bail!("{path}: {body}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(body)
}

/// Logs an entry under an idempotency key.
pub(crate) fn log(site: &Site, address: SocketAddr, key: &str) -> anyhow::Result<()> {
    let body = serde_json::json!({
        "userId": site.user,
        "workDate": "2025-01-15",
        "minutes": 150,
        "description": "Implemented login flow.",
    });
    let path = format!("/projects/{}/time-entries", site.project);
    post(site, address, &path, &body, Some(key)).map(drop)
}

/// Sends a body, perhaps under an idempotency key. The answer must be a success.
pub(crate) fn post(
    site: &Site,
    address: SocketAddr,
    path: &str,
    body: &serde_json::Value,
    key: Option<&str>,
) -> anyhow::Result<String> {
    let (key, body) = (key.map(|key| format!("Idempotency-Key: {key}")), body.to_string());
    let mut arguments = vec!["--header", "Content-Type: application/json", "--data", &body];
    if let Some(key) = &key {
        arguments.extend(["--header", key]);
    }
    ask(site, address, path, arguments)
}

/// Deletes something.
pub(crate) fn delete(site: &Site, address: SocketAddr, path: &str) -> anyhow::Result<()> {
    ask(site, address, path, ["--request", "DELETE"]).map(drop)
}

/// How long each of these requests takes, one after the other on one connection: its status and
/// milliseconds. Where it takes longer than `most` seconds, there is no status.
pub(crate) fn time(
    site: &Site,
    address: SocketAddr,
    paths: &[String],
    most: f64,
) -> anyhow::Result<Vec<(Option<u16>, f64)>> {
    let mut curl = Command::new("curl")
        .args(["--silent", "--globoff", "--max-time", &most.to_string(), "--header"])
        .arg(format!("Authorization: Bearer {}", site.key))
        .args(["--write-out", "%{http_code} %{time_total}\n", "--config", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("curl is needed: scripts/setup bench installs it")?;
    let mut config = String::new();
    for path in paths {
        writeln!(config, "url = \"http://{address}{path}\"\noutput = \"/dev/null\"")?;
    }
    // curl reads all of it before it begins.
    curl.stdin.take().context("its input is a pipe")?.write_all(config.as_bytes())?;
    let output = curl.wait_with_output()?;
    let text = String::from_utf8(output.stdout)?;
    let times: Vec<_> = text.lines().filter_map(read).collect();
    if times.len() != paths.len() {
        bail!("curl made {} of {} requests", times.len(), paths.len());
    }
    Ok(times)
}

fn read(line: &str) -> Option<(Option<u16>, f64)> {
    let (status, seconds) = line.split_once(' ')?;
    let status = status.parse().ok().filter(|status| *status != 0);
    Some((status, seconds.parse::<f64>().ok()? * 1e3))
}

/// The value of a metric without labels, 0 where it is not there yet.
pub(crate) fn metric(site: &Site, address: SocketAddr, name: &str) -> anyhow::Result<f64> {
    let metrics = get(site, address, "/metrics")?;
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value.map_or(Ok(0.0), str::parse)?)
}
