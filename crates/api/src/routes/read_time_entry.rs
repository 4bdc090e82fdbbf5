//! `GET /time-entries/{timeEntryId}`: one entry, or 304 where the caller has it already.

use actix_web::http::header::{ETag, EntityTag, IfNoneMatch};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::Permission;

use super::admission::admit_to_time_entry;
use crate::answer;
use crate::http::code::Code;
use crate::http::condition;
use crate::http::problem::Problem;
use crate::state::AppState;

pub(super) async fn read_time_entry(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, id) = admit_to_time_entry(&request, &state, Permission::Read).await?;
    let condition = condition::read::<IfNoneMatch>(&request)?;
    let entry = state.ports.time_entries.find(key.organization_id, id).await?;
    let entry =
        entry.ok_or_else(|| Problem::new(Code::NotFound, "There is no such time entry."))?;
    key.check_scope(entry.project_id())?;
    let version = EntityTag::new_strong(entry.version().to_string());
    if condition::has_already(condition.as_ref(), &version) {
        return Ok(HttpResponse::NotModified().insert_header(ETag(version)).finish());
    }
    Ok(HttpResponse::Ok()
        .insert_header(ETag(version))
        .content_type(mime::APPLICATION_JSON)
        .body(answer::body(&entry)))
}
