//! The `timelog` program. It only wires: the commands are in [`timelog_api::cli`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    timelog_api::cli::main().await
}
