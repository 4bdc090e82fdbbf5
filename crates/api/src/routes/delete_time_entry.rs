//! `DELETE /time-entries/{timeEntryId}`: deletes an entry. Its history stays.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::{Command, DeleteTimeEntry, Permission};

use super::admission::admit_to_time_entry;
use super::change::Change;
use crate::answer;
use crate::http::condition::if_match;
use crate::http::problem::Problem;
use crate::state::AppState;

pub(super) async fn delete_time_entry(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, id) = admit_to_time_entry(&request, &state, Permission::Write).await?;
    let command = DeleteTimeEntry { id, if_match: if_match(&request)? };
    let change = Change::without_key(&state, &key);
    change.carry_out(Command::Delete(command), answer::renderer(&state.base_path)).await
}
