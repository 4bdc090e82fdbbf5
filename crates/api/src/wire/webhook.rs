//! Webhooks on the wire.

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use timelog_domain::delivery::DisabledReason;
use timelog_domain::webhook::MOST_EVENT_NAMES;
use timelog_domain::{
    DeliveryFailure, Description, DestinationUrl, EventName, OrganizationId, ProjectId, Secret,
    Seq, TimeEntryId, Timestamp, UnknownEventName, WebhookDetails, WebhookId, WebhookPatch,
    WebhookState,
};
use utoipa::openapi::{RefOr, Schema};

use super::change::FeedEvent;
use super::page::Listed;
use super::schema::{self, Described, Schemas};
use super::value::{ListOf, Value, texts};
use super::{Answered, Body, Fault, Reader, Sometimes, answer, body};
use crate::webhooks::{Answer, secret_text};

/// What a body asks to make.
pub(crate) struct WebhookAsked {
    pub(crate) details: WebhookDetails,
    pub(crate) delivered_through: Option<Seq>,
}

body! {
    /// A webhook to make. Other members are skipped unless `Prefer` asks to refuse them.
    pub(crate) struct MakeWebhookBody = "MakeWebhook" asks for WebhookAsked {
        /// Where events are sent.
        destination_url: Required<DestinationUrl>,
        /// Which events.
        event_names: Required<ListOf<EventName, MOST_EVENT_NAMES>>,
        /// What it is for.
        description: Nullable<Description> = None,
        /// Whether it delivers.
        enabled: Optional<bool> = true,
        /// The only project whose events are sent; null for all of the organization.
        project_id: Nullable<ProjectId> = None,
        /// The number of the change after which to begin: 0 for everything that ever happened.
        /// Without it, with what happens after the webhook is made.
        delivered_through: Optional<Seq>,
    }
    examples [json!({ "destinationUrl": "https://example.com/timelog", "eventNames": ["*"] })];
}

impl MakeWebhookBody {
    fn put_together(self, _: &mut Reader, (): ()) -> Option<WebhookAsked> {
        Some(WebhookAsked {
            details: WebhookDetails {
                destination: self.destination_url.value()?,
                events: self.event_names.value()?,
                description: self.description.value()?,
                project_id: self.project_id.value()?,
                enabled: self.enabled.value()?,
            },
            delivered_through: self.delivered_through.value(),
        })
    }
}

body! {
    /// What to change in a webhook. A member that is left out stays as it is. Other members are
    /// skipped unless `Prefer` asks to refuse them.
    pub(crate) struct EditWebhookBody = "EditWebhook" asks for WebhookPatch {
        /// Where events are sent.
        destination_url: Optional<DestinationUrl>,
        /// Which events.
        event_names: Optional<ListOf<EventName, MOST_EVENT_NAMES>>,
        /// What it is for.
        description: Nullable<Description>,
        /// Whether it delivers. One that was given up goes on from where it stood.
        enabled: Optional<bool>,
        /// The only project whose events are sent; null for all of the organization.
        project_id: Nullable<ProjectId>,
        /// The number of the change after which to deliver everything again.
        delivered_through: Optional<Seq>,
    }
    examples [json!({ "enabled": true })];
}

impl EditWebhookBody {
    #[expect(clippy::unnecessary_wraps, reason = "members of other bodies may not fit together")]
    fn put_together(self, _: &mut Reader, (): ()) -> Option<WebhookPatch> {
        Some(WebhookPatch {
            destination: self.destination_url.value(),
            events: self.event_names.value(),
            description: self.description.value(),
            project_id: self.project_id.value(),
            enabled: self.enabled.value(),
            delivered_through: self.delivered_through.value(),
        })
    }
}

/// A body that says nothing. It may be left out.
pub(crate) struct Nothing;

impl Body for Nothing {
    type Asked = ();
    type Context = ();
    const MAY_BE_MISSING: bool = true;

    fn open(reader: &mut Reader, object: &RawValue) -> serde_json::Result<Self> {
        let [] = reader.open(object, &[])?;
        Ok(Self)
    }

    fn asked(self, _: &mut Reader, (): ()) -> Option<()> {
        Some(())
    }
}

impl Described for Nothing {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = &["It has no members. Others are skipped unless `Prefer` asks to refuse them."];
        schemas.named("Nothing", |_| schema::object(about, Vec::new()).into())
    }
}

answer! {
    /// A webhook, and how far its delivery is.
    pub(crate) struct WebhookBody<'a> = "Webhook" {
        /// The webhook.
        id: WebhookId,
        /// The organization whose events it gets.
        organization_id: OrganizationId,
        /// The only project whose events it gets; null for all of the organization.
        project_id: Option<ProjectId>,
        /// Where events are sent.
        destination_url: &'a DestinationUrl,
        /// Which events.
        event_names: EventNames<'a>,
        /// What it is for.
        description: Option<&'a Description>,
        /// Whether it delivers: somebody wants it to, and it was not given up.
        enabled: bool,
        /// Why it was given up: the receiver was away for three days, or said that it is gone for
        /// good. Enable it, and it goes on from where it stood.
        disabled_reason: Option<DisabledReason>,
        /// The number of the last change that is done with: it was delivered, put aside, or not
        /// meant for this webhook. It may lag behind by a second.
        delivered_through: Through,
        /// How many changes of the organization come after that.
        behind: u64,
        /// What went wrong last; null once an event was delivered again.
        last_error: Option<ErrorText<'a>>,
        /// When that was.
        last_error_at: Option<Timestamp>,
        /// When the next event is sent again; null where nothing has to be waited for.
        next_attempt_at: Option<Timestamp>,
        /// When it was made.
        created_at: Timestamp,
        /// When it was changed last. Delivering is no change.
        updated_at: Timestamp,
        /// What deliveries are signed with. It is shown once: when it is made.
        secret: Sometimes<SecretText>,
    }
}

