//! `GET /docs`: the description of all of this for people, to read and to try. Everything it shows
//! is compiled in.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use utoipa_swagger_ui::Config;

use super::admission::Everybody;
use super::asked::{Asked, Limited};
use crate::document::{About, Answer, Caching, Tag, headers};
use crate::http::caching;
use crate::http::code::Code;
use crate::http::problem::Problem;
use serde_json::json;

/// The page's files are named relative to it, so its address ends in a slash.
pub(super) async fn redirect(asked: Asked<Everybody, Limited>) -> Result<HttpResponse, Problem> {
    let page = (header::LOCATION, format!("{}/docs/", asked.state.base_path));
    let mut answer = HttpResponse::PermanentRedirect();
    Ok(answer.insert_header(page).insert_header(caching::FOR_EVERYBODY).finish())
}

/// What is compiled in is not copied for whoever asks for it.
fn bytes(bytes: Cow<'static, [u8]>) -> Bytes {
    match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }
}

pub(super) async fn file(asked: Asked<Everybody, Limited>) -> Result<HttpResponse, Problem> {
    let file = asked.request.match_info().query("file");
    let config = Config::from(format!("{}/openapi.json", asked.state.base_path));
    match utoipa_swagger_ui::serve(file, Arc::new(config)) {
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

pub(super) fn about_redirect() -> About {
    About::new(
        "findDocs",
        Tag::Operations,
        "The way to the interactive documentation",
        "The page's address ends in a slash.",
    )
    .answer(Answer::empty(308, "The page is at `/docs/`.").header(&headers::DOCS_LOCATION))
    .caching(Caching::ForEverybody)
}

pub(super) fn about_file() -> About {
    About::new(
        "readDocs",
        Tag::Operations,
        "Interactive documentation",
        "A page to read this document on and to try requests from. All it loads comes from this \
         server, from below this path.",
    )
    .answer(
        Answer::text(200, "The page.", "text/html")
            .example(json!("<!doctype html><title>timelog</title>")),
    )
    .caching(Caching::ForEverybody)
}
