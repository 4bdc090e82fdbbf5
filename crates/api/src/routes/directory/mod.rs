//! The directory: what time entries may refer to, kept in step by the system that owns it.

pub(super) mod projects;
pub(super) mod releases;
mod shown;
pub(super) mod tickets;
pub(super) mod users;
