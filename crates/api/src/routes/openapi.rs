//! `GET /openapi.json`: the description of all of this for programs.

use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};

use crate::state::AppState;

pub(super) async fn openapi(state: Data<AppState>) -> impl Responder {
    HttpResponse::Ok().content_type(mime::APPLICATION_JSON).body(state.openapi.clone())
}
