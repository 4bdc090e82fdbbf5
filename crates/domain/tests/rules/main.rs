//! The rules of the domain, tested on a ledger: no database, no server, no clock but the tests'
//! own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, what does not hold should panic"
)]

mod idempotency;
mod life;
mod logging;
mod properties;
mod purity;
mod vectors;
mod world;
