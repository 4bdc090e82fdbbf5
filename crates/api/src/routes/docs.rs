//! `GET /docs`: the description of all of this for people, to read and to try. Everything it shows
//! is compiled in.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpResponse, Responder};
use utoipa_swagger_ui::Config;

use crate::http::caching;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::state::AppState;

/// The page's files are named relative to it, so its address ends in a slash.
pub(super) async fn redirect(state: Data<AppState>) -> impl Responder {
    let page = (header::LOCATION, format!("{}/docs/", state.base_path));
    HttpResponse::PermanentRedirect()
        .insert_header(page)
        .insert_header(caching::FOR_EVERYBODY)
        .finish()
}

/// What is compiled in is not copied for whoever asks for it.
fn bytes(bytes: Cow<'static, [u8]>) -> Bytes {
    match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

pub(super) async fn file(
    file: Path<String>,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let config = Config::from(format!("{}/openapi.json", state.base_path));
    match utoipa_swagger_ui::serve(&file, Arc::new(config)) {
        Ok(Some(file)) => {
            let mut answer = HttpResponse::Ok();
            answer.content_type(file.content_type).insert_header(caching::FOR_EVERYBODY);
            Ok(answer.body(bytes(file.bytes)))
        }
        Ok(None) => Err(Problem::new(Code::NotFound, "The documentation has no such file.")),
        Err(error) => {
            tracing::error!(%error, "a file of the documentation could not be made");
            Err(Problem::new(Code::Internal, "The documentation could not be shown."))
        }
    }
}
