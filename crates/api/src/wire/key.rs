//! An API key on the wire.

use serde_json::{Value, json};
use timelog_domain::{ApiKey, KeyId, OrganizationId, Permission, Permissions, ProjectId, UserId};
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{RefOr, Schema};

use super::schema::{self, Described, Schemas};
use super::{Answered, answer};

answer! {
    /// An API key as its bearer may see it.
    pub(crate) struct KeyBody<'a> = "Key" {
        /// The key.
        key_id: KeyId,
        /// The part of the key's text that is not secret, to tell keys apart.
        prefix: Prefix<'a>,
        /// The organization the key belongs to.
        organization_id: OrganizationId,
        /// The one project the key is confined to; null for the whole organization.
        project_id: Option<ProjectId>,
        /// The one user the key acts for; null for everybody.
        user_id: Option<UserId>,
        /// What the key may do, each permission once, in the order in which they are listed here.
        permissions: Permissions,
    }
    examples [example()];
}

/// A key for the whole organization, with every permission.
pub(crate) fn example() -> Value {
    json!({
        "keyId": "01943f00-1122-7334-8455-66778899aabb",
        "prefix": "3f9c1a7be204",
        "organizationId": "7b1e2c3d-0000-0000-0000-000000000001",
        "projectId": null,
        "userId": null,
        "permissions": ["read", "write", "approve", "bill", "admin"],
    })
}

impl<'a> From<&'a ApiKey> for KeyBody<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self {
            key_id: key.id,
            prefix: Prefix(&key.prefix),
            organization_id: key.organization_id,
            project_id: key.project_id,
            user_id: key.user_id,
            permissions: key.permissions,
        }
    }
}

/// The part of a key's text that is not secret.
#[derive(serde::Serialize)]
pub(crate) struct Prefix<'a>(&'a str);

impl Described for Prefix<'_> {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("").pattern(Some("^[0-9A-Za-z]+$")).examples([json!("3f9c1a7be204")]).into()
    }
}

impl Answered for Prefix<'_> {}

impl Described for Permissions {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        let names = Permission::ALL.iter().map(|permission| permission.as_str());
        ArrayBuilder::new()
            .items(schema::words("", names))
            .unique_items(true)
            .examples([json!(["read", "write"])])
            .into()
    }
}

impl Answered for Permissions {}
