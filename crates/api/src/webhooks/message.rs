//! What is sent to a receiver, and its signatures: those of
//! [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use timelog_adapters::digest;
use timelog_domain::{Change, EventId, FeedEpoch, Secret, Secrets, Timestamp, UserId, WebhookId};
use uuid::{Builder, Uuid};

use crate::wire::bytes;
use crate::wire::event::{EventBody, PingBody};

/// An event as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its name: the same on every attempt and for every webhook.
    pub(super) id: EventId,
    pub(super) body: Vec<u8>,
}

/// The headers of a message.
pub(super) const ID: &str = "webhook-id";
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
pub(super) const SIGNATURE: &str = "webhook-signature";

impl Message {
    /// The event of a change, in that life of the feed.
    pub(crate) fn of(change: &Change, epoch: FeedEpoch) -> Self {
        let seq = change.seq.get().to_be_bytes();
        let name = digest(&[b"timelog event ", epoch.uuid().as_bytes(), &seq]);
        let id = EventId::new(Builder::from_custom_bytes(name).into_uuid());
        Self { id, body: bytes(&EventBody::new(id, change)) }
    }

    /// A message that says only that it arrives.
    pub(crate) fn ping(webhook: WebhookId, user: Option<UserId>, now: Timestamp) -> Self {
        let id = EventId::new(Uuid::now_v7());
        Self { id, body: bytes(&PingBody::new(id, webhook, user, now)) }
    }

    /// A signature with each of the secrets that count now.
    pub(super) fn signatures(&self, secrets: &Secrets, now: Timestamp) -> String {
        let signed = secrets.at(now).map(|secret| format!("v1,{}", self.sign(secret, now)));
        signed.collect::<Vec<_>>().join(" ")
    }

    fn sign(&self, secret: Secret, now: Timestamp) -> String {
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&secret.0) else { return String::new() };
        mac.update(format!("{}.{}.", self.id, seconds(now)).as_bytes());
        mac.update(&self.body);
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

/// Whole seconds since 1970-01-01T00:00:00Z.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.unix_millis().div_euclid(1000)
}

/// A secret as receivers get it.
pub(crate) fn secret_text(secret: Secret) -> String {
    format!("whsec_{}", STANDARD.encode(secret.0))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use standardwebhooks::Webhook;

    use super::*;

    fn headers(message: &Message, secrets: &Secrets, now: Timestamp) -> http::HeaderMap {
        let values = [
            (ID, message.id.to_string()),
            (TIMESTAMP, seconds(now).to_string()),
            (SIGNATURE, message.signatures(secrets, now)),
        ];
        values
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn is_verified(secret: Secret, body: &[u8], headers: &http::HeaderMap) -> bool {
        Webhook::new(&secret_text(secret)).unwrap().verify(body, headers).is_ok()
    }

    #[test]
    fn receivers_verify_with_the_secret_that_they_got() {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap()).unwrap();
        let message = Message::ping(WebhookId::new(Uuid::nil()), None, now);
        let (current, former, other) = (Secret([1; 32]), Secret([2; 32]), Secret([3; 32]));
        let until = now.saturating_add(Duration::from_millis(1));
        let secrets = Secrets { current, former: Some((former, until)) };
        let both = headers(&message, &secrets, now);
        assert!(is_verified(current, &message.body, &both));
        assert!(is_verified(former, &message.body, &both));
        assert!(!is_verified(other, &message.body, &both));
        assert!(!is_verified(current, b"{}", &both));
        let late = headers(&message, &secrets, until);
        assert!(is_verified(current, &message.body, &late));
        assert!(!is_verified(former, &message.body, &late));
    }
}
