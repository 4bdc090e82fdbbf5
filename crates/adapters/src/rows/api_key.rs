//! A row of `api_keys`.

use diesel::prelude::*;
use timelog_domain::ports::NewApiKey;
use timelog_domain::{ApiKey, Timestamp};

use crate::error::DbError;
use crate::schema::{api_keys, former_secrets};
use crate::types::{IdValue, InstantValue};

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub(crate) struct ApiKeyRow {
    pub(crate) organization_id: IdValue,
    pub(crate) id: IdValue,
    pub(crate) prefix: String,
    pub(crate) digest: Vec<u8>,
    project_id: Option<IdValue>,
    user_id: Option<IdValue>,
    permissions: String,
    created_at: InstantValue,
    revoked_at: Option<InstantValue>,
}

impl ApiKeyRow {
    pub(crate) fn new(key: &NewApiKey, prefix: String, digest: &[u8; 32]) -> Self {
        Self {
            organization_id: key.organization_id.into(),
            id: key.id.into(),
            prefix,
            digest: digest.to_vec(),
            project_id: key.project_id.map(Into::into),
            user_id: key.user_id.map(Into::into),
            permissions: key.permissions.to_string(),
            created_at: key.created_at.into(),
            revoked_at: None,
        }
    }
}

/// A secret that a key had before it got another.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = former_secrets)]
pub(crate) struct FormerSecretRow {
    pub(crate) organization_id: IdValue,
    pub(crate) key_id: IdValue,
    pub(crate) prefix: String,
    digest: Vec<u8>,
    expires_at: InstantValue,
}

impl FormerSecretRow {
    /// The secret that a key has now, and that is to work until then.
    pub(crate) fn of(key: &ApiKeyRow, until: Timestamp) -> Self {
        Self {
            organization_id: key.organization_id,
            key_id: key.id,
            prefix: key.prefix.clone(),
            digest: key.digest.clone(),
            expires_at: until.into(),
        }
    }
}

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = DbError;

    fn try_from(row: ApiKeyRow) -> Result<Self, DbError> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            project_id: row.project_id.map(Into::into),
            user_id: row.user_id.map(Into::into),
            permissions: row
                .permissions
                .parse()
                .map_err(|error| DbError::unknown_value("api_keys", "permissions", error))?,
            prefix: row.prefix,
            created_at: row.created_at.into(),
            revoked_at: row.revoked_at.map(Into::into),
        })
    }
}
