//! The directory, which entries refer to: projects, users, and a project's tickets and releases.

use crate::ids::{OrganizationId, ProjectId, ReleaseId, TicketId, UserId};
use crate::text::Name;

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
