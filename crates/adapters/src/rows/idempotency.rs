//! A row of `idempotency_keys`.

use diesel::prelude::*;
use timelog_domain::{Fingerprint, IdempotencyRecord, IdempotencyScope};

use super::packed_answer;
use super::row::{Row, row};
use crate::digests::digest;
use crate::error::DbError;
use crate::schema::idempotency_keys;
use crate::types::{DigestValue, IdValue, InstantValue};

row! {
    IdempotencyRow of idempotency_keys {
        key {
            organization_id: IdValue,
            digest: DigestValue,
        }
        once {}
        again {
            fingerprint: DigestValue,
            status: i32,
            answer: Vec<u8>,
            expires_at: InstantValue,
            size: i32,
        }
    }
}

impl IdempotencyRow {
    /// How many bytes are stored.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.size.unsigned_abs())
    }
}

/// What the answer of a scope is found by, within its organization.
pub(crate) fn digest_scope(scope: &IdempotencyScope) -> DigestValue {
    DigestValue(digest_key(scope.key_id.uuid().as_bytes(), &scope.operation, scope.key.as_str()))
}

/// No operation has a zero byte, so no two scopes are alike.
pub(crate) fn digest_key(key_id: &[u8], operation: &str, key: &str) -> [u8; 16] {
    digest(&[key_id, operation.as_bytes(), &[0], key.as_bytes()])
}

impl From<(IdempotencyScope, IdempotencyRecord)> for IdempotencyRow {
    fn from((scope, record): (IdempotencyScope, IdempotencyRecord)) -> Self {
        let IdempotencyRecord { fingerprint, answer, expires_at } = record;
        let digest = digest_scope(&scope);
        let status = answer.status.into();
        let answer = packed_answer::pack(scope.organization_id, &answer);
        Self {
            organization_id: scope.organization_id.into(),
            size: i32::try_from(digest.0.len() + answer.len()).unwrap_or(i32::MAX),
            digest,
            fingerprint: DigestValue(fingerprint.0),
            status,
            answer,
            expires_at: expires_at.into(),
        }
    }
}

impl TryFrom<IdempotencyRow> for IdempotencyRecord {
    type Error = DbError;

    fn try_from(row: IdempotencyRow) -> Result<Self, DbError> {
        let status = IdempotencyRow::known("status", row.status.try_into())?;
        Ok(Self {
            fingerprint: Fingerprint(row.fingerprint.0),
            answer: packed_answer::unpack(row.organization_id.into(), status, &row.answer)?,
            expires_at: row.expires_at.into(),
        })
    }
}
