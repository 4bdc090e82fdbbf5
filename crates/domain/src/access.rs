//! Callers, and what they may do.

use crate::ids::{KeyId, OrganizationId, ProjectId, UserId};
use crate::outcome::Refusal;
use crate::permission::{Permission, Permissions};
use crate::time_entry::TimeEntry;
use crate::timestamp::Timestamp;

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// The organization it belongs to. It never sees another.
    pub organization_id: OrganizationId,
    /// The only project it may use, where it is limited to one.
    pub project_id: Option<ProjectId>,
    /// The user it acts for, where it is bound to one.
    pub user_id: Option<UserId>,
    /// Its permissions.
    pub permissions: Permissions,
    /// The part of its text that is not secret: `tlk_<prefix>_<secret>`.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// Who asks for a change: the part of an [`ApiKey`] that decisions depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The organization the change happens in.
    pub organization_id: OrganizationId,
    /// The key it is made with.
    pub key_id: KeyId,
    /// The only project it may use, where the key is limited to one.
    pub project_id: Option<ProjectId>,
    /// The only user whose entries it may change, where the key is bound to one.
    pub user_id: Option<UserId>,
    /// The only user whose entries it may see, where the key [reads those alone](ApiKey::reads_only).
    pub sees_only: Option<UserId>,
}

impl ApiKey {
    /// The only user whose entries the key may see, where it reads those alone.
    #[must_use]
    pub const fn reads_only(&self) -> Option<UserId> {
        if self.permissions.contains(Permission::ReadOwn) { self.user_id } else { None }
    }

    /// Checks that the key has the permission. One that reads the entries of its user alone may ask
    /// whatever needs [`Permission::Read`]; what it is shown is for the caller to limit.
    ///
    /// # Errors
    ///
    /// [`Refusal::LacksPermission`] where it does not.
    pub const fn check_permission(&self, permission: Permission) -> Result<(), Refusal> {
        let reads_own = matches!(permission, Permission::Read) && self.reads_only().is_some();
        if self.permissions.contains(permission) || reads_own {
            Ok(())
        } else {
            Err(Refusal::LacksPermission(permission))
        }
    }

    /// As [`Caller::check_scope`].
    ///
    /// # Errors
    ///
    /// [`Refusal::OutOfScope`] where the key is limited to another project.
    pub fn check_scope(&self, project: ProjectId) -> Result<(), Refusal> {
        Caller::from(self).check_scope(project)
    }

    /// Checks that the key is not limited to a project.
    ///
    /// # Errors
    ///
    /// [`Refusal::ConcernsAllProjects`] where it is.
    pub const fn check_all_projects(&self) -> Result<(), Refusal> {
        if self.project_id.is_none() { Ok(()) } else { Err(Refusal::ConcernsAllProjects) }
    }
}

impl Caller {
    /// A caller whose key has no limits.
    #[must_use]
    pub const fn new(organization_id: OrganizationId, key_id: KeyId) -> Self {
        Self { organization_id, key_id, project_id: None, user_id: None, sees_only: None }
    }

    /// Whether the caller may see the entry, as far as that depends on whose it is.
    #[must_use]
    pub fn sees(&self, entry: &TimeEntry) -> bool {
        self.sees_only.is_none_or(|own| entry.details().user_id == own)
    }

    /// Checks that the caller may use that project. This must come before looking the project up,
    /// so that a key of another project cannot find out which projects exist.
    ///
    /// # Errors
    ///
    /// [`Refusal::OutOfScope`] where the caller may not.
    pub fn check_scope(&self, project: ProjectId) -> Result<(), Refusal> {
        let may = self.project_id.is_none_or(|own| own == project);
        if may { Ok(()) } else { Err(Refusal::OutOfScope) }
    }

    /// Checks that the caller may change entries of all these users.
    ///
    /// # Errors
    ///
    /// [`Refusal::AnotherUsersEntry`] where one of them is not the caller's own user.
    pub fn check_owners(&self, users: impl IntoIterator<Item = UserId>) -> Result<(), Refusal> {
        let may = self.user_id.is_none_or(|own| users.into_iter().all(|user| user == own));
        if may { Ok(()) } else { Err(Refusal::AnotherUsersEntry) }
    }
}

impl From<&ApiKey> for Caller {
    fn from(key: &ApiKey) -> Self {
        Self {
            organization_id: key.organization_id,
            key_id: key.id,
            project_id: key.project_id,
            user_id: key.user_id,
            sees_only: key.reads_only(),
        }
    }
}
