//! The migrations, compiled in.

use diesel::connection::SimpleConnection;
use diesel::declare_sql_function;
use diesel::dsl::sql;
use diesel::migration::{MigrationSource, MigrationVersion};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Text};
use diesel::sqlite::SqliteConnection;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::digests::digest_external_ref_part;
use crate::error::DbError;
use crate::rows::digest_key;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The advisory lock that programs hold while they migrate: "timelog" in ASCII.
const POSTGRES_LOCK: i64 = 0x74_69_6d_65_6c_6f_67;

#[declare_sql_function]
extern "SQL" {
    /// A migration needs it, and SQLite does not have it.
    fn external_digest(part: Text) -> Binary;

    /// As above.
    fn idempotency_digest(key_id: Binary, operation: Text, key: Text) -> Binary;
}

/// Applies the migrations that are missing and returns their versions.
pub(crate) fn run_sqlite(conn: &mut SqliteConnection) -> Result<Vec<String>, DbError> {
    external_digest_utils::register_impl(conn, |part: String| {
        digest_external_ref_part(&part).to_vec()
    })?;
    let digest = |key_id: Vec<u8>, operation: String, key: String| {
        digest_key(&key_id, &operation, &key).to_vec()
    };
    idempotency_digest_utils::register_impl(conn, digest)?;
    let applied = conn.run_pending_migrations(SQLITE).map_err(|error| failed(&*error))?;
    Ok(applied.iter().map(MigrationVersion::to_string).collect())
}

/// Whether any migration was ever applied.
pub(crate) fn sqlite_was_migrated(conn: &mut SqliteConnection) -> Result<bool, DbError> {
    let table = "EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '__diesel_schema_migrations')";
    Ok(diesel::select(sql::<Bool>(table)).get_result(conn)?)
}

pub(crate) fn sqlite_has_pending(conn: &mut SqliteConnection) -> Result<bool, DbError> {
    // Where its table is missing, diesel would make it, which a connection that only reads cannot.
    if !sqlite_was_migrated(conn)? {
        return Ok(true);
    }
    conn.has_pending_migration(SQLITE).map_err(|error| failed(&*error))
}

/// Applies the migrations that are missing, all of them or none, and returns their versions.
/// Programs that start at once wait for each other, without the time limits of requests. Rows are
/// moved by the thousands, so whole tables may be read.
pub(crate) async fn run_postgres(conn: AsyncPgConnection) -> Result<Vec<String>, DbError> {
    blocking(conn, |conn| {
        conn.transaction(|conn| {
            conn.batch_execute(&format!(
                "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
                 SET LOCAL enable_seqscan = on; \
                 SELECT pg_advisory_xact_lock({POSTGRES_LOCK})"
            ))?;
            let applied = conn.run_pending_migrations(POSTGRES).map_err(|error| failed(&*error))?;
            Ok(applied.iter().map(MigrationVersion::to_string).collect())
        })
    })
    .await
}

/// The versions that this program needs.
pub(crate) fn postgres_versions() -> Result<Vec<String>, DbError> {
    let migrations =
        MigrationSource::<Pg>::migrations(&POSTGRES).map_err(|error| failed(&*error))?;
    Ok(migrations.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// diesel runs migrations only on a connection that blocks.
async fn blocking<T: Send + 'static>(
    conn: AsyncPgConnection,
    work: impl FnOnce(&mut AsyncConnectionWrapper<AsyncPgConnection>) -> Result<T, DbError>
    + Send
    + 'static,
) -> Result<T, DbError> {
    let work = tokio::task::spawn_blocking(move || work(&mut AsyncConnectionWrapper::from(conn)));
    work.await.map_err(|error| DbError::Failed(error.to_string()))?
}

fn failed(error: &(dyn std::error::Error + 'static)) -> DbError {
    DbError::Failed(format!("the database cannot be migrated: {error}"))
}
