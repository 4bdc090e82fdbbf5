//! `PATCH /time-entries/{timeEntryId}`: changes what an entry says.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::{Command, EditTimeEntry, Permission};

use super::admission::admit_to_time_entry;
use super::bodies::patch;
use super::change::Change;
use crate::answer;
use crate::http::body;
use crate::http::condition::if_match;
use crate::http::problem::Problem;
use crate::state::AppState;

pub(super) async fn edit_time_entry(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, id) = admit_to_time_entry(&request, &state, Permission::Write).await?;
    let body = body::read(&request, payload, body::ONE_ENTRY).await?;
    let if_match = if_match(&request)?;
    let command = EditTimeEntry { id, patch: patch::parse(body.json())?, if_match };
    let change = Change::without_key(&state, &key);
    change.carry_out(Command::Edit(command), answer::renderer(&state.base_path)).await
}
