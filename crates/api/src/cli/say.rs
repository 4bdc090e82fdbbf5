//! Writing to standard output and standard error. A reader may go away and a disk may be full: that
//! is an error like any other.

use std::fmt::Display;
use std::io::{self, Write};

use timelog_adapters::shown;

/// The reader of the output has gone away, as `head` does when it has read enough.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads on")]
pub(super) struct ReaderGone;

/// Writes a line to standard output, for the results of a command. They may be secrets, which are
/// shown once.
pub(super) fn say(line: impl Display) -> anyhow::Result<()> {
    put(shown::escaped(&line.to_string(), |letter| letter == '\n'))
}

/// Writes a JSON value to standard output, for programs. Nothing in it is changed.
pub(super) fn say_json(value: &serde_json::Value) -> anyhow::Result<()> {
    put(value)
}

fn put(line: impl Display) -> anyhow::Result<()> {
    write(io::stdout().lock(), line)
        .map_err(|error| unwritten(error, "cannot write to standard output"))
}

/// Writes a line to standard error, for the person who started the command. Secrets are left out of
/// it.
pub(super) fn tell(line: impl Display) -> anyhow::Result<()> {
    let line = shown::message(&line.to_string());
    write(io::stderr().lock(), line)
        .map_err(|error| unwritten(error, "cannot write to standard error"))
}

fn write(mut out: impl Write, line: impl Display) -> io::Result<()> {
    // In one piece: a program that reads lines should not see half of one.
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}

/// The error of a command that could not write.
pub(super) fn unwritten(error: io::Error, what: &'static str) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => ReaderGone.into(),
        _ => anyhow::Error::new(error).context(what),
    }
}
