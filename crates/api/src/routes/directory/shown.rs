//! Showing what was put into the directory or found in it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use serde_json::{Value, json};
use timelog_domain::ports::PortError;

use crate::document::{Answer, Sample, headers};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::routes::answer::answer_json;
use crate::wire::page::{Listed, Page};

/// Shows what was put: 201 where it is new, 200 where it was replaced.
pub(super) fn put(
    created: Result<bool, PortError>,
    body: Vec<u8>,
) -> Result<HttpResponse, Problem> {
    let status = match created {
        Ok(true) => StatusCode::CREATED,
        Ok(false) => StatusCode::OK,
        Err(PortError::UnknownReference) => {
            return Err(Problem::new(Code::NotFound, "There is no such project."));
        }
        Err(error) => return Err(error.into()),
    };
    let mut response = HttpResponseBuilder::new(status);
    Ok(response.content_type(mime::APPLICATION_JSON).body(body))
}

/// Shows what was found.
pub(super) fn get(found: Option<impl Serialize>) -> Result<HttpResponse, Problem> {
    let missing = || Problem::new(Code::NotFound, "There is no such thing in the directory.");
    found.map(|found| answer_json(&found)).ok_or_else(missing)
}

/// What a list is answered, with that as the only item of the example.
pub(super) fn only_page<T: Listed>(item: &Value) -> Answer {
    let page = json!({ "data": [item], "nextCursor": null });
    Answer::json::<Page<T>>(200, "A page.")
        .sample(Sample::new("only", "The only page", page))
        .header(&headers::LINK)
}
