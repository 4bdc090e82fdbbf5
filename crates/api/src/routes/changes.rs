//! `GET /changes` and `GET /projects/{projectId}/changes`: the feed of the organization, or of a
//! project.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use timelog_domain::{FeedPage, FeedRequest, ProjectId, Seq};

use super::admission::{HasKey, Key, Read, ToAllProjects, ToProject};
use super::answer::{answer_json, is_head};
use super::asked::{Asked, Asking};
use super::list_time_entries::must_exist;
use crate::document::samples::{entry, with};
use crate::document::{About, Answer, Sample, Tag, problem_sets};
use crate::http::code::Code;
use crate::http::cursor::{Binding, NoChange};
use crate::http::problem::Problem;
use crate::state::AppState;
use crate::wire::change::{ChangesBody, ChangesQuery};
use crate::wire::include::IncludeQuery;
use crate::wire::{Fault, InvalidCursor, Violation};

pub(super) async fn of_organization(
    asked: Asked<ToAllProjects<Read>, Asking<(ChangesQuery, IncludeQuery)>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    changes(&request, &state, by.key(), None, &input.0).await
}

pub(super) async fn of_project(
    asked: Asked<ToProject<Read>, Asking<(ChangesQuery, IncludeQuery)>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input } = asked;
    changes(&request, &state, by.key(), Some(by.id), &input.0).await
}

async fn changes(
    request: &HttpRequest,
    state: &Data<AppState>,
    key: &Key,
    project_id: Option<ProjectId>,
    (query, include): &(ChangesQuery, IncludeQuery),
) -> Result<HttpResponse, Problem> {
    let (organization, feed) = (key.organization_id, &state.ports.feed);
    let binding = Binding::of_feed(organization, project_id);
    let cursor = query.after.as_ref().map(|cursor| binding.change(cursor));
    let cursor = cursor.transpose().map_err(problem)?;
    let after = cursor.map_or(Seq::START, |(_, seq)| seq);
    let limit = query.limit.unwrap_or_default().get();
    let mut asked = FeedRequest { project_id, user_id: key.reads_only(), after, limit };
    let wait = query.wait.filter(|wait| !wait.0.is_zero() && !is_head(request));
    let mut place = None;
    let answer = |page: &FeedPage| {
        let cursor = binding.cursor_of_change(page.epoch, page.through);
        let (changes, include) = (&page.changes, include.asked());
        answer_json(&ChangesBody::new(changes, include, cursor, page.has_more()))
    };
    loop {
        // A change that comes while the page is read ends the notice too.
        let notice = feed.notice(organization);
        let page = feed.changes(organization, asked).await?;
        if cursor.is_some_and(|(epoch, seq)| epoch != page.epoch || seq > page.end) {
            return Err(gone());
        }
        if page.changes.is_empty() && place.is_none() {
            must_exist(state, key, project_id).await?;
        }
        let is_over = !page.changes.is_empty() || page.has_more();
        let Some(wait) = wait.filter(|_| !is_over) else { return Ok(answer(&page)) };
        asked.after = page.through;
        let place = match &mut place {
            Some(place) => place,
            none => none.insert(state.waiting.enter(organization, wait.0)?),
        };
        if !place.wait(notice).await {
            return Ok(answer(&page));
        }
        // The key may have been revoked meanwhile.
        state.recognize(request).await?;
    }
}

fn problem(no_change: NoChange) -> Problem {
    match no_change {
        NoChange::OfAnotherFeed => gone(),
        NoChange::NoCursor => {
            let message = "must be the nextCursor of changes of this feed".to_owned();
            let code = InvalidCursor.code();
            Problem::invalid(vec![Violation::in_parameter("after", code, message)])
        }
    }
}

fn gone() -> Problem {
    let detail =
        "The cursor is not of this feed as it is now. Read again from the start, without it.";
    Problem::new(Code::CursorGone, detail)
}

pub(super) fn about_of_organization() -> About {
    About::new(
        "listChanges",
        Tag::Feed,
        "Read the changes of the organization",
        "Reads every change of every entry, oldest first, deletions included. Apply each to your \
         copy by its `timeEntryId`, take the `entry` of the highest `version`, and go on from \
         `nextCursor`: what you have is exact once `hasMore` is false. With `wait` the answer \
         comes as soon as there is a change. The key needs the permission `read`, and must not be \
         confined to a project.",
    )
    .answer(page())
    .problems(&problem_sets::CURSOR_GONE)
}

pub(super) fn about_of_project() -> About {
    About::new(
        "listProjectChanges",
        Tag::Feed,
        "Read the changes of a project",
        "Reads every change of every entry of a project, as for the organization. The numbers are \
         those of the organization, so here some are missing. The key needs the permission \
         `read`.",
    )
    .answer(page())
    .problems(&problem_sets::CURSOR_GONE)
}

fn page() -> Answer {
    let record = json!({
        "seq": 1041,
        "event": "time.logged",
        "at": "2025-01-15T08:06:57.472Z",
        "by": { "keyId": "01943f00-1122-7334-8455-66778899aabb", "userId": null },
        "timeEntryId": "01946900-56c0-7c3e-9d24-51f6a7b8c9d0",
        "projectId": "9a8b7c6d-0000-0000-0000-000000000002",
        "version": 1,
        "from": null,
        "to": "draft",
        "reason": null,
        "invoiceRef": null,
        "changes": {},
        "entry": entry(json!({ "externalRef": null, "version": 1 })),
    });
    let deleted = json!({
        "seq": 1042,
        "event": "time.deleted",
        "at": "2025-01-15T08:09:12.640Z",
        "version": 2,
        "from": "draft",
        "to": null,
        "changes": { "minutes": { "old": 150, "new": null } },
        "entry": null,
    });
    let cursor = "EAWRk8cMzNI_qF9kVxdFYrP8LJY_Zq-mAAAAAAAABBI";
    let page = |data, has_more| json!({ "data": data, "nextCursor": cursor, "hasMore": has_more });
    Answer::json::<ChangesBody<'_>>(200, "Changes, or none by the end of the wait.")
        .sample(Sample::new("logged", "An entry was logged", page(json!([record]), true)))
        .sample(Sample::new(
            "deleted",
            "An entry was deleted",
            page(json!([with(record, deleted)]), false),
        ))
        .sample(Sample::new("none", "Nothing further yet", page(json!([]), false)))
}
