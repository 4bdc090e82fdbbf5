//! A row of `idempotency_keys`.

use diesel::prelude::*;
use timelog_domain::{Fingerprint, IdempotencyRecord, IdempotencyScope, StoredAnswer};

use super::row::{Row, row};
use super::stored_body::StoredBody;
use crate::error::DbError;
use crate::schema::idempotency_keys;
use crate::types::{IdValue, InstantValue};

row! {
    IdempotencyRow of idempotency_keys {
        key {
            organization_id: IdValue,
            key_id: IdValue,
            operation: String,
            key: String,
        }
        once {}
        again {
            fingerprint: Vec<u8>,
            status: i32,
            location: Option<String>,
            etag: Option<String>,
            body: Option<Vec<u8>>,
            expires_at: InstantValue,
            body_lz4: Option<Vec<u8>>,
            size: i32,
        }
    }
}

impl IdempotencyRow {
    /// How many bytes are stored.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.size.unsigned_abs())
    }

    /// The scope that the answer belongs to.
    pub(crate) fn scope(&self) -> Result<IdempotencyScope, DbError> {
        let key = Self::known("key", self.key.clone().try_into())?;
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
        let body = StoredBody::pack(answer.body);
        let texts = [scope.operation.len(), scope.key.as_str().len()];
        let headers =
            [&answer.location, &answer.etag].map(|header| header.as_ref().map_or(0, String::len));
        let size = texts.iter().chain(&headers).sum::<usize>() + body.len();
        Self {
            organization_id: scope.organization_id.into(),
            key_id: scope.key_id.into(),
            operation: scope.operation,
            key: scope.key.as_str().to_owned(),
            fingerprint: fingerprint.0.to_vec(),
            status: answer.status.into(),
            location: answer.location,
            etag: answer.etag,
            body: body.plain,
            expires_at: expires_at.into(),
            body_lz4: body.lz4,
            size: i32::try_from(size).unwrap_or(i32::MAX),
        }
    }
}

impl TryFrom<IdempotencyRow> for IdempotencyRecord {
    type Error = DbError;

    fn try_from(row: IdempotencyRow) -> Result<Self, DbError> {
        let fingerprint = row.fingerprint.as_slice().try_into();
        let body = StoredBody { plain: row.body, lz4: row.body_lz4 }.unpack()?;
        let status = IdempotencyRow::known("status", row.status.try_into())?;
        Ok(Self {
            fingerprint: Fingerprint(IdempotencyRow::known("fingerprint", fingerprint)?),
            answer: StoredAnswer { status, location: row.location, etag: row.etag, body },
            expires_at: row.expires_at.into(),
        })
    }
}
