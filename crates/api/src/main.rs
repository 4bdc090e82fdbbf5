//! The `timelog` program. It only wires: the commands are in [`timelog_api::cli`].

use std::process::ExitCode;

use clap::Parser;
use timelog_api::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "this is where a command says why it failed")]
            {
                eprintln!("timelog: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
