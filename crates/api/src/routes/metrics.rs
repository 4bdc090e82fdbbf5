//! `GET /metrics`: figures for Prometheus.

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse};

use super::{head, is_head};
use crate::http::caching;

/// The media type of the Prometheus text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn metrics(request: HttpRequest) -> HttpResponse {
    let content_type = TEXT_FORMAT.parse().map_or_else(|_| ContentType::plaintext(), ContentType);
    let mut answer = HttpResponse::Ok();
    answer.insert_header(content_type).insert_header(caching::NEVER);
    if is_head(&request) {
        return head(answer);
    }
    answer.body(crate::telemetry::metrics().render())
}
