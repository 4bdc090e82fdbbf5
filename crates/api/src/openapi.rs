//! The description of the service for programs. It is written by hand; the tests hold every answer to it.

use anyhow::Context;
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../openapi/openapi.json");

/// The description of a server whose paths begin with `base_path`.
pub(crate) fn document(base_path: &str) -> anyhow::Result<Vec<u8>> {
    let mut document: Value = serde_json::from_str(DOCUMENT).context("the OpenAPI document is not JSON")?;
    let root = if base_path.is_empty() { "/" } else { base_path };
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    document["servers"] = json!([{ "url": root }]);
    Ok(serde_json::to_vec(&document)?)
}
