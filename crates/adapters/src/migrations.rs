//! The migrations, compiled in.

use diesel::dsl::sql;
use diesel::migration::MigrationVersion;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::error::DbError;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Applies the migrations that are missing and returns their versions.
pub(crate) fn run_sqlite(conn: &mut SqliteConnection) -> Result<Vec<String>, DbError> {
    let applied = conn.run_pending_migrations(SQLITE).map_err(|error| failed(&*error))?;
    Ok(applied.iter().map(MigrationVersion::to_string).collect())
}

pub(crate) fn sqlite_has_pending(conn: &mut SqliteConnection) -> Result<bool, DbError> {
    // Where its table is missing, diesel would make it, which a connection that only reads cannot.
    let table = "EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '__diesel_schema_migrations')";
    if !diesel::select(sql::<Bool>(table)).get_result::<bool>(conn)? {
        return Ok(true);
    }
    conn.has_pending_migration(SQLITE).map_err(|error| failed(&*error))
}

fn failed(error: &(dyn std::error::Error + 'static)) -> DbError {
    DbError::Failed(format!("the database cannot be migrated: {error}"))
}
