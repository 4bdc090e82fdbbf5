//! Answers, and the heads of answers.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::wire::bytes;

/// Whether only the head of the answer is asked for. Then everything is checked as for GET, but
/// what would only be in the body is not made, and its length is left out (RFC 9110, 9.3.2).
pub(super) fn is_head(request: &HttpRequest) -> bool {
    request.method() == Method::HEAD
}

/// The head of an answer whose body is not made. It has no length, because that is not known.
pub(super) fn head(mut response: HttpResponseBuilder) -> HttpResponse {
    response.body(actix_web::body::None::new())
}

/// An answer that shows something.
pub(super) fn answer_json(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().content_type(mime::APPLICATION_JSON).body(bytes(body))
}
