//! API keys on diesel. A key's text is `tlk_<prefix>_<secret>`; only a digest of it is stored.

use std::fmt::Write as _;

use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use timelog_domain::ports::{ApiKeys, IssuedKey, NewApiKey, PortError, PortFuture};
use timelog_domain::{ApiKey, KeyId, OrganizationId, Timestamp};

use crate::database::on_database;
use crate::rows::{ApiKeyRow, FormerSecretRow};
use crate::schema::{api_keys, former_secrets};
use crate::store::Store;
use crate::types::{IdValue, InstantValue};

/// Random bytes in the part that is not secret, enough that two keys hardly get the same prefix.
const PREFIX_BYTES: usize = 6;
/// Random bytes in the secret part.
const SECRET_BYTES: usize = 32;

/// The SHA-256 of a key's text, by which it is known.
#[must_use]
pub fn digest_key(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// The part of a key's text by which its row is found, if the text has the form of a key.
fn prefix_of(text: &str) -> Option<&str> {
    let (prefix, secret) = text.strip_prefix("tlk_")?.split_once('_')?;
    let hex = |text: &str, bytes| {
        text.len() == 2 * bytes && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    (hex(prefix, PREFIX_BYTES) && hex(secret, SECRET_BYTES)).then_some(prefix)
}

fn random_hex(bytes: &mut [u8]) -> Result<String, PortError> {
    getrandom::fill(bytes)
        .map_err(|error| PortError::Internal(format!("no randomness for a key: {error}")))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// A new text for a key: its prefix and the whole.
fn new_text() -> Result<(String, String), PortError> {
    let prefix = random_hex(&mut [0; PREFIX_BYTES])?;
    let text = format!("tlk_{prefix}_{}", random_hex(&mut [0; SECRET_BYTES])?);
    Ok((prefix, text))
}

/// How often a rotation is tried when somebody else rotates the same key at the same moment.
const ATTEMPTS: u32 = 5;

impl Store {
    /// The row of the key that had a text of that prefix and digest, if that text still works.
    async fn find_former(
        &self,
        prefix: String,
        digest: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<ApiKeyRow>, PortError> {
        let of_key = former_secrets::organization_id
            .eq(api_keys::organization_id)
            .and(former_secrets::key_id.eq(api_keys::id));
        let query = former_secrets::table
            .inner_join(api_keys::table.on(of_key))
            .filter(former_secrets::prefix.eq(prefix))
            .filter(former_secrets::expires_at.gt(InstantValue::from(now)));
        let rows: Vec<(Vec<u8>, ApiKeyRow)> = on_database!(self.database, look_up, |conn| {
            query.select((former_secrets::digest, ApiKeyRow::as_select())).load(conn).await
        })
        .await?;
        Ok(rows.into_iter().find(|(known, _)| bool::from(known.ct_eq(digest))).map(|(_, row)| row))
    }

    /// Gives a key another text, unless somebody else has given it one since `row` was read.
    async fn replace_secret(
        &self,
        row: &ApiKeyRow,
        (prefix, digest): (String, [u8; 32]),
        now: Timestamp,
        former_until: Timestamp,
    ) -> Result<bool, PortError> {
        let (organization, id, known) = (row.organization_id, row.id, row.digest.clone());
        let former = (former_until > now).then(|| FormerSecretRow::of(row, former_until));
        let work = on_database!(self.database, write, |conn| {
            let work = async |conn: &mut _| {
                // The first statement writes, so on SQLite the transaction has the lock before it
                // has read anything.
                let key = api_keys::table.find((organization, id));
                let unchanged = api_keys::digest.eq(&known).and(api_keys::revoked_at.is_null());
                let secret = (api_keys::prefix.eq(&prefix), api_keys::digest.eq(digest.as_slice()));
                let replaced =
                    diesel::update(key.filter(unchanged)).set(secret).execute(conn).await?;
                let of_key = former_secrets::organization_id
                    .eq(organization)
                    .and(former_secrets::key_id.eq(id));
                let over = of_key.and(former_secrets::expires_at.le(InstantValue::from(now)));
                diesel::delete(former_secrets::table.filter(over)).execute(conn).await?;
                if let Some(former) = former.as_ref().filter(|_| replaced == 1) {
                    diesel::insert_into(former_secrets::table).values(former).execute(conn).await?;
                }
                QueryResult::Ok(replaced == 1)
            };
            conn.transaction(work).await
        });
        work.await
    }
}

impl ApiKeys for Store {
    fn find<'a>(&'a self, presented: &'a str, now: Timestamp) -> PortFuture<'a, Option<ApiKey>> {
        Box::pin(async move {
            let Some(prefix) = prefix_of(presented).map(str::to_owned) else {
                return Ok(None);
            };
            let query = api_keys::table.filter(api_keys::prefix.eq(prefix.clone()));
            let rows = on_database!(self.database, look_up, |conn| query
                .select(ApiKeyRow::as_select())
                .load(conn)
                .await)
            .await?;
            let digest = digest_key(presented);
            let row = rows.into_iter().find(|row| bool::from(row.digest.ct_eq(&digest)));
            let row = match row {
                Some(row) => Some(row),
                None => self.find_former(prefix, &digest, now).await?,
            };
            Ok(row.map(ApiKey::try_from).transpose()?)
        })
    }

    fn create(&self, key: NewApiKey) -> PortFuture<'_, IssuedKey> {
        Box::pin(async move {
            let (prefix, text) = new_text()?;
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

    fn rotate(
        &self,
        id: KeyId,
        now: Timestamp,
        former_until: Timestamp,
    ) -> PortFuture<'_, Option<IssuedKey>> {
        Box::pin(async move {
            for _ in 0..ATTEMPTS {
                let query = api_keys::table.filter(api_keys::id.eq(IdValue::from(id)));
                let query = query.filter(api_keys::revoked_at.is_null());
                let select = on_database!(self.database, look_up, |conn| {
                    query.select(ApiKeyRow::as_select()).first(conn).await.optional()
                });
                let row = select.await?;
                let Some(row) = row else { return Ok(None) };
                let (prefix, text) = new_text()?;
                let secret = (prefix.clone(), digest_key(&text));
                if self.replace_secret(&row, secret, now, former_until).await? {
                    let key = ApiKey { prefix, ..row.try_into()? };
                    return Ok(Some(IssuedKey { key, text }));
                }
            }
            Err(PortError::Unavailable("somebody else keeps changing this key".to_owned()))
        })
    }

    fn list(&self, organization: OrganizationId) -> PortFuture<'_, Vec<ApiKey>> {
        Box::pin(async move {
            let query = api_keys::table
                .filter(api_keys::organization_id.eq(IdValue::from(organization)))
                .order((api_keys::created_at, api_keys::id));
            let rows = on_database!(self.database, look_up, |conn| query
                .select(ApiKeyRow::as_select())
                .load(conn)
                .await)
            .await?;
            Ok(rows.into_iter().map(ApiKey::try_from).collect::<Result<_, _>>()?)
        })
    }

    fn revoke(&self, id: KeyId, now: Timestamp) -> PortFuture<'_, bool> {
        Box::pin(async move {
            let query = diesel::update(api_keys::table.filter(api_keys::id.eq(IdValue::from(id))))
                .set(
                    api_keys::revoked_at.eq(diesel::dsl::case_when(
                        api_keys::revoked_at.is_null(),
                        Some(InstantValue::from(now)),
                    )
                    .otherwise(api_keys::revoked_at)),
                );
            let found =
                on_database!(self.database, write, |conn| query.execute(conn).await).await?;
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
        for text in [
            "",
            "tlk_",
            "tlk__",
            "tlk_0123456789ab_",
            &format!("tlk_0123456789a'_{secret}"),
            &secret,
        ] {
            assert_eq!(prefix_of(text), None, "{text:?}");
        }
    }
}
