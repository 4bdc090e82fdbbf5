//! What time entries may refer to, on the wire.

use serde_json::json;
use timelog_domain::{
    Name, Project, ProjectId, Release, ReleaseId, Ticket, TicketId, User, UserId,
};

use super::page::Listed;
use super::{Reader, answer, body};

body! {
    /// A project as it is to be. Other members are skipped unless `Prefer` asks to refuse them.
    pub(crate) struct PutProject = "PutProject" asks for (Name, bool) {
        name: Required<Name>,
        /// Whether no more time can be logged on it.
        archived: Optional<bool> = false,
    }
    examples [json!({ "name": "Website", "archived": false })];
}

impl PutProject {
    fn put_together(self, _: &mut Reader, (): ()) -> Option<(Name, bool)> {
        Some((self.name.value()?, self.archived.value()?))
    }
}

body! {
    /// A ticket as it is to be. Other members are skipped unless `Prefer` asks to refuse them.
    pub(crate) struct PutTicket = "PutEntry" asks for Name {
        title: Required<Name>,
    }
    examples [json!({ "title": "Login form" })];
}

impl PutTicket {
    fn put_together(self, _: &mut Reader, (): ()) -> Option<Name> {
        self.title.value()
    }
}

body! {
    /// A release as it is to be. Other members are skipped unless `Prefer` asks to refuse them.
    pub(crate) struct PutRelease = "PutRelease" asks for Name {
        name: Required<Name>,
    }
    examples [json!({ "name": "2025.1" })];
}

impl PutRelease {
    fn put_together(self, _: &mut Reader, (): ()) -> Option<Name> {
        self.name.value()
    }
}

body! {
    /// A user as it is to be. Other members are skipped unless `Prefer` asks to refuse them.
    pub(crate) struct PutUser = "PutUser" asks for (Name, bool) {
        name: Required<Name>,
        /// Whether time can be logged for this user.
        active: Optional<bool> = true,
    }
    examples [json!({ "name": "Ada", "active": true })];
}

impl PutUser {
    fn put_together(self, _: &mut Reader, (): ()) -> Option<(Name, bool)> {
        Some((self.name.value()?, self.active.value()?))
    }
}

answer! {
    /// A project.
    pub(crate) struct ProjectBody<'a> = "Project" {
        id: ProjectId,
        name: &'a Name,
        /// Whether no more time can be logged on it.
        archived: bool,
    }
}

impl<'a> From<&'a Project> for ProjectBody<'a> {
    fn from(project: &'a Project) -> Self {
        Self { id: project.id, name: &project.name, archived: project.archived }
    }
}

impl Listed for ProjectBody<'_> {
    const PAGE: &'static str = "ProjectPage";
    const ABOUT: &'static str = "The projects of this page.";
}

answer! {
    /// A ticket of a project.
    pub(crate) struct TicketBody<'a> = "Entry" {
        id: TicketId,
        project_id: ProjectId,
        title: &'a Name,
    }
}

impl<'a> From<&'a Ticket> for TicketBody<'a> {
    fn from(ticket: &'a Ticket) -> Self {
        Self { id: ticket.id, project_id: ticket.project_id, title: &ticket.title }
    }
}

impl Listed for TicketBody<'_> {
    const PAGE: &'static str = "EntryPage";
    const ABOUT: &'static str = "The tickets of this page.";
}

answer! {
    /// A release of a project.
    pub(crate) struct ReleaseBody<'a> = "Release" {
        id: ReleaseId,
        project_id: ProjectId,
        name: &'a Name,
    }
}

impl<'a> From<&'a Release> for ReleaseBody<'a> {
    fn from(release: &'a Release) -> Self {
        Self { id: release.id, project_id: release.project_id, name: &release.name }
    }
}

impl Listed for ReleaseBody<'_> {
    const PAGE: &'static str = "ReleasePage";
    const ABOUT: &'static str = "The releases of this page.";
}

answer! {
    /// A user.
    pub(crate) struct UserBody<'a> = "User" {
        id: UserId,
        name: &'a Name,
        /// Whether time can be logged for this user.
        active: bool,
    }
}

impl<'a> From<&'a User> for UserBody<'a> {
    fn from(user: &'a User) -> Self {
        Self { id: user.id, name: &user.name, active: user.active }
    }
}

impl Listed for UserBody<'_> {
    const PAGE: &'static str = "UserPage";
    const ABOUT: &'static str = "The users of this page.";
}
