//! `GET /health/live` and `GET /health/ready`, for whoever starts, stops and routes to instances.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use serde_json::json;
use timelog_domain::ports::Readiness;

use crate::http::caching;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::state::AppState;

/// The process runs. It says nothing of the database, so that an outage there does not restart
/// every instance.
pub(super) async fn live() -> impl Responder {
    now(&json!({ "status": "live" }))
}

/// An answer that is true now and says nothing of later.
fn now(body: &serde_json::Value) -> impl Responder + use<> {
    HttpResponse::Ok().insert_header(caching::NEVER).json(body)
}

/// The database answers and has this program's schema. What its operator should know of it is told
/// too, and is no reason to send nothing here: every other instance would say the same.
pub(super) async fn ready(state: Data<AppState>) -> Result<impl Responder, Problem> {
    let unready = |detail: &str| {
        let (name, value) = caching::NEVER;
        Problem::new(Code::Unavailable, detail)
            .with_header(header::RETRY_AFTER, "1")
            .with_header(name, value)
    };
    match state.ports.health.check().await {
        Ok(Readiness { current: true, warnings }) if warnings.is_empty() => {
            Ok(now(&json!({ "status": "ready" })))
        }
        Ok(Readiness { current: true, warnings }) => {
            Ok(now(&json!({ "status": "ready", "detail": warnings.join(" ") })))
        }
        Ok(Readiness { current: false, .. }) => {
            Err(unready("The database schema is older than this program. Run \"timelog migrate\"."))
        }
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            Err(unready("The database does not answer."))
        }
    }
}
