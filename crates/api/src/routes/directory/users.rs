//! `PUT|GET /users/{userId}` and `GET /users`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use timelog_domain::{Permission, User, UserId};

use super::{get, put};
use crate::http::body;
use crate::http::cursor::Binding;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::json::body;
use crate::routes::admission::{Key, admit, admit_to_all_projects};
use crate::routes::{page, path_id};
use crate::state::AppState;

body!(Body { name, active });

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    active: bool,
}

impl From<&User> for Shown {
    fn from(user: &User) -> Self {
        Self { id: user.id.to_string(), name: user.name.to_string(), active: user.active }
    }
}

pub(in crate::routes) async fn put_user(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let (key, id) = admit_to_put(&request, &state).await?;
    let body = body::read(&request, payload, body::ONE_ENTRY).await?;
    let (mut members, body) = body.json().object::<Body<'_>>()?;
    members.require(&[("name", body.name)]);
    let name = members.parsed("name", body.name);
    let active = members.boolean("active", body.active).unwrap_or(true);
    let name = members.finish(name)?;
    let user = User { organization_id: key.organization_id, id, name, active };
    let shown = Shown::from(&user);
    put(state.ports.directory.put_user(user).await, &shown)
}

/// Users belong to the organization, so a key that is limited to a project may not put one.
async fn admit_to_put(request: &HttpRequest, state: &AppState) -> Result<(Key, UserId), Problem> {
    let key = admit_to_all_projects(request, state, Permission::Admin).await?;
    Ok((key, path_id(request, "userId")?))
}

pub(in crate::routes) async fn get_user(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let key = admit(&request, &state, Permission::Read).await?;
    let id = path_id(&request, "userId")?;
    get(state.ports.directory.user(key.organization_id, id).await?.as_ref().map(Shown::from))
}

pub(in crate::routes) async fn list_users(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let key = admit(&request, &state, Permission::Read).await?;
    let mut query = Query::of(&request);
    let limit = page::limit(&mut query);
    let binding = Binding::new(key.organization_id, request.path(), query.pairs());
    let after = page::after(&mut query, &binding, Binding::id).map(UserId::new);
    query.finish()?;
    let page = state.ports.directory.users(key.organization_id, after, limit).await?;
    let next = page.next.map(|id| binding.cursor_of_id(id.uuid()));
    Ok(page::response(&request, page.items.iter().map(Shown::from).collect(), next, None))
}
