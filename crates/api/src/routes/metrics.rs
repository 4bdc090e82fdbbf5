//! `GET /metrics`: figures for Prometheus.

use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, Responder};

use crate::http::caching;

/// The media type of the Prometheus text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn metrics() -> impl Responder {
    let content_type = TEXT_FORMAT.parse().map_or_else(|_| ContentType::plaintext(), ContentType);
    let mut answer = HttpResponse::Ok();
    answer.insert_header(content_type).insert_header(caching::NEVER);
    answer.body(crate::telemetry::metrics().render())
}
