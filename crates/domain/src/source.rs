//! How an entry was created.

use crate::named::named;

named! {
    /// How an entry was created. It never changes afterwards.
    pub enum Source {
        /// One request of the API.
        Api = "api",
        /// A person in a user interface.
        Ui = "ui",
        /// A batch or a file.
        Import = "import",
    }
}
