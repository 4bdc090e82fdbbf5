//! `GET …/time-entries/summary`: what the entries of a list add up to.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value, json};
use timelog_domain::summary::GroupValue;
use timelog_domain::{GroupBy, GroupKey, Permission, ProjectId, Totals};

use super::admission::{Key, admit_to_all_projects, admit_to_project};
use super::list_time_entries::must_exist;
use super::{head, is_head};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::json::bytes;
use crate::state::AppState;

#[derive(Serialize)]
struct Body {
    data: Vec<Row>,
    total: TotalsBody,
}

#[derive(Serialize)]
struct Row {
    group: Map<String, Value>,
    #[serde(flatten)]
    totals: TotalsBody,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TotalsBody {
    entries: u64,
    minutes: u64,
    hours: String,
    billable_minutes: u64,
}

impl From<Totals> for TotalsBody {
    fn from(totals: Totals) -> Self {
        let Totals { entries, minutes, billable_minutes } = totals;
        Self { entries, minutes, hours: totals.hours(), billable_minutes }
    }
}

pub(super) async fn of_project(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project) = admit_to_project(&request, &state, Permission::Read).await?;
    summarize(&request, &state, &key, Some(project)).await
}

pub(super) async fn of_organization(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let key = admit_to_all_projects(&request, &state, Permission::Read).await?;
    summarize(&request, &state, &key, None).await
}

async fn summarize(
    request: &HttpRequest,
    state: &AppState,
    key: &Key,
    project: Option<ProjectId>,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(request);
    let filter = query.filter(project);
    let by: Option<GroupBy> = query.one("groupBy");
    query.finish()?;
    must_exist(state, key, project).await?;
    let mut response = HttpResponse::Ok();
    response.content_type(mime::APPLICATION_JSON);
    if is_head(request) {
        return Ok(head(response));
    }
    // Without groups there is the total alone, however it is put together.
    let summed_by = by.unwrap_or(GroupBy::one(GroupKey::Billable));
    let summary = state.ports.queries.summarize(key.organization_id, filter, summed_by).await?;
    let rows = if by.is_some() { summary.rows } else { Vec::new() };
    let data = rows.into_iter().map(|row| Row {
        group: summed_by
            .keys()
            .zip(row.group)
            .map(|(key, value)| (key.to_string(), json(value)))
            .collect(),
        totals: row.totals.into(),
    });
    let body = Body { data: data.collect(), total: summary.total.into() };
    Ok(response.body(bytes(&body)))
}

fn json(value: GroupValue) -> Value {
    match value {
        GroupValue::User(id) => json!(id.to_string()),
        GroupValue::Ticket(id) => json!(id.map(|id| id.to_string())),
        GroupValue::Release(id) => json!(id.map(|id| id.to_string())),
        GroupValue::WorkDate(day) => json!(day.to_string()),
        GroupValue::Week(week) => json!(week.to_string()),
        GroupValue::Month(month) => json!(month.to_string()),
        GroupValue::Status(status) => json!(status.as_str()),
        GroupValue::Billable(billable) => json!(billable),
    }
}
