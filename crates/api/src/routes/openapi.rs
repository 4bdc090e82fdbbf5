//! `GET /openapi.json`: the description of all of this for programs.

use actix_web::HttpResponse;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::admission::Everybody;
use super::asked::{Asked, Limited};
use crate::document::{About, Answer, Caching, Tag};
use crate::http::caching;
use crate::http::problem::Problem;
use crate::wire::{Described, Schemas, schema};
use serde_json::json;

pub(super) async fn openapi(asked: Asked<Everybody, Limited>) -> Result<HttpResponse, Problem> {
    let mut answer = HttpResponse::Ok();
    answer.content_type(mime::APPLICATION_JSON).insert_header(caching::FOR_EVERYBODY);
    Ok(answer.body(asked.state.openapi.clone()))
}

/// A document as the OpenAPI Specification 3.1 describes it.
struct OpenApiDocument;

impl Described for OpenApiDocument {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        schemas.named("OpenApiDocument", |_| {
            let object = || ObjectBuilder::new().schema_type(Type::Object);
            let about = "A document as the OpenAPI Specification 3.1 describes it.";
            let version = schema::text("").pattern(Some("^3\\.1\\.[0-9]+$"));
            object()
                .description(Some(about))
                .property("openapi", version)
                .property("info", object())
                .property("paths", object())
                .required("openapi")
                .required("info")
                .required("paths")
                .into()
        })
    }
}

pub(super) fn about() -> About {
    About::new(
        "readOpenApi",
        Tag::Operations,
        "This document",
        "The description of the API that the running server keeps to. `servers` names the base \
         path it was started with.",
    )
    .answer(Answer::json::<OpenApiDocument>(200, "An OpenAPI 3.1 document.").example(json!({
        "openapi": "3.1.0",
        "info": { "title": "timelog", "version": "0.1.0" },
        "servers": [{ "url": "/" }],
        "paths": {},
    })))
    .caching(Caching::ForEverybody)
}
