//! The rules of the domain, tested on a ledger, without a database, a server or a real clock.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails should panic")]

mod batches;
mod changes;
mod closing;
mod deleting;
mod editing;
mod idempotency;
mod loading;
mod logging;
mod many;
mod moving;
mod order;
mod properties;
mod purity;
mod scope;
mod touches;
mod transitions;
mod values;
mod vectors;
mod webhooks;
mod world;
