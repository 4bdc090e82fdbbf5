//! The directory in memory. Each change is made to the ledger too.

use super::{MemoryStore, State, answer};
use crate::directory::{Names, Project, References, Release, Ticket, User};
use crate::ids::{OrganizationId, ProjectId, ReleaseId, TicketId, UserId};
use crate::ports::{Directory, PortError, PortFuture};
use crate::query::Page;
use crate::text::Name;

impl State {
    fn check_organization(&self, id: OrganizationId) -> Result<(), PortError> {
        self.organizations.contains(&id).then_some(()).ok_or(PortError::UnknownReference)
    }

    fn check_project(&self, organization: OrganizationId, id: ProjectId) -> Result<(), PortError> {
        self.projects
            .contains_key(&(organization, id))
            .then_some(())
            .ok_or(PortError::UnknownReference)
    }

    fn put_project(&mut self, project: Project) -> Result<bool, PortError> {
        self.check_organization(project.organization_id)?;
        self.ledger.load_project(project.clone());
        Ok(self.projects.insert((project.organization_id, project.id), project).is_none())
    }

    fn put_user(&mut self, user: User) -> Result<bool, PortError> {
        self.check_organization(user.organization_id)?;
        self.ledger.load_user(user.clone());
        Ok(self.users.insert((user.organization_id, user.id), user).is_none())
    }

    fn put_ticket(&mut self, ticket: Ticket) -> Result<bool, PortError> {
        self.check_project(ticket.organization_id, ticket.project_id)?;
        self.ledger.load_ticket(&ticket);
        Ok(self
            .tickets
            .insert((ticket.organization_id, ticket.project_id, ticket.id), ticket)
            .is_none())
    }

    fn put_release(&mut self, release: Release) -> Result<bool, PortError> {
        self.check_project(release.organization_id, release.project_id)?;
        self.ledger.load_release(&release);
        Ok(self
            .releases
            .insert((release.organization_id, release.project_id, release.id), release)
            .is_none())
    }
}

impl Directory for MemoryStore {
    fn put_organization(&self, id: OrganizationId, _: Name) -> PortFuture<'_, bool> {
        answer(Ok(self.state().organizations.insert(id)))
    }

    fn put_project(&self, project: Project) -> PortFuture<'_, bool> {
        answer(self.state().put_project(project))
    }

    fn put_user(&self, user: User) -> PortFuture<'_, bool> {
        answer(self.state().put_user(user))
    }

    fn put_ticket(&self, ticket: Ticket) -> PortFuture<'_, bool> {
        answer(self.state().put_ticket(ticket))
    }

    fn put_release(&self, release: Release) -> PortFuture<'_, bool> {
        answer(self.state().put_release(release))
    }

    fn project(
        &self,
        organization: OrganizationId,
        id: ProjectId,
    ) -> PortFuture<'_, Option<Project>> {
        answer(Ok(self.state().projects.get(&(organization, id)).cloned()))
    }

    fn projects(
        &self,
        organization: OrganizationId,
        after: Option<ProjectId>,
        limit: u32,
    ) -> PortFuture<'_, Page<Project, ProjectId>> {
        let state = self.state();
        let all = state.projects.values().filter(|project| project.organization_id == organization);
        let rest = all.filter(|project| after.is_none_or(|after| project.id > after));
        answer(Ok(Page::of(rest.cloned().collect(), limit, |last| last.id)))
    }

    fn user(&self, organization: OrganizationId, id: UserId) -> PortFuture<'_, Option<User>> {
        answer(Ok(self.state().users.get(&(organization, id)).cloned()))
    }

    fn users(
        &self,
        organization: OrganizationId,
        after: Option<UserId>,
        limit: u32,
    ) -> PortFuture<'_, Page<User, UserId>> {
        let state = self.state();
        let all = state.users.values().filter(|user| user.organization_id == organization);
        let rest = all.filter(|user| after.is_none_or(|after| user.id > after));
        answer(Ok(Page::of(rest.cloned().collect(), limit, |last| last.id)))
    }

    fn ticket(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        id: TicketId,
    ) -> PortFuture<'_, Option<Ticket>> {
        answer(Ok(self.state().tickets.get(&(organization, project, id)).cloned()))
    }

    fn tickets(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        after: Option<TicketId>,
        limit: u32,
    ) -> PortFuture<'_, Page<Ticket, TicketId>> {
        let state = self.state();
        let of_project = |ticket: &&Ticket| {
            (ticket.organization_id, ticket.project_id) == (organization, project)
                && Some(ticket.id) > after
        };
        let rest = state.tickets.values().filter(of_project).cloned().collect();
        answer(Ok(Page::of(rest, limit, |last| last.id)))
    }

    fn release(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        id: ReleaseId,
    ) -> PortFuture<'_, Option<Release>> {
        answer(Ok(self.state().releases.get(&(organization, project, id)).cloned()))
    }

    fn releases(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        after: Option<ReleaseId>,
        limit: u32,
    ) -> PortFuture<'_, Page<Release, ReleaseId>> {
        let state = self.state();
        let of_project = |release: &&Release| {
            (release.organization_id, release.project_id) == (organization, project)
                && Some(release.id) > after
        };
        let rest = state.releases.values().filter(of_project).cloned().collect();
        answer(Ok(Page::of(rest, limit, |last| last.id)))
    }

    fn names(&self, organization: OrganizationId, of: References) -> PortFuture<'_, Names> {
        let state = self.state();
        let project =
            |id: ProjectId| Some((id, state.projects.get(&(organization, id))?.name.clone()));
        let user = |id: UserId| Some((id, state.users.get(&(organization, id))?.name.clone()));
        let ticket = |(project, id): (ProjectId, TicketId)| {
            Some(((project, id), state.tickets.get(&(organization, project, id))?.title.clone()))
        };
        let release = |(project, id): (ProjectId, ReleaseId)| {
            Some(((project, id), state.releases.get(&(organization, project, id))?.name.clone()))
        };
        answer(Ok(Names {
            projects: of.projects.into_iter().filter_map(project).collect(),
            users: of.users.into_iter().filter_map(user).collect(),
            tickets: of.tickets.into_iter().filter_map(ticket).collect(),
            releases: of.releases.into_iter().filter_map(release).collect(),
        }))
    }
}
