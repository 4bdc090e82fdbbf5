//! End-to-end tests. Each file is one route or one promise; `support` is what they stand on.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod anonymous_rate;
mod arrival;
mod backup;
mod batch;
mod caching;
mod closed_pipes;
mod concurrency;
mod connections;
mod copy_and_backup;
mod crashes;
mod credentials;
mod database_files;
mod delete_time_entry;
mod directory;
mod durability;
mod edit_time_entry;
mod error_sizes;
mod expiry;
mod export_time_entries;
mod external_ref;
mod figures;
mod ground_rules;
mod idempotency_key;
mod import;
mod instances;
mod kept_answers;
mod keys;
mod life;
mod lists;
mod log_time_entry;
mod outage;
mod overwriting;
mod pages;
mod permissions;
mod postgres;
mod postgres_schema;
mod private_postgres;
mod program;
mod races;
mod read_time_entry;
mod reads;
mod refused_bodies;
mod refused_connections;
mod secrets;
mod settings;
mod soak;
mod strict_handling;
mod stuck;
mod summarize;
mod support;
mod terminal;
mod tls;
mod transitions;
mod turns;
mod upgrade;
