//! The description of the service for programs. It is made of what the code declares: bodies,
//! answers and parameters describe themselves, and so does what lets a request in. The tests hold
//! every answer to it.

mod about;
mod caching;
pub(crate) mod headers;
mod operation;
pub(crate) mod parameters;
mod problems;
mod sample;
pub(crate) mod samples;
mod webhooks;

use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, PathItem, Paths};

pub(crate) use about::{About, Answer, Tag};
pub(crate) use caching::Caching;
pub(crate) use operation::Operation;
use operation::Parts;
pub(crate) use problems::{Problems, samples as problem_samples, sets as problem_sets};
pub(crate) use sample::Sample;

/// A route as the document sees it.
pub(crate) struct Described {
    pub(crate) path: String,
    pub(crate) method: HttpMethod,
    pub(crate) about: About,
    /// What its types say of it.
    pub(crate) types: fn(&mut Operation<'_>),
}

/// The document of a server whose paths begin with `base_path`.
pub(crate) fn document(base_path: &str, routes: Vec<Described>) -> Value {
    let mut parts = Parts::default();
    let mut paths = Paths::new();
    for Described { path, method, about, types } in routes {
        let mut operation = Operation::new(&mut parts);
        types(&mut operation);
        let item = PathItem::new(method, operation.finish(about));
        match paths.paths.get_mut(&path) {
            Some(known) => known.merge_operations(item),
            None => drop(paths.paths.insert(path, item)),
        }
    }
    let webhooks = webhooks::describe(&mut parts.schemas);
    let Parts { schemas, parameters, headers, responses } = parts;
    let tags = Tag::ALL.map(|tag| json!({ "name": tag.name(), "description": tag.about() }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "timelog",
            "summary": "Log working time, once, and read it back exactly.",
            "description": INTRODUCTION,
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{ "url": if base_path.is_empty() { "/" } else { base_path } }],
        "security": [{ "bearerKey": [] }, { "headerKey": [] }],
        "tags": tags,
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "schemas": schemas.into_inner(),
            "parameters": parameters,
            "headers": headers,
            "responses": responses,
            "links": { "TimeEntry": {
                "operationId": "getTimeEntry",
                "parameters": { "timeEntryId": "$response.body#/id" },
                "description": "Reads the entry that was logged.",
            } },
            "securitySchemes": {
                "bearerKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "tlk_<prefix>_<secret>",
                    "description": "The API key as a bearer token.",
                },
                "headerKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "The API key in a header of its own.",
                },
            },
        },
    })
}

/// What stands before the operations.
const INTRODUCTION: &str = "A service that keeps time entries: who worked on which project, on \
    which day, for how \
     long.\n\n**Keys.** Send your API key as `Authorization: Bearer <key>` or as `X-API-Key: \
     <key>`; one of them is enough. A key sees a single organization and nothing outside it. A \
     key that is confined to a project, or bound to a user, may do less; `GET /me` \
     tells.\n\n**Retries.** Every answer that is 503 or 429 says in `Retry-After` when to come \
     back. Every `POST` takes an `Idempotency-Key`, under which it can be repeated without \
     taking effect twice; logging can be repeated under an `externalRef` as well. Every other \
     request can be repeated as it is.\n\n**Errors.** Whatever goes wrong is told as \
     `application/problem+json`. Branch on `code`, which is stable (`x-codes` of a response \
     lists those that it comes with); show `detail` and `errors` to people; quote `requestId` \
     when you ask for help.\n\n**HEAD.** Every path that takes `GET` takes `HEAD` too. It is \
     checked like `GET`, and the body is not made, so that there is no \
     `Content-Length`.\n\n**Caches.** Every answer that depends on who asks says so in \
     `Cache-Control` and `Vary`; so do errors, and answers to paths and methods that do not \
     stand here.\n\n**Growth.** Members that a request has and this document does not know are \
     skipped, or refused where it says `Prefer: handling=strict`; query parameters it does not \
     know are refused. Answers have exactly the members that stand here. Later versions may add \
     some, so let your client skip what it does not know.";
