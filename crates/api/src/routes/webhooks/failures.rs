//! `GET /webhooks/{webhookId}/failures`: what a receiver refused.

use actix_web::HttpResponse;
use serde_json::json;
use timelog_domain::Seq;
use uuid::Uuid;

use super::resource::missing;
use crate::document::{About, Answer, Sample, Tag, headers};
use crate::http::problem::Problem;
use crate::routes::admission::{HasKey, ToFollowers, ToWebhook};
use crate::routes::asked::{Asked, Paging};
use crate::routes::page;
use crate::wire::page::{Page, PageQuery};
use crate::wire::webhook::FailureBody;

pub(in crate::routes) async fn list(
    asked: Asked<ToWebhook<ToFollowers>, Paging<PageQuery>>,
) -> Result<HttpResponse, Problem> {
    let Asked { state, request, by, input: Paging { query, pairs, list } } = asked;
    let webhook = (by.key().organization_id, by.id);
    let after = query.cursor.as_ref().and_then(|cursor| list.id(cursor)).map_or(Seq::START, seq_of);
    let webhooks = &state.ports.webhooks;
    let page = webhooks.failures(webhook, after, query.limit()).await?;
    if page.items.is_empty() && webhooks.webhook(webhook.0, webhook.1).await?.is_none() {
        return Err(missing());
    }
    let next = page.next.map(|seq| list.cursor_of_id(id_of(seq)));
    let items = page.items.iter().map(FailureBody::from).collect();
    Ok(page::response(&request, &pairs, items, next, None))
}

/// A number as cursors have ids.
fn id_of(seq: Seq) -> Uuid {
    Uuid::from_u128(seq.get().unsigned_abs().into())
}

fn seq_of(id: Uuid) -> Seq {
    Seq::new(i64::try_from(id.as_u128()).unwrap_or(i64::MAX))
}

pub(in crate::routes) fn about() -> About {
    let failure = json!({
        "seq": 1041,
        "eventName": "time.logged",
        "entityId": "01946900-56c0-7c3e-9d24-51f6a7b8c9d0",
        "failedAt": "2025-01-15T08:16:02.310Z",
        "error": "it answered 422",
    });
    let page = json!({ "data": [failure], "nextCursor": null });
    About::new(
        "listWebhookFailures",
        Tag::Webhooks,
        "List what a receiver refused",
        "Reads a page of the events that the receiver refused ten times, and that were put aside \
         so that the next ones could go out. The key needs the permission `admin`, and must not be \
         confined to a project or \
         to one user's entries.",
    )
    .answer(
        Answer::json::<Page<FailureBody<'_>>>(200, "A page.")
            .sample(Sample::new("only", "The only page", page))
            .header(&headers::LINK),
    )
}
