//! `GET /time-entries/{timeEntryId}`: one entry, or 304 where the caller has it already.

use actix_web::HttpResponse;
use actix_web::http::header::{ETag, EntityTag, IfNoneMatch};
use serde_json::json;
use timelog_domain::Caller;

use super::admission::{HasKey, Read, ToTimeEntry};
use super::asked::{Asked, Asking, Showing};
use crate::document::samples::{entry, invoiced};
use crate::document::{About, Answer, Sample, Tag, headers};
use crate::http::code::Code;
use crate::http::condition;
use crate::http::problem::Problem;
use crate::wire::time_entry::{self, TimeEntryBody};

pub(super) async fn read_time_entry(
    asked: Asked<ToTimeEntry<Read>, (Showing, Option<IfNoneMatch>)>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input: (Asking(query), condition), .. } = asked;
    let entry = state.ports.time_entries.find(by.key().organization_id, by.id).await?;
    let entry = entry.filter(|entry| Caller::from(&**by.key()).sees(entry));
    let entry =
        entry.ok_or_else(|| Problem::new(Code::NotFound, "There is no such time entry."))?;
    by.key().check_scope(entry.project_id())?;
    let version = EntityTag::new_strong(entry.version().to_string());
    if condition::has_already(condition.as_ref(), &version) {
        return Ok(HttpResponse::NotModified().insert_header(ETag(version)).finish());
    }
    let mut response = HttpResponse::Ok();
    response.insert_header(ETag(version)).content_type(mime::APPLICATION_JSON);
    Ok(response.body(time_entry::bytes(&entry, query.asked())))
}

pub(super) fn about() -> About {
    About::new(
        "getTimeEntry",
        Tag::TimeEntries,
        "Read one time entry",
        "Shows the entry as it is now, member for member what the request that last changed it \
         was answered with. The key needs the permission `read`. To poll cheaply, send the last \
         `ETag` back in `If-None-Match`.",
    )
    .answer(
        Answer::json::<TimeEntryBody<'_>>(200, "The entry.")
            .sample(Sample::new("draft", "A draft", entry(json!({}))))
            .sample(Sample::new("invoiced", "On an invoice", invoiced()))
            .header(&headers::ETAG),
    )
    .answer(
        Answer::empty(304, "The caller's copy is current. There is no body.")
            .header(&headers::ETAG),
    )
}
