//! What all lists have in common: a page, the cursor of the next one, and the link to it.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{head, is_head};
use crate::wire::page::{Listed, Page};
use crate::wire::{Pairs, Sometimes, bytes};

/// Answers a page. The link to the next is the request's own address with another cursor.
pub(super) fn response<T: Listed>(
    request: &HttpRequest,
    pairs: &Pairs,
    data: Vec<T>,
    next_cursor: Option<String>,
    total: Option<u64>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(mime::APPLICATION_JSON);
    if let Some(cursor) = &next_cursor {
        let query = pairs.with("cursor", cursor);
        let link = format!("<{}?{query}>; rel=\"next\"", request.path());
        response.insert_header((header::LINK, link));
    }
    if is_head(request) {
        return head(response);
    }
    response.body(bytes(&Page { data, next_cursor, total: Sometimes(total) }))
}
