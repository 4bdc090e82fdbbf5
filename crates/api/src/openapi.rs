//! The description of the service for programs.

use crate::document;
use crate::routes::table;

/// The OpenAPI document of a server whose paths begin with `base_path`.
///
/// # Errors
///
/// None that is known: everything in it serializes.
pub fn document(base_path: &str) -> serde_json::Result<Vec<u8>> {
    let routes = table().into_iter().map(Into::into).collect();
    serde_json::to_vec(&document::document(base_path, routes))
}
