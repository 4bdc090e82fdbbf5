//! Wraps every request: its id, log line, metrics and body, and the answer to an error.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{ConnectionType, Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use timelog_adapters::shown;
use tracing::{Instrument, Span};

use super::arrival::Arrival;
use super::caching;
use super::code::Code;
use super::in_flight::{self, Answering, Held};
use super::pattern::Pattern;
use super::prefer::StrictlyRead;
use super::problem::Problem;
use super::request_id::{RequestId, X_REQUEST_ID};
use crate::connections::{Connection, Stage};
use crate::state::AppState;
use crate::wire::Violation;

/// How the paths of the health routes end. No limit applies to them: they are asked without a key,
/// and must be answered however many other requests there are.
const HEALTH: [&str; 2] = ["/health/live", "/health/ready"];

/// The status that is logged and counted for a request without an answer. No answer has it.
const UNANSWERED: u16 = 499;

pub(crate) async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    request_timeout: Duration,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let unanswered = Unanswered::new(&request, &id);
    request.extensions_mut().insert(Pattern(unanswered.route.clone()));
    let connection = request.conn_data::<Arc<Connection>>().cloned();
    let is_surplus = connection.as_ref().is_some_and(|connection| connection.is_surplus);
    let arrival = Arrival::watch(&mut request, request_timeout);
    let answer = async {
        let is_health = HEALTH.iter().any(|health| unanswered.route.ends_with(health));
        let admission = if is_health { Ok(()) } else { admit(&request, is_surplus).await };
        let mut response = match admission {
            Ok(()) => next.call(request).await?.map_into_boxed_body(),
            Err(problem) => request.into_response(problem.response(&id)),
        };
        // Actix has errors of its own, such as a request line that is too long. They become
        // problems too.
        if let Some(problem) = response.response().error().map(problem_of) {
            problem.note();
            response = response.into_response(problem.response(&id));
        }
        let held = hold_memory(&mut response, &id);
        if response.request().extensions().contains::<StrictlyRead>() {
            let (name, value) = StrictlyRead::HEADER;
            response.headers_mut().insert(name, value);
        }
        if let Some(arrival) = arrival {
            response = arrival.finish(response, &id).await;
        } else if let Some(connection) = &connection {
            connection.enter(Stage::Answering);
        }
        if is_surplus {
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        Ok::<_, Error>(response.map_body(|_, body| Answering::new(body, held, connection)))
    };
    let answer = answer.instrument(unanswered.span.clone()).await;
    let status = match &answer {
        Ok(answer) => answer.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    unanswered.answer(status);
    let mut answer = answer?;
    if let Ok(value) = header::HeaderValue::from_str(id.as_str()) {
        answer.headers_mut().insert(X_REQUEST_ID, value);
    }
    caching::complete(answer.headers_mut());
    Ok(answer)
}

/// Refuses a request where there are too many connections, or too many requests without a valid key
/// from its address.
async fn admit(request: &ServiceRequest, is_surplus: bool) -> Result<(), Problem> {
    if is_surplus {
        let detail = "There are too many connections. Try again shortly.";
        return Err(Problem::new(Code::Unavailable, detail).with_header(header::RETRY_AFTER, "1"));
    }
    match request.app_data::<Data<AppState>>() {
        Some(state) => state.admit(request.request()).await,
        None => Ok(()),
    }
}

/// Holds the memory that an answer takes until it is sent. Where none is left, a problem is the
/// answer.
fn hold_memory(response: &mut ServiceResponse<BoxBody>, id: &RequestId) -> Option<Held> {
    let bytes = Answering::memory(response.response().body())?;
    match in_flight::hold(response.request(), bytes) {
        Ok(held) => held,
        // The answer to a change is always sent.
        Err(_) if !response.request().method().is_safe() => None,
        Err(problem) => {
            *response.response_mut() = problem.response(id);
            None
        }
    }
}

/// The beginning of a part of a request, escaped for a log line.
fn logged(text: &str) -> String {
    const MOST: usize = 1000;
    shown::value(&shown::cut(text, MOST))
}

/// A request that waits for its answer. Actix drops it if the connection ends first. That is logged
/// and counted too, because the change may have been made.
struct Unanswered {
    began: Instant,
    method: &'static str,
    route: String,
    span: Span,
    is_answered: bool,
}

impl Unanswered {
    fn new(request: &ServiceRequest, id: &RequestId) -> Self {
        // The pattern of the route: with the path, each id would add a series.
        let route = request.resource_map().match_pattern(request.match_info().unprocessed());
        Self {
            began: Instant::now(),
            method: label(request.method()),
            route: route.unwrap_or_else(|| "unknown".to_owned()),
            span: tracing::info_span!(
                "request",
                request_id = %logged(id.as_str()),
                method = %logged(request.method().as_str()),
                path = %logged(request.path())
            ),
            is_answered: false,
        }
    }

    /// Logs and counts its answer.
    fn answer(mut self, status: StatusCode) {
        self.is_answered = true;
        let elapsed = self.began.elapsed();
        self.count(status.as_u16());
        let labels = [("method", self.method.to_owned()), ("route", self.route.clone())];
        metrics::histogram!("timelog_http_request_seconds", &labels).record(elapsed);
        self.span.in_scope(|| {
            tracing::info!(status = status.as_u16(), micros = self.micros(), "answered a request");
        });
    }

    fn count(&self, status: u16) {
        let labels = [
            ("method", self.method.to_owned()),
            ("route", self.route.clone()),
            ("status", status.to_string()),
        ];
        metrics::counter!("timelog_http_requests_total", &labels).increment(1);
    }

    fn micros(&self) -> Option<u64> {
        u64::try_from(self.began.elapsed().as_micros()).ok()
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if !self.is_answered {
            self.count(UNANSWERED);
            self.span.in_scope(|| {
                tracing::info!(
                    status = UNANSWERED,
                    micros = self.micros(),
                    "the connection ended before the request was answered"
                );
            });
        }
    }
}

/// The method as a label of a metric. All unknown methods are one series.
fn label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

fn problem_of(error: &Error) -> Problem {
    if let Some(problem) = error.as_error::<Problem>() {
        return problem.clone();
    }
    let reason = error.to_string();
    let reason = shown::cut(&reason, 300);
    match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::PayloadTooLarge, reason),
        StatusCode::NOT_FOUND => Problem::new(Code::NotFound, reason),
        status if status.is_client_error() => {
            Problem::invalid(vec![Violation::in_parameter("request", "invalid_request", reason)])
        }
        _ => Problem::new(Code::Internal, reason),
    }
}
