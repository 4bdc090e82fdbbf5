//! API keys on diesel. A key's text is `tlk_<prefix>_<secret>`; only a digest of it is stored.

use std::fmt::Write as _;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use timelog_domain::ports::{ApiKeys, IssuedKey, NewApiKey, PortError, PortFuture};
use timelog_domain::{ApiKey, KeyId, OrganizationId, Timestamp};

use crate::database::on_database;
use crate::rows::ApiKeyRow;
use crate::schema::api_keys;
use crate::store::Store;
use crate::types::{IdValue, InstantValue};

/// Bytes of chance in the part that is not secret, which is enough to make a second key of the same prefix unlikely.
const PREFIX_BYTES: usize = 6;
/// Bytes of chance in the secret part.
const SECRET_BYTES: usize = 32;

/// The SHA-256 of a key's text, by which it is known.
#[must_use]
pub fn digest_key(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The part of a key's text that finds its row, if the text has the form of a key.
fn prefix_of(text: &str) -> Option<&str> {
    let (prefix, secret) = text.strip_prefix("tlk_")?.split_once('_')?;
    let hex = |text: &str, bytes| text.len() == 2 * bytes && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex(prefix, PREFIX_BYTES) && hex(secret, SECRET_BYTES)).then_some(prefix)
}

fn random_hex(bytes: &mut [u8]) -> Result<String, PortError> {
    getrandom::fill(bytes).map_err(|error| PortError::Internal(format!("no randomness for a key: {error}")))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

impl ApiKeys for Store {
    fn find<'a>(&'a self, presented: &'a str) -> PortFuture<'a, Option<ApiKey>> {
        Box::pin(async move {
            let Some(prefix) = prefix_of(presented).map(str::to_owned) else {
                return Ok(None);
            };
            let query = api_keys::table.filter(api_keys::prefix.eq(prefix));
            let rows =
                on_database!(self.database, read, |conn| query.select(ApiKeyRow::as_select()).load(conn).await).await?;
            let digest = digest_key(presented);
            let row = rows.into_iter().find(|row| bool::from(row.digest.ct_eq(&digest)));
            Ok(row.map(ApiKey::try_from).transpose()?)
        })
    }

    fn create(&self, key: NewApiKey) -> PortFuture<'_, IssuedKey> {
        Box::pin(async move {
            if key.user_id.is_some_and(|user| user.uuid().is_nil()) {
                // The nil UUID stands for "no user" where answers are kept, so that user's would be everybody's.
                return Err(PortError::UnknownReference);
            }
            let prefix = random_hex(&mut [0; PREFIX_BYTES])?;
            let text = format!("tlk_{prefix}_{}", random_hex(&mut [0; SECRET_BYTES])?);
            let row = ApiKeyRow::new(&key, prefix.clone(), &digest_key(&text));
            let query = diesel::insert_into(api_keys::table).values(row);
            on_database!(self.database, write, |conn| query.execute(conn).await).await?;
            let key = ApiKey {
                id: key.id,
                organization_id: key.organization_id,
                project_id: key.project_id,
                user_id: key.user_id,
                permissions: key.permissions,
                prefix,
                created_at: key.created_at,
                revoked_at: None,
            };
            Ok(IssuedKey { key, text })
        })
    }

    fn list(&self, organization: OrganizationId) -> PortFuture<'_, Vec<ApiKey>> {
        Box::pin(async move {
            let query = api_keys::table
                .filter(api_keys::organization_id.eq(IdValue::from(organization)))
                .order((api_keys::created_at, api_keys::id));
            let rows =
                on_database!(self.database, read, |conn| query.select(ApiKeyRow::as_select()).load(conn).await).await?;
            Ok(rows.into_iter().map(ApiKey::try_from).collect::<Result<_, _>>()?)
        })
    }

    fn revoke(&self, id: KeyId, now: Timestamp) -> PortFuture<'_, bool> {
        Box::pin(async move {
            let query = diesel::update(api_keys::table.filter(api_keys::id.eq(IdValue::from(id)))).set(
                api_keys::revoked_at.eq(diesel::dsl::case_when(
                    api_keys::revoked_at.is_null(),
                    Some(InstantValue::from(now)),
                )
                .otherwise(api_keys::revoked_at)),
            );
            let found = on_database!(self.database, write, |conn| query.execute(conn).await).await?;
            Ok(found > 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_of_the_form_of_a_key_reach_the_database() {
        let secret = "ab".repeat(SECRET_BYTES);
        assert_eq!(prefix_of(&format!("tlk_0123456789ab_{secret}")), Some("0123456789ab"));
        for text in ["", "tlk_", "tlk__", "tlk_0123456789ab_", &format!("tlk_0123456789a'_{secret}"), &secret] {
            assert_eq!(prefix_of(text), None, "{text:?}");
        }
    }
}
