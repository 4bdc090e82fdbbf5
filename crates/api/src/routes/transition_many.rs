//! `POST /time-entries/transitions`: moves many entries through their lives by one action.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use timelog_domain::{Action, ApplyMany, Command};

use super::admission::Key;
use super::bodies::action::{self, Many};
use super::change::Change;
use super::results::{Item, carry_out_many};
use crate::http::body;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::state::AppState;

pub(super) async fn transition_many(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let key = admit(&request, &state).await?;
    let body = body::read(&request, payload, body::MANY).await?;
    let change =
        Change::new(&request, &state, &key, "POST /time-entries/transitions".to_owned(), &body)?;
    let Many { transition, ids, atomic } = action::parse_many(body.json())?;
    key.check_permission(transition.action().permission())?;
    let shown: Vec<_> = ids.iter().map(ToString::to_string).collect();
    let command = Command::ApplyMany(ApplyMany { ids, transition, atomic });
    carry_out_many(change, command, move |index, outcome| {
        Item::new(outcome, "changed", None).with_id(shown.get(index).cloned())
    })
    .await
}

/// Which permission is needed, the action decides, and that stands in the body. A key that may take
/// none is told before.
async fn admit(request: &HttpRequest, state: &AppState) -> Result<Key, Problem> {
    let key = state.authenticate(request).await?;
    if Action::ALL.iter().any(|action| key.permissions.contains(action.permission())) {
        return Ok(key);
    }
    Err(Problem::new(Code::Forbidden, "This API key lacks the permission for every action."))
}