impl<'a> WebhookBody<'a> {
    /// With its secret, where that is to be shown.
    pub(crate) fn new(state: &'a WebhookState, secret: Option<Secret>) -> Self {
        let webhook = &state.webhook;
        let (details, delivery) = (&webhook.details, &webhook.delivery);
        let error = delivery.last_error.as_ref();
        Self {
            id: webhook.id,
            organization_id: webhook.organization_id,
            project_id: details.project_id,
            destination_url: &details.destination,
            event_names: EventNames(&details.events),
            description: details.description.as_ref(),
            enabled: webhook.is_enabled(),
            disabled_reason: delivery.disabled,
            delivered_through: Through(delivery.delivered_through),
            behind: state.behind(),
            last_error: error.map(|error| ErrorText(&error.message)),
            last_error_at: error.map(|error| error.at),
            next_attempt_at: delivery.next_attempt_at.filter(|_| webhook.is_enabled()),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
            secret: Sometimes(secret.map(secret_text).map(SecretText)),
        }
    }
}

impl Listed for WebhookBody<'_> {
    const PAGE: &'static str = "WebhookPage";
    const ABOUT: &'static str = "The webhooks, in the order of their ids.";
}

answer! {
    /// An event that a receiver refused until it was put aside.
    pub(crate) struct FailureBody<'a> = "WebhookFailure" {
        /// The number of its change.
        seq: Seq,
        /// What had happened.
        event_name: FeedEvent,
        /// The entry it had happened to.
        entity_id: TimeEntryId,
        /// When it was refused last.
        failed_at: Timestamp,
        /// What the receiver answered.
        error: ErrorText<'a>,
    }
}

impl<'a> From<&'a DeliveryFailure> for FailureBody<'a> {
    fn from(failure: &'a DeliveryFailure) -> Self {
        Self {
            seq: failure.seq,
            event_name: FeedEvent(failure.event),
            entity_id: failure.time_entry_id,
            failed_at: failure.error.at,
            error: ErrorText(&failure.error.message),
        }
    }
}

impl Listed for FailureBody<'_> {
    const PAGE: &'static str = "WebhookFailurePage";
    const ABOUT: &'static str = "The events, in the order of their numbers.";
}

answer! {
    /// What came of sending an event by hand.
    pub(crate) struct SentBody<'a> = "WebhookAnswer" {
        /// Whether the receiver took it.
        delivered: bool,
        /// The status that it answered with; null where it did not answer.
        status: Option<u16>,
        /// What was wrong; null where nothing was.
        error: Option<ErrorText<'a>>,
    }
}

impl<'a> From<&'a Answer> for SentBody<'a> {
    fn from(answer: &'a Answer) -> Self {
        Self {
            delivered: answer.error.is_empty(),
            status: answer.status,
            error: Some(ErrorText(&answer.error)).filter(|_| !answer.error.is_empty()),
        }
    }
}

/// The names of events.
#[derive(Serialize)]
pub(crate) struct EventNames<'a>(&'a [EventName]);

impl Described for EventNames<'_> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        <ListOf<EventName, MOST_EVENT_NAMES> as Value>::schema(schemas)
    }
}

impl Answered for EventNames<'_> {}

/// The number of a change, or 0 for the beginning.
#[derive(Serialize)]
pub(crate) struct Through(Seq);

impl Described for Through {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::whole(0).into()
    }
}

impl Answered for Through {}

impl Value for Seq {
    type Read = Self;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self> {
        let number = reader.whole_number(name, raw)?;
        if number < 0 {
            reader.add(name, "out_of_range", "must be at least 0");
            return None;
        }
        Some(Self::new(number))
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        Through::schema(schemas)
    }
}

/// What went wrong, for people.
#[derive(Serialize)]
pub(crate) struct ErrorText<'a>(&'a str);

impl Described for ErrorText<'_> {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("").examples([json!("it answered 503")]).into()
    }
}

impl Answered for ErrorText<'_> {}

/// A secret.
#[derive(Serialize)]
pub(crate) struct SecretText(String);

impl Described for SecretText {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("").pattern(Some("^whsec_[A-Za-z0-9+/]{43}=$")).into()
    }
}

impl Answered for SecretText {}

impl Described for u16 {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::whole(100).maximum(Some(999)).into()
    }
}

impl Answered for u16 {}

impl Described for DisabledReason {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = "Why a webhook was given up.";
        let words = || schema::words(about, Self::ALL.iter().map(|reason| reason.as_str()));
        schemas.named("DisabledReason", |_| words().into())
    }
}

impl Answered for DisabledReason {}

texts! {
    [EventName] => "EventName" event_name, "EventName" event_name;
}

fn event_name() -> utoipa::openapi::schema::ObjectBuilder {
    let about = "What a webhook gets: events of that name, or all of them.";
    schema::words(about, EventName::all().map(EventName::as_str))
}

impl Fault for UnknownEventName {
    fn code(&self) -> &'static str {
        "unknown_value"
    }
}
