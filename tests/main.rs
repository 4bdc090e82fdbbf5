//! End-to-end tests. Each file is one route or one promise; `support` is what they stand on.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod private_postgres;
mod support;
