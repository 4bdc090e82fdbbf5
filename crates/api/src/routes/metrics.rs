//! `GET /metrics`: figures for Prometheus.

use actix_web::Responder;
use actix_web::http::header::ContentType;

/// The media type of the Prometheus text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn metrics() -> impl Responder {
    let content_type = TEXT_FORMAT.parse().map_or_else(|_| ContentType::plaintext(), ContentType);
    (crate::telemetry::metrics().render(), actix_web::http::StatusCode::OK).customize().insert_header(content_type)
}
