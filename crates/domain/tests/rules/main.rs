//! The rules of the domain, tested on a ledger: no database, no server, no clock but the tests'
//! own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, what does not hold should panic"
)]

mod batches;
mod changes;
mod deleting;
mod editing;
mod idempotency;
mod life;
mod loading;
mod logging;
mod many;
mod order;
mod properties;
mod purity;
mod scope;
mod touches;
mod values;
mod vectors;
mod world;
