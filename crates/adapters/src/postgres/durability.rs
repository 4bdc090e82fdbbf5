//! What PostgreSQL needs so that an answer means that its change is on the disk.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::error::DbError;

/// Has each commit wait for the disk, where the role or the database defaults to not waiting. Other
/// values, which say what to wait for on a standby, stay as they are.
pub(super) const SYNCHRONOUS: &str = "SELECT set_config('synchronous_commit', 'on', false) WHERE \
    current_setting('synchronous_commit') = 'off'";

/// `reset_val` is what a session starts with.
const SETTINGS: &str = "SELECT name FROM pg_settings \
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND reset_val = 'off' ORDER \
    BY name";

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    name: String,
}

/// A sentence for each setting that no session can mend.
pub(super) async fn warnings(conn: &mut AsyncPgConnection) -> Result<Vec<String>, DbError> {
    let off: Vec<Setting> = diesel::sql_query(SETTINGS).load(conn).await?;
    Ok(off.iter().map(|setting| warning(&setting.name)).collect())
}

fn warning(name: &str) -> String {
    match name {
        "synchronous_commit" => "Sessions start with synchronous_commit = off. Each connection \
            sets it to on, but behind a \
             pooler in transaction mode that may not reach every commit, and what was answered \
             may be lost: ALTER ROLE, or \
             ALTER DATABASE, … SET synchronous_commit = on."
            .to_owned(),
        name => format!(
            "The server runs with {name} = off, so what was answered may be lost or damaged when \
             its machine fails."
        ),
    }
}
