//! `GET /health/live` and `GET /health/ready`, for whoever starts, stops and routes to instances.

use actix_web::Responder;
use actix_web::http::header;
use actix_web::web::{Data, Json};
use serde_json::json;

use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::state::AppState;

/// The process runs. It says nothing of the database, so that an outage there does not restart every instance.
pub(super) async fn live() -> impl Responder {
    Json(json!({ "status": "live" }))
}

/// The database answers and has this program's schema.
pub(super) async fn ready(state: Data<AppState>) -> Result<impl Responder, Problem> {
    let unready = |detail: &str| Problem::new(Code::Unavailable, detail).with_header(header::RETRY_AFTER, "1");
    match state.ports.health.is_current().await {
        Ok(true) => Ok(Json(json!({ "status": "ready" }))),
        Ok(false) => Err(unready("The database schema is older than this program. Run \"timelog migrate\".")),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            Err(unready("The database does not answer."))
        }
    }
}
