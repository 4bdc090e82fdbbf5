//! End-to-end tests. Each file is one route or one promise; `README.md` says how they are built.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod anonymous_rate;
mod backup;
mod caching;
mod change_by_filter;
mod change_many;
mod changes;
mod closed_pipes;
mod closing;
mod concurrency;
mod connections;
mod control_characters;
mod copy_and_backup;
mod crashes;
mod credentials;
mod database_files;
mod delete_time_entry;
mod directory;
mod durability;
mod edit_time_entry;
mod error_sizes;
mod every_request;
mod export_time_entries;
mod export_workbook;
mod external_ref;
mod idempotency_key;
mod import;
mod in_flight;
mod include;
mod instances;
mod keys;
mod list_time_entries;
mod log_many;
mod log_time_entry;
mod logging;
mod malformed_bodies;
mod metrics;
mod mirror;
mod move_time_entry;
mod outage;
mod overwriting;
mod pages;
mod permissions;
mod postgres;
mod postgres_refuses_connections;
mod postgres_schema;
mod private_postgres;
mod program;
mod races;
mod read_fairness;
mod read_own;
mod read_time_entry;
mod refused_bodies;
mod request_bodies;
mod secrets;
mod settings;
mod soak;
mod stalled_postgres;
mod stored_answer_expiry;
mod stored_answers;
mod strict_handling;
mod summarize;
mod support;
mod tls;
mod transition;
mod transition_many;
mod upgrade;
mod waiting_for_changes;
mod webhook_deliveries;
mod webhook_destinations;
mod webhook_examples;
mod webhook_receivers;
mod webhooks;
mod write_fairness;
