//! The support code of the tests.

use std::time::Duration;

mod answer;
mod api;
mod cache;
mod client;
mod conformance;
mod database;
mod disk;
mod endless_queries;
pub(crate) mod example;
pub(crate) mod feed;
mod pausable_clock;
pub(crate) mod postgres;
mod power;
#[cfg(target_os = "linux")]
mod preload;
mod program;
mod proxy;
mod random;
mod raw;
mod receiver;
pub(crate) mod rules;
mod service;
mod session;
mod simulated_disk;
mod tenant;

pub(crate) use answer::Answer;
pub(crate) use api::{Api, Call};
pub(crate) use cache::SharedCache;
pub(crate) use client::client;
pub(crate) use conformance::{FOR_WHO_ASKS, broken_by_event, document, schema_of};
pub(crate) use database::{Database, TABLES, TestDatabase, texts_of};
pub(crate) use disk::{DiskEvent, Fault, WatchedDisk};
pub(crate) use endless_queries::EndlessQueries;
pub(crate) use pausable_clock::PausableClock;
pub(crate) use power::LossyDisk;
#[cfg(target_os = "linux")]
pub(crate) use preload::Preload;
pub(crate) use program::{Bootstrapped, Program, bootstrap, program, run, run_with};
pub(crate) use proxy::{Cut, Proxy};
pub(crate) use random::{Random, seed};
pub(crate) use raw::{Connection, raw};
pub(crate) use receiver::{Event, Receiver, Reply};
pub(crate) use service::{Service, Setup};
pub(crate) use session::{FrozenBackends, Session};
pub(crate) use simulated_disk::SimulatedDisk;
pub(crate) use tenant::{Tenant, may};

/// Waits until something is so. It must happen, so there is no other limit.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..6000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("this does not come: {what}");
}

/// Makes tests of functions that take a [`Database`]: each runs on every kind. The compiler reports
/// a function that is missing in the list as unused.
macro_rules! on_every_database {
    ($($name:ident,)+) => {
        crate::support::on_one_database!(sqlite, Sqlite, $($name,)+);
        crate::support::on_one_database!(postgres, Postgres, $($name,)+);
    };
}

macro_rules! on_one_database {
    ($module:ident, $kind:ident, $($name:ident,)+) => {
        mod $module {
            use crate::support::Database;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(Database::$kind).await;
                }
            )+
        }
    };
}

pub(crate) use {on_every_database, on_one_database};
