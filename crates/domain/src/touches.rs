//! The stored rows that a batch of requests needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::{Command, LogTimeEntry};
use crate::details::Patch;
use crate::idempotency::IdempotencyScope;
use crate::ids::{
    OrganizationId, ProjectId, ReleaseId, TicketId, TimeEntryId, TimeEntryKey, UserId, WebhookKey,
};
use crate::ledger::{Ledger, RefKey};
use crate::query::Filter;
use crate::request::Request;
use crate::time_entry::TimeEntry;

/// The rows that requests can read or change. Sets are ordered, so every adapter locks rows in one
/// order.
///
/// They are found in two steps: [`Touches::from_iter`] finds those that the requests name, and
/// [`Touches::following`] the rest, once the first are loaded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Touches {
    /// Projects.
    pub projects: BTreeSet<(OrganizationId, ProjectId)>,
    /// Users.
    pub users: BTreeSet<(OrganizationId, UserId)>,
    /// Tickets.
    pub tickets: BTreeSet<(OrganizationId, ProjectId, TicketId)>,
    /// Releases.
    pub releases: BTreeSet<(OrganizationId, ProjectId, ReleaseId)>,
    /// Time entries.
    pub time_entries: BTreeSet<TimeEntryKey>,
    /// Time entries by their external reference.
    pub external_refs: BTreeSet<RefKey>,
    /// Time entries by filters: all that match, or how many there are.
    pub filters: Vec<(OrganizationId, Filter)>,
    /// Stored answers.
    pub answers: BTreeSet<IdempotencyScope>,
    /// Organizations whose books have to be known, with the closing that counts for all projects.
    pub books: BTreeSet<OrganizationId>,
    /// Closings of projects that count. They MUST NOT be older than the books.
    pub closings: BTreeSet<(OrganizationId, ProjectId)>,
    /// Webhooks.
    pub webhooks: BTreeSet<WebhookKey>,
    /// Organizations whose last change has to be known.
    pub feeds: BTreeSet<OrganizationId>,
}

impl<'a> FromIterator<&'a Request> for Touches {
    fn from_iter<I: IntoIterator<Item = &'a Request>>(requests: I) -> Self {
        let mut touches = Self::default();
        for request in requests {
            touches.add(request);
        }
        touches
    }
}

/// The entries that a request changes by their ids, or by a filter.
fn entries_of(request: &Request, ledger: &Ledger) -> Vec<TimeEntryId> {
    let organization = request.caller.organization_id;
    match request.command.filter() {
        Some(filter) => {
            // Too many are not changed.
            let found = ledger.find(organization, filter).unwrap_or_default();
            found.into_iter().map(TimeEntry::id).collect()
        }
        None => request.command.time_entry_ids().collect(),
    }
}

impl Touches {
    /// What the requests need in addition, once the rows of [`Touches::from_iter`] are loaded. It
    /// is usually empty. An edit that names a ticket or release, or moves its entry, needs these in
    /// the project of the entry, which the request does not name.
    #[must_use]
    pub fn following(requests: &[Request], ledger: &Ledger) -> Self {
        let mut touches = Self::default();
        let mut edited = BTreeMap::<_, Vec<&Patch>>::new();
        for request in requests {
            let organization = request.caller.organization_id;
            let Some(patch) = request.command.patch() else { continue };
            for id in entries_of(request, ledger) {
                edited.entry((organization, id)).or_default().push(patch);
            }
        }
        for request in requests {
            touches.add_closings(request, ledger);
        }
        for (key, patches) in edited {
            touches.add_edited(requests, ledger, key, &patches);
        }
        touches
    }

