//! The idempotency cache on diesel. Its rows are written with the changes they answer, by the
//! commit queue.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use diesel_async::RunQueryDsl;
use timelog_domain::ports::{IdempotencyCache, PortError, PortFuture};
use timelog_domain::{IdempotencyRecord, IdempotencyScope, Timestamp};

use crate::database::{Database, on_database};
use crate::rows::{IdempotencyRow, digest_scope};
use crate::schema::idempotency_keys;
use crate::store::Store;
use crate::types::{IdValue, Instant, InstantValue};

/// The condition stands in both places, because a new request may take the key over between
/// choosing the row and deleting it.
const SWEEP: &str = "DELETE FROM idempotency_keys \
    WHERE expires_at <= $1 AND (organization_id, digest) IN (\
        SELECT organization_id, digest FROM idempotency_keys \
        WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2";

/// An answer that was deleted.
#[derive(QueryableByName)]
struct Swept {
    #[diesel(sql_type = Integer)]
    size: i32,
}

impl Store {
    /// How many bytes the stored answers and their keys take, without what indexes and pages add.
    /// An index adds them up, and nobody who writes waits for that.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the database does not answer.
    pub async fn kept_bytes(&self) -> Result<u64, PortError> {
        let query = idempotency_keys::table.select(diesel::dsl::sum(idempotency_keys::size));
        let sum: Option<i64> =
            on_database!(self.database, look_up, |conn| query.first(conn).await).await?;
        Ok(sum.unwrap_or(0).unsigned_abs())
    }
}

impl IdempotencyCache for Store {
    fn find<'a>(
        &'a self,
        scope: &'a IdempotencyScope,
        now: Timestamp,
    ) -> PortFuture<'a, Option<IdempotencyRecord>> {
        Box::pin(async move {
            let key = (IdValue::from(scope.organization_id), digest_scope(scope));
            let query = idempotency_keys::table
                .find(key)
                .filter(idempotency_keys::expires_at.gt(InstantValue::from(now)));
            let row = on_database!(self.database, read(scope.organization_id), |conn| query
                .select(IdempotencyRow::as_select())
                .first(conn)
                .await
                .optional())
            .await?;
            Ok(row.map(IdempotencyRecord::try_from).transpose()?)
        })
    }

    fn sweep(&self, now: Timestamp, limit: u32) -> PortFuture<'_, u64> {
        Box::pin(async move {
            // PostgreSQL locks row by row. What a request is taking over is left to that request.
            let end = match &self.database {
                Database::Sqlite(_) => ")",
                Database::Postgres(_) => " FOR UPDATE SKIP LOCKED)",
            };
            let query = diesel::sql_query(format!("{SWEEP}{end} RETURNING size"))
                .bind::<Instant, _>(InstantValue::from(now))
                .bind::<BigInt, _>(i64::from(limit));
            let swept: Vec<Swept> =
                on_database!(self.database, write, |conn| query.load(conn).await).await?;
            let bytes = swept.iter().map(|swept| u64::from(swept.size.unsigned_abs())).sum();
            metrics::counter!("timelog_idempotency_swept_bytes_total").increment(bytes);
            Ok(swept.len() as u64)
        })
    }
}
