//! What answers tell caches.

use super::headers::{CACHE_CONTROL, CACHED_FOR_EVERYBODY, Header, NEVER_CACHED, VARY};

/// What caches are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caching {
    /// It depends on who asks.
    ForWhoAsks,
    /// It is the same for everybody.
    ForEverybody,
    /// It is true at this moment only.
    Never,
}

impl Caching {
    pub(super) fn headers(self) -> Vec<&'static Header> {
        match self {
            Self::ForWhoAsks => vec![&CACHE_CONTROL, &VARY],
            Self::ForEverybody => vec![&CACHED_FOR_EVERYBODY],
            Self::Never => vec![&NEVER_CACHED],
        }
    }
}
