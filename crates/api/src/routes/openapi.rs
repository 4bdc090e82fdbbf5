//! `GET /openapi.json`: the description of all of this for programs.

use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use anyhow::Context;
use serde_json::{Value, json};

use crate::state::AppState;

const DOCUMENT: &str = include_str!("../../openapi/openapi.json");

/// The description of a server whose paths begin with `base_path`.
pub(crate) fn document(base_path: &str) -> anyhow::Result<Vec<u8>> {
    let mut document: Value = serde_json::from_str(DOCUMENT).context("the OpenAPI document is not JSON")?;
    let root = if base_path.is_empty() { "/" } else { base_path };
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    document["servers"] = json!([{ "url": root }]);
    Ok(serde_json::to_vec(&document)?)
}

pub(super) async fn openapi(state: Data<AppState>) -> impl Responder {
    HttpResponse::Ok().content_type(mime::APPLICATION_JSON).body(state.openapi.clone())
}
