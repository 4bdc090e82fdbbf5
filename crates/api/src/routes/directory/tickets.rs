//! `PUT|GET /projects/{projectId}/entries/{entryId}` and `GET
//! /projects/{projectId}/entries`.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{Ticket, TicketId};

use super::shown::{get, only_page, put};
use crate::document::{About, Answer, Sample, Tag};
use crate::http::problem::Problem;
use crate::routes::admission::{Admin, HasKey, Read, ToProject, ToTicket};
use crate::routes::asked::{Asked, Paging, Sending};
use crate::routes::list_time_entries::must_exist;
use crate::routes::page;
use crate::wire::bytes;
use crate::wire::directory::{PutTicket, TicketBody};
use crate::wire::page::PageQuery;

pub(in crate::routes) async fn put_ticket(
    asked: Asked<ToTicket<Admin>, Sending<PutTicket>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input, .. } = asked;
    let organization_id = by.key().organization_id;
    let ticket =
        Ticket { organization_id, project_id: by.project.id, id: by.id, title: input.body };
    let shown = bytes(&TicketBody::from(&ticket));
    put(state.ports.directory.put_ticket(ticket).await, shown)
}

pub(in crate::routes) async fn get_ticket(
    asked: Asked<ToTicket<Read>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, .. } = asked;
    let organization = by.key().organization_id;
    let ticket = state.ports.directory.ticket(organization, by.project.id, by.id).await?;
    get(ticket.as_ref().map(TicketBody::from))
}

pub(in crate::routes) async fn list_tickets(
    asked: Asked<ToProject<Read>, Paging<PageQuery>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input: Paging { query, pairs, list } } = asked;
    let after = query.cursor.as_ref().and_then(|cursor| list.id(cursor)).map(TicketId::new);
    let (directory, organization) = (&state.ports.directory, by.key().organization_id);
    let page = directory.tickets(organization, by.id, after, query.limit()).await?;
    if page.items.is_empty() {
        must_exist(&state, by.key(), Some(by.id)).await?;
    }
    let next = page.next.map(|id| list.cursor_of_id(id.uuid()));
    let items = page.items.iter().map(TicketBody::from).collect();
    Ok(page::response(&request, &pairs, items, next, None))
}

pub(in crate::routes) fn about_put() -> About {
    About::new(
        "putEntry",
        Tag::Directory,
        "Put a ticket",
        "Makes the ticket, or replaces it. Sent again, it changes nothing. The key needs the \
         permission `admin`, and must not be confined to another project.",
    )
    .answer(Answer::json::<TicketBody<'_>>(200, "It was there and says this now.").sample(sample()))
    .answer(Answer::json::<TicketBody<'_>>(201, "It is new.").sample(sample()))
}

pub(in crate::routes) fn about_get() -> About {
    About::new(
        "getEntry",
        Tag::Directory,
        "Read a ticket",
        "Shows the ticket. The key needs the permission `read`.",
    )
    .answer(Answer::json::<TicketBody<'_>>(200, "The ticket.").sample(sample()))
}

pub(in crate::routes) fn about_list() -> About {
    About::new(
        "listEntries",
        Tag::Directory,
        "List the tickets of a project",
        "Reads a page of the tickets of the project, in the order of their ids. The key needs the \
         permission `read`.",
    )
    .answer(only_page::<TicketBody<'_>>(&example()))
}

/// One, as the document shows it.
fn example() -> Value {
    json!({
        "id": "0194683a-2c3b-7d4e-8a5f-6b7c8d9e0f10",
        "projectId": "9a8b7c6d-0000-0000-0000-000000000002",
        "title": "Login form",
    })
}

fn sample() -> Sample {
    Sample::new("shown", "A ticket", example())
}
