//! Stored answers, by which a repeated request has no second effect.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::ids::{KeyId, OrganizationId};
use crate::outcome::Outcome;
use crate::timestamp::Timestamp;

/// How long an answer is stored: 24 hours after its request was carried out.
pub const ANSWER_LIFETIME: Duration = Duration::from_hours(24);

/// The value of an `Idempotency-Key`: 1 to 255 characters from space to `~`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// The text is not an [`IdempotencyKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// The most characters a key may have.
    pub const MAX_CHARS: usize = 255;

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IdempotencyKey {
    type Error = InvalidIdempotencyKey;

    fn try_from(text: String) -> Result<Self, InvalidIdempotencyKey> {
        let fits = (1..=Self::MAX_CHARS).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if fits { Ok(Self(text)) } else { Err(InvalidIdempotencyKey) }
    }
}

/// What an idempotency key is unique within, with the key. Requests with equal scopes are repeats.
///
/// API keys have separate scopes, because two programs of one organization may both number their
/// requests from 1. An API key keeps its id, and so its scopes, when its secret is rotated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyScope {
    /// The caller's organization.
    pub organization_id: OrganizationId,
    /// The API key that the request is made with.
    pub key_id: KeyId,
    /// The request's method and path, such as `POST /time-entries`.
    pub operation: String,
    /// The key itself.
    pub key: IdempotencyKey,
}

/// A digest of a request's body, by which a repeat with another body is known: 16 bytes of a hash
/// without known collisions. They are kept with each answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

/// An HTTP answer as it was sent, so that a repeat gets the same. The domain only stores and
/// returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The status, a 2xx.
    pub status: u16,
    /// The `Location` header.
    pub location: Option<String>,
    /// The `ETag` header.
    pub etag: Option<String>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// What is stored for an [`IdempotencyScope`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The digest of the request's body.
    pub fingerprint: Fingerprint,
    /// The answer.
    pub answer: StoredAnswer,
    /// The first instant at which the key can be used anew.
    pub expires_at: Timestamp,
}

impl IdempotencyRecord {
    /// Whether the record still answers repeats. At `expires_at` it does not.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

/// What to do with a repeat that has another body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MismatchPolicy {
    /// Replay the stored answer.
    #[default]
    Replay,
    /// Refuse it.
    Reject,
}

/// Renders an outcome as the answer that is sent and stored.
pub type Render = Arc<dyn Fn(&Outcome) -> StoredAnswer + Send + Sync>;

/// A request's claim on an idempotency key.
#[derive(Clone)]
pub struct Claim {
    /// The idempotency key and what it is unique within.
    pub scope: IdempotencyScope,
    /// The digest of this request's body.
    pub fingerprint: Fingerprint,
    /// What to do if the stored answer is that of another body.
    pub on_mismatch: MismatchPolicy,
    /// Renders the answer to store, if this request is the first.
    pub render: Render,
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("scope", &self.scope).finish_non_exhaustive()
    }
}
