//! The programs of `docs/examples`, and the copies of entries that they keep.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Child;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use serde_json::Value;

/// Where they are.
pub(crate) const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples");

/// One that runs. It is ended with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    entry: String,
}

/// The entries of a copy, which may be in the making.
pub(crate) fn entries(copy: &Path) -> BTreeMap<String, Value> {
    let mut conn = SqliteConnection::establish(copy.to_str().unwrap()).unwrap();
    let rows = diesel::sql_query("SELECT entry FROM entries").load::<Row>(&mut conn);
    let entry = |row: Row| {
        let entry: Value = serde_json::from_str(&row.entry).unwrap();
        (entry["id"].as_str().unwrap().to_owned(), entry)
    };
    rows.unwrap_or_default().into_iter().map(entry).collect()
}
