//! What was measured on, and with which versions. It says nothing by which a machine is known.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;

use crate::plan::median;

/// The machine, in words.
pub(crate) fn machine() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let processors = fs::read_to_string("/proc/cpuinfo").context("this needs Linux")?;
    let model = value(&processors, "model name").unwrap_or("an unknown processor");
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kib: f64 = value(&memory, "MemTotal")
        .and_then(|text| text.split(' ').next())
        .context("the memory is told")?
        .parse()?;
    Ok(format!("{cores} cores ({model}), {:.0} GiB of memory", kib / 1024.0 / 1024.0))
}

/// How long it takes to write a page and to sync it, in milliseconds: the middle of 200.
pub(crate) fn sync_time(file: &mut File) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(&times))
}

/// The versions of what was measured with.
pub(crate) fn versions(postgres: &str) -> anyhow::Result<String> {
    let mut commit = output("git", &["rev-parse", "--short=12", "HEAD"])?;
    if !output("git", &["status", "--porcelain", "--", "crates", "migrations"])?.is_empty() {
        commit += " with changes";
    }
    Ok(format!(
        "timelog {commit}, {}, SQLite {}, PostgreSQL {postgres}",
        compiler()?,
        rusqlite::version()
    ))
}

/// The version of the compiler.
pub(crate) fn compiler() -> anyhow::Result<String> {
    let version = output("rustc", &["--version"])?;
    Ok(version.split(" (").next().unwrap_or(&version).to_owned())
}

/// The day, as YYYY-MM-DD.
pub(crate) fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

fn output(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(arguments).output().context(program.to_owned())?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
