//! The routes. Each file is one of them.

mod docs;
mod health;
mod log_time_entry;
mod me;
mod metrics;
mod openapi;
mod read_time_entry;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, guard, web};

use crate::http::code::Code;
use crate::http::problem::{Problem, Violation};
use crate::json::Fault;

/// Mounts every route under the scope it is given.
pub(crate) fn mount(config: &mut web::ServiceConfig) {
    config
        .service(
            resource("/projects/{projectId}/time-entries", &[Method::POST])
                .route(web::post().to(log_time_entry::log_time_entry)),
        )
        .service(
            resource("/time-entries/{timeEntryId}", &[Method::GET, Method::HEAD])
                .route(get().to(read_time_entry::read_time_entry)),
        )
        .service(resource("/me", &[Method::GET, Method::HEAD]).route(get().to(me::me)))
        .service(resource("/health/live", &[Method::GET, Method::HEAD]).route(get().to(health::live)))
        .service(resource("/health/ready", &[Method::GET, Method::HEAD]).route(get().to(health::ready)))
        .service(resource("/metrics", &[Method::GET, Method::HEAD]).route(get().to(metrics::metrics)))
        .service(resource("/openapi.json", &[Method::GET, Method::HEAD]).route(get().to(openapi::openapi)))
        .service(resource("/docs", &[Method::GET, Method::HEAD]).route(get().to(docs::redirect)))
        .service(resource("/docs/{file:.*}", &[Method::GET, Method::HEAD]).route(get().to(docs::file)));
}

/// A path that answers every other method with 405 and what it allows.
fn resource(path: &str, allowed: &'static [Method]) -> actix_web::Resource {
    web::resource(path).default_service(web::to(move || async move { Err::<&str, _>(method_not_allowed(allowed)) }))
}

/// GET, and HEAD, which is GET without the body.
fn get() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

fn method_not_allowed(allowed: &[Method]) -> Problem {
    let allowed: Vec<_> = allowed.iter().map(Method::as_str).collect();
    let allowed = allowed.join(", ");
    Problem::new(Code::MethodNotAllowed, format!("This path allows {allowed}.")).with_header(header::ALLOW, allowed)
}

/// Answers every path that is no route.
pub(crate) async fn not_found() -> Result<&'static str, Problem> {
    Err(Problem::new(Code::NotFound, "There is nothing under this path."))
}

/// An id in the path.
fn path_id<T>(request: &HttpRequest, name: &str) -> Result<T, Problem>
where
    T: std::str::FromStr,
    T::Err: Fault,
{
    let text = request.match_info().query(name);
    text.parse::<T>()
        .map_err(|error| Problem::invalid(vec![Violation::in_parameter(name, error.code(), error.to_string())]))
}
