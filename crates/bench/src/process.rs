//! What a process used, as Linux tells it.

use std::fs;

use anyhow::Context;

/// The clock ticks of `/proc`, of which Linux has had this many in a second on every processor for
/// twenty years.
const TICKS: f64 = 100.0;

/// The processor time of a process, in seconds.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<f64> {
    let stat = stat(pid)?;
    Ok((stat.own + stat.of_ended_children) / TICKS)
}

/// The processor time of a process and of its children, also of those that have ended, in seconds.
pub(crate) fn cpu_with_children(pid: u32) -> anyhow::Result<f64> {
    let mut ticks = 0.0;
    for entry in fs::read_dir("/proc").context("this needs Linux")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process may end at any time.
        if let Ok(stat) = stat(id)
            && (id == pid || stat.parent == pid)
        {
            ticks += stat.own + if id == pid { stat.of_ended_children } else { 0.0 };
        }
    }
    Ok(ticks / TICKS)
}

/// The most memory that a process has had, in MiB.
pub(crate) fn peak_memory(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .context("the memory of a process is not told")?
        .trim()
        .parse()?;
    Ok(kib / 1024.0)
}

struct Stat {
    parent: u32,
    own: f64,
    of_ended_children: f64,
}

fn stat(pid: u32) -> anyhow::Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program, in brackets, may have anything in it.
    let (_, fields) = text.rsplit_once(')').context("a process is not described")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field = |number: usize| -> anyhow::Result<f64> {
        Ok(fields.get(number).context("a field is missing")?.parse()?)
    };
    let parent = fields.get(1).context("a field is missing")?.parse()?;
    Ok(Stat { parent, own: field(11)? + field(12)?, of_ended_children: field(13)? + field(14)? })
}
