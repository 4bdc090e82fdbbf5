//! `GET /projects/{projectId}/time-entries` and `GET /time-entries`: a page of a project or of the
//! organization.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::{PageRequest, Permission, ProjectId, Sort};

use super::admission::{Key, admit_to_all_projects, admit_to_project};
use super::{is_head, page};
use crate::answer::EntryBody;
use crate::http::code::Code;
use crate::http::cursor::Binding;
use crate::http::problem::Problem;
use crate::http::query::{Boolean, Query};
use crate::state::AppState;

pub(super) async fn list_of_project(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project) = admit_to_project(&request, &state, Permission::Read).await?;
    list(&request, &state, &key, Some(project)).await
}

pub(super) async fn list_of_organization(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let key = admit_to_all_projects(&request, &state, Permission::Read).await?;
    list(&request, &state, &key, None).await
}

async fn list(
    request: &HttpRequest,
    state: &AppState,
    key: &Key,
    project: Option<ProjectId>,
) -> Result<HttpResponse, Problem> {
    let organization = key.organization_id;
    let mut query = Query::of(request);
    let filter = query.filter(project);
    let sort: Sort = query.one("sort").unwrap_or_default();
    let limit = page::limit(&mut query);
    let include_total =
        query.one::<Boolean>("includeTotal").is_some_and(|Boolean(include)| include);
    let binding = Binding::new(organization, request.path(), query.pairs());
    let after = page::after(&mut query, &binding, |binding, cursor| binding.position(cursor, sort));
    query.finish()?;
    must_exist(state, key, project).await?;
    let queries = &state.ports.queries;
    // The total would only be in the body.
    let total = if include_total && !is_head(request) {
        Some(queries.count(organization, filter.clone()).await?)
    } else {
        None
    };
    let page = queries.list(organization, PageRequest { filter, sort, after, limit }).await?;
    let next = page.next.as_ref().map(|position| binding.cursor(position));
    Ok(page::response(request, page.items.iter().map(EntryBody::from).collect(), next, total))
}

/// A list of a project that does not exist is not empty: it is not there.
pub(super) async fn must_exist(
    state: &AppState,
    key: &Key,
    project: Option<ProjectId>,
) -> Result<(), Problem> {
    let Some(project) = project else { return Ok(()) };
    match state.ports.directory.project(key.organization_id, project).await? {
        Some(_) => Ok(()),
        None => Err(Problem::new(Code::NotFound, "There is no such project.")),
    }
}
