//! The routes. Each file is one of them, or what several have in common.

mod admission;
pub(crate) mod bodies;
mod change;
mod delete_time_entry;
mod directory;
mod docs;
mod edit_time_entry;
mod export_time_entries;
mod health;
mod history;
mod list_time_entries;
mod log_many;
mod log_time_entry;
mod me;
mod metrics;
mod openapi;
mod page;
mod read_time_entry;
mod results;
mod summarize;
mod transition;
mod transition_many;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, guard, web};
use timelog_domain::Action;

use crate::http::code::Code;
use crate::http::problem::{Problem, Violation};
use crate::json::Fault;

const GET: &[Method] = &[Method::GET, Method::HEAD];
const POST: &[Method] = &[Method::POST];
const GET_AND_POST: &[Method] = &[Method::GET, Method::HEAD, Method::POST];
const GET_AND_PUT: &[Method] = &[Method::GET, Method::HEAD, Method::PUT];

/// Which of the routes a listener answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// What keys are for.
    Api,
    /// What is for operators: metrics, health and documentation.
    Admin,
    /// Both.
    All,
}

/// Mounts routes under the scope it is given. Of two paths that both fit, the first is taken.
pub(crate) fn mount(config: &mut web::ServiceConfig, surface: Surface) {
    if surface != Surface::Admin {
        mount_time_entries(config);
        mount_directory(config);
        config.service(resource("/me", GET).route(get().to(me::me)));
    }
    if surface != Surface::Api {
        mount_admin(config);
    }
}

fn mount_admin(config: &mut web::ServiceConfig) {
    config
        .service(resource("/health/live", GET).route(get().to(health::live)))
        .service(resource("/health/ready", GET).route(get().to(health::ready)))
        .service(resource("/metrics", GET).route(get().to(metrics::metrics)))
        .service(resource("/openapi.json", GET).route(get().to(openapi::openapi)))
        .service(resource("/docs", GET).route(get().to(docs::redirect)))
        .service(resource("/docs/{file:.*}", GET).route(get().to(docs::file)));
}

fn mount_time_entries(config: &mut web::ServiceConfig) {
    config
        .service(
            resource("/projects/{projectId}/time-entries", GET_AND_POST)
                .route(get().to(list_time_entries::list_of_project))
                .route(web::post().to(log_time_entry::log_time_entry)),
        )
        .service(
            resource("/projects/{projectId}/time-entries.csv", GET)
                .route(get().to(export_time_entries::export_of_project)),
        )
        .service(
            resource("/projects/{projectId}/time-entries/batch", POST)
                .route(web::post().to(log_many::log_many)),
        )
        .service(
            resource("/projects/{projectId}/time-entries/summary", GET)
                .route(get().to(summarize::of_project)),
        )
        .service(
            resource("/time-entries", GET).route(get().to(list_time_entries::list_of_organization)),
        )
        .service(
            resource("/time-entries.csv", GET)
                .route(get().to(export_time_entries::export_of_organization)),
        )
        .service(resource("/time-entries/summary", GET).route(get().to(summarize::of_organization)))
        .service(
            resource("/time-entries/transitions", POST)
                .route(web::post().to(transition_many::transition_many)),
        )
        .service(
            resource(
                "/time-entries/{timeEntryId}",
                &[Method::GET, Method::HEAD, Method::PATCH, Method::DELETE],
            )
            .route(get().to(read_time_entry::read_time_entry))
            .route(web::patch().to(edit_time_entry::edit_time_entry))
            .route(web::delete().to(delete_time_entry::delete_time_entry)),
        )
        .service(
            resource("/time-entries/{timeEntryId}/history", GET).route(get().to(history::history)),
        );
    for &action in Action::ALL {
        config.service(resource(&format!("/time-entries/{{timeEntryId}}/{action}"), POST).route(
            web::post().to(move |request, payload, state| {
                transition::transition(action, request, payload, state)
            }),
        ));
    }
}

fn mount_directory(config: &mut web::ServiceConfig) {
    use directory::{projects, releases, tickets, users};
    config
        .service(resource("/projects", GET).route(get().to(projects::list_projects)))
        .service(
            resource("/projects/{projectId}", GET_AND_PUT)
                .route(get().to(projects::get_project))
                .route(web::put().to(projects::put_project)),
        )
        .service(
            resource("/projects/{projectId}/entries/{entryId}", GET_AND_PUT)
                .route(get().to(tickets::get_ticket))
                .route(web::put().to(tickets::put_ticket)),
        )
        .service(
            resource("/projects/{projectId}/releases/{releaseId}", GET_AND_PUT)
                .route(get().to(releases::get_release))
                .route(web::put().to(releases::put_release)),
        )
        .service(resource("/users", GET).route(get().to(users::list_users)))
        .service(
            resource("/users/{userId}", GET_AND_PUT)
                .route(get().to(users::get_user))
                .route(web::put().to(users::put_user)),
        );
}

/// A path that answers every other method with 405 and what it allows.
fn resource(path: &str, allowed: &'static [Method]) -> actix_web::Resource {
    web::resource(path).default_service(web::to(move || async move {
        Err::<&str, _>(method_not_allowed(allowed))
    }))
}

/// GET, and HEAD, which is GET without the body.
fn get() -> actix_web::Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Whether only the head of the answer is asked for. Then everything is checked as for GET, but
/// what would only be in the body is not made, and its length is left out (RFC 9110, 9.3.2).
fn is_head(request: &HttpRequest) -> bool {
    request.method() == Method::HEAD
}

/// The head of an answer whose body is not made. It has no length, because that is not known.
fn head(mut response: HttpResponseBuilder) -> HttpResponse {
    response.body(actix_web::body::None::new())
}

fn method_not_allowed(allowed: &[Method]) -> Problem {
    let allowed: Vec<_> = allowed.iter().map(Method::as_str).collect();
    let allowed = allowed.join(", ");
    Problem::new(Code::MethodNotAllowed, format!("This path allows {allowed}."))
        .with_header(header::ALLOW, allowed)
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
    text.parse::<T>().map_err(|error| {
        Problem::invalid(vec![Violation::in_parameter(name, error.code(), error.to_string())])
    })
}
