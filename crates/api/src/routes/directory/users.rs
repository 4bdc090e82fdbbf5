//! `PUT|GET /users/{userId}` and `GET /users`.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{User, UserId};

use super::shown::{get, only_page, put};
use crate::document::{About, Answer, Sample, Tag};
use crate::http::problem::Problem;
use crate::routes::admission::{Admin, HasKey, Permitted, Read, ToAllProjects, ToUser};
use crate::routes::asked::{Asked, Paging, Sending};
use crate::routes::page;
use crate::wire::bytes;
use crate::wire::directory::{PutUser, UserBody};
use crate::wire::page::PageQuery;

/// Users belong to the organization, so a key that is limited to a project may not put one.
pub(in crate::routes) async fn put_user(
    asked: Asked<ToUser<ToAllProjects<Admin>>, Sending<PutUser>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input, .. } = asked;
    let (name, active) = input.body;
    let user = User { organization_id: by.key().organization_id, id: by.id, name, active };
    let shown = bytes(&UserBody::from(&user));
    put(state.ports.directory.put_user(user).await, shown)
}

pub(in crate::routes) async fn get_user(
    asked: Asked<ToUser<Permitted<Read>>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, .. } = asked;
    let user = state.ports.directory.user(by.key().organization_id, by.id).await?;
    get(user.as_ref().map(UserBody::from))
}

pub(in crate::routes) async fn list_users(
    asked: Asked<Permitted<Read>, Paging<PageQuery>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input: Paging { query, pairs, list } } = asked;
    let organization = by.key().organization_id;
    let after = query.cursor.as_ref().and_then(|cursor| list.id(cursor)).map(UserId::new);
    let page = state.ports.directory.users(organization, after, query.limit()).await?;
    let next = page.next.map(|id| list.cursor_of_id(id.uuid()));
    let items = page.items.iter().map(UserBody::from).collect();
    Ok(page::response(&request, &pairs, items, next, None))
}

pub(in crate::routes) fn about_put() -> About {
    About::new(
        "putUser",
        Tag::Directory,
        "Put a user",
        "Makes the user, or replaces it. Sent again, it changes nothing. The key needs the \
         permission `admin`, and must not be confined to a project. The time of an inactive \
         user stays; no more can be logged.",
    )
    .answer(Answer::json::<UserBody<'_>>(200, "It was there and says this now.").sample(sample()))
    .answer(Answer::json::<UserBody<'_>>(201, "It is new.").sample(sample()))
    .never(404)
}

pub(in crate::routes) fn about_get() -> About {
    About::new(
        "getUser",
        Tag::Directory,
        "Read a user",
        "Shows the user. The key needs the permission `read`.",
    )
    .answer(Answer::json::<UserBody<'_>>(200, "The user.").sample(sample()))
}

pub(in crate::routes) fn about_list() -> About {
    About::new(
        "listUsers",
        Tag::Directory,
        "List the users",
        "Reads a page of the users of the organization, in the order of their ids. The key \
         needs the permission `read`.",
    )
    .answer(only_page::<UserBody<'_>>(&example()))
}

/// One, as the document shows it.
fn example() -> Value {
    json!({
        "id": "9a8b7c6d-0000-0000-0000-000000000002",
        "name": "Ada",
        "active": true,
    })
}

fn sample() -> Sample {
    Sample::new("shown", "A user", example())
}
