//! `GET /metrics`: metrics for Prometheus.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;

use super::admission::Everybody;
use super::answer::{head, is_head};
use super::asked::{Asked, Limited};
use crate::document::{About, Answer, Caching, Tag};
use crate::http::caching;
use crate::http::problem::Problem;
use serde_json::json;

/// The media type of the Prometheus text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn metrics(asked: Asked<Everybody, Limited>) -> Result<HttpResponse, Problem> {
    let content_type = TEXT_FORMAT.parse().map_or_else(|_| ContentType::plaintext(), ContentType);
    let mut answer = HttpResponse::Ok();
    answer.insert_header(content_type).insert_header(caching::NEVER);
    if is_head(&asked.request) {
        return Ok(head(answer));
    }
    Ok(answer.body(crate::telemetry::metrics().render()))
}

pub(super) fn about() -> About {
    About::new(
        "readMetrics",
        Tag::Operations,
        "Metrics for Prometheus",
        "Counters, gauges and histograms of this process in the text exposition format.",
    )
    .answer(
        Answer::text(200, "The metrics at this moment.", "text/plain")
            .example(json!("# TYPE timelog_http_requests_total \
             counter\ntimelog_http_requests_total{method=\"GET\",route=\"/time-entries\",status=\"200\"} \
             1027\n")),
    )
    .caching(Caching::Never)
}
