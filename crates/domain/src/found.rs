//! How many entries a filter may find, where all of them are to be changed.

/// The most entries that one command may change by a filter.
pub const MOST_FOUND: usize = 2000;

/// A filter finds more entries than can be changed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FoundTooMany {
    /// That many.
    #[error("finds {0} entries, and at most {MOST_FOUND} can be changed at once")]
    Exactly(u64),
    /// It cannot be told with a bounded amount of work: there are more than that to look at.
    #[error(
        "has to look at more than {0} entries, and at most {MOST_FOUND} can be changed at once; \
         name a shorter time, a project or a user"
    )]
    MoreThan(u64),
}
