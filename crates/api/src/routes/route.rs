//! A route: its path and method, its handler, and what is said of it. The types of the handler say
//! the rest.

use actix_web::http::{Method, header};
use actix_web::{HttpResponse, guard, web};
use utoipa::openapi::path::HttpMethod;

use super::admission::Admission;
use super::asked::{Asked, Input};
use crate::document::{About, Described, Operation};
use crate::http::code::Code;
use crate::http::problem::Problem;

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

/// A route.
pub(crate) struct Route {
    path: String,
    documented_as: Option<&'static str>,
    method: Method,
    is_for_operators: bool,
    mounted: actix_web::Route,
    types: fn(&mut Operation<'_>),
    about: Box<dyn Fn() -> About>,
}

impl Route {
    fn new<A, I, F, R>(
        method: Method,
        path: impl Into<String>,
        handler: F,
        about: impl Fn() -> About + 'static,
    ) -> Self
    where
        A: Admission,
        I: Input<A>,
        F: Fn(Asked<A, I>) -> R + Clone + 'static,
        R: Future<Output = Result<HttpResponse, Problem>> + 'static,
    {
        // HEAD is GET without the body.
        let route = match method {
            Method::GET => web::route().guard(guard::Any(guard::Get()).or(guard::Head())),
            ref method => web::method(method.clone()),
        };
        Self {
            path: path.into(),
            documented_as: None,
            method,
            is_for_operators: false,
            mounted: route.to(handler),
            types: Asked::<A, I>::describe,
            about: Box::new(about),
        }
    }

    /// The document calls its path that.
    pub(super) fn documented_as(self, path: &'static str) -> Self {
        Self { documented_as: Some(path), ..self }
    }

    pub(super) fn for_operators(self) -> Self {
        Self { is_for_operators: true, ..self }
    }
}

macro_rules! methods {
    ($($name:ident: $method:ident),+) => {$(
        pub(super) fn $name<A, I, F, R>(
            path: impl Into<String>,
            handler: F,
            about: impl Fn() -> About + 'static,
        ) -> Route
        where
            A: Admission,
            I: Input<A>,
            F: Fn(Asked<A, I>) -> R + Clone + 'static,
            R: Future<Output = Result<HttpResponse, Problem>> + 'static,
        {
            Route::new(Method::$method, path, handler, about)
        }
    )+};
}

methods!(get: GET, post: POST, put: PUT, patch: PATCH, delete: DELETE);

/// Mounts routes under the scope it is given. A path answers every method that it has no route for
/// with 405 and what it allows.
pub(crate) fn mount(config: &mut web::ServiceConfig, table: Vec<Route>, surface: Surface) {
    let routes = table.into_iter().filter(|route| match surface {
        Surface::Api => !route.is_for_operators,
        Surface::Admin => route.is_for_operators,
        Surface::All => true,
    });
    let mut paths: Vec<(String, Vec<Route>)> = Vec::new();
    for route in routes {
        match paths.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, routes)) => routes.push(route),
            None => paths.push((route.path.clone(), vec![route])),
        }
    }
    for (path, routes) in paths {
        let allowed = allowed(&routes);
        let not_allowed = move || {
            let problem = method_not_allowed(&allowed);
            async move { Err::<HttpResponse, _>(problem) }
        };
        let resource = web::resource(&path).default_service(web::to(not_allowed));
        config.service(
            routes
                .into_iter()
                .fold(resource, |resource, Route { mounted, .. }| resource.route(mounted)),
        );
    }
}

/// The methods of routes that share a path, in the order of their names in the document.
fn allowed(routes: &[Route]) -> String {
    const ORDER: [Method; 6] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let has = |method: &&Method| {
        let as_written = if **method == Method::HEAD { &Method::GET } else { *method };
        routes.iter().any(|route| route.method == *as_written)
    };
    let methods: Vec<_> = ORDER.iter().filter(has).map(Method::as_str).collect();
    methods.join(", ")
}

fn method_not_allowed(allowed: &str) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("This path allows {allowed}."))
        .with_header(header::ALLOW, allowed)
}

/// Answers every path that is no route.
pub(crate) async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::new(Code::NotFound, "There is nothing under this path."))
}

impl From<Route> for Described {
    fn from(route: Route) -> Self {
        Self {
            path: route.documented_as.map_or(route.path, str::to_owned),
            method: http_method(&route.method),
            about: (route.about)(),
            types: route.types,
        }
    }
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}
