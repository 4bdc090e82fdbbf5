//! Webhooks: what is made, changed and refused, and where delivery goes on.

use std::time::Duration;

use timelog_domain::delivery::{Attempt, DisabledReason};
use timelog_domain::*;

use crate::world::*;

const AWAY: Attempt = Attempt::Away { retry_after: None };

fn details() -> WebhookDetails {
    WebhookDetails {
        destination: text("https://example.com/hook"),
        events: vec![EventName::Any],
        description: None,
        project_id: None,
        enabled: true,
    }
}

fn make(details: WebhookDetails, delivered_through: Option<i64>) -> Command {
    Command::Webhook(WebhookCommand::Make(MakeWebhook {
        id: id(1),
        details,
        secret: Secret([1; 32]),
        delivered_through: delivered_through.map(Seq::new),
    }))
}

fn change(patch: WebhookPatch) -> Command {
    Command::Webhook(WebhookCommand::Edit { id: id(1), patch })
}

fn webhook(outcome: Result<Outcome, Refusal>) -> Webhook {
    match outcome {
        Ok(Outcome::Webhook(state)) => state.webhook,
        other => panic!("{other:?}"),
    }
}

/// A world whose feed has 5 changes, and a webhook that has got to the third.
fn world() -> World {
    let mut world = World::new();
    for organization in [ORGANIZATION, OTHER_ORGANIZATION] {
        world.ledger.load_feed_end(id(organization), Seq::new(5));
    }
    webhook(world.ask(make(details(), Some(3))));
    world.ledger.take_changes();
    world
}

/// The same, after its receiver was away or gone.
fn world_after(attempt: Attempt) -> World {
    let mut world = world();
    let mut webhook = webhook(world.ask(change(WebhookPatch::default())));
    webhook.delivery.note(Seq::new(4), attempt, "refused", world.now, 0);
    world.ledger.load_webhook(webhook);
    world
}

#[test]
fn a_webhook_begins_with_what_happens_after_it_is_made_or_where_it_is_told() {
    for (given, begins) in [(None, 5), (Some(0), 0), (Some(5), 5)] {
        let mut world = World::new();
        world.ledger.load_feed_end(id(ORGANIZATION), Seq::new(5));
        let made = webhook(world.ask(make(details(), given)));
        assert_eq!(made.delivery, Delivery::after(Seq::new(begins)));
        assert_eq!((made.version, made.created_at), (Version::FIRST, world.now));
        let [stored] = &world.ledger.take_changes().webhooks[..] else { panic!() };
        assert_eq!((stored.loaded, stored.webhook.as_ref()), (None, Some(&made)));
    }
}

#[test]
fn what_it_refers_to_must_be_there() {
    let unknown = InvalidWebhook::UnknownProject;
    let beyond = InvalidWebhook::BeyondTheEnd { end: Seq::new(5) };
    let nowhere = WebhookDetails { project_id: Some(id(NO_PROJECT)), ..details() };
    let mut world = world();
    let refused = world.ask(make(nowhere, Some(6)));
    assert_eq!(refused, Err(Refusal::InvalidWebhook(vec![unknown, beyond])));
    let patch = WebhookPatch {
        project_id: Some(Some(id(NO_PROJECT))),
        delivered_through: Some(Seq::new(6)),
        ..WebhookPatch::default()
    };
    let refused = world.ask(change(patch));
    assert_eq!(refused, Err(Refusal::InvalidWebhook(vec![unknown, beyond])));
    world.assert_untouched();
}

#[test]
fn another_organizations_webhook_does_not_exist() {
    let mut world = world();
    let (secret, taken) = (Secret([2; 32]), Some(Seq::new(1)));
    for command in [
        WebhookCommand::Edit { id: id(1), patch: WebhookPatch::default() },
        WebhookCommand::Rotate { id: id(1), secret },
        WebhookCommand::Delete { id: id(1) },
        WebhookCommand::NoteSent { id: id(1), taken },
    ] {
        let refused = world.ask_as(outsider(), Command::Webhook(command));
        assert_eq!(refused, Err(Refusal::WebhookNotFound));
    }
    world.assert_untouched();
}

#[test]
fn a_patch_that_changes_nothing_leaves_the_version() {
    let mut world = world();
    let same = WebhookPatch { enabled: Some(true), ..WebhookPatch::default() };
    assert_eq!(webhook(world.ask(change(same))).version, Version::FIRST);
    world.assert_untouched();
    world.wait(Duration::from_secs(1));
    let named =
        WebhookPatch { description: Some(Some(text("Billing"))), ..WebhookPatch::default() };
    let changed = webhook(world.ask(change(named)));
    assert_eq!((changed.version.get(), changed.updated_at), (2, world.now));
    assert_eq!(changed.delivery, Delivery::after(Seq::new(3)));
}

