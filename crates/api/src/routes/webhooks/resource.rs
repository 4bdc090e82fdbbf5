//! `POST|GET /webhooks`, `GET|PATCH|DELETE /webhooks/{webhookId}` and
//! `POST /webhooks/{webhookId}/rotate-secret`.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use serde_json::{Value, json};
use timelog_domain::idempotency::Render;
use timelog_domain::{
    Command, DestinationUrl, MakeWebhook, Outcome, Secret, StoredAnswer, WebhookCommand, WebhookId,
};
use uuid::Uuid;

use super::example;
use crate::document::samples::with;
use crate::document::{About, Answer, Caching, Sample, Tag, headers};
use crate::http::caching;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::routes::admission::{HasKey, ToFollowers, ToWebhook};
use crate::routes::answer::answer_json;
use crate::routes::asked::{Asked, Paging, Sending};
use crate::routes::change::Change;
use crate::routes::page;
use crate::state::AppState;
use crate::wire::page::{Page, PageQuery};
use crate::wire::webhook::{EditWebhookBody, MakeWebhookBody, Nothing, WebhookAsked, WebhookBody};
use crate::wire::{Violation, bytes};

type ToAny = ToFollowers;
type ToOne = ToWebhook<ToAny>;

pub(in crate::routes) async fn make_webhook(
    asked: Asked<ToAny, Sending<MakeWebhookBody, Change>>,
) -> Result<HttpResponse, Problem> {
    let Sending { body, beside: change } = asked.input;
    let WebhookAsked { details, delivered_through } = body;
    check(&asked.state, &details.destination).await?;
    let (id, secret) = (WebhookId::new(Uuid::now_v7()), new_secret()?);
    let command = WebhookCommand::Make(MakeWebhook { id, details, secret, delivered_through });
    let location = format!("{}/webhooks/{id}", asked.state.base_path);
    show_secret(change, command, secret, StatusCode::CREATED, Some(location)).await
}

pub(in crate::routes) async fn list_webhooks(
    asked: Asked<ToAny, Paging<PageQuery>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input: Paging { query, pairs, list } } = asked;
    let organization = by.key().organization_id;
    let after = query.cursor.as_ref().and_then(|cursor| list.id(cursor)).map(WebhookId::new);
    let page = state.ports.webhooks.webhooks(organization, after, query.limit()).await?;
    let next = page.next.map(|id| list.cursor_of_id(id.uuid()));
    let items = page.items.iter().map(|state| WebhookBody::new(state, None)).collect();
    Ok(page::response(&request, &pairs, items, next, None))
}

pub(in crate::routes) async fn get_webhook(asked: Asked<ToOne>) -> Result<HttpResponse, Problem> {
    let Asked { state, by, .. } = asked;
    let found = state.ports.webhooks.webhook(by.key().organization_id, by.id).await?;
    let shown = found.as_ref().map(|found| answer_json(&WebhookBody::new(found, None)));
    shown.ok_or_else(missing)
}

pub(in crate::routes) async fn edit_webhook(
    asked: Asked<ToOne, Sending<EditWebhookBody>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input, .. } = asked;
    let patch = input.body;
    if let Some(destination) = &patch.destination {
        check(&state, destination).await?;
    }
    let command = Command::Webhook(WebhookCommand::Edit { id: by.id, patch });
    let render = render(None, StatusCode::OK, None);
    Change::without_key(state, &by).carry_out_with(command, render, Problem::from).await
}

pub(in crate::routes) async fn delete_webhook(
    asked: Asked<ToOne>,
) -> Result<HttpResponse, Problem> {
    let command = Command::Webhook(WebhookCommand::Delete { id: asked.by.id });
    Change::without_key(asked.state, &asked.by).carry_out(command).await
}

pub(in crate::routes) async fn rotate(
    asked: Asked<ToOne, Sending<Nothing, Change>>,
) -> Result<HttpResponse, Problem> {
    let secret = new_secret()?;
    let command = WebhookCommand::Rotate { id: asked.by.id, secret };
    show_secret(asked.input.beside, command, secret, StatusCode::OK, None).await
}

pub(super) fn missing() -> Problem {
    Problem::new(Code::NotFound, "There is no such webhook.")
}

/// Refuses a destination that events may not be sent to.
async fn check(state: &AppState, destination: &DestinationUrl) -> Result<(), Problem> {
    state.receivers.check(destination).await.map_err(|why| {
        Problem::invalid(vec![Violation::at("/destinationUrl", "forbidden_destination", why)])
    })
}

fn new_secret() -> Result<Secret, Problem> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)
        .map_err(|_| Problem::new(Code::Internal, "There is no randomness for a secret."))?;
    Ok(Secret(secret))
}

/// Has a command carried out that gives a webhook its secret, and shows that.
async fn show_secret(
    change: Change,
    command: WebhookCommand,
    secret: Secret,
    status: StatusCode,
    location: Option<String>,
) -> Result<HttpResponse, Problem> {
    let (command, render) = (Command::Webhook(command), render(Some(secret), status, location));
    let mut response = change.carry_out_with(command, render, Problem::from).await?;
    let (name, value) = caching::NEVER;
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    Ok(response)
}

