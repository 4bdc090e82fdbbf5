//! The stored values that decisions need, and the changes they make.

mod journal;

use std::collections::{HashMap, HashSet};

use self::journal::Undo;
use crate::closing::{Books, Closing, ClosingKey, PeriodClosed};
use crate::directory::{Project, Release, Ticket, User};
use crate::external_ref::ExternalRef;
use crate::feed::Seq;
use crate::found::{FoundTooMany, MOST_FOUND};
use crate::history::Event;
use crate::idempotency::{IdempotencyRecord, IdempotencyScope};
use crate::ids::{
    OrganizationId, ProjectId, ReleaseId, TicketId, TimeEntryId, TimeEntryKey, UserId, WebhookKey,
};
use crate::query::Filter;
use crate::time_entry::TimeEntry;
use crate::webhook::Webhook;
use crate::work_date::WorkDate;

pub(crate) type RefKey = (OrganizationId, ExternalRef);

/// Stored state as plain values. An adapter loads what the requests of one batch
/// [touch](crate::Touches), the decisions change it, and the adapter saves the
/// [`Changes`](crate::Changes). A value that was not loaded does not exist for decisions.
#[derive(Debug, Default)]
pub struct Ledger {
    projects: HashMap<(OrganizationId, ProjectId), Project>,
    users: HashMap<(OrganizationId, UserId), User>,
    tickets: HashSet<(OrganizationId, ProjectId, TicketId)>,
    releases: HashSet<(OrganizationId, ProjectId, ReleaseId)>,
    time_entries: HashMap<TimeEntryKey, TimeEntry>,
    external_refs: HashMap<RefKey, TimeEntryId>,
    answers: HashMap<IdempotencyScope, IdempotencyRecord>,
    books: HashMap<OrganizationId, Books>,
    closings: HashMap<ClosingKey, Closing>,
    too_many: Vec<(OrganizationId, Filter, FoundTooMany)>,
    webhooks: HashMap<WebhookKey, Webhook>,
    feed_ends: HashMap<OrganizationId, Seq>,
    journal: Vec<Undo>,
}

/// That the books are open for a change. Only [`Ledger::open`] makes one, and no entry changes
/// without.
#[derive(Debug)]
pub(crate) struct Open(());

/// A state that a ledger can be rolled back to.
#[derive(Debug, Clone, Copy)]
pub struct Savepoint(usize);

/// Loading stored values, which does not count as a change.
impl Ledger {
    /// Adds a stored project, or replaces it.
    pub fn load_project(&mut self, project: Project) {
        self.projects.insert((project.organization_id, project.id), project);
    }

    /// Adds a stored user, or replaces it.
    pub fn load_user(&mut self, user: User) {
        self.users.insert((user.organization_id, user.id), user);
    }

    /// Adds a stored ticket.
    pub fn load_ticket(&mut self, ticket: &Ticket) {
        self.tickets.insert((ticket.organization_id, ticket.project_id, ticket.id));
    }

    /// Adds a stored release.
    pub fn load_release(&mut self, release: &Release) {
        self.releases.insert((release.organization_id, release.project_id, release.id));
    }

    /// Adds a stored time entry.
    pub fn load_time_entry(&mut self, entry: TimeEntry) {
        self.insert(entry);
    }

    /// Adds what is known of an organization's books.
    pub fn load_books(&mut self, organization: OrganizationId, books: Books) {
        self.books.insert(organization, books);
    }

    /// Adds a closing that counts.
    pub fn load_closing(&mut self, closing: Closing) {
        self.closings.insert(closing.key(), closing);
    }

    /// Notes that a filter finds more stored entries than can be changed at once. Otherwise all of
    /// them MUST be loaded.
    pub fn load_too_many(
        &mut self,
        organization: OrganizationId,
        filter: Filter,
        found: FoundTooMany,
    ) {
        self.too_many.push((organization, filter, found));
    }

    /// Adds a stored webhook.
    pub fn load_webhook(&mut self, webhook: Webhook) {
        self.webhooks.insert(webhook.key(), webhook);
    }

    /// Adds the number of an organization's last change.
    pub fn load_feed_end(&mut self, organization: OrganizationId, end: Seq) {
        self.feed_ends.insert(organization, end);
    }

    /// Adds a stored answer, live or expired.
    pub fn load_answer(&mut self, scope: IdempotencyScope, record: IdempotencyRecord) {
        self.answers.insert(scope, record);
    }
}

/// Looking up.
impl Ledger {
    /// The project of that id.
    #[must_use]
    pub fn project(&self, organization: OrganizationId, id: ProjectId) -> Option<&Project> {
        self.projects.get(&(organization, id))
    }

    /// The user of that id.
    #[must_use]
    pub fn user(&self, organization: OrganizationId, id: UserId) -> Option<&User> {
        self.users.get(&(organization, id))
    }

    /// Whether the project has that ticket.
    #[must_use]
    pub fn has_ticket(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        id: TicketId,
    ) -> bool {
        self.tickets.contains(&(organization, project, id))
    }

