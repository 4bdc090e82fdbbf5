//! The rules for the whole resource beyond logging and moving one entry: editing, deleting, many at
//! once, the key's scope, and what is loaded and saved for it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, what does not hold should panic"
)]

mod batches;
mod changes;
mod deleting;
mod editing;
mod many;
mod order;
mod scope;
mod touches;
mod world;
