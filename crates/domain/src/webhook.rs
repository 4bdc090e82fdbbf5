//! Webhooks: receivers that the [feed](crate::feed) is delivered to.

use std::fmt;
use std::str::FromStr;

use crate::delivery::Delivery;
use crate::feed::Seq;
use crate::history::Event;
use crate::ids::{OrganizationId, ProjectId, WebhookId, WebhookKey};
use crate::text::{Description, DestinationUrl};
use crate::time_entry::Version;
use crate::timestamp::Timestamp;

/// How long a receiver may go on verifying with the secret before the last.
pub const FORMER_SECRET_LIFETIME: std::time::Duration = std::time::Duration::from_hours(24);

/// The most names of events that a webhook may have.
pub const MOST_EVENT_NAMES: usize = 20;

/// A receiver, and how far its delivery is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The organization whose changes it gets.
    pub organization_id: OrganizationId,
    /// Its id.
    pub id: WebhookId,
    /// Counts its changes from 1. Delivering is no change.
    pub version: Version,
    /// What it is to do.
    pub details: WebhookDetails,
    /// What its deliveries are signed with.
    pub secrets: Secrets,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// How far its delivery is.
    pub delivery: Delivery,
}

/// A webhook, and how much there is to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookState {
    /// The webhook.
    pub webhook: Webhook,
    /// The number of its organization's last change.
    pub end: Seq,
}

/// What a webhook is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDetails {
    /// Where events are sent.
    pub destination: DestinationUrl,
    /// Which events.
    pub events: Vec<EventName>,
    /// What it is for.
    pub description: Option<Description>,
    /// The only project whose events are sent; none for all of the organization.
    pub project_id: Option<ProjectId>,
    /// Whether somebody wants it to deliver.
    pub enabled: bool,
}

/// The members of a webhook to change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookPatch {
    /// Where events are sent.
    pub destination: Option<DestinationUrl>,
    /// Which events.
    pub events: Option<Vec<EventName>>,
    /// What it is for.
    pub description: Option<Option<Description>>,
    /// The only project.
    pub project_id: Option<Option<ProjectId>>,
    /// Whether it delivers.
    pub enabled: Option<bool>,
    /// The change after which to deliver anew.
    pub delivered_through: Option<Seq>,
}

/// What the deliveries of a webhook are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The secret.
    pub current: Secret,
    /// The one before, and until when deliveries are signed with it too.
    pub former: Option<(Secret, Timestamp)>,
}

/// A secret of 32 bytes, which receivers verify signatures with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret(pub [u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Which events a webhook gets.
///
/// ```
/// use timelog_domain::{Event, EventName};
///
/// assert!("*".parse::<EventName>()?.is_of(Event::Edit));
/// assert!("time.logged".parse::<EventName>()?.is_of(Event::Log));
/// assert!("time.invented".parse::<EventName>().is_err());
/// # Ok::<(), timelog_domain::UnknownEventName>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventName {
    /// All of them: `*`.
    Any,
    /// One kind.
    Of(Event),
}

/// The text does not name an event of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be \"*\" or the name of an event, such as \"time.logged\"")]
pub struct UnknownEventName;

impl EventName {
    /// Every name.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Any].into_iter().chain(Event::all().map(Self::Of))
    }

    /// Whether it names that event.
    #[must_use]
    pub fn is_of(self, event: Event) -> bool {
        self == Self::Any || self == Self::Of(event)
    }

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Of(event) => event.feed_name(),
        }
    }
}

crate::text_form::serialize!(EventName: |name| name.as_str());

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for EventName {
    type Err = UnknownEventName;

    fn from_str(text: &str) -> Result<Self, UnknownEventName> {
        Self::all().find(|name| name.as_str() == text).ok_or(UnknownEventName)
    }
}

impl Webhook {
    /// What it is found by.
    #[must_use]
    pub const fn key(&self) -> WebhookKey {
        (self.organization_id, self.id)
    }

    /// Whether it delivers: somebody wants it to, and it was not [given
    /// up](crate::delivery::DisabledReason).
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.details.enabled && self.delivery.disabled.is_none()
    }

    /// Whether it gets that event.
    #[must_use]
    pub fn wants(&self, event: Event) -> bool {
        self.details.events.iter().any(|name| name.is_of(event))
    }

    /// The webhook with those members changed; none where they say what it says already.
    ///
    /// Who changes the destination or enables the webhook wants it to be tried at once. One that was
    /// given up goes on from where it stood when it is enabled, and not before.
    #[must_use]
    pub(crate) fn patched(&self, patch: &WebhookPatch, now: Timestamp) -> Option<Self> {
        let patch = patch.clone();
        let details = &self.details;
        let wanted = patch.enabled.unwrap_or(self.is_enabled());
        let details = WebhookDetails {
            destination: patch.destination.unwrap_or_else(|| details.destination.clone()),
            events: patch.events.unwrap_or_else(|| details.events.clone()),
            description: patch.description.unwrap_or_else(|| details.description.clone()),
            project_id: patch.project_id.unwrap_or(details.project_id),
            // What was given up stays as it is until somebody enables it.
            enabled: if patch.enabled.is_none() { details.enabled } else { wanted },
        };
        let is_enabled_now = wanted && !self.is_enabled();
        let is_elsewhere = details.destination != self.details.destination;
        let mut delivery = self.delivery.clone();
        if is_enabled_now || is_elsewhere || patch.delivered_through.is_some() {
            let through = patch.delivered_through.unwrap_or(delivery.delivered_through);
            let disabled = delivery.disabled.filter(|_| !wanted);
            let last_error = delivery.last_error.filter(|_| disabled.is_some());
            delivery = Delivery { disabled, last_error, ..Delivery::after(through) };
        }
        if details == self.details && delivery == self.delivery {
            return None;
        }
        let version = self.version.next();
        Some(Self { version, details, delivery, updated_at: now, ..self.clone() })
    }

    /// The webhook with another secret. Deliveries are signed with the former one too, for
    /// [a day](FORMER_SECRET_LIFETIME).
    #[must_use]
    pub(crate) fn with_secret(&self, secret: Secret, now: Timestamp) -> Self {
        let until = now.saturating_add(FORMER_SECRET_LIFETIME);
        let secrets = Secrets { current: secret, former: Some((self.secrets.current, until)) };
        let version = self.version.next();
        Self { version, secrets, updated_at: now, ..self.clone() }
    }
}

impl WebhookState {
    /// How many changes it has not got to yet.
    #[must_use]
    pub fn behind(&self) -> u64 {
        let through = self.webhook.delivery.delivered_through;
        self.end.get().saturating_sub(through.get()).max(0).unsigned_abs()
    }
}

impl Secrets {
    /// Those that a delivery is signed with now, the current one first.
    pub fn at(&self, now: Timestamp) -> impl Iterator<Item = Secret> {
        let former = self.former.filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        [self.current].into_iter().chain(former)
    }
}
