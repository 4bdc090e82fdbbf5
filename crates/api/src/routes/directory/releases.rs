//! `PUT|GET /projects/{projectId}/releases/{releaseId}` and `GET
//! /projects/{projectId}/releases`.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{Release, ReleaseId};

use super::shown::{get, only_page, put};
use crate::document::{About, Answer, Sample, Tag};
use crate::http::problem::Problem;
use crate::routes::admission::{Admin, HasKey, Read, ToProject, ToRelease};
use crate::routes::asked::{Asked, Paging, Sending};
use crate::routes::list_time_entries::must_exist;
use crate::routes::page;
use crate::wire::bytes;
use crate::wire::directory::{PutRelease, ReleaseBody};
use crate::wire::page::PageQuery;

pub(in crate::routes) async fn put_release(
    asked: Asked<ToRelease<Admin>, Sending<PutRelease>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input, .. } = asked;
    let organization_id = by.key().organization_id;
    let release =
        Release { organization_id, project_id: by.project.id, id: by.id, name: input.body };
    let shown = bytes(&ReleaseBody::from(&release));
    put(state.ports.directory.put_release(release).await, shown)
}

pub(in crate::routes) async fn get_release(
    asked: Asked<ToRelease<Read>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, .. } = asked;
    let organization = by.key().organization_id;
    let release = state.ports.directory.release(organization, by.project.id, by.id).await?;
    get(release.as_ref().map(ReleaseBody::from))
}

pub(in crate::routes) async fn list_releases(
    asked: Asked<ToProject<Read>, Paging<PageQuery>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input: Paging { query, pairs, list } } = asked;
    let after = query.cursor.as_ref().and_then(|cursor| list.id(cursor)).map(ReleaseId::new);
    let (directory, organization) = (&state.ports.directory, by.key().organization_id);
    let page = directory.releases(organization, by.id, after, query.limit()).await?;
    if page.items.is_empty() {
        must_exist(&state, by.key(), Some(by.id)).await?;
    }
    let next = page.next.map(|id| list.cursor_of_id(id.uuid()));
    let items = page.items.iter().map(ReleaseBody::from).collect();
    Ok(page::response(&request, &pairs, items, next, None))
}

pub(in crate::routes) fn about_put() -> About {
    About::new(
        "putRelease",
        Tag::Directory,
        "Put a release",
        "Makes the release, or replaces it. Sent again, it changes nothing. The key needs the \
         permission `admin`, and must not be confined to another project.",
    )
    .answer(
        Answer::json::<ReleaseBody<'_>>(200, "It was there and says this now.").sample(sample()),
    )
    .answer(Answer::json::<ReleaseBody<'_>>(201, "It is new.").sample(sample()))
}

pub(in crate::routes) fn about_get() -> About {
    About::new(
        "getRelease",
        Tag::Directory,
        "Read a release",
        "Shows the release. The key needs the permission `read`.",
    )
    .answer(Answer::json::<ReleaseBody<'_>>(200, "The release.").sample(sample()))
}

pub(in crate::routes) fn about_list() -> About {
    About::new(
        "listReleases",
        Tag::Directory,
        "List the releases of a project",
        "Reads a page of the releases of the project, in the order of their ids. The key needs the \
         permission `read`.",
    )
    .answer(only_page::<ReleaseBody<'_>>(&example()))
}

/// One, as the document shows it.
fn example() -> Value {
    json!({
        "id": "0194683a-2c3b-7a01-9b02-0c3d4e5f6071",
        "projectId": "9a8b7c6d-0000-0000-0000-000000000002",
        "name": "2025.1",
    })
}

fn sample() -> Sample {
    Sample::new("shown", "A release", example())
}
