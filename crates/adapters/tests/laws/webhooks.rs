//! Laws of webhooks: what is stored of them, and who delivers.

use std::collections::BTreeSet;
use std::time::Duration;

use timelog_domain::delivery::Attempt;
use timelog_domain::ports::{Backlog, DeliveryProgress};
use timelog_domain::*;

use crate::subject::Subject;
use crate::world::*;

const AWAY: Attempt = Attempt::Away { retry_after: None };

fn details() -> WebhookDetails {
    WebhookDetails {
        destination: text("https://example.com/hook"),
        events: vec![EventName::Of(Event::Delete), EventName::Any],
        description: Some(text("Billing, ü")),
        project_id: Some(id(PROJECT)),
        enabled: true,
    }
}

fn command(command: WebhookCommand) -> Request {
    plain(Command::Webhook(command))
}

fn make(number: u128, delivered_through: Option<i64>) -> Request {
    command(WebhookCommand::Make(MakeWebhook {
        id: id(number),
        details: details(),
        secret: Secret([u8::try_from(number % 256).unwrap(); 32]),
        delivered_through: delivered_through.map(Seq::new),
    }))
}

fn patch(number: u128, patch: WebhookPatch) -> Request {
    command(WebhookCommand::Edit { id: id(number), patch })
}

async fn ask(subject: &Subject, request: Request) -> Outcome {
    match subject.time_entries.execute(request).await.unwrap().unwrap() {
        Reply::Done { outcome, .. } => outcome,
        Reply::Replayed { .. } => panic!("replayed instead of carried out"),
    }
}

async fn changed(subject: &Subject, request: Request) -> Webhook {
    match ask(subject, request).await {
        Outcome::Webhook(state) => state.webhook,
        other => panic!("{other:?}"),
    }
}

async fn find(subject: &Subject, number: u128) -> Option<Webhook> {
    let found = subject.webhooks.webhook(id(ORGANIZATION), id(number)).await.unwrap();
    found.map(|state| state.webhook)
}

/// Logs so many entries.
async fn log_some(subject: &Subject, numbers: std::ops::Range<u128>) {
    for number in numbers {
        done(subject.time_entries.execute(logged(log(number))).await.unwrap());
    }
}

async fn lease(subject: &Subject, holder: u128) -> Vec<Webhook> {
    subject.deliveries.lease(id(holder), subject.clock.time(), 100).await.unwrap()
}

fn ids(webhooks: &[Webhook]) -> BTreeSet<WebhookId> {
    webhooks.iter().map(|webhook| webhook.id).collect()
}

async fn note(subject: &Subject, holder: u128, progress: DeliveryProgress, release: bool) -> bool {
    subject.deliveries.note(id(holder), progress, release).await.unwrap()
}

fn progress(webhook: &Webhook, delivery: Delivery) -> DeliveryProgress {
    DeliveryProgress { webhook: webhook.key(), version: webhook.version, delivery, put_aside: None }
}

fn failure(subject: &Subject, seq: i64) -> DeliveryFailure {
    let error = delivery::DeliveryError { at: subject.clock.time(), message: "no".to_owned() };
    DeliveryFailure { seq: Seq::new(seq), event: Event::Log, time_entry_id: id(1001), error }
}

pub(crate) async fn a_webhook_is_found_as_it_was_answered(subject: Subject) {
    log_some(&subject, 1001..1004).await;
    let made = changed(&subject, make(1, None)).await;
    assert_eq!(
        (made.details.clone(), made.delivery.clone()),
        (details(), Delivery::after(Seq::new(3)))
    );
    let state = subject.webhooks.webhook(id(ORGANIZATION), id(1)).await.unwrap();
    assert_eq!(state, Some(WebhookState { webhook: made, end: Seq::new(3) }));
    subject.clock.advance(Duration::from_secs(1));
    let other = WebhookPatch {
        destination: Some(text("https://example.org/")),
        events: Some(vec![EventName::Of(Event::Log)]),
        description: Some(None),
        project_id: Some(None),
        enabled: Some(false),
        delivered_through: Some(Seq::new(1)),
    };
    let patched = changed(&subject, patch(1, other)).await;
    assert_eq!(find(&subject, 1).await, Some(patched.clone()));
    let rotate = command(WebhookCommand::Rotate { id: id(1), secret: Secret([9; 32]) });
    let rotated = changed(&subject, rotate).await;
    assert_eq!((rotated.version.get(), rotated.updated_at), (3, subject.clock.time()));
    assert_eq!(find(&subject, 1).await, Some(rotated));
}

