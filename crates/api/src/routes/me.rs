//! `GET /me`: what the caller's key is and may do.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, Responder};
use serde::Serialize;

use crate::http::problem::Problem;
use crate::state::AppState;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    key_id: String,
    prefix: String,
    organization_id: String,
    project_id: Option<String>,
    user_id: Option<String>,
    permissions: Vec<&'static str>,
}

pub(super) async fn me(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<impl Responder, Problem> {
    let key = state.authenticate(&request).await?;
    Ok(Json(Body {
        key_id: key.id.to_string(),
        prefix: key.prefix.clone(),
        organization_id: key.organization_id.to_string(),
        project_id: key.project_id.map(|id| id.to_string()),
        user_id: key.user_id.map(|id| id.to_string()),
        permissions: key.permissions.iter().map(timelog_domain::Permission::as_str).collect(),
    }))
}
