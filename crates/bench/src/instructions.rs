//! Counts of instructions: counted by valgrind, compared with what the document says, written there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::{Deserializer, Value};

use crate::plan::real;
use crate::report::number;
use crate::{document, machine};

/// The part of the document.
const NAME: &str = "instructions";

/// Counts, prints a comparison, and writes the counts into the document.
pub(crate) fn run(file: &Path) -> anyhow::Result<()> {
    let output = Command::new("cargo")
        .args(["bench", "--locked", "--package", "timelog-bench", "--bench", "instructions"])
        .args(["--", "--output-format=json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the instructions cannot be counted");
    let before = written(&document::read(file, NAME)?);
    let mut table = "| what | instructions |\n|---|--:|\n".to_owned();
    let mut out = std::io::stdout();
    for summary in Deserializer::from_slice(&output.stdout).into_iter::<Value>() {
        let summary = summary?;
        let name = name(&summary)?;
        let count = find(&summary, "Ir").and_then(first).context("instructions are counted")?;
        let change = match before.get(&name) {
            None | Some(0) => "new".to_owned(),
            Some(before) => format!("{:+.2} %", (real(count) / real(*before) - 1.0) * 100.0),
        };
        writeln!(out, "{name:40} {:>12} {change:>12}", number(real(count)))?;
        writeln!(table, "| {name} | {} |", number(real(count)))?;
    }
    let about = format!("Counted on {}: {}.", machine::today(), machine::compiler()?);
    document::replace(file, NAME, &format!("{about}\n\n{table}"))
}

/// The counts in a table of this program.
fn written(text: &str) -> BTreeMap<String, u64> {
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        Some((cells.next()?.to_owned(), cells.next()?.replace(',', "").parse().ok()?))
    };
    text.lines().filter_map(row).collect()
}

/// What was counted, in words: its function and its case.
fn name(summary: &Value) -> anyhow::Result<String> {
    let text = |name: &str| summary[name].as_str().map(|text| text.replace('_', " "));
    let function = text("function_name").context("a function has a name")?;
    Ok(text("id").map_or(function.clone(), |case| format!("{function}: {case}")))
}

/// The member of that name, wherever it is.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => {
            members.get(name).or_else(|| members.values().find_map(|member| find(member, name)))
        }
        Value::Array(items) => items.iter().find_map(|item| find(item, name)),
        _ => None,
    }
}

/// The first number in a value: where there are two, that of this run.
fn first(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::Object(members) => members.values().find_map(first),
        Value::Array(items) => items.iter().find_map(first),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_counts_are_read() {
        let table = "Counted.\n\n| what | instructions |\n|---|--:|\n| decide: replay | 1,234 |";
        assert_eq!(written(table), BTreeMap::from([("decide: replay".to_owned(), 1234)]));
    }
}
