//! What the service needs of the outside. Adapters implement these traits; the words MUST and MUST
//! NOT state what every caller relies on, and one suite of tests holds each adapter to them.

use std::pin::Pin;

use crate::access::ApiKey;
use crate::directory::{Project, Release, Ticket, User};
use crate::history::HistoryRecord;
use crate::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::ids::{KeyId, OrganizationId, ProjectId, ReleaseId, TicketId, TimeEntryId, UserId};
use crate::permission::Permissions;
use crate::query::{Filter, Page, PageRequest, Position};
use crate::request::{Decision, Request};
use crate::summary::{GroupBy, Summary};
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
    /// The store is away, locked or full. Trying again later helps. The change was not stored, or
    /// it was and a repeat with the same idempotency key finds that out.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is to be stored refers to what the store does not have, such as an organization that is
    /// not known.
    #[error("it refers to what does not exist")]
    UnknownReference,
    /// The adapter met what it cannot deal with, such as a stored value it does not know. Trying
    /// again does not help.
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
    /// - It MUST NOT answer before the changes are durable, and MUST store all of a request's
    ///   changes, the kept answer included, or none of them.
    /// - Requests that change the same entry, or that name the same external reference or
    ///   idempotency key, MUST come out as if they had run one after the other, whichever program
    ///   they ran in.
    /// - What a request only reads (a project, a user, a ticket, a release, or an entry that it
    ///   leaves as it is) MUST be as it was at some moment while the request ran. So time MAY be
    ///   logged on a project whose archiving was answered meanwhile. A request that begins after an
    ///   answer MUST see what was answered.
    /// - One request's failure MUST NOT change what becomes of another.
    /// - Once begun it MUST run to its end, even if the caller stops waiting.
    /// - On [`PortError::Busy`] and on a [`Refusal`](crate::Refusal) nothing MUST have changed.
    fn execute(&self, request: Request) -> PortFuture<'_, Decision>;

    /// The time entry of that id, as last stored. It MUST NOT see another organization's, and MUST
    /// see every change that was answered before it was called.
    fn find(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> PortFuture<'_, Option<TimeEntry>>;
}

/// The answers that are kept for repeats. They are written by [`TimeEntryRepository::execute`],
/// with the changes they answer.
pub trait IdempotencyCache: Send + Sync {
    /// The record kept under that scope, unless it has expired by `now`.
    fn find<'a>(
        &'a self,
        scope: &'a IdempotencyScope,
        now: Timestamp,
    ) -> PortFuture<'a, Option<IdempotencyRecord>>;

    /// Deletes at most `limit` records that have expired by `now`, and says how many. It MUST NOT
    /// delete a live one.
    fn sweep(&self, now: Timestamp, limit: u32) -> PortFuture<'_, u64>;
}

/// Reads many entries, and what became of them.
///
/// - No method MUST ever see another organization's entries or their history.
/// - All of them, and [`TimeEntryRepository::find`], MUST see the same entries: those that exist,
///   and of these those that the filter [matches](Filter::matches). So a count is the number of
///   entries on all pages, and a total is the sum of them.
/// - They MUST see every change that was answered before they were called.
pub trait TimeEntryQueries: Send + Sync {
    /// A page of the entries that the filter matches.
    ///
    /// - They MUST be in the order of [`Sort::compare`](crate::Sort::compare), and all of them
    ///   after the position that is asked for, whether or not there is an entry at it.
    /// - There MUST be as many as the limit allows, and a next position exactly if there are more.
    /// - So whoever reads from the beginning to the end MUST meet every entry exactly once that
    ///   exists all the while and keeps its place in the order, whatever is written meanwhile.
    /// - It SHOULD cost the same however far the position is from the beginning.
    ///
    /// A position of [another order](crate::Sort::has) is [`PortError::Internal`].
    fn list(
        &self,
        organization: OrganizationId,
        page: PageRequest,
    ) -> PortFuture<'_, Page<TimeEntry, Position>>;

    /// How many entries the filter matches.
    fn count(&self, organization: OrganizationId, filter: Filter) -> PortFuture<'_, u64>;

    /// What the entries that the filter matches add up to. The rows and the total MUST be of one
    /// moment.
    fn summarize(
        &self,
        organization: OrganizationId,
        filter: Filter,
        by: GroupBy,
    ) -> PortFuture<'_, Summary>;

