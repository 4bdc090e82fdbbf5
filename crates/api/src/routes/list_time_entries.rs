//! `GET /projects/{projectId}/time-entries` and `GET /time-entries`: a page of a project or of the
//! organization.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use timelog_domain::{PageRequest, ProjectId};

use super::admission::{HasKey, Key, Read, ToAllProjects, ToProject};
use super::answer::is_head;
use super::asked::{Asked, Paging};
use super::page;
use crate::document::samples::{entry, invoiced};
use crate::document::{About, Answer, Sample, Tag, headers};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::state::AppState;
use crate::wire::filter::ListQuery;
use crate::wire::page::{Listed, Page};
use crate::wire::time_entry::TimeEntryBody;

pub(super) async fn list_of_project(
    asked: Asked<ToProject<Read>, Paging<ListQuery>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    list(&request, &state, by.key(), Some(by.id), input).await
}

pub(super) async fn list_of_organization(
    asked: Asked<ToAllProjects<Read>, Paging<ListQuery>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    list(&request, &state, by.key(), None, input).await
}

async fn list(
    request: &HttpRequest,
    state: &Data<AppState>,
    key: &Key,
    project: Option<ProjectId>,
    input: Paging<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let organization = key.organization_id;
    let Paging { query: ListQuery { filter, order, page, total, include }, pairs, list } = input;
    let (filter, sort) = (filter.filter(project, key.reads_only()), order.sort());
    let after = page.cursor.as_ref().and_then(|cursor| list.position(cursor, sort));
    let queries = &state.ports.queries;
    // The total would only be in the body.
    let total = if total.is_wanted() && !is_head(request) {
        Some(queries.count(organization, filter.clone()).await?)
    } else {
        None
    };
    let request_for_page = PageRequest { filter, sort, after, limit: page.limit() };
    let page = queries.list(organization, request_for_page).await?;
    // Whatever has entries exists.
    if page.items.is_empty() {
        must_exist(state, key, project).await?;
    }
    let next = page.next.as_ref().map(|position| list.cursor(position));
    let shown = |entry| TimeEntryBody::showing(entry, include.asked());
    let items = page.items.iter().map(shown).collect();
    Ok(page::response(request, &pairs, items, next, total))
}

impl Listed for TimeEntryBody<'_> {
    const PAGE: &'static str = "TimeEntryPage";
    const ABOUT: &'static str = "The entries of this page.";
    const HAS_TOTAL: bool = true;
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

pub(super) fn about_of_project() -> About {
    About::new(
        "listProjectTimeEntries",
        Tag::Lists,
        "List the time entries of a project",
        "Reads a page of the entries of a project, the latest work first unless `sort` says \
         otherwise. Follow `nextCursor`, or the `Link` header, until there is none. While \
         others write, no entry is seen twice or missed, as long as the value that the list is \
         sorted by does not change. The key needs the permission `read`.",
    )
    .answer(answer())
}

pub(super) fn about_of_organization() -> About {
    About::new(
        "listTimeEntries",
        Tag::Lists,
        "List the time entries of the organization",
        "Reads a page of the entries of the organization, the latest work first unless `sort` \
         says otherwise. Follow `nextCursor`, or the `Link` header, until there is none. While \
         others write, no entry is seen twice or missed, as long as the value that the list is \
         sorted by does not change. The key needs the permission `read`, and must not be \
         confined to a project.",
    )
    .answer(answer())
}

/// What both answer.
fn answer() -> Answer {
    Answer::json::<Page<TimeEntryBody<'_>>>(200, "A page.")
        .sample(Sample::new(
            "first",
            "A first page",
            json!({
                "data": [entry(json!({}))],
                "nextCursor": "YFTvbzUTcScBlGkAVsB8Pp0kUfanuMnQMjAyNS0wMS0xNQ",
            }),
        ))
        .sample(Sample::new(
            "last",
            "The last page, with a total",
            json!({
                "data": [
                    invoiced(),
                ],
                "nextCursor": null,
                "total": 51,
            }),
        ))
        .header(&headers::LINK)
}
