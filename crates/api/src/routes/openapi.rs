//! `GET /openapi.json`: the description of all of this for programs.

use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};

use crate::http::caching;
use crate::state::AppState;

pub(super) async fn openapi(state: Data<AppState>) -> impl Responder {
    let mut answer = HttpResponse::Ok();
    answer.content_type(mime::APPLICATION_JSON).insert_header(caching::FOR_EVERYBODY);
    answer.body(state.openapi.clone())
}
