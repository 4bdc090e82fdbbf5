//! A row of `idempotency_keys`.

use diesel::prelude::*;
use timelog_domain::{Fingerprint, IdempotencyRecord, IdempotencyScope, StoredAnswer};

use super::corrupt;
use crate::error::DbError;
use crate::schema::idempotency_keys;
use crate::types::{IdValue, InstantValue};

#[derive(Debug, Queryable, QueryableByName, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
pub(crate) struct IdempotencyRow {
    pub(crate) organization_id: IdValue,
    pub(crate) key_id: IdValue,
    pub(crate) operation: String,
    pub(crate) key: String,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) status: i32,
    pub(crate) location: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) expires_at: InstantValue,
}

impl IdempotencyRow {
    /// What the row is kept under.
    pub(crate) fn scope(&self) -> Result<IdempotencyScope, DbError> {
        let key = self.key.clone().try_into().map_err(|error| corrupt("idempotency_keys", "key", error))?;
        Ok(IdempotencyScope {
            organization_id: self.organization_id.into(),
            key_id: self.key_id.into(),
            operation: self.operation.clone(),
            key,
        })
    }
}

impl From<(IdempotencyScope, IdempotencyRecord)> for IdempotencyRow {
    fn from((scope, record): (IdempotencyScope, IdempotencyRecord)) -> Self {
        let IdempotencyRecord { fingerprint, answer, expires_at } = record;
        Self {
            organization_id: scope.organization_id.into(),
            key_id: scope.key_id.into(),
            operation: scope.operation,
            key: scope.key.as_str().to_owned(),
            fingerprint: fingerprint.0.to_vec(),
            status: answer.status.into(),
            location: answer.location,
            etag: answer.etag,
            body: answer.body,
            expires_at: expires_at.into(),
        }
    }
}

impl TryFrom<IdempotencyRow> for IdempotencyRecord {
    type Error = DbError;

    fn try_from(row: IdempotencyRow) -> Result<Self, DbError> {
        let fingerprint = <[u8; 32]>::try_from(row.fingerprint)
            .map_err(|bytes| corrupt("idempotency_keys", "fingerprint", format!("{} bytes", bytes.len())))?;
        let status = u16::try_from(row.status).map_err(|error| corrupt("idempotency_keys", "status", error))?;
        Ok(Self {
            fingerprint: Fingerprint(fingerprint),
            answer: StoredAnswer { status, location: row.location, etag: row.etag, body: row.body },
            expires_at: row.expires_at.into(),
        })
    }
}
