//! What all lists have in common: a page, the cursor of the next one, and the link to it.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::{head, is_head};
use crate::http::cursor::{Binding, Cursor, InvalidCursor};
use crate::http::query::{Limit, Query};
use crate::json::Fault;
use crate::json::bytes;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// Answers a page. The link to the next is the request's own address with another cursor.
pub(super) fn response<T: Serialize>(
    request: &HttpRequest,
    data: Vec<T>,
    next_cursor: Option<String>,
    total: Option<u64>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(mime::APPLICATION_JSON);
    if let Some(cursor) = &next_cursor {
        let query = Query::of(request);
        let cursor = ("cursor".to_owned(), cursor.clone());
        let pairs: Vec<_> =
            query.pairs().iter().filter(|(name, _)| name != "cursor").chain([&cursor]).collect();
        // Pairs of texts always serialize.
        let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
        response
            .insert_header((header::LINK, format!("<{}?{query}>; rel=\"next\"", request.path())));
    }
    if is_head(request) {
        return head(response);
    }
    response.body(bytes(&Body { data, next_cursor, total }))
}

/// How many items to answer.
pub(super) fn limit(query: &mut Query) -> u32 {
    query.one::<Limit>("limit").unwrap_or(Limit::DEFAULT).0
}

/// Where to begin: what `find` makes of the cursor, which must be one of this list.
pub(super) fn after<T>(
    query: &mut Query,
    binding: &Binding,
    find: impl FnOnce(&Binding, &Cursor) -> Option<T>,
) -> Option<T> {
    let cursor = query.one::<Cursor>("cursor")?;
    let found = find(binding, &cursor);
    if found.is_none() {
        query.add("cursor", InvalidCursor.code(), &InvalidCursor.to_string());
    }
    found
}