    /// Whether the project has that release.
    #[must_use]
    pub fn has_release(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        id: ReleaseId,
    ) -> bool {
        self.releases.contains(&(organization, project, id))
    }

    /// The time entry of that id.
    #[must_use]
    pub fn time_entry(&self, organization: OrganizationId, id: TimeEntryId) -> Option<&TimeEntry> {
        self.time_entries.get(&(organization, id))
    }

    /// The time entry of that external reference.
    #[must_use]
    pub fn time_entry_by_ref(
        &self,
        organization: OrganizationId,
        reference: &ExternalRef,
    ) -> Option<&TimeEntry> {
        let id = self.external_refs.get(&(organization, reference.clone()))?;
        self.time_entry(organization, *id)
    }

    /// The entries that the filter matches, in the order of their days and ids.
    ///
    /// # Errors
    ///
    /// [`FoundTooMany`] where there are more than [`MOST_FOUND`].
    pub fn find(
        &self,
        organization: OrganizationId,
        filter: &Filter,
    ) -> Result<Vec<&TimeEntry>, FoundTooMany> {
        let known =
            self.too_many.iter().find(|(of, known, _)| *of == organization && known == filter);
        if let Some((_, _, found)) = known {
            return Err(*found);
        }
        let own =
            self.time_entries.values().filter(|entry| entry.organization_id() == organization);
        let mut found: Vec<_> = own.filter(|entry| filter.matches(entry)).collect();
        if found.len() > MOST_FOUND {
            return Err(FoundTooMany::Exactly(found.len() as u64));
        }
        found.sort_unstable_by_key(|entry| (entry.details().work_date, entry.id()));
        Ok(found)
    }

    /// The organization's books.
    #[must_use]
    pub fn books(&self, organization: OrganizationId) -> Books {
        self.books.get(&organization).copied().unwrap_or(Books::OPEN)
    }

    /// The closing that counts there, if there was any.
    #[must_use]
    pub fn closing(&self, key: ClosingKey) -> Option<&Closing> {
        self.closings.get(&key)
    }

    /// The last day on which a project is closed, by itself or with all others.
    #[must_use]
    pub fn closed_through(
        &self,
        organization: OrganizationId,
        project: ProjectId,
    ) -> Option<WorkDate> {
        let closings = [None, Some(project)].map(|scope| self.closing((organization, scope)));
        closings.into_iter().flatten().filter_map(|closing| closing.through).max()
    }

    /// Whether the books are open for an event on these days of these projects. This is the only
    /// place that knows what a closed period means, for every way to write.
    pub(crate) fn open(
        &self,
        event: Event,
        organization: OrganizationId,
        places: &[(ProjectId, WorkDate)],
    ) -> Result<Open, PeriodClosed> {
        let closed = places.iter().find_map(|&(project, day)| {
            let through = self.closed_through(organization, project)?;
            (day <= through).then_some(PeriodClosed { through, day })
        });
        closed.filter(|_| event.changes_work()).map_or(Ok(Open(())), Err)
    }

    /// The webhook of that key.
    #[must_use]
    pub fn webhook(&self, key: WebhookKey) -> Option<&Webhook> {
        self.webhooks.get(&key)
    }

    /// The number of the organization's last change, as it was loaded.
    #[must_use]
    pub fn feed_end(&self, organization: OrganizationId) -> Seq {
        self.feed_ends.get(&organization).copied().unwrap_or(Seq::START)
    }

    /// The stored answer of that scope, live or expired.
    #[must_use]
    pub fn answer(&self, scope: &IdempotencyScope) -> Option<&IdempotencyRecord> {
        self.answers.get(scope)
    }
}

/// For the adapter in memory.
#[cfg(any(test, feature = "test-support"))]
impl Ledger {
    /// The time entries of an organization, in no order.
    pub(crate) fn time_entries_of(
        &self,
        organization: OrganizationId,
    ) -> impl Iterator<Item = &TimeEntry> {
        self.time_entries.values().filter(move |entry| entry.organization_id() == organization)
    }

    /// Removes at most `limit` answers that have expired by `now`. Returns how many.
    pub(crate) fn sweep_answers(&mut self, now: crate::Timestamp, limit: u32) -> u64 {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let expired = self.answers.iter().filter(|(_, record)| !record.is_live(now));
        let expired: Vec<_> = expired.map(|(scope, _)| scope.clone()).take(limit).collect();
        expired.iter().filter(|scope| self.answers.remove(scope).is_some()).count() as u64
    }
}

impl Ledger {
    fn insert(&mut self, entry: TimeEntry) -> Option<TimeEntry> {
        let organization = entry.organization_id();
        if let Some(reference) = entry.external_ref() {
            self.external_refs.insert((organization, reference.clone()), entry.id());
        }
        self.time_entries.insert((organization, entry.id()), entry)
    }

    fn remove(&mut self, key: &TimeEntryKey) -> Option<TimeEntry> {
        let removed = self.time_entries.remove(key);
        if let Some(reference) = removed.as_ref().and_then(TimeEntry::external_ref) {
            self.external_refs.remove(&(key.0, reference.clone()));
        }
        removed
    }
}