    /// Whether there is nothing to load.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            projects,
            users,
            tickets,
            releases,
            time_entries,
            external_refs,
            filters,
            answers,
            books,
            closings,
            webhooks,
            feeds,
        } = self;
        projects.is_empty()
            && users.is_empty()
            && tickets.is_empty()
            && releases.is_empty()
            && time_entries.is_empty()
            && external_refs.is_empty()
            && filters.is_empty()
            && answers.is_empty()
            && books.is_empty()
            && closings.is_empty()
            && webhooks.is_empty()
            && feeds.is_empty()
    }

    fn add(&mut self, request: &Request) {
        let organization = request.caller.organization_id;
        self.answers.extend(request.claim.as_ref().map(|claim| claim.scope.clone()));
        self.time_entries.extend(request.command.time_entry_ids().map(|id| (organization, id)));
        for log in request.command.logs() {
            self.add_log(organization, log);
        }
        self.filters.extend(request.command.filter().map(|filter| (organization, filter.clone())));
        let patch = request.command.patch();
        self.users.extend(patch.and_then(|patch| patch.user_id).map(|user| (organization, user)));
        let moved = patch.and_then(|patch| patch.project_id);
        self.projects.extend(moved.map(|project| (organization, project)));
        if !matches!(request.command, Command::Webhook(_)) {
            self.books.insert(organization);
        }
        match &request.command {
            Command::LogMany(log) => {
                self.projects.insert((organization, log.project_id));
            }
            Command::Close(close) => {
                self.projects.extend(close.project_id.map(|project| (organization, project)));
            }
            Command::Webhook(webhook) => {
                self.webhooks.insert((organization, webhook.id()));
                self.projects.extend(webhook.project_id().map(|project| (organization, project)));
                self.feeds.insert(organization);
            }
            Command::Log(_)
            | Command::Edit(_)
            | Command::Delete(_)
            | Command::Apply(_)
            | Command::ChangeMany(_) => {}
        }
    }

    fn add_log(&mut self, organization: OrganizationId, log: &LogTimeEntry) {
        let project = log.project_id;
        self.projects.insert((organization, project));
        self.users.insert((organization, log.details.user_id));
        self.tickets.extend(log.details.ticket_id.map(|id| (organization, project, id)));
        self.releases.extend(log.details.release_id.map(|id| (organization, project, id)));
        self.external_refs
            .extend(log.external_ref.clone().map(|reference| (organization, reference)));
    }

    /// The closings of every project that an entry of the request may have, where projects have any
    /// of their own.
    fn add_closings(&mut self, request: &Request, ledger: &Ledger) {
        let organization = request.caller.organization_id;
        if !ledger.books(organization).by_project {
            return;
        }
        let command = &request.command;
        let logged = command.logs().map(|log| log.project_id);
        let by_ref = command.logs().filter_map(|log| log.external_ref.as_ref());
        let by_ref = by_ref.filter_map(|name| ledger.time_entry_by_ref(organization, name));
        let by_id = entries_of(request, ledger).into_iter();
        let by_id = by_id.filter_map(|id| ledger.time_entry(organization, id));
        let stored = by_ref.chain(by_id).map(TimeEntry::project_id);
        let projects = logged.chain(stored).chain(command.other_project());
        self.closings.extend(projects.map(|project| (organization, project)));
    }

    /// What the edits of an entry may refer to, in each project that it may have by then. This
    /// batch may also log the entry itself, or update it by its reference.
    fn add_edited(
        &mut self,
        requests: &[Request],
        ledger: &Ledger,
        (organization, id): TimeEntryKey,
        patches: &[&Patch],
    ) {
        let targets: Vec<_> = patches.iter().filter_map(|patch| patch.project_id).collect();
        let mut tickets: Vec<_> =
            patches.iter().filter_map(|patch| patch.ticket_id.flatten()).collect();
        let mut releases: Vec<_> =
            patches.iter().filter_map(|patch| patch.release_id.flatten()).collect();
        if targets.is_empty() && tickets.is_empty() && releases.is_empty() {
            return;
        }
        let stored = ledger.time_entry(organization, id);
        let reference = stored.and_then(TimeEntry::external_ref);
        let is_logged = |log: &&LogTimeEntry| {
            log.id == id || (reference.is_some() && log.external_ref.as_ref() == reference)
        };
        let of_organization =
            requests.iter().filter(|request| request.caller.organization_id == organization);
        let logs = of_organization.flat_map(|request| request.command.logs()).filter(is_logged);
        let logs: Vec<_> = logs.map(|log| (log.project_id, &log.details)).collect();
        let before: Vec<_> = stored
            .map(|entry| (entry.project_id(), entry.details()))
            .into_iter()
            .chain(logs)
            .collect();
        let projects: BTreeSet<_> =
            before.iter().map(|(project, _)| *project).chain(targets.iter().copied()).collect();
        if !targets.is_empty() {
            // What it refers to must be of the new project too.
            tickets.extend(before.iter().filter_map(|(_, details)| details.ticket_id));
            releases.extend(before.iter().filter_map(|(_, details)| details.release_id));
            self.projects.extend(projects.iter().map(|project| (organization, *project)));
        }
        for project in projects {
            self.tickets.extend(tickets.iter().map(|id| (organization, project, *id)));
            self.releases.extend(releases.iter().map(|id| (organization, project, *id)));
        }
    }
}
