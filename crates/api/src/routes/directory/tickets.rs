//! `PUT|GET /projects/{projectId}/entries/{entryId}`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use timelog_domain::{Permission, ProjectId, Ticket, TicketId};

use super::{get, put};
use crate::http::body;
use crate::http::problem::Problem;
use crate::json::body;
use crate::routes::admission::{Key, admit_to_project};
use crate::routes::path_id;
use crate::state::AppState;

body!(Body { title });

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    project_id: String,
    title: String,
}

impl From<&Ticket> for Shown {
    fn from(entry: &Ticket) -> Self {
        Self {
            id: entry.id.to_string(),
            project_id: entry.project_id.to_string(),
            title: entry.title.to_string(),
        }
    }
}

pub(in crate::routes) async fn put_ticket(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project_id, id) = admit(&request, &state, Permission::Admin).await?;
    let body = body::read(&request, payload, body::ONE_ENTRY).await?;
    let (mut members, body) = body.json().object::<Body<'_>>()?;
    members.require(&[("title", body.title)]);
    let title = members.parsed("title", body.title);
    let title = members.finish(title)?;
    let entry = Ticket { organization_id: key.organization_id, project_id, id, title };
    let shown = Shown::from(&entry);
    put(state.ports.directory.put_ticket(entry).await, &shown)
}

pub(in crate::routes) async fn get_ticket(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project, id) = admit(&request, &state, Permission::Read).await?;
    get(state
        .ports
        .directory
        .ticket(key.organization_id, project, id)
        .await?
        .as_ref()
        .map(Shown::from))
}

async fn admit(
    request: &HttpRequest,
    state: &AppState,
    permission: Permission,
) -> Result<(Key, ProjectId, TicketId), Problem> {
    let (key, project) = admit_to_project(request, state, permission).await?;
    Ok((key, project, path_id(request, "entryId")?))
}
