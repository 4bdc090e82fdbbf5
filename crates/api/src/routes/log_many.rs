//! `POST /projects/{projectId}/time-entries/batch`: logs many time entries.

use std::collections::BTreeMap;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::{
    Command, ItemOutcome, LogMany, LogTimeEntry, MOST_ITEMS, Permission, ProjectId, Source,
    TimeEntryId,
};
use uuid::Uuid;

use super::admission::admit_to_project;
use super::bodies::log;
use super::change::Change;
use super::results::{Item, carry_out_many};
use crate::http::body;
use crate::http::problem::Problem;
use crate::json::{Json, body};
use crate::state::AppState;

body!(Body { entries, atomic });

pub(super) async fn log_many(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, project_id) = admit_to_project(&request, &state, Permission::Write).await?;
    let body = body::read(&request, payload, body::MANY).await?;
    let operation = format!("POST /projects/{project_id}/time-entries/batch");
    let change = Change::new(&request, &state, &key, operation, &body)?;
    let Batch { items, invalid, atomic } = parse(body.json(), project_id)?;
    let command = Command::LogMany(LogMany { project_id, items, atomic });
    carry_out_many(change, command, move |index, outcome| {
        let done = match outcome {
            ItemOutcome::Created(_) => "created",
            ItemOutcome::Updated(_) => "updated",
            _ => "unchanged",
        };
        Item::new(outcome, done, invalid.get(&index)).with_index(index)
    })
    .await
}

struct Batch {
    items: Vec<Option<LogTimeEntry>>,
    /// What is wrong with the items that are none, by their place.
    invalid: BTreeMap<usize, Problem>,
    atomic: bool,
}

/// Reads the envelope, which must be right, and each item by itself.
fn parse(body: Json<'_>, project_id: ProjectId) -> Result<Batch, Problem> {
    let (mut members, body) = body.object::<Body<'_>>()?;
    members.require(&[("entries", body.entries)]);
    let entries = members.list("entries", body.entries, MOST_ITEMS);
    let atomic = members.boolean("atomic", body.atomic).unwrap_or(false);
    let entries = entries
        .map(|entries| entries.into_iter().map(|entry| members.part(entry)).collect::<Vec<_>>());
    let entries = members.finish(entries)?;
    let mut invalid = BTreeMap::new();
    let item = |(index, item): (usize, Json<'_>)| match log::parse(item) {
        Ok(log::Logged { details, external_ref }) => {
            let id = TimeEntryId::new(Uuid::now_v7());
            Some(LogTimeEntry { id, project_id, details, external_ref, source: Source::Import })
        }
        Err(problem) => {
            invalid.insert(index, problem);
            None
        }
    };
    let items = entries.into_iter().enumerate().map(item).collect();
    Ok(Batch { items, invalid, atomic })
}
