//! An organization with something in it.

use serde_json::{Value, json};
use timelog_adapters::Store;
use timelog_domain::ports::{ApiKeys, Directory, IssuedKey, NewApiKey};
use timelog_domain::{
    KeyId, Name, OrganizationId, Permission, Permissions, Project, ProjectId, Release, ReleaseId,
    Ticket, TicketId, Timestamp, User, UserId,
};
use uuid::Uuid;

use super::api::{Api, Call};

/// An organization with two projects, two users, and a ticket and a release in the first project.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) organization_id: OrganizationId,
    pub(crate) project_id: ProjectId,
    pub(crate) other_project_id: ProjectId,
    pub(crate) user_id: UserId,
    pub(crate) other_user_id: UserId,
    pub(crate) ticket_id: TicketId,
    pub(crate) release_id: ReleaseId,
    /// A key that may do everything.
    pub(crate) key: IssuedKey,
}

impl Tenant {
    pub(crate) async fn provision(store: &Store) -> Self {
        let organization_id = OrganizationId::new(Uuid::now_v7());
        store.put_organization(organization_id, name()).await.expect("an organization can be put");
        let tenant = Self {
            organization_id,
            project_id: ProjectId::new(Uuid::now_v7()),
            other_project_id: ProjectId::new(Uuid::now_v7()),
            user_id: UserId::new(Uuid::now_v7()),
            other_user_id: UserId::new(Uuid::now_v7()),
            ticket_id: TicketId::new(Uuid::now_v7()),
            release_id: ReleaseId::new(Uuid::now_v7()),
            key: key(store, organization_id, |_| ()).await,
        };
        tenant.put_project(store, tenant.project_id, false).await;
        tenant.put_project(store, tenant.other_project_id, false).await;
        tenant.put_user(store, tenant.user_id, true).await;
        tenant.put_user(store, tenant.other_user_id, true).await;
        let project_id = tenant.project_id;
        let entry = Ticket { organization_id, project_id, id: tenant.ticket_id, title: name() };
        store.put_ticket(entry).await.expect("an entry can be put");
        let release = Release { organization_id, project_id, id: tenant.release_id, name: name() };
        store.put_release(release).await.expect("a release can be put");
        tenant
    }

    pub(crate) async fn put_project(&self, store: &Store, id: ProjectId, archived: bool) {
        let project = Project { organization_id: self.organization_id, id, name: name(), archived };
        store.put_project(project).await.expect("a project can be put");
    }

    pub(crate) async fn put_user(&self, store: &Store, id: UserId, active: bool) {
        let user = User { organization_id: self.organization_id, id, name: name(), active };
        store.put_user(user).await.expect("a user can be put");
    }

    /// Makes another key, which may do everything unless `limit` says otherwise.
    pub(crate) async fn key(&self, store: &Store, limit: impl FnOnce(&mut NewApiKey)) -> IssuedKey {
        key(store, self.organization_id, limit).await
    }

    /// Where time is logged.
    pub(crate) fn path(&self) -> String {
        path(self.project_id)
    }

    /// Where time is logged on the other project.
    pub(crate) fn other_path(&self) -> String {
        path(self.other_project_id)
    }

    /// Calls a service with the key of this organization.
    pub(crate) fn api(&self, service: &Api) -> Api {
        service.with_key(&self.key.text)
    }

    /// Logs time with a minimal body.
    pub(crate) fn log_any(&self, service: &Api) -> Call {
        self.api(service).post(&self.path()).json(&self.body())
    }

    /// A minimal valid body.
    pub(crate) fn body(&self) -> Value {
        json!({ "userId": self.user_id.to_string(), "workDate": "2025-01-15", "minutes": 150 })
    }

    /// That body with other or more members.
    pub(crate) fn body_with(&self, members: &Value) -> Value {
        let (mut body, Value::Object(members)) = (self.body(), members) else {
            panic!("members are an object")
        };
        for (name, value) in members {
            body[name] = value.clone();
        }
        body
    }

    /// That body without one of its members.
    pub(crate) fn body_without(&self, member: &str) -> Value {
        let mut body = self.body();
        body.as_object_mut()
            .and_then(|members| members.remove(member))
            .expect("the member is there");
        body
    }

    /// The paths of one read of each kind, and of the readiness.
    pub(crate) fn reads(&self, entry: &str) -> Vec<String> {
        let project = format!("/projects/{}", self.project_id);
        vec![
            "/time-entries?limit=5&includeTotal=true".to_owned(),
            "/time-entries/summary?groupBy=user,month".to_owned(),
            "/time-entries.csv".to_owned(),
            "/time-entries.xlsx".to_owned(),
            format!("{}?status=draft", self.path()),
            format!("{}/summary", self.path()),
            format!("/time-entries/{entry}"),
            format!("/time-entries/{entry}/history"),
            "/changes?limit=5".to_owned(),
            format!("{project}/changes"),
            "/closing".to_owned(),
            format!("{project}/closing"),
            "/projects".to_owned(),
            "/users".to_owned(),
            format!("/users/{}", self.user_id),
            format!("{project}/entries"),
            format!("{project}/releases"),
            format!("{project}/entries/{}", self.ticket_id),
            format!("{project}/releases/{}", self.release_id),
            project,
            "/me".to_owned(),
            "/health/ready".to_owned(),
        ]
    }
}

/// Narrows a key to some permissions.
pub(crate) fn may(permissions: &[Permission]) -> impl FnOnce(&mut NewApiKey) {
    let permissions: Permissions = permissions.iter().copied().collect();
    move |key| key.permissions = permissions
}

fn path(project: ProjectId) -> String {
    format!("/projects/{project}/time-entries")
}

async fn key(
    store: &Store,
    organization_id: OrganizationId,
    limit: impl FnOnce(&mut NewApiKey),
) -> IssuedKey {
    let mut key = NewApiKey {
        id: KeyId::new(Uuid::now_v7()),
        organization_id,
        project_id: None,
        user_id: None,
        permissions: Permissions::all(),
        created_at: Timestamp::from_unix_millis(1_736_928_000_000).expect("it is in range"),
    };
    limit(&mut key);
    store.create(key).await.expect("a key can be made")
}

fn name() -> Name {
    "Name".parse().expect("it is a name")
}
