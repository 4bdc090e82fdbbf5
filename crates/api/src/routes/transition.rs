//! `POST /time-entries/{timeEntryId}/{action}`: moves an entry through its life.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::{Action, ApplyAction, Command};

use super::admission::admit_to_time_entry;
use super::bodies::action;
use super::change::Change;
use crate::answer;
use crate::http::body;
use crate::http::condition::if_match;
use crate::http::problem::Problem;
use crate::state::AppState;

pub(super) async fn transition(
    action: Action,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, id) = admit_to_time_entry(&request, &state, action.permission()).await?;
    let body = body::read_if_any(&request, payload, body::ONE_ENTRY).await?;
    let operation = format!("POST /time-entries/{id}/{action}");
    let change = Change::new(&request, &state, &key, operation, &body)?;
    let if_match = if_match(&request)?;
    let transition = action::parse(action, body.json())?;
    let command = ApplyAction { id, transition, if_match };
    change.carry_out(Command::Apply(command), answer::renderer(&state.base_path)).await
}
