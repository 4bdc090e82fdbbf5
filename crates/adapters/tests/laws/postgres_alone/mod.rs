//! What is promised on PostgreSQL and has no counterpart elsewhere.

mod digests;
mod locks;
