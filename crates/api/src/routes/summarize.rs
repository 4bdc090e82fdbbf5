//! `GET …/time-entries/summary`: what the entries of a list add up to.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use timelog_domain::{GroupBy, GroupKey, ProjectId, TooManyGroups};

use super::admission::{HasKey, Key, Read, ToAllProjects, ToProject};
use super::answer::{answer_json, head, is_head};
use super::asked::{Asked, Asking};
use super::list_time_entries::must_exist;
use crate::document::{About, Answer, Sample, Tag};
use crate::http::problem::Problem;
use crate::state::AppState;
use crate::wire::Violation;
use crate::wire::filter::EntryFilter;
use crate::wire::summary::{GroupQuery, SummaryBody};

type SummaryQuery = Asking<(GroupQuery, EntryFilter)>;

pub(super) async fn of_project(
    asked: Asked<ToProject<Read>, SummaryQuery>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    summarize(&request, &state, by.key(), Some(by.id), input).await
}

pub(super) async fn of_organization(
    asked: Asked<ToAllProjects<Read>, SummaryQuery>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    summarize(&request, &state, by.key(), None, input).await
}

async fn summarize(
    request: &HttpRequest,
    state: &Data<AppState>,
    key: &Key,
    project: Option<ProjectId>,
    Asking((by, filter)): SummaryQuery,
) -> Result<HttpResponse, Problem> {
    must_exist(state, key, project).await?;
    if is_head(request) {
        let mut response = HttpResponse::Ok();
        response.content_type(mime::APPLICATION_JSON);
        return Ok(head(response));
    }
    // Without groups there is the total alone, however it is put together.
    let summed_by = by.group_by.unwrap_or(GroupBy::one(GroupKey::Billable));
    let queries = &state.ports.queries;
    let filter = filter.filter(project, key.reads_only());
    let summary = queries.summarize(key.organization_id, filter, summed_by).await?;
    let summary = summary.map_err(too_many)?;
    Ok(answer_json(&SummaryBody::new(by.group_by, summary)))
}

fn too_many(found: TooManyGroups) -> Problem {
    Problem::invalid(vec![Violation::in_parameter("groupBy", "out_of_range", found.to_string())])
}

pub(super) fn about_of_project() -> About {
    About::new(
        "summarizeProjectTimeEntries",
        Tag::Lists,
        "Add up the time entries of a project",
        "Sums the entries of a project that the filters let through, by group and altogether. \
         It sees exactly the entries that the list sees. The key needs the permission `read`.",
    )
    .answer(answer())
}

pub(super) fn about_of_organization() -> About {
    About::new(
        "summarizeTimeEntries",
        Tag::Lists,
        "Add up the time entries of the organization",
        "Sums the entries of the organization that the filters let through, by group and \
         altogether. It sees exactly the entries that the list sees. The key needs the \
         permission `read`, and must not be confined to a project.",
    )
    .answer(answer())
}

/// What both answer.
fn answer() -> Answer {
    Answer::json::<SummaryBody>(200, "The sums.")
        .sample(Sample::new(
            "grouped",
            "By user and month",
            json!({
                "data": [
                    {
                        "group": {
                            "user": "0194683a-2c3b-7c11-8e21-7a6b5c4d3e2f",
                            "month": "2025-01",
                        },
                        "entries": 2,
                        "minutes": 100,
                        "hours": "1.67",
                        "billableMinutes": 100,
                    },
                    {
                        "group": {
                            "user": "9a8b7c6d-0000-0000-0000-000000000002",
                            "month": "2025-01",
                        },
                        "entries": 3,
                        "minutes": 250,
                        "hours": "4.17",
                        "billableMinutes": 150,
                    },
                ],
                "total": {
                    "entries": 5,
                    "minutes": 350,
                    "hours": "5.83",
                    "billableMinutes": 250,
                },
            }),
        ))
        .sample(Sample::new(
            "total",
            "The total alone",
            json!({
                "data": [],
                "total": {
                    "entries": 5,
                    "minutes": 350,
                    "hours": "5.83",
                    "billableMinutes": 250,
                },
            }),
        ))
}
