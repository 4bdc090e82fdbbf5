//! Making an organization with a project, a user, a ticket, a release and a key.

use std::sync::Arc;

use anyhow::Context;
use timelog_adapters::Store;
use timelog_domain::ports::{ApiKeys, Clock, Directory, IssuedKey, NewApiKey};
use timelog_domain::{
    KeyId, Name, OrganizationId, Permissions, Project, ProjectId, Release, ReleaseId, Ticket,
    TicketId, User, UserId,
};
use uuid::Uuid;

use crate::clock::SystemClock;

/// The ids of a new organization and of what is in it.
#[expect(clippy::struct_field_names, reason = "they are named as on the wire")]
pub(super) struct Provision {
    pub(super) organization_id: OrganizationId,
    pub(super) project_id: ProjectId,
    pub(super) user_id: UserId,
    pub(super) ticket_id: TicketId,
    pub(super) release_id: ReleaseId,
}

impl Provision {
    /// New ids.
    pub(super) fn fresh() -> Self {
        Self {
            organization_id: OrganizationId::new(Uuid::now_v7()),
            project_id: ProjectId::new(Uuid::now_v7()),
            user_id: UserId::new(Uuid::now_v7()),
            ticket_id: TicketId::new(Uuid::now_v7()),
            release_id: ReleaseId::new(Uuid::now_v7()),
        }
    }

    /// Stores all of them, with names that begin with `name`, and makes a key with every
    /// permission.
    pub(super) async fn store(&self, store: &Arc<Store>, name: &str) -> anyhow::Result<IssuedKey> {
        let named =
            |kind: &str| format!("{name} {kind}").parse::<Name>().context("a name cannot be used");
        let organization_id = self.organization_id;
        store.put_organization(organization_id, named("organization")?).await?;
        let project = Project {
            organization_id,
            id: self.project_id,
            name: named("project")?,
            archived: false,
        };
        store.put_project(project).await?;
        store
            .put_user(User {
                organization_id,
                id: self.user_id,
                name: named("user")?,
                active: true,
            })
            .await?;
        let project_id = self.project_id;
        store
            .put_ticket(Ticket {
                organization_id,
                project_id,
                id: self.ticket_id,
                title: named("ticket")?,
            })
            .await?;
        store
            .put_release(Release {
                organization_id,
                project_id,
                id: self.release_id,
                name: named("release")?,
            })
            .await?;
        let key = NewApiKey {
            id: KeyId::new(Uuid::now_v7()),
            organization_id,
            project_id: None,
            user_id: None,
            permissions: Permissions::all(),
            created_at: SystemClock.now(),
        };
        Ok(store.create(key).await?)
    }
}
