//! The directory: what time tickets may refer to, kept in step by the system that owns it.

pub(super) mod projects;
pub(super) mod releases;
pub(super) mod tickets;
pub(super) mod users;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use timelog_domain::ports::PortError;

use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::json::bytes;

/// Shows what was put: 201 where it is new, 200 where it was replaced.
fn put(created: Result<bool, PortError>, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let status = match created {
        Ok(true) => StatusCode::CREATED,
        Ok(false) => StatusCode::OK,
        Err(PortError::UnknownReference) => {
            return Err(Problem::new(Code::NotFound, "There is no such project."));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(HttpResponseBuilder::new(status).content_type(mime::APPLICATION_JSON).body(bytes(body)))
}

/// Shows what was found.
fn get(found: Option<impl Serialize>) -> Result<HttpResponse, Problem> {
    let found = found
        .ok_or_else(|| Problem::new(Code::NotFound, "There is no such thing in the directory."))?;
    Ok(HttpResponse::Ok().content_type(mime::APPLICATION_JSON).body(bytes(&found)))
}
