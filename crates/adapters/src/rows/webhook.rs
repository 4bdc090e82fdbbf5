//! Rows of `webhooks` and `webhook_failures`.

use diesel::prelude::*;
use timelog_domain::delivery::DeliveryError;
use timelog_domain::{
    Delivery, DeliveryFailure, EventName, Secret, Secrets, Seq, Version, Webhook, WebhookDetails,
    WebhookKey,
};

use super::row::{Row, row};
use crate::error::DbError;
use crate::schema::{webhook_failures, webhooks};
use crate::types::{IdValue, InstantValue};

row! {
    #[derive(AsChangeset)]
    #[diesel(primary_key(organization_id, id), treat_none_as_null = true)]
    WebhookRow of webhooks {
        key {
            organization_id: IdValue,
            id: IdValue,
        }
        once {
            created_at: InstantValue,
        }
        again {
            version: i64,
            destination_url: String,
            event_names: String,
            description: Option<String>,
            project_id: Option<IdValue>,
            enabled: bool,
            secret: Vec<u8>,
            former_secret: Option<Vec<u8>>,
            former_until: Option<InstantValue>,
            updated_at: InstantValue,
            delivered_through: i64,
            misses: i32,
            refusals: i32,
            away_since: Option<InstantValue>,
            next_attempt_at: Option<InstantValue>,
            disabled_reason: Option<String>,
            last_error: Option<String>,
            last_error_at: Option<InstantValue>,
        }
    }
}

row! {
    #[derive(AsChangeset)]
    #[diesel(primary_key(organization_id, webhook_id, seq))]
    FailureRow of webhook_failures {
        key {
            organization_id: IdValue,
            webhook_id: IdValue,
            seq: i64,
        }
        once {}
        again {
            event: String,
            time_entry_id: IdValue,
            error: String,
            failed_at: InstantValue,
        }
    }
}

/// The columns of a webhook that only its delivery changes.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true)]
pub(crate) struct DeliveryRow {
    delivered_through: i64,
    misses: i32,
    refusals: i32,
    away_since: Option<InstantValue>,
    next_attempt_at: Option<InstantValue>,
    disabled_reason: Option<String>,
    last_error: Option<String>,
    last_error_at: Option<InstantValue>,
}

impl From<&Delivery> for DeliveryRow {
    fn from(delivery: &Delivery) -> Self {
        let error = delivery.last_error.as_ref();
        Self {
            delivered_through: delivery.delivered_through.get(),
            misses: count(delivery.misses),
            refusals: count(delivery.refusals),
            away_since: delivery.away_since.map(Into::into),
            next_attempt_at: delivery.next_attempt_at.map(Into::into),
            disabled_reason: delivery.disabled.map(|reason| reason.as_str().to_owned()),
            last_error: error.map(|error| error.message.clone()),
            last_error_at: error.map(|error| error.at.into()),
        }
    }
}

impl From<&Webhook> for WebhookRow {
    fn from(webhook: &Webhook) -> Self {
        let Webhook { details, secrets, .. } = webhook;
        let delivery = DeliveryRow::from(&webhook.delivery);
        let names: Vec<_> = details.events.iter().map(|name| name.as_str()).collect();
        Self {
            organization_id: webhook.organization_id.into(),
            id: webhook.id.into(),
            created_at: webhook.created_at.into(),
            version: webhook.version.get(),
            destination_url: details.destination.as_str().to_owned(),
            event_names: names.join(" "),
            description: details.description.as_ref().map(|text| text.as_str().to_owned()),
            project_id: details.project_id.map(Into::into),
            enabled: details.enabled,
            secret: secrets.current.0.to_vec(),
            former_secret: secrets.former.map(|(secret, _)| secret.0.to_vec()),
            former_until: secrets.former.map(|(_, until)| until.into()),
            updated_at: webhook.updated_at.into(),
            delivered_through: delivery.delivered_through,
            misses: delivery.misses,
            refusals: delivery.refusals,
            away_since: delivery.away_since,
            next_attempt_at: delivery.next_attempt_at,
            disabled_reason: delivery.disabled_reason,
            last_error: delivery.last_error,
            last_error_at: delivery.last_error_at,
        }
    }
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = DbError;

    fn try_from(row: WebhookRow) -> Result<Self, DbError> {
        let events = row.event_names.split(' ').map(str::parse::<EventName>).collect();
        let description = row.description.map(TryInto::try_into).transpose();
        let secret = |column, bytes: Vec<u8>| {
            let secret = bytes.try_into().map(Secret);
            WebhookRow::known(column, secret.map_err(|_| "it has not 32 bytes"))
        };
        let former = match (row.former_secret, row.former_until) {
            (Some(former), Some(until)) => Some((secret("former_secret", former)?, until.into())),
            _ => None,
        };
        let disabled = row.disabled_reason.map(|reason| reason.parse()).transpose();
        let last_error = row.last_error.zip(row.last_error_at);
        let times = |column, times: i32| WebhookRow::known(column, u32::try_from(times));
        Ok(Self {
            organization_id: row.organization_id.into(),
            id: row.id.into(),
            version: Version::new(row.version),
            details: WebhookDetails {
                destination: WebhookRow::known("destination_url", row.destination_url.try_into())?,
                events: WebhookRow::known("event_names", events)?,
                description: WebhookRow::known("description", description)?,
                project_id: row.project_id.map(Into::into),
                enabled: row.enabled,
            },
            secrets: Secrets { current: secret("secret", row.secret)?, former },
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            delivery: Delivery {
                delivered_through: Seq::new(row.delivered_through),
                misses: times("misses", row.misses)?,
                refusals: times("refusals", row.refusals)?,
                away_since: row.away_since.map(Into::into),
                next_attempt_at: row.next_attempt_at.map(Into::into),
                disabled: WebhookRow::known("disabled_reason", disabled)?,
                last_error: last_error
                    .map(|(message, at)| DeliveryError { at: at.into(), message }),
            },
        })
    }
}

impl FailureRow {
    pub(crate) fn new((organization, webhook): WebhookKey, failure: DeliveryFailure) -> Self {
        Self {
            organization_id: organization.into(),
            webhook_id: webhook.into(),
            seq: failure.seq.get(),
            event: failure.event.as_str().to_owned(),
            time_entry_id: failure.time_entry_id.into(),
            error: failure.error.message,
            failed_at: failure.error.at.into(),
        }
    }
}

impl TryFrom<FailureRow> for DeliveryFailure {
    type Error = DbError;

    fn try_from(row: FailureRow) -> Result<Self, DbError> {
        Ok(Self {
            seq: Seq::new(row.seq),
            event: FailureRow::known("event", row.event.parse())?,
            time_entry_id: row.time_entry_id.into(),
            error: DeliveryError { at: row.failed_at.into(), message: row.error },
        })
    }
}
