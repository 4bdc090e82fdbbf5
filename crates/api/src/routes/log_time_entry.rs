//! `POST /projects/{projectId}/time-entries`: the request this service exists for.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::{Command, LogTimeEntry, Permission, ProjectId, Source, TimeEntryId};
use uuid::Uuid;

use super::bodies::log;
use super::change::{Change, admitted};
use super::path_id;
use crate::answer;
use crate::http::problem::Problem;
use crate::http::{body, credentials};
use crate::state::AppState;

pub(super) async fn log_time_entry(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (payload, (key, project_id)) = admitted(payload, admit(&request, &state)).await?;
    let body = body::read(&request, payload, body::ONE_ENTRY).await?;
    let operation = format!("POST /projects/{project_id}/time-entries");
    let change = Change::new(&request, &state, &key, operation, &body)?;
    let log::Logged { details, external_ref } = log::parse(&body)?;
    let id = TimeEntryId::new(Uuid::now_v7());
    let command = LogTimeEntry { id, project_id, details, external_ref, source: Source::Api };
    change.carry_out(Command::Log(command), answer::renderer(&state.base_path)).await
}

/// Lets the request in, before its body is read.
pub(super) async fn admit(
    request: &HttpRequest,
    state: &AppState,
) -> Result<(std::sync::Arc<timelog_domain::ApiKey>, ProjectId), Problem> {
    let key = state.authenticate(request).await?;
    credentials::require(&key, Permission::Write)?;
    let project_id = path_id(request, "projectId")?;
    credentials::require_scope(&key, project_id)?;
    Ok((key, project_id))
}
