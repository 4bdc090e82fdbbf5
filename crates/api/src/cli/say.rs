//! What commands say, and to whom. Whoever listens may go away, and a disk may be full: that is an
//! error like any other.

use std::fmt::Display;
use std::io::{self, Write};

use timelog_adapters::shown;

/// Whoever read what a command wrote has gone away, as `head` does when it has seen enough.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads on")]
pub(super) struct ReaderGone;

/// Writes a line to standard output, which is where a command's results go. Some of them are
/// secrets, which are shown once.
pub(super) fn say(line: impl Display) -> anyhow::Result<()> {
    put(shown::escaped(&line.to_string(), |letter| letter == '\n'))
}

/// Writes a JSON value to standard output, which programs read to the letter.
pub(super) fn say_json(value: &serde_json::Value) -> anyhow::Result<()> {
    put(value)
}

fn put(line: impl Display) -> anyhow::Result<()> {
    write(io::stdout().lock(), line)
        .map_err(|error| unwritten(error, "cannot write to standard output"))
}

/// Writes a line to standard error, which is where the person looks who started the command.
/// Whatever it is made of, no secret is in it.
pub(super) fn tell(line: impl Display) -> anyhow::Result<()> {
    let line = shown::message(&line.to_string());
    write(io::stderr().lock(), line)
        .map_err(|error| unwritten(error, "cannot write to standard error"))
}

fn write(mut out: impl Write, line: impl Display) -> io::Result<()> {
    // As one text: a program that reads lines should not see half of one.
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}

/// What it means for a command that something could not be written.
pub(super) fn unwritten(error: io::Error, what: &'static str) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => ReaderGone.into(),
        _ => anyhow::Error::new(error).context(what),
    }
}
