//! How an entry came to be.

use crate::named::named;

named! {
    /// How an entry was created. It never changes afterwards.
    pub enum Source {
        /// One request of the API.
        Api = "api",
        /// A person at a screen.
        Ui = "ui",
        /// A batch or a file.
        Import = "import",
    }
}
