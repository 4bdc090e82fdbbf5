//! Webhooks: receivers that the feed is sent to.

pub(super) mod attempts;
pub(super) mod failures;
pub(super) mod resource;

use serde_json::{Value, json};

/// One, as the document shows it.
fn example() -> Value {
    json!({
        "id": "01946a11-7c00-7b52-8e1f-3c4d5e6f7081",
        "organizationId": "7b1e2c3d-0000-0000-0000-000000000001",
        "projectId": null,
        "destinationUrl": "https://example.com/timelog",
        "eventNames": ["*"],
        "description": "Billing",
        "enabled": true,
        "disabledReason": null,
        "deliveredThrough": 1042,
        "behind": 0,
        "lastError": null,
        "lastErrorAt": null,
        "nextAttemptAt": null,
        "createdAt": "2025-01-15T13:14:30.784Z",
        "updatedAt": "2025-01-15T13:14:30.784Z",
    })
}
