//! The ports: what the domain needs of the outside. Adapters implement these traits. MUST and MUST
//! NOT state what callers rely on; one suite of tests checks it on every adapter.

mod webhooks;

use std::pin::Pin;

use crate::access::ApiKey;
use crate::closing::{Closing, ClosingKey};
use crate::directory::{Names, Project, References, Release, Ticket, User};
use crate::feed::{FeedPage, FeedRequest};
use crate::history::HistoryRecord;
use crate::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::ids::{KeyId, OrganizationId, ProjectId, ReleaseId, TicketId, TimeEntryId, UserId};
use crate::permission::Permissions;
use crate::query::{Filter, Page, PageRequest, Position};
use crate::request::{Decision, Request};
use crate::summary::{GroupBy, Summary, TooManyGroups};
use crate::text::Name;
use crate::time_entry::TimeEntry;
use crate::timestamp::Timestamp;

pub use webhooks::{Backlog, Deliveries, DeliveryProgress, LEASE, Webhooks};

/// What a port's method returns: a future for any runtime.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, PortError>> + Send + 'a>>;

/// Why a port could not do its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// More work is waiting than the adapter takes. Nothing was begun; trying again later helps.
    #[error("too many requests are waiting for the store")]
    Busy,
    /// The store is unreachable, locked or full. Trying again later helps. The change may or may
    /// not be stored; a repeat with the same idempotency key is safe.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// A value refers to something that the store does not have, such as an unknown organization.
    #[error("it refers to what does not exist")]
    UnknownReference,
    /// A fault of the adapter or of its data, such as an unknown stored value. Trying again does
    /// not help.
    #[error("the store failed: {0}")]
    Internal(String),
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The store of time entries.
pub trait TimeEntryRepository: Send + Sync {
    /// Decides a request with [`handle`](crate::handle) and stores what it changes.
    ///
    /// - It MUST NOT answer before the changes are durable, and MUST store all of a request's
    ///   changes, with the stored answer, or none of them.
    /// - Requests that change the same entry, or that name the same external reference or
    ///   idempotency key, MUST have the result of running one after the other, also in different
    ///   programs.
    /// - What a request only reads (a project, a user, a ticket, a release, or an entry that it
    ///   leaves as it is) MUST be as it was at some moment while the request ran. So time MAY be
    ///   logged on a project whose archiving was answered meanwhile. A request that begins after an
    ///   answer MUST see what was answered.
    /// - The failure of one request MUST NOT change the result of another.
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

/// The stored answers for repeats. [`TimeEntryRepository::execute`] writes them, together with the
/// changes of their requests.
pub trait IdempotencyCache: Send + Sync {
    /// The record of that scope, unless it has expired by `now`.
    fn find<'a>(
        &'a self,
        scope: &'a IdempotencyScope,
        now: Timestamp,
    ) -> PortFuture<'a, Option<IdempotencyRecord>>;

    /// Deletes at most `limit` records that have expired by `now`. Returns how many. It MUST NOT
    /// delete a live one.
    fn sweep(&self, now: Timestamp, limit: u32) -> PortFuture<'_, u64>;
}

/// Reads many entries, and the history of one.
///
/// - No method MUST ever see another organization's entries or their history.
/// - All of them, and [`TimeEntryRepository::find`], MUST see the same entries: those that exist,
///   and of these those that the filter [matches](Filter::matches). So a count is the number of
///   entries on all pages, and a total is the sum of them.
/// - They MUST see every change that was answered before they were called.
pub trait TimeEntryQueries: Send + Sync {
    /// A page of the entries that the filter matches.
    ///
    /// - They MUST be in the order of [`Sort::compare`](crate::Sort::compare), and after the
    ///   position `after`, whether or not an entry has that position.
    /// - There MUST be as many as the limit allows, and a next position exactly if there are more.
    /// - A reader of all pages MUST get every entry exactly once that exists from beginning to end
    ///   with the same position, whatever else is written meanwhile.
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

    /// The totals of the entries that the filter matches. Rows and total MUST be of the same
    /// moment. Where there are too many groups, it MUST not need the memory for all of them.
    fn summarize(
        &self,
        organization: OrganizationId,
        filter: Filter,
        by: GroupBy,
    ) -> PortFuture<'_, Result<Summary, TooManyGroups>>;

    /// Every change of the entry of that id, oldest first; empty if there never was such an entry.
    /// It MUST outlive the entry.
    fn history(
        &self,
        organization: OrganizationId,
        id: TimeEntryId,
    ) -> PortFuture<'_, Vec<HistoryRecord>>;
}

/// Reads the closings of the books. [`TimeEntryRepository::execute`] makes them.
///
/// No method MUST ever see another organization's, and each MUST see every closing that was answered
/// before it was called. Once a closing was answered, no change MUST be stored that the closed
/// period [does not take](crate::Event::changes_work), also by another program.
pub trait Closings: Send + Sync {
    /// The last closings of an organization as a whole, or of one of its projects, the newest
    /// first, of at most `limit`.
    fn closings(&self, of: ClosingKey, limit: u32) -> PortFuture<'_, Vec<Closing>>;
}

