//! What is sent to webhooks, as the document describes it: requests of the service to whoever
//! receives them.

use serde_json::{Value, json};

use super::samples::entry;
use crate::wire::event::{EventBody, PING, PingBody};
use crate::wire::{Described, Schemas};

/// Every request that a receiver may get.
pub(super) fn describe(schemas: &mut Schemas) -> Value {
    let logged = json!({
        "id": "5f0c2b1e-8a34-8f2d-9c11-7be2d40a6f93",
        "eventName": "time.logged",
        "schemaVersion": 1,
        "entityType": "time_entry",
        "entityId": "01946900-56c0-7c3e-9d24-51f6a7b8c9d0",
        "occurredAt": "2025-01-15T08:06:57.472Z",
        "actorUserId": null,
        "payload": {
            "seq": 1041,
            "version": 1,
            "projectId": "9a8b7c6d-0000-0000-0000-000000000002",
            "from": null,
            "to": "draft",
            "reason": null,
            "invoiceRef": null,
            "changes": {},
            "entry": entry(json!({ "externalRef": null, "version": 1 })),
        },
    });
    let ping = json!({
        "id": "01946a11-9e21-7d3c-a1b2-c3d4e5f60718",
        "eventName": PING,
        "schemaVersion": 1,
        "entityType": "webhook",
        "entityId": "01946a11-7c00-7b52-8e1f-3c4d5e6f7081",
        "occurredAt": "2025-01-15T13:14:39.521Z",
        "actorUserId": null,
        "payload": { "webhookId": "01946a11-7c00-7b52-8e1f-3c4d5e6f7081" },
    });
    json!({
        "timeEntryChanged": {
            "post": request(
                "timeEntryChanged",
                "Something has happened to a time entry",
                "Sent for every change that the webhook wants, in the order of `seq`, one at a \
                 time, and again until it is taken. Verify the signature, take the event once by \
                 its `webhook-id`, and answer 2xx within 15 seconds.",
                &serde_json::to_value(EventBody::schema(schemas)).unwrap_or_default(),
                &logged,
            ),
        },
        "webhookTested": {
            "post": request(
                "webhookTested",
                "Somebody tests the webhook",
                "Sent when the webhook is tested, whatever its `eventNames`. It is not sent again.",
                &serde_json::to_value(PingBody::schema(schemas)).unwrap_or_default(),
                &ping,
            ),
        },
    })
}

fn request(id: &str, summary: &str, description: &str, schema: &Value, example: &Value) -> Value {
    let header = |name: &str, about: &str, pattern: &str| {
        json!({
            "name": name,
            "in": "header",
            "required": true,
            "description": about,
            "schema": { "type": "string", "pattern": pattern },
        })
    };
    let answer = |about: &str| json!({ "description": about });
    json!({
        "tags": ["Webhooks"],
        "operationId": id,
        "summary": summary,
        "description": description,
        "security": [],
        "parameters": [
            header("webhook-id", "The event: the same on every attempt.", "^[0-9a-f-]{36}$"),
            header("webhook-timestamp", "When this attempt was made, in seconds since \
                1970-01-01T00:00:00Z.", "^[0-9]+$"),
            header("webhook-signature", "`v1,` and the HMAC-SHA256, in base64, of `webhook-id`, \
                `webhook-timestamp` and the body, with full stops between them. For 24 hours \
                after a new secret was made there are two, with a space between them.",
                "^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)?$"),
        ],
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": schema, "example": example } },
        },
        "responses": {
            "2XX": answer("Taken. The next event is sent."),
            "408": answer("Away for a moment: sent again later, and later events wait."),
            "410": answer("Gone for good: the webhook is disabled."),
            "429": answer("Away for a moment, as 408. `Retry-After` is respected."),
            "5XX": answer("Away for a moment, as 408. `Retry-After` is respected."),
            "default": answer("Refused: sent ten times in ten minutes, and then put aside."),
        },
    })
}
