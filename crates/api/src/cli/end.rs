//! How the program ends: its exit code and its last message.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::Cli;
use super::say::{ReaderGone, tell};

/// The exit code that a shell gives to a program that a signal ended: this plus the number of the
/// signal.
const BY_SIGNAL: u8 = 128;
const SIGINT: u8 = 2;
const SIGPIPE: u8 = 13;
const SIGTERM: u8 = 15;

/// The program was told to stop before its work was done.
#[derive(Debug, thiserror::Error)]
#[error("it was told to stop before it was done")]
struct Interrupted(u8);

/// Runs the command of the command line, and returns the exit code: 0 if all went well, 2 if the
/// command line is wrong, 1 if anything else failed. Where the reader of a pipe went away or a
/// signal ended the work, it is the one that a shell gives to a program that the signal ended.
pub async fn main() -> ExitCode {
    std::panic::set_hook(Box::new(tell_of_panic));
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(usage) => return explain(&usage),
    };
    let Err(error) = cli.run().await else { return ExitCode::SUCCESS };
    if error.is::<ReaderGone>() {
        return ExitCode::from(BY_SIGNAL + SIGPIPE);
    }
    // If this cannot be written, there is no other place for it.
    drop(tell(format_args!("timelog: {error:#}")));
    match error.downcast_ref() {
        // This does not wait for work on other threads: nobody needs its result.
        Some(Interrupted(signal)) => std::process::exit((BY_SIGNAL + signal).into()),
        None => ExitCode::FAILURE,
    }
}

/// Says what is wrong with the command line, or prints the help that it asks for.
fn explain(usage: &clap::Error) -> ExitCode {
    if usage.use_stderr() {
        drop(tell(usage.render().to_string().trim_end()));
        return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(1));
    }
    match usage.print().and_then(|()| io::stdout().flush()).map_err(|error| error.kind()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(io::ErrorKind::BrokenPipe) => ExitCode::from(BY_SIGNAL + SIGPIPE),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Reports a panic. Its text may repeat any data, so it is told like everything else, without
/// secrets.
fn tell_of_panic(panic: &PanicHookInfo<'_>) {
    let way = Backtrace::capture();
    let way =
        if way.status() == BacktraceStatus::Captured { format!("\n{way}") } else { String::new() };
    drop(tell(format_args!("timelog: {panic}{way}")));
}

/// Does work that needs a clean-up when the program is told to stop: then the work ends where it
/// is, and everything that it holds is dropped.
pub(super) async fn unless_told_to_stop<T>(
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let signal = tokio::select! {
        done = work => return done,
        _ = interrupt.recv() => SIGINT,
        _ = terminate.recv() => SIGTERM,
    };
    Err(Interrupted(signal).into())
}
