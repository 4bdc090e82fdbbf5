//! The model test: whatever happens, in whatever order, a database does what the adapter in memory
//! does, which does everything in the plainest way. Random sequences of everything that can be
//! asked for run on both; each decision is compared, and every few steps all that can be seen.

mod run;
mod steps;

use std::cell::{Cell, RefCell};

use proptest::test_runner::{Config, TestRunner};

use self::run::Run;
use self::steps::steps;
use crate::subject::{self, Subject};

/// Runs so many sequences of at most so many steps. One that fails is made as short as it can be
/// and shown.
fn try_sequences(subject: impl Future<Output = Subject>, cases: u32, at_most: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The first program stays, because the folder of its database goes with it.
    let first = runtime.block_on(subject);
    let tried = RefCell::new(runtime.block_on(first.opened_again()));
    let number = Cell::new(0);
    let config =
        Config { cases, max_shrink_iters: 400, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&steps(at_most), |steps| {
        number.set(number.get() + 1);
        let tried = &mut *tried.borrow_mut();
        runtime.block_on(async { Run::begin(tried, number.get()).await.carry_out(&steps).await })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn sqlite_does_what_memory_does() {
    try_sequences(subject::sqlite(), 64, 60);
}

#[test]
fn postgres_does_what_memory_does() {
    try_sequences(subject::postgres(), 32, 40);
}
