//! A row of `api_keys`.

use diesel::prelude::*;
use timelog_domain::ApiKey;
use timelog_domain::ports::NewApiKey;

use super::corrupt;
use crate::error::DbError;
use crate::schema::api_keys;
use crate::types::{IdValue, InstantValue};

#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
pub(crate) struct ApiKeyRow {
    pub(crate) organization_id: IdValue,
    pub(crate) id: IdValue,
    prefix: String,
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

impl TryFrom<ApiKeyRow> for ApiKey {
    type Error = DbError;

    fn try_from(row: ApiKeyRow) -> Result<Self, DbError> {
        Ok(Self {
            id: row.id.into(),
            organization_id: row.organization_id.into(),
            project_id: row.project_id.map(Into::into),
            user_id: row.user_id.map(Into::into),
            permissions: row.permissions.parse().map_err(|error| corrupt("api_keys", "permissions", error))?,
            prefix: row.prefix,
            created_at: row.created_at.into(),
            revoked_at: row.revoked_at.map(Into::into),
        })
    }
}
