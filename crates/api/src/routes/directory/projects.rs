//! `PUT|GET /projects/{projectId}` and `GET /projects`.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{Page, Project, ProjectId};

use super::shown::{get, only_page, put};
use crate::document::{About, Answer, Sample, Tag};
use crate::http::problem::Problem;
use crate::routes::admission::{Admin, HasKey, Permitted, Read, ToProject};
use crate::routes::asked::{Asked, Paging, Sending};
use crate::routes::page;
use crate::wire::bytes;
use crate::wire::directory::{ProjectBody, PutProject};
use crate::wire::page::PageQuery;

pub(in crate::routes) async fn put_project(
    asked: Asked<ToProject<Admin>, Sending<PutProject>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input, .. } = asked;
    let (name, archived) = input.body;
    let organization_id = by.key().organization_id;
    let project = Project { organization_id, id: by.id, name, archived };
    let shown = bytes(&ProjectBody::from(&project));
    put(state.ports.directory.put_project(project).await, shown)
}

pub(in crate::routes) async fn get_project(
    asked: Asked<ToProject<Read>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, .. } = asked;
    let project = state.ports.directory.project(by.key().organization_id, by.id).await?;
    get(project.as_ref().map(ProjectBody::from))
}

/// A key that is limited to one project sees a list of that alone.
pub(in crate::routes) async fn list_projects(
    asked: Asked<Permitted<Read>, Paging<PageQuery>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input: Paging { query, pairs, list } } = asked;
    let (key, directory) = (by.key(), &state.ports.directory);
    let after = query.cursor.as_ref().and_then(|cursor| list.id(cursor)).map(ProjectId::new);
    let page = match key.project_id {
        None => directory.projects(key.organization_id, after, query.limit()).await?,
        Some(own) => {
            let own = directory.project(key.organization_id, own).await?;
            let after = own.into_iter().filter(|project| Some(project.id) > after);
            Page { items: after.collect(), next: None }
        }
    };
    let next = page.next.map(|id| list.cursor_of_id(id.uuid()));
    let items = page.items.iter().map(ProjectBody::from).collect();
    Ok(page::response(&request, &pairs, items, next, None))
}

pub(in crate::routes) fn about_put() -> About {
    About::new(
        "putProject",
        Tag::Directory,
        "Put a project",
        "Makes the project, or replaces it. Sent again, it changes nothing. The key needs the \
         permission `admin`, and must not be confined to another project. The time that is \
         logged on an archived project stays; no more can be logged.",
    )
    .answer(
        Answer::json::<ProjectBody<'_>>(200, "It was there and says this now.").sample(sample()),
    )
    .answer(Answer::json::<ProjectBody<'_>>(201, "It is new.").sample(sample()))
    .never(404)
}

pub(in crate::routes) fn about_get() -> About {
    About::new(
        "getProject",
        Tag::Directory,
        "Read a project",
        "Shows the project. The key needs the permission `read`.",
    )
    .answer(Answer::json::<ProjectBody<'_>>(200, "The project.").sample(sample()))
}

pub(in crate::routes) fn about_list() -> About {
    About::new(
        "listProjects",
        Tag::Directory,
        "List the projects",
        "Reads a page of the projects of the organization, in the order of their ids. The key \
         needs the permission `read`; one that is confined to a project sees that alone.",
    )
    .answer(only_page::<ProjectBody<'_>>(&example()))
}

/// One, as the document shows it.
fn example() -> Value {
    json!({
        "id": "9a8b7c6d-0000-0000-0000-000000000002",
        "name": "Website",
        "archived": false,
    })
}

fn sample() -> Sample {
    Sample::new("shown", "A project", example())
}
