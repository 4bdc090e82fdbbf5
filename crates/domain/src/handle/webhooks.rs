//! Making, changing and deleting webhooks.

use super::Context;
use crate::command::{MakeWebhook, WebhookCommand};
use crate::delivery::Delivery;
use crate::feed::Seq;
use crate::ids::{ProjectId, WebhookId};
use crate::ledger::Ledger;
use crate::outcome::{InvalidWebhook, Outcome, Refusal};
use crate::time_entry::Version;
use crate::webhook::{Secrets, Webhook, WebhookState};

pub(super) fn change(
    command: &WebhookCommand,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Outcome, Refusal> {
    match command {
        WebhookCommand::Make(command) => {
            let webhook = make(command, context, ledger)?;
            Ok(put(webhook, ledger))
        }
        WebhookCommand::Edit { id, patch } => {
            let webhook = find(*id, context, ledger)?;
            check(patch.project_id.flatten(), patch.delivered_through, context, ledger)?;
            match webhook.patched(patch, context.now) {
                Some(webhook) => Ok(put(webhook, ledger)),
                None => Ok(shown(webhook.clone(), ledger)),
            }
        }
        WebhookCommand::Rotate { id, secret } => {
            let webhook = find(*id, context, ledger)?.with_secret(*secret, context.now);
            Ok(put(webhook, ledger))
        }
        WebhookCommand::Delete { id } => {
            let key = find(*id, context, ledger)?.key();
            ledger.delete_webhook(key);
            Ok(Outcome::Deleted)
        }
        WebhookCommand::NoteSent { id, taken } => {
            let key = find(*id, context, ledger)?.key();
            if let Some(seq) = taken {
                ledger.forget_failure(key, *seq);
            }
            Ok(Outcome::Noted)
        }
    }
}

fn find<'a>(
    id: WebhookId,
    context: Context<'_>,
    ledger: &'a Ledger,
) -> Result<&'a Webhook, Refusal> {
    ledger.webhook((context.caller.organization_id, id)).ok_or(Refusal::WebhookNotFound)
}

fn make(command: &MakeWebhook, context: Context<'_>, ledger: &Ledger) -> Result<Webhook, Refusal> {
    let MakeWebhook { id, details, secret, delivered_through } = command;
    check(details.project_id, *delivered_through, context, ledger)?;
    let organization_id = context.caller.organization_id;
    let begin = delivered_through.unwrap_or_else(|| ledger.feed_end(organization_id));
    Ok(Webhook {
        organization_id,
        id: *id,
        version: Version::FIRST,
        details: details.clone(),
        secrets: Secrets { current: *secret, former: None },
        created_at: context.now,
        updated_at: context.now,
        delivery: Delivery::after(begin),
    })
}

/// Checks what a webhook is to refer to.
fn check(
    project_id: Option<ProjectId>,
    delivered_through: Option<Seq>,
    context: Context<'_>,
    ledger: &Ledger,
) -> Result<(), Refusal> {
    let organization = context.caller.organization_id;
    let unknown = project_id.filter(|id| ledger.project(organization, *id).is_none());
    let end = ledger.feed_end(organization);
    let beyond = delivered_through.filter(|seq| *seq > end);
    let invalid = [
        unknown.map(|_| InvalidWebhook::UnknownProject),
        beyond.map(|_| InvalidWebhook::BeyondTheEnd { end }),
    ];
    let invalid: Vec<_> = invalid.into_iter().flatten().collect();
    if invalid.is_empty() { Ok(()) } else { Err(Refusal::InvalidWebhook(invalid)) }
}

fn put(webhook: Webhook, ledger: &mut Ledger) -> Outcome {
    ledger.put_webhook(webhook.clone());
    shown(webhook, ledger)
}

fn shown(webhook: Webhook, ledger: &Ledger) -> Outcome {
    let end = ledger.feed_end(webhook.organization_id);
    Outcome::Webhook(Box::new(WebhookState { webhook, end }))
}
