//! `PUT|GET /projects/{projectId}` and `GET /projects`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use timelog_domain::{Page, Permission, Project, ProjectId};

use super::{get, put};
use crate::http::body;
use crate::http::cursor::Binding;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::json::body;
use crate::routes::admission::{admit, admit_to_project};
use crate::routes::page;
use crate::state::AppState;

body!(Body { name, archived });

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    archived: bool,
}

impl From<&Project> for Shown {
    fn from(project: &Project) -> Self {
        Self {
            id: project.id.to_string(),
            name: project.name.to_string(),
            archived: project.archived,
        }
    }
}

pub(in crate::routes) async fn put_project(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, id) = admit_to_project(&request, &state, Permission::Admin).await?;
    let body = body::read(&request, payload, body::ONE_ENTRY).await?;
    let (mut members, body) = body.json().object::<Body<'_>>()?;
    members.require(&[("name", body.name)]);
    let name = members.parsed("name", body.name);
    let archived = members.boolean("archived", body.archived).unwrap_or(false);
    let name = members.finish(name)?;
    let project = Project { organization_id: key.organization_id, id, name, archived };
    let shown = Shown::from(&project);
    put(state.ports.directory.put_project(project).await, &shown)
}

pub(in crate::routes) async fn get_project(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, id) = admit_to_project(&request, &state, Permission::Read).await?;
    get(state.ports.directory.project(key.organization_id, id).await?.as_ref().map(Shown::from))
}

/// A key that is limited to one project sees a list of that alone.
pub(in crate::routes) async fn list_projects(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let key = admit(&request, &state, Permission::Read).await?;
    let mut query = Query::of(&request);
    let limit = page::limit(&mut query);
    let binding = Binding::new(key.organization_id, request.path(), query.pairs());
    let after = page::after(&mut query, &binding, Binding::id).map(ProjectId::new);
    query.finish()?;
    let directory = &state.ports.directory;
    let page = match key.project_id {
        None => directory.projects(key.organization_id, after, limit).await?,
        Some(own) => {
            let own = directory.project(key.organization_id, own).await?;
            Page {
                items: own.into_iter().filter(|project| Some(project.id) > after).collect(),
                next: None,
            }
        }
    };
    let next = page.next.map(|id| binding.cursor_of_id(id.uuid()));
    Ok(page::response(&request, page.items.iter().map(Shown::from).collect(), next, None))
}
