//! The bodies of requests, read member by member into types that cannot be wrong.

pub(super) mod action;
pub(crate) mod log;
pub(super) mod patch;