pub(crate) async fn webhooks_are_listed_by_id_and_organization(subject: Subject) {
    for number in [3, 1, 2] {
        changed(&subject, make(number, None)).await;
    }
    let stranger = Caller { organization_id: id(OTHER_ORGANIZATION), ..caller() };
    changed(&subject, Request { caller: stranger, ..make(4, None) }).await;
    let page = async |after: Option<u128>, limit| {
        let after = after.map(id);
        let page = subject.webhooks.webhooks(id(ORGANIZATION), after, limit).await.unwrap();
        let ids: Vec<WebhookId> = page.items.iter().map(|state| state.webhook.id).collect();
        (ids, page.next)
    };
    assert_eq!(page(None, 2).await, (vec![id(1), id(2)], Some(id(2))));
    assert_eq!(page(Some(2), 2).await, (vec![id(3)], None));
    assert_eq!(find(&subject, 4).await, None);
}

pub(crate) async fn a_deleted_webhook_is_gone_with_what_it_refused(subject: Subject) {
    changed(&subject, make(1, None)).await;
    log_some(&subject, 1001..1002).await;
    let leased = lease(&subject, 7).await;
    let put_aside = Some(failure(&subject, 1));
    let refused =
        DeliveryProgress { put_aside, ..progress(&leased[0], Delivery::after(Seq::new(1))) };
    assert!(note(&subject, 7, refused, true).await);
    assert_eq!(
        ask(&subject, command(WebhookCommand::Delete { id: id(1) })).await,
        Outcome::Deleted
    );
    assert_eq!(find(&subject, 1).await, None);
    changed(&subject, make(1, None)).await;
    let failures = subject.webhooks.failures((id(ORGANIZATION), id(1)), Seq::START, 10).await;
    assert_eq!(failures.unwrap().items, []);
}

pub(crate) async fn what_is_due_is_leased_by_one(subject: Subject) {
    for number in 1..=5 {
        changed(&subject, make(number, None)).await;
    }
    assert_eq!(lease(&subject, 7).await, []);
    log_some(&subject, 1001..1003).await;
    let disabled = WebhookPatch { enabled: Some(false), ..WebhookPatch::default() };
    changed(&subject, patch(2, disabled)).await;
    let at_end = WebhookPatch { delivered_through: Some(Seq::new(2)), ..WebhookPatch::default() };
    changed(&subject, patch(3, at_end)).await;
    let leased = lease(&subject, 7).await;
    assert_eq!(ids(&leased), [1, 4, 5].map(id).into());
    assert_eq!(Some(leased[0].clone()), find(&subject, 1).await);
    assert_eq!((lease(&subject, 7).await, lease(&subject, 8).await), (vec![], vec![]));
    // One waits for its next attempt, one was given up, and one is as it was.
    let mut attempts = [AWAY, Attempt::Gone].into_iter();
    for webhook in &leased {
        let mut delivery = webhook.delivery.clone();
        if let Some(attempt) = attempts.next() {
            delivery.note(Seq::new(1), attempt, "no", subject.clock.time(), 0);
        }
        assert!(note(&subject, 7, progress(webhook, delivery), true).await);
    }
    assert_eq!(ids(&lease(&subject, 8).await), [5].map(id).into());
    subject.clock.advance(Duration::from_millis(4999));
    assert_eq!(lease(&subject, 8).await, []);
    subject.clock.advance(Duration::from_millis(1));
    assert_eq!(ids(&lease(&subject, 8).await), [1].map(id).into());
}

pub(crate) async fn progress_is_noted_by_its_holder_for_its_version(subject: Subject) {
    changed(&subject, make(1, None)).await;
    log_some(&subject, 1001..1004).await;
    let webhook = lease(&subject, 7).await.remove(0);
    let mut delivery = Delivery::after(Seq::new(1));
    delivery.note(Seq::new(2), AWAY, "it is away, ü", subject.clock.time(), 255);
    assert!(!note(&subject, 8, progress(&webhook, delivery.clone()), false).await);
    assert_eq!(find(&subject, 1).await, Some(webhook.clone()));
    assert!(note(&subject, 7, progress(&webhook, delivery.clone()), false).await);
    let noted = find(&subject, 1).await.unwrap();
    assert_eq!(noted, Webhook { delivery: delivery.clone(), ..webhook.clone() });
    // Somebody changes it meanwhile.
    let anew = WebhookPatch { delivered_through: Some(Seq::START), ..WebhookPatch::default() };
    let changed = changed(&subject, patch(1, anew)).await;
    assert!(!note(&subject, 7, progress(&webhook, Delivery::after(Seq::new(3))), false).await);
    assert_eq!(find(&subject, 1).await, Some(changed.clone()));
    // It was given back by that.
    assert!(!note(&subject, 7, progress(&changed, delivery.enabled()), true).await);
    assert_eq!(lease(&subject, 8).await, [changed]);
}

