//! `PUT|GET /projects/{projectId}/releases/{releaseId}`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use timelog_domain::{Permission, ProjectId, Release, ReleaseId};

use super::{get, put};
use crate::http::body;
use crate::http::problem::Problem;
use crate::json::body;
use crate::routes::admission::{Key, admit_to_project};
use crate::routes::path_id;
use crate::state::AppState;

body!(Body { name });

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    project_id: String,
    name: String,
}

impl From<&Release> for Shown {
    fn from(release: &Release) -> Self {
        Self {
            id: release.id.to_string(),
            project_id: release.project_id.to_string(),
            name: release.name.to_string(),
        }
    }
}

pub(in crate::routes) async fn put_release(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project_id, id) = admit(&request, &state, Permission::Admin).await?;
    let body = body::read(&request, payload, body::ONE_ENTRY).await?;
    let (mut members, body) = body.json().object::<Body<'_>>()?;
    members.require(&[("name", body.name)]);
    let name = members.parsed("name", body.name);
    let name = members.finish(name)?;
    let release = Release { organization_id: key.organization_id, project_id, id, name };
    let shown = Shown::from(&release);
    put(state.ports.directory.put_release(release).await, &shown)
}

pub(in crate::routes) async fn get_release(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project, id) = admit(&request, &state, Permission::Read).await?;
    get(state
        .ports
        .directory
        .release(key.organization_id, project, id)
        .await?
        .as_ref()
        .map(Shown::from))
}

async fn admit(
    request: &HttpRequest,
    state: &AppState,
    permission: Permission,
) -> Result<(Key, ProjectId, ReleaseId), Problem> {
    let (key, project) = admit_to_project(request, state, permission).await?;
    Ok((key, project, path_id(request, "releaseId")?))
}