#[test]
fn who_names_another_destination_or_place_does_not_wait_for_the_next_attempt() {
    let elsewhere =
        WebhookPatch { destination: Some(text("https://example.org/")), ..WebhookPatch::default() };
    let anew = WebhookPatch { delivered_through: Some(Seq::new(1)), ..WebhookPatch::default() };
    for (patch, through) in [(elsewhere, 3), (anew, 1)] {
        let mut world = world_after(AWAY);
        let changed = webhook(world.ask(change(patch)));
        assert_eq!(changed.delivery, Delivery::after(Seq::new(through)));
    }
    let mut world = world_after(AWAY);
    let named =
        WebhookPatch { description: Some(Some(text("Billing"))), ..WebhookPatch::default() };
    assert!(!webhook(world.ask(change(named))).delivery.is_due(world.now));
}

#[test]
fn what_was_given_up_goes_on_from_where_it_stood_once_it_is_enabled() {
    let patch = WebhookPatch::default;
    for other in [
        WebhookPatch { description: Some(Some(text("Billing"))), ..patch() },
        WebhookPatch { destination: Some(text("https://example.org/")), ..patch() },
        WebhookPatch { delivered_through: Some(Seq::new(1)), ..patch() },
        WebhookPatch { enabled: Some(false), ..patch() },
    ] {
        let mut world = world_after(Attempt::Gone);
        let changed = webhook(world.ask(change(other)));
        assert!(!changed.is_enabled());
        assert_eq!(changed.delivery.disabled, Some(DisabledReason::ReceiverGone));
        assert!(changed.delivery.last_error.is_some());
        let enabled = WebhookPatch { enabled: Some(true), ..patch() };
        let through = changed.delivery.delivered_through;
        let changed = webhook(world.ask(change(enabled)));
        assert!(changed.is_enabled());
        assert_eq!(changed.delivery, Delivery::after(through));
    }
}

#[test]
fn the_former_secret_signs_for_a_day() {
    let mut world = world();
    let rotate = |byte| {
        let secret = Secret([byte; 32]);
        Command::Webhook(WebhookCommand::Rotate { id: id(1), secret })
    };
    let at = world.now;
    let rotated = webhook(world.ask(rotate(2)));
    let signing =
        |webhook: &Webhook, at| webhook.secrets.at(at).map(|s| s.0[0]).collect::<Vec<_>>();
    assert_eq!(signing(&rotated, at), [2, 1]);
    assert_eq!(signing(&rotated, at.saturating_add(Duration::from_millis(86_399_999))), [2, 1]);
    assert_eq!(signing(&rotated, at.saturating_add(Duration::from_hours(24))), [2]);
    assert_eq!(rotated.delivery, Delivery::after(Seq::new(3)));
    let again = webhook(world.ask(rotate(3)));
    assert_eq!(signing(&again, at), [3, 2]);
    assert!(!format!("{again:?}").contains("3, 3, 3"));
}

#[test]
fn what_was_deleted_is_gone_and_what_was_made_and_deleted_was_never_there() {
    let delete = || Command::Webhook(WebhookCommand::Delete { id: id(1) });
    let mut world = world();
    assert_eq!(world.ask(delete()), Ok(Outcome::Deleted));
    assert_eq!(world.ask(delete()), Err(Refusal::WebhookNotFound));
    let [deleted] = &world.ledger.take_changes().webhooks[..] else { panic!() };
    assert_eq!((deleted.loaded, &deleted.webhook), (Some(Version::FIRST), &None));
    webhook(world.ask(make(details(), None)));
    assert_eq!(world.ask(delete()), Ok(Outcome::Deleted));
    world.assert_untouched();
}

#[test]
fn a_webhook_gets_the_events_that_it_names() {
    let of = |events| {
        let events = WebhookDetails { events, ..details() };
        webhook(World::new().ask(make(events, None)))
    };
    let any = of(vec![EventName::Any]);
    assert!(Event::all().all(|event| any.wants(event)));
    let some = of(vec![EventName::Of(Event::Log), EventName::Of(Event::Delete)]);
    let wanted: Vec<_> = Event::all().filter(|event| some.wants(*event)).collect();
    assert_eq!(wanted, [Event::Log, Event::Delete]);
}
