//! The bodies of requests, read member by member into types that cannot be wrong.

pub(super) mod action;
pub(super) mod log;
pub(super) mod patch;
