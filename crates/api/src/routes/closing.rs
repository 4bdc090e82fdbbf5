//! `PUT|GET /closing` and `PUT|GET /projects/{projectId}/closing`: up to which day the books are
//! closed.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use timelog_domain::{Command, ProjectId};

use super::admission::{Admin, Authorized, HasKey, Key, Read, ToAllProjects, ToProject};
use super::answer::answer_json;
use super::asked::{Asked, Sending};
use super::change::Change;
use super::list_time_entries::must_exist;
use crate::document::samples::with;
use crate::document::{About, Answer, Sample, Tag};
use crate::http::problem::Problem;
use crate::state::AppState;
use crate::wire::closing::{AskedToClose, CloseBody, ClosingBody};

/// The most closings that an answer tells.
const MOST: u32 = 500;

pub(super) async fn close_all(
    asked: Asked<ToAllProjects<Admin>, Sending<CloseBody>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input, .. } = asked;
    close(state, by, None, input.body).await
}

pub(super) async fn close_project(
    asked: Asked<ToProject<Admin>, Sending<CloseBody>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input, .. } = asked;
    let project = by.id;
    close(state, by, Some(project), input.body).await
}

pub(super) async fn get_of_all(asked: Asked<ToAllProjects<Read>>) -> Result<HttpResponse, Problem> {
    show(&asked.state, asked.by.key(), None).await
}

pub(super) async fn get_of_project(asked: Asked<ToProject<Read>>) -> Result<HttpResponse, Problem> {
    let Asked { state, by, .. } = asked;
    must_exist(&state, by.key(), Some(by.id)).await?;
    show(&state, by.key(), Some(by.id)).await
}

async fn close(
    state: Data<AppState>,
    by: impl Authorized,
    project: Option<ProjectId>,
    asked: AskedToClose,
) -> Result<HttpResponse, Problem> {
    let change = Change::without_key(state.clone(), &by);
    change.carry_out(Command::Close(asked.of(project))).await?;
    show(&state, by.key(), project).await
}

async fn show(
    state: &AppState,
    key: &Key,
    project: Option<ProjectId>,
) -> Result<HttpResponse, Problem> {
    let closings = state.ports.closings.closings((key.organization_id, project), MOST).await?;
    Ok(answer_json(&ClosingBody::new(&closings)))
}

pub(super) fn about_close_all() -> About {
    About::new(
        "closeBooks",
        Tag::Closing,
        "Close the books of the organization",
        "Closes every project up to and with a day, or opens what was closed. In a closed period \
         nothing changes that says what was worked, or whether it counts: logging, editing, \
         deleting, moving, submitting, recalling, approving, rejecting and reopening are answered \
         409 `period_closed`. Locking and invoicing go on, and a repeat that changes nothing is \
         still 200. A project is closed through the later of two days: this one and its own. The \
         key needs the permission `admin`, and must not be confined to a project.",
    )
    .sent("Up to which day.", sent())
    .answer(answer())
    .never(404)
}

pub(super) fn about_close_project() -> About {
    About::new(
        "closeProjectBooks",
        Tag::Closing,
        "Close the books of a project",
        "Closes one project up to and with a day, or opens what was closed, as for all of them. \
         The key needs the permission `admin`, and must not be confined to another project.",
    )
    .sent("Up to which day.", sent())
    .answer(answer())
}

pub(super) fn about_get_of_all() -> About {
    About::new(
        "getClosing",
        Tag::Closing,
        "Read up to which day the books are closed",
        "Tells up to which day all projects are closed, and every time that it was said. The key \
         needs the permission `read`, and must not be confined to a project.",
    )
    .answer(answer())
    .never(404)
}

pub(super) fn about_get_of_project() -> About {
    About::new(
        "getProjectClosing",
        Tag::Closing,
        "Read up to which day a project is closed",
        "Tells up to which day the project is closed by itself, and every time that it was said. \
         All projects together may be closed through a later day. The key needs the permission \
         `read`.",
    )
    .answer(answer())
}

fn sent() -> Vec<Sample> {
    vec![
        Sample::new("close", "Close January", json!({ "through": "2025-01-31" })),
        Sample::new(
            "reopen",
            "Open January again",
            json!({ "through": "2024-12-31", "reason": "A timesheet came late" }),
        ),
    ]
}

fn answer() -> Answer {
    let open = json!({
        "through": null, "at": null, "by": null, "reason": null, "history": [],
    });
    Answer::json::<ClosingBody<'_>>(200, "Up to which day the books are closed now.")
        .sample(Sample::new(
            "closed",
            "Closed once",
            with(record(), json!({ "history": [record()] })),
        ))
        .sample(Sample::new("open", "Never closed", open))
}

fn record() -> Value {
    json!({
        "through": "2025-01-31",
        "at": "2025-02-03T09:00:00.000Z",
        "by": { "keyId": "01943f00-1122-7334-8455-66778899aabb", "userId": null },
        "reason": null,
    })
}
