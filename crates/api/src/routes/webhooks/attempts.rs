//! `POST /webhooks/{webhookId}/test` and `POST /webhooks/{webhookId}/failures/{seq}/retry`: sending
//! one event by hand, at once.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde_json::json;
use timelog_domain::{
    ApiKey, Command, FeedRequest, Seq, StoredAnswer, WebhookCommand, WebhookId, WebhookState,
};

use super::resource::missing;
use crate::document::{About, Answer, Sample, Tag};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::routes::admission::{HasKey, ToFailure, ToFollowers, ToWebhook};
use crate::routes::asked::{Asked, Sending};
use crate::routes::change::Change;
use crate::state::AppState;
use crate::webhooks::Message;
use crate::wire::bytes;
use crate::wire::webhook::{Nothing, SentBody};

pub(in crate::routes) async fn test(
    asked: Asked<ToWebhook<ToFollowers>, Sending<Nothing, Change>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input: Sending { beside: change, .. }, .. } = asked;
    if let Some(replayed) = change.replayed().await? {
        return Ok(replayed);
    }
    let key = by.key();
    let to = find(&state, key, by.id).await?;
    let message = Message::ping(by.id, key.user_id, state.ports.clock.now());
    send(&state, change, &to, message, None).await
}

pub(in crate::routes) async fn retry(
    asked: Asked<ToFailure<ToFollowers>, Sending<Nothing, Change>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, by, input: Sending { beside: change, .. }, .. } = asked;
    if let Some(replayed) = change.replayed().await? {
        return Ok(replayed);
    }
    let (seq, id) = (by.seq, by.webhook.id);
    let to = find(&state, by.key(), id).await?;
    let before = Seq::new(seq.get() - 1);
    let (ports, key) = (&state.ports, to.webhook.key());
    let refused = ports.webhooks.failures(key, before, 1).await?.items;
    // As the webhook itself reads it: the entry may be of another project by now.
    let project_id = to.webhook.details.project_id;
    let request = FeedRequest { project_id, user_id: None, after: before, limit: 1 };
    let page = ports.feed.changes(key.0, request).await?;
    let mut change_of = page.changes.iter().filter(|change| change.seq == seq);
    let (true, Some(refused)) = (refused.iter().any(|event| event.seq == seq), change_of.next())
    else {
        return Err(Problem::new(Code::NotFound, "There is no such failure."));
    };
    let message = Message::of(refused, page.epoch);
    send(&state, change, &to, message, Some(seq)).await
}

async fn find(state: &AppState, key: &ApiKey, id: WebhookId) -> Result<WebhookState, Problem> {
    state.ports.webhooks.webhook(key.organization_id, id).await?.ok_or_else(missing)
}

/// Sends an event, and tells what came back. What is taken is no failure any more.
async fn send(
    state: &Data<AppState>,
    change: Change,
    to: &WebhookState,
    message: Message,
    refused: Option<Seq>,
) -> Result<HttpResponse, Problem> {
    let webhook = &to.webhook;
    // It keeps its connection like those that wait for changes.
    let place = state.waiting.enter(webhook.organization_id, Duration::ZERO)?;
    let (destination, secrets) = (&webhook.details.destination, &webhook.secrets);
    let now = state.ports.clock.now();
    let answer = state.receivers.send(destination, message, secrets, now).await;
    drop(place);
    let body = SentBody::from(&answer);
    let taken = refused.filter(|_| body.delivered);
    let body = bytes(&body);
    let render = move |_: &_| StoredAnswer {
        status: StatusCode::OK.as_u16(),
        location: None,
        etag: None,
        body: body.clone(),
    };
    let command = Command::Webhook(WebhookCommand::NoteSent { id: webhook.id, taken });
    change.carry_out_with(command, Arc::new(render), Problem::from).await
}

pub(in crate::routes) fn about_test() -> About {
    About::new(
        "testWebhook",
        Tag::Webhooks,
        "Test a webhook",
        "Sends `webhook.ping` to the receiver now, and tells what came back. The key needs the \
         permission `admin`, and must not be confined to a project or \
         to one user's entries.",
    )
    .sent("May be left out.", vec![])
    .answer(sent())
}

pub(in crate::routes) fn about_retry() -> About {
    About::new(
        "retryWebhookFailure",
        Tag::Webhooks,
        "Send once more what was refused",
        "Sends an event now that was put aside, and tells what came back. Once the receiver takes \
         it, it is no failure any more. The key needs the permission `admin`, and must not be \
         confined to a project or \
         to one user's entries.",
    )
    .sent("May be left out.", vec![])
    .answer(sent())
}

fn sent() -> Answer {
    let taken = json!({ "delivered": true, "status": 204, "error": null });
    let refused = json!({ "delivered": false, "status": 422, "error": "it answered 422" });
    let away = json!({
        "delivered": false,
        "status": null,
        "error": "no connection: Connection refused (os error 111)",
    });
    Answer::json::<SentBody<'_>>(200, "What came back.")
        .sample(Sample::new("taken", "The receiver took it", taken))
        .sample(Sample::new("refused", "It did not", refused))
        .sample(Sample::new("away", "It cannot be reached", away))
}