pub(crate) async fn what_was_put_aside_is_listed_until_it_is_taken(subject: Subject) {
    changed(&subject, make(1, None)).await;
    log_some(&subject, 1001..1005).await;
    let webhook = lease(&subject, 7).await.remove(0);
    for seq in [1, 3, 4, 3] {
        let put_aside = Some(failure(&subject, seq));
        let delivery = Delivery::after(Seq::new(seq));
        let noted = DeliveryProgress { put_aside, ..progress(&webhook, delivery) };
        assert!(!note(&subject, 8, noted.clone(), false).await);
        assert!(note(&subject, 7, noted, false).await);
    }
    let page = async |after, limit| {
        let key = (id(ORGANIZATION), id(1));
        let page = subject.webhooks.failures(key, Seq::new(after), limit).await.unwrap();
        (page.items, page.next.map(Seq::get))
    };
    let failures = [1, 3, 4].map(|seq| failure(&subject, seq));
    assert_eq!(page(0, 2).await, (failures[..2].to_vec(), Some(3)));
    assert_eq!(page(3, 2).await, (failures[2..].to_vec(), None));
    for _ in 0..2 {
        let taken = WebhookCommand::NoteSent { id: id(1), taken: Some(Seq::new(3)) };
        assert_eq!(ask(&subject, command(taken)).await, Outcome::Noted);
        assert_eq!(page(0, 9).await.0, [failures[0].clone(), failures[2].clone()]);
    }
    let elsewhere = subject.webhooks.failures((id(OTHER_ORGANIZATION), id(1)), Seq::START, 9).await;
    assert_eq!(elsewhere.unwrap().items, []);
}

pub(crate) async fn the_backlog_is_of_all_that_are_enabled(subject: Subject) {
    assert_eq!(subject.deliveries.backlog().await, Ok(Backlog::default()));
    assert_eq!(subject.deliveries.watched().await, Ok(vec![]));
    let began = subject.clock.time();
    for number in 1..=4 {
        changed(&subject, make(number, None)).await;
    }
    log_some(&subject, 1001..1002).await;
    subject.clock.advance(Duration::from_secs(9));
    log_some(&subject, 1002..1004).await;
    let disabled = WebhookPatch { enabled: Some(false), ..WebhookPatch::default() };
    changed(&subject, patch(1, disabled)).await;
    let mut leased = lease(&subject, 7).await;
    let webhook = leased.remove(0);
    assert!(note(&subject, 7, progress(&webhook, Delivery::after(Seq::new(3))), true).await);
    let webhook = leased.remove(0);
    let mut gone = webhook.delivery.clone();
    gone.note(Seq::new(1), Attempt::Gone, "gone", subject.clock.time(), 0);
    assert!(note(&subject, 7, progress(&webhook, gone), true).await);
    let backlog = Backlog { behind: 3, oldest: Some(began), given_up: 1 };
    assert_eq!(subject.deliveries.backlog().await, Ok(backlog));
    assert_eq!(subject.deliveries.watched().await, Ok(vec![id(ORGANIZATION)]));
}

/// Of databases: two programs that look for work all the time never get the same.
pub(crate) async fn two_programs_never_lease_the_same_at_once(subject: Subject) {
    const WEBHOOKS: u128 = 12;
    let other = subject.opened_again().await;
    for number in 1..=WEBHOOKS {
        changed(&subject, make(number, None)).await;
    }
    log_some(&subject, 1001..1002).await;
    for _ in 0..10 {
        let (ours, theirs) = tokio::join!(lease(&subject, 7), lease(&other, 8));
        let (our_ids, their_ids) = (ids(&ours), ids(&theirs));
        assert!(our_ids.is_disjoint(&their_ids), "{our_ids:?} {their_ids:?}");
        assert_eq!(ours.len() + theirs.len(), 12);
        for (holder, webhooks) in [(7, ours), (8, theirs)] {
            for webhook in webhooks {
                let same = progress(&webhook, webhook.delivery.clone());
                assert!(note(&subject, holder, same, true).await);
            }
        }
    }
}
