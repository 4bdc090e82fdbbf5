//! The stored rows that a batch of requests needs.

use std::collections::BTreeSet;

use crate::command::{Command, EditTimeEntry, LogTimeEntry};
use crate::idempotency::IdempotencyScope;
use crate::ids::{
    OrganizationId, ProjectId, ReleaseId, TicketId, TimeEntryKey, UserId, WebhookKey,
};
use crate::ledger::{Ledger, RefKey};
use crate::request::Request;

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
    /// Stored answers.
    pub answers: BTreeSet<IdempotencyScope>,
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

impl Touches {
    /// What the requests need in addition, once the rows of [`Touches::from_iter`] are loaded. It
    /// is usually empty. An edit that names a ticket or release needs it in the project of its
    /// entry, which the request does not name.
    #[must_use]
    pub fn following(requests: &[Request], ledger: &Ledger) -> Self {
        let mut touches = Self::default();
        for request in requests {
            if let Command::Edit(edit) = &request.command {
                let organization = request.caller.organization_id;
                let stored =
                    ledger.time_entry(organization, edit.id).map(crate::TimeEntry::project_id);
                // This batch may also log the entry itself.
                let logged = || project_logged_on(requests, (organization, edit.id));
                if let Some(project) = stored.or_else(logged) {
                    touches.add_project_references(organization, project, edit);
                }
            }
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
            answers,
            webhooks,
            feeds,
        } = self;
        projects.is_empty()
            && users.is_empty()
            && tickets.is_empty()
            && releases.is_empty()
            && time_entries.is_empty()
            && external_refs.is_empty()
            && answers.is_empty()
            && webhooks.is_empty()
            && feeds.is_empty()
    }

    fn add(&mut self, request: &Request) {
        let organization = request.caller.organization_id;
        self.answers.extend(request.claim.as_ref().map(|claim| claim.scope.clone()));
        self.time_entries.extend(request.command.time_entry_id().map(|id| (organization, id)));
        for log in request.command.logs() {
            self.add_log(organization, log);
        }
        match &request.command {
            Command::LogMany(log) => {
                self.projects.insert((organization, log.project_id));
            }
            Command::ApplyMany(apply) => {
                self.time_entries.extend(apply.ids.iter().map(|id| (organization, *id)));
            }
            Command::Edit(edit) => {
                self.users.extend(edit.patch.user_id.map(|user| (organization, user)));
            }
            Command::Webhook(webhook) => {
                self.webhooks.insert((organization, webhook.id()));
                self.projects.extend(webhook.project_id().map(|project| (organization, project)));
                self.feeds.insert(organization);
            }
            Command::Log(_) | Command::Delete(_) | Command::Apply(_) => {}
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

    fn add_project_references(
        &mut self,
        organization: OrganizationId,
        project: ProjectId,
        edit: &EditTimeEntry,
    ) {
        self.tickets.extend(edit.patch.ticket_id.flatten().map(|id| (organization, project, id)));
        self.releases.extend(edit.patch.release_id.flatten().map(|id| (organization, project, id)));
    }
}

fn project_logged_on(requests: &[Request], (organization, id): TimeEntryKey) -> Option<ProjectId> {
    let of_organization =
        requests.iter().filter(|request| request.caller.organization_id == organization);
    of_organization
        .flat_map(|request| request.command.logs())
        .find(|log| log.id == id)
        .map(|log| log.project_id)
}