    /// Every change of the entry of that id, oldest first; nothing where there never was one. It
    /// MUST outlive the entry.
    fn history(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> PortFuture<'_, Vec<HistoryRecord>>;
}

/// What entries may refer to.
///
/// - Every `put` creates or replaces and says whether it created. Repeating it MUST change nothing.
/// - A `put` into an organization or a project that is not known MUST be
///   [`PortError::UnknownReference`].
/// - No read MUST ever see what belongs to another organization, nor a ticket or release of
///   another project. Reads MUST see every `put` that was answered before.
/// - Pages are in ascending order of ids, of at most `limit` items, and begin after the id that is
///   given.
pub trait Directory: Send + Sync {
    /// Makes the organization known. Everything else needs that first.
    fn put_organization(&self, id: OrganizationId, name: Name) -> PortFuture<'_, bool>;
    /// Stores a project.
    fn put_project(&self, project: Project) -> PortFuture<'_, bool>;
    /// Stores a user.
    fn put_user(&self, user: User) -> PortFuture<'_, bool>;
    /// Stores a ticket of a project.
    fn put_ticket(&self, ticket: Ticket) -> PortFuture<'_, bool>;
    /// Stores a release of a project.
    fn put_release(&self, release: Release) -> PortFuture<'_, bool>;

    /// The project of that id.
    fn project(
        &self,
        organization: OrganizationId,
        id: ProjectId,
    ) -> PortFuture<'_, Option<Project>>;
    /// A page of the organization's projects.
    fn projects(
        &self,
        organization: OrganizationId,
        after: Option<ProjectId>,
        limit: u32,
    ) -> PortFuture<'_, Page<Project, ProjectId>>;
    /// The user of that id.
    fn user(&self, organization: OrganizationId, id: UserId) -> PortFuture<'_, Option<User>>;
    /// A page of the organization's users.
    fn users(
        &self,
        organization: OrganizationId,
        after: Option<UserId>,
        limit: u32,
    ) -> PortFuture<'_, Page<User, UserId>>;
    /// The ticket of that id in that project.
    fn ticket(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        id: TicketId,
    ) -> PortFuture<'_, Option<Ticket>>;
    /// The release of that id in that project.
    fn release(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        id: ReleaseId,
    ) -> PortFuture<'_, Option<Release>>;
}

/// Whether the store can be worked with.
pub trait Health: Send + Sync {
    /// How the store is now; an error where it does not answer, or where it carries out no changes.
    ///
    /// - It MUST ask the store each time, and MUST change nothing in it.
    /// - [`current`](Readiness::current) MUST be false as long as the store lacks anything of the
    ///   schema that this program needs.
    /// - [`warnings`](Readiness::warnings) MUST name every setting that the adapter knows of and
    ///   cannot answer for, because of which the store may lose what was answered. They MUST NOT
    ///   hold a secret.
    fn check(&self) -> PortFuture<'_, Readiness>;
}

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Whether it has the schema that this program needs.
    pub current: bool,
    /// What its operator should know, a sentence each; nothing where all is well.
    pub warnings: Vec<String>,
}

/// The keys that callers authenticate with.
pub trait ApiKeys: Send + Sync {
    /// The key whose text was presented, revoked or not; none where the text is no key's. A text
    /// that a key had [before](Self::rotate) is still the key's while its time is not over. The
    /// comparison MUST take the same time wherever the texts differ, and the store MUST hold only a
    /// digest of the text.
    fn find<'a>(&'a self, presented: &'a str, now: Timestamp) -> PortFuture<'a, Option<ApiKey>>;

    /// Makes a key. Its text is in the answer and nowhere else.
    fn create(&self, key: NewApiKey) -> PortFuture<'_, IssuedKey>;

    /// Gives a key another text and returns it; none where there is no key of that id, or where it
    /// was revoked. The key stays who it is: only its prefix changes. The text that it had works
    /// before `former_until` and no longer; an earlier one that still worked is not touched.
    fn rotate(
        &self,
        id: KeyId,
        now: Timestamp,
        former_until: Timestamp,
    ) -> PortFuture<'_, Option<IssuedKey>>;

    /// The keys of an organization, oldest first.
    fn list(&self, organization: OrganizationId) -> PortFuture<'_, Vec<ApiKey>>;

    /// Revokes a key; false where there is none of that id. A key that is already revoked stays as
    /// it is.
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
