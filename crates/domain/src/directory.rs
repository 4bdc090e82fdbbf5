//! The directory, which entries refer to: projects, users, and a project's tickets and releases.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{OrganizationId, ProjectId, ReleaseId, TicketId, UserId};
use crate::text::Name;
use crate::time_entry::TimeEntry;

/// A project that time is logged on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// Its id.
    pub id: ProjectId,
    /// Its name.
    pub name: Name,
    /// Whether it is archived. An archived project takes no new time.
    pub archived: bool,
}

/// A person whose time is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The organization they belong to.
    pub organization_id: OrganizationId,
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: Name,
    /// Whether time can be logged for them.
    pub active: bool,
}

/// A piece of a project's planned work that time can be logged on, such as a story or a bug. On the
/// wire its id is `entryId`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its id.
    pub id: TicketId,
    /// Its title.
    pub title: Name,
}

/// A release of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The organization it belongs to.
    pub organization_id: OrganizationId,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Its id.
    pub id: ReleaseId,
    /// Its name.
    pub name: Name,
}

/// What some entries refer to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References {
    /// Their projects.
    pub projects: BTreeSet<ProjectId>,
    /// Their users.
    pub users: BTreeSet<UserId>,
    /// Their tickets, each with its project.
    pub tickets: BTreeSet<(ProjectId, TicketId)>,
    /// Their releases, each with its project.
    pub releases: BTreeSet<(ProjectId, ReleaseId)>,
}

impl<'a> FromIterator<&'a TimeEntry> for References {
    fn from_iter<I: IntoIterator<Item = &'a TimeEntry>>(entries: I) -> Self {
        let mut references = Self::default();
        for entry in entries {
            let (project, details) = (entry.project_id(), entry.details());
            references.projects.insert(project);
            references.users.insert(details.user_id);
            references.tickets.extend(details.ticket_id.map(|id| (project, id)));
            references.releases.extend(details.release_id.map(|id| (project, id)));
        }
        references
    }
}

/// The names of what entries refer to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Of projects.
    pub projects: BTreeMap<ProjectId, Name>,
    /// Of users.
    pub users: BTreeMap<UserId, Name>,
    /// Of tickets: their titles.
    pub tickets: BTreeMap<(ProjectId, TicketId), Name>,
    /// Of releases.
    pub releases: BTreeMap<(ProjectId, ReleaseId), Name>,
}

impl Names {
    /// The names for an entry: of its project, its user, its ticket and its release.
    #[must_use]
    pub fn of(&self, entry: &TimeEntry) -> [Option<&Name>; 4] {
        let (project, details) = (entry.project_id(), entry.details());
        let ticket = details.ticket_id.and_then(|id| self.tickets.get(&(project, id)));
        let release = details.release_id.and_then(|id| self.releases.get(&(project, id)));
        [self.projects.get(&project), self.users.get(&details.user_id), ticket, release]
    }
}