/// Shows a webhook as it is now.
fn render(secret: Option<Secret>, status: StatusCode, location: Option<String>) -> Render {
    Arc::new(move |outcome| StoredAnswer {
        status: status.as_u16(),
        location: location.clone(),
        etag: None,
        body: match outcome {
            Outcome::Webhook(state) => bytes(&WebhookBody::new(state, secret)),
            _ => Vec::new(),
        },
    })
}

pub(in crate::routes) fn about_make() -> About {
    let made = json!({ "deliveredThrough": 1042, "secret": secret_example() });
    About::new(
        "makeWebhook",
        Tag::Webhooks,
        "Make a webhook",
        "Has the changes of time entries sent to a URL from now on, one at a time and in order. \
         The answer alone has the `secret` that they are signed with. The key needs the permission \
         `admin`, and must not be confined to a project or \
         to one user's entries.",
    )
    .sent(
        "Where to, and what.",
        vec![
            Sample::new(
                "all",
                "Everything",
                json!({
                    "destinationUrl": "https://example.com/timelog",
                    "eventNames": ["*"],
                    "description": "Billing",
                }),
            ),
            Sample::new(
                "some",
                "What a project's payroll needs, from the beginning",
                json!({
                    "destinationUrl": "https://example.com/payroll",
                    "eventNames": ["time.approved", "time.reopened", "time.deleted"],
                    "projectId": "9a8b7c6d-0000-0000-0000-000000000002",
                    "deliveredThrough": 0,
                }),
            ),
        ],
    )
    .answer(
        Answer::json::<WebhookBody<'_>>(201, "The webhook, with its secret.")
            .sample(Sample::new("made", "A webhook", with(example(), made)))
            .header(&headers::WEBHOOK_LOCATION),
    )
    .caching(Caching::Never)
}

pub(in crate::routes) fn about_list() -> About {
    let page = json!({ "data": [example()], "nextCursor": null });
    About::new(
        "listWebhooks",
        Tag::Webhooks,
        "List the webhooks",
        "Reads a page of the webhooks of the organization, in the order of their ids. The key \
         needs the permission `admin`, and must not be confined to a project or \
         to one user's entries.",
    )
    .answer(
        Answer::json::<Page<WebhookBody<'_>>>(200, "A page.")
            .sample(Sample::new("only", "The only page", page))
            .header(&headers::LINK),
    )
}

pub(in crate::routes) fn about_get() -> About {
    let away = json!({
        "deliveredThrough": 1039,
        "behind": 3,
        "lastError": "it answered 503",
        "lastErrorAt": "2025-01-15T14:02:11.007Z",
        "nextAttemptAt": "2025-01-15T14:02:16.120Z",
    });
    About::new(
        "getWebhook",
        Tag::Webhooks,
        "Read a webhook",
        "Shows the webhook: how far it is, and why nothing arrives, if nothing does. The key needs \
         the permission `admin`, and must not be confined to a project or \
         to one user's entries.",
    )
    .answer(
        Answer::json::<WebhookBody<'_>>(200, "The webhook.")
            .sample(Sample::new("done", "Everything is delivered", example()))
            .sample(Sample::new("away", "The receiver is away", with(example(), away))),
    )
}

pub(in crate::routes) fn about_edit() -> About {
    About::new(
        "editWebhook",
        Tag::Webhooks,
        "Edit a webhook",
        "Changes some members of a webhook. With `enabled` it is switched off, or on again; one \
         that was given up goes on from where it stood. With `deliveredThrough` everything after \
         that change is delivered again. The key needs the permission `admin`, and must not be \
         confined to a project or \
         to one user's entries.",
    )
    .sent(
        "What to change.",
        vec![
            Sample::new("enable", "Go on", json!({ "enabled": true })),
            Sample::new("replay", "Deliver everything again", json!({ "deliveredThrough": 0 })),
        ],
    )
    .answer(Answer::json::<WebhookBody<'_>>(200, "The webhook as it is now.").sample(Sample::new(
        "edited",
        "A webhook",
        example(),
    )))
    .also_sent_as("application/merge-patch+json")
}

pub(in crate::routes) fn about_delete() -> About {
    About::new(
        "deleteWebhook",
        Tag::Webhooks,
        "Delete a webhook",
        "Deletes the webhook, with the list of what it refused. A second delete is 404. The key \
         needs the permission `admin`, and must not be confined to a project or \
         to one user's entries.",
    )
    .answer(Answer::empty(204, "It is gone. There is no body."))
}

pub(in crate::routes) fn about_rotate() -> About {
    let rotated = json!({ "secret": secret_example() });
    About::new(
        "rotateWebhookSecret",
        Tag::Webhooks,
        "Give a webhook another secret",
        "Makes a secret and shows it, once. For 24 hours deliveries have a signature with the \
         secret before as well, so that a receiver can change over without missing one. The key \
         needs the permission `admin`, and must not be confined to a project or \
         to one user's entries.",
    )
    .sent("May be left out.", vec![])
    .answer(
        Answer::json::<WebhookBody<'_>>(200, "The webhook, with its new secret.")
            .sample(Sample::new("rotated", "A webhook", with(example(), rotated))),
    )
    .caching(Caching::Never)
}

fn secret_example() -> Value {
    json!("whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")
}
