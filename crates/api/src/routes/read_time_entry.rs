//! `GET /time-entries/{timeEntryId}`: one entry, or 304 where the caller has it already.

use actix_web::http::header::Header;
use actix_web::http::header::{self, ETag, EntityTag, IfNoneMatch};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::Permission;

use super::path_id;
use crate::answer;
use crate::http::code::Code;
use crate::http::credentials;
use crate::http::problem::{Problem, Violation};
use crate::state::AppState;

pub(super) async fn read_time_entry(request: HttpRequest, state: Data<AppState>) -> Result<HttpResponse, Problem> {
    let key = state.authenticate(&request).await?;
    credentials::require(&key, Permission::Read)?;
    let id = path_id(&request, "timeEntryId")?;
    let condition = if_none_match(&request)?;
    let entry = state.ports.time_entries.find(key.organization_id, id).await?;
    let entry = entry.ok_or_else(|| Problem::new(Code::NotFound, "There is no such time entry."))?;
    credentials::require_scope(&key, entry.project_id())?;
    let version = EntityTag::new_strong(entry.version().to_string());
    let unchanged = match condition {
        Some(IfNoneMatch::Any) => true,
        Some(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&version)),
        None => false,
    };
    if unchanged {
        return Ok(HttpResponse::NotModified().insert_header(ETag(version)).finish());
    }
    Ok(HttpResponse::Ok().insert_header(ETag(version)).content_type(mime::APPLICATION_JSON).body(answer::body(&entry)))
}

fn if_none_match(request: &HttpRequest) -> Result<Option<IfNoneMatch>, Problem> {
    if !request.headers().contains_key(header::IF_NONE_MATCH) {
        return Ok(None);
    }
    IfNoneMatch::parse(request).map(Some).map_err(|_| {
        let message = "must be * or a list of entity tags such as \"1\"";
        Problem::invalid(vec![Violation::in_parameter("If-None-Match", "invalid_header", message)])
    })
}
