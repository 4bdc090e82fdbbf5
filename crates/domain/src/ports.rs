//! What the service needs of the outside. Adapters implement these traits; the words MUST and MUST NOT state what every
//! caller relies on, and one suite of tests holds each adapter to them.

use std::pin::Pin;

use crate::access::{ApiKey, Permissions};
use crate::directory::{Entry, Project, Release, User};
use crate::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::ids::{KeyId, OrganizationId, ProjectId, TimeEntryId, UserId};
use crate::request::{Decision, Request};
use crate::text::Name;
use crate::time_entry::TimeEntry;
use crate::timestamp::Timestamp;

/// What a port's method returns: a future that any runtime can drive.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send + 'a>>;

/// Why a port could not do its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// More work is waiting than the adapter takes. Nothing was begun; trying again later helps.
    #[error("too many requests are waiting for the store")]
    Busy,
    /// The store is away, locked or full. Trying again later helps. The change was not stored, or it was and a repeat with
    /// the same idempotency key finds that out.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is to be stored refers to what the store does not have, such as an organization that is not known.
    #[error("it refers to what does not exist")]
    UnknownReference,
    /// The adapter met what it cannot deal with, such as a stored value it does not know. Trying again does not help.
    #[error("the store failed: {0}")]
    Internal(String),
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Where time entries are kept.
pub trait TimeEntryRepository: Send + Sync {
    /// Decides a request with [`handle`](crate::handle) and stores what it changes.
    ///
    /// - It MUST NOT answer before the changes are durable, and MUST store all of a request's changes, the kept answer
    ///   included, or none of them.
    /// - Requests that run at the same time MUST come out as if they had run one after the other.
    /// - One request's failure MUST NOT change what becomes of another.
    /// - Once begun it MUST run to its end, even if the caller stops waiting.
    /// - On [`PortError::Busy`] and on a [`Refusal`](crate::Refusal) nothing MUST have changed.
    fn execute(&self, request: Request) -> PortFuture<'_, Decision>;

    /// The time entry of that id, as last stored. It MUST NOT see another organization's, and MUST see every change that was
    /// answered before it was called.
    fn find(&self, organization: OrganizationId, id: TimeEntryId) -> PortFuture<'_, Option<TimeEntry>>;
}

/// The answers that are kept for repeats. They are written by [`TimeEntryRepository::execute`], with the changes they answer.
pub trait IdempotencyCache: Send + Sync {
    /// The record kept under that scope, unless it has expired by `now`.
    fn find<'a>(&'a self, scope: &'a IdempotencyScope, now: Timestamp) -> PortFuture<'a, Option<IdempotencyRecord>>;

    /// Deletes at most `limit` records that have expired by `now`, and says how many. It MUST NOT delete a live one.
    fn sweep(&self, now: Timestamp, limit: u32) -> PortFuture<'_, u64>;
}

/// What entries may refer to. Every `put` creates or replaces, and repeating it changes nothing.
pub trait Directory: Send + Sync {
    /// Makes the organization known. Everything else needs that first.
    fn put_organization(&self, id: OrganizationId, name: Name) -> PortFuture<'_, ()>;
    /// Stores a project.
    fn put_project(&self, project: Project) -> PortFuture<'_, ()>;
    /// Stores a user.
    fn put_user(&self, user: User) -> PortFuture<'_, ()>;
    /// Stores a backlog entry of a project.
    fn put_entry(&self, entry: Entry) -> PortFuture<'_, ()>;
    /// Stores a release of a project.
    fn put_release(&self, release: Release) -> PortFuture<'_, ()>;
}

/// Whether the store can be worked with.
pub trait Health: Send + Sync {
    /// Whether the store has the schema that this program needs; an error where it does not answer at all.
    fn is_current(&self) -> PortFuture<'_, bool>;
}

/// The keys that callers authenticate with.
pub trait ApiKeys: Send + Sync {
    /// The key whose text was presented, revoked or not; none where the text is no key's. The comparison MUST take the same
    /// time wherever the texts differ, and the store MUST hold only a digest of the text.
    fn find<'a>(&'a self, presented: &'a str) -> PortFuture<'a, Option<ApiKey>>;

    /// Makes a key. Its text is in the answer and nowhere else.
    fn create(&self, key: NewApiKey) -> PortFuture<'_, IssuedKey>;

    /// The keys of an organization, oldest first.
    fn list(&self, organization: OrganizationId) -> PortFuture<'_, Vec<ApiKey>>;

    /// Revokes a key; false where there is none of that id. A key that is already revoked stays as it is.
    fn revoke(&self, id: KeyId, now: Timestamp) -> PortFuture<'_, bool>;
}

/// What a new key is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// The id to give it.
    pub id: KeyId,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The project to narrow it to.
    pub project_id: Option<ProjectId>,
    /// The user to bind it to.
    pub user_id: Option<UserId>,
    /// What it may do.
    pub permissions: Permissions,
    /// When it is made.
    pub created_at: Timestamp,
}

/// A key that was just made, with the text that is shown once.
#[derive(Clone)]
pub struct IssuedKey {
    /// The key.
    pub key: ApiKey,
    /// `tlk_<prefix>_<secret>`.
    pub text: String,
}

impl std::fmt::Debug for IssuedKey {
    /// Leaves the secret out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedKey").field("key", &self.key).finish_non_exhaustive()
    }
}
