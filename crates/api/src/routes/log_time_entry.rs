//! `POST /projects/{projectId}/time-entries`: the request this service exists for.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::{Command, LogTimeEntry, Permission, Source, TimeEntryId};
use uuid::Uuid;

use super::admission::admit_to_project;
use super::bodies::log;
use super::change::Change;
use crate::answer;
use crate::http::body;
use crate::http::problem::Problem;
use crate::state::AppState;

pub(super) async fn log_time_entry(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project_id) = admit_to_project(&request, &state, Permission::Write).await?;
    let body = body::read(&request, payload, body::ONE_ENTRY).await?;
    let operation = format!("POST /projects/{project_id}/time-entries");
    let change = Change::new(&request, &state, &key, operation, &body)?;
    let log::Logged { details, external_ref } = log::parse(body.json())?;
    let id = TimeEntryId::new(Uuid::now_v7());
    let command = LogTimeEntry { id, project_id, details, external_ref, source: Source::Api };
    change.carry_out(Command::Log(command), answer::renderer(&state.base_path)).await
}
