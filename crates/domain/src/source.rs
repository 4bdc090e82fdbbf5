//! How an entry came to be.

use crate::named::named;

/// How an entry was created. It never changes afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// One request of the API.
    Api,
    /// A person at a screen.
    Ui,
    /// A batch or a file.
    Import,
}

named!(Source, UnknownSource, "source", {
    Api => "api",
    Ui => "ui",
    Import => "import",
});
