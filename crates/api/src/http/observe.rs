//! Around every request: its id, its log line, its figures, and the answer to whatever went wrong.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use tracing::Instrument;

use super::code::Code;
use super::prefer::StrictlyRead;
use super::problem::{Problem, Violation};
use super::request_id::{RequestId, X_REQUEST_ID};

pub(crate) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let span = tracing::info_span!("request", request_id = %id, %method, path = request.path());
    let mut response = next.call(request).instrument(span.clone()).await?.map_into_boxed_body();
    // Actix knows problems of its own, such as a request line that is too long. They are answered like ours.
    if let Some(problem) = response.response().error().map(problem_of) {
        response = response.into_response(problem.response(&id));
    }
    if let Ok(value) = header::HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    if response.request().extensions().contains::<StrictlyRead>() {
        let (name, value) = StrictlyRead::HEADER;
        response.headers_mut().insert(name, value);
    }
    // A pattern names the route; a path would make as many series as there are ids.
    let route = response.request().match_pattern().unwrap_or_else(|| "unknown".to_owned());
    let status = response.status();
    let elapsed = began.elapsed();
    let labels = [("method", method.to_string()), ("route", route), ("status", status.as_u16().to_string())];
    metrics::counter!("timelog_http_requests_total", &labels).increment(1);
    metrics::histogram!("timelog_http_request_seconds", &labels[..2]).record(elapsed);
    span.in_scope(|| {
        tracing::info!(
            status = status.as_u16(),
            micros = u64::try_from(elapsed.as_micros()).ok(),
            "answered a request"
        );
    });
    Ok(response)
}

fn problem_of(error: &Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::PayloadTooLarge, error.to_string()),
        StatusCode::NOT_FOUND => Problem::new(Code::NotFound, error.to_string()),
        status if status.is_client_error() => {
            Problem::invalid(vec![Violation::in_parameter("request", "invalid_request", error.to_string())])
        }
        _ => Problem::new(Code::Internal, error.to_string()),
    }
}
