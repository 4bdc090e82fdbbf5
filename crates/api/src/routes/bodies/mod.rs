//! The bodies of requests, read member by member into types that cannot be wrong.

pub(super) mod action;
pub(crate) mod log;
pub(super) mod patch;

use timelog_domain::Given;

use crate::json::Raw;

/// What a member says, of what was read of it.
fn given<T>(raw: Raw<'_>, read: Option<T>) -> Given<T> {
    match read {
        None if raw.is_some() => Given::Unreadable,
        read => read.into(),
    }
}