/// Ends when something may have changed.
pub type Notice = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Reads the [feed](crate::feed): all changes of an organization, in the order of their commits.
///
/// - A change MUST get its number in the commit that stores it, so that a commit that fails leaves
///   no gap, and that of two commits the first to be seen has the smaller numbers.
/// - No method MUST ever see another organization's changes.
pub trait ChangeFeed: Send + Sync {
    /// The changes that the reader [sees](FeedRequest::sees), in order.
    ///
    /// - It MUST have every change up to [`through`](FeedPage::through) that the reader sees, and
    ///   none after that.
    /// - [`end`](FeedPage::end) MUST be at least the last change that was answered before it was
    ///   called.
    /// - Each entry MUST be as it stands at a moment not before its change, and none where the
    ///   reader [may not see it](FeedRequest::may_see).
    /// - It MAY look at a bounded number of changes, and so have none although there are more. It
    ///   MUST look at one at least, if there is one.
    ///
    /// An organization that is not known is [`PortError::UnknownReference`].
    fn changes(
        &self,
        organization: OrganizationId,
        request: FeedRequest,
    ) -> PortFuture<'_, FeedPage>;

    /// A notice that MUST end soon after this program commits a change of the organization that was
    /// not there when this was called, and within some seconds of one by another program. It MAY
    /// end without any.
    fn notice(&self, organization: OrganizationId) -> Notice;
}

/// The directory, which entries refer to.
///
/// - Every `put` creates or replaces, and returns whether it created. Repeating it MUST change
///   nothing.
/// - A `put` into an organization or a project that is not known MUST be
///   [`PortError::UnknownReference`].
/// - A read MUST NOT see anything of another organization, nor a ticket or release of another
///   project. It MUST see every `put` that was answered before.
/// - Pages are in ascending order of ids, of at most `limit` items, and begin after the id that is
///   given.
pub trait Directory: Send + Sync {
    /// Stores an organization. Everything else needs that first.
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
    /// A page of the project's tickets.
    fn tickets(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        after: Option<TicketId>,
        limit: u32,
    ) -> PortFuture<'_, Page<Ticket, TicketId>>;
    /// The release of that id in that project.
    fn release(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        id: ReleaseId,
    ) -> PortFuture<'_, Option<Release>>;
    /// The names of these. What is not there has none.
    fn names(&self, organization: OrganizationId, of: References) -> PortFuture<'_, Names>;
    /// A page of the project's releases.
    fn releases(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        after: Option<ReleaseId>,
        limit: u32,
    ) -> PortFuture<'_, Page<Release, ReleaseId>>;
}

/// Whether the store can be used.
pub trait Health: Send + Sync {
    /// The state of the store now; an error if it does not answer or cannot make changes.
    ///
    /// - It MUST ask the store each time, and MUST change nothing in it.
    /// - [`current`](Readiness::current) MUST be false as long as the store lacks anything of the
    ///   schema that this program needs.
    /// - [`warnings`](Readiness::warnings) MUST name every setting the adapter knows of that may
    ///   make the store lose answered changes. They MUST NOT have a secret.
    fn check(&self) -> PortFuture<'_, Readiness>;
}

/// The state of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Whether it has the schema that this program needs.
    pub current: bool,
    /// Warnings for the operator, a sentence each.
    pub warnings: Vec<String>,
}

/// The keys that callers authenticate with.
pub trait ApiKeys: Send + Sync {
    /// The key with this text, revoked or not. The [former](Self::rotate) text of a key also finds
    /// it, until that expires. The comparison MUST take the same time wherever the texts differ,
    /// and the store MUST have only a digest of the text.
    fn find<'a>(&'a self, presented: &'a str, now: Timestamp) -> PortFuture<'a, Option<ApiKey>>;

    /// Makes a key. Only this result has its text.
    fn create(&self, key: NewApiKey) -> PortFuture<'_, IssuedKey>;

    /// Gives a key a new text and returns it; none if there is no key of that id or it was revoked.
    /// Nothing else of the key changes but its prefix. Its former text works until `former_until`.
    /// This does not change how long earlier former texts work.
    fn rotate(
        &self,
        id: KeyId,
        now: Timestamp,
        former_until: Timestamp,
    ) -> PortFuture<'_, Option<IssuedKey>>;

    /// The keys of an organization, oldest first.
    fn list(&self, organization: OrganizationId) -> PortFuture<'_, Vec<ApiKey>>;

    /// Revokes a key; false if there is none of that id. A key that is already revoked does not
    /// change.
    fn revoke(&self, id: KeyId, now: Timestamp) -> PortFuture<'_, bool>;
}

/// What to make a key with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// The id to give it.
    pub id: KeyId,
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The project to limit it to.
    pub project_id: Option<ProjectId>,
    /// The user to bind it to.
    pub user_id: Option<UserId>,
    /// Its permissions.
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
