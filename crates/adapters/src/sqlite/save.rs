//! Saves what a batch changed, row by row with cached statements, which on SQLite is faster than
//! inserting many rows at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use timelog_domain::{Changes, TimeEntryId};

use crate::error::DbError;
use crate::keep_prepared::KeepPrepared;
use crate::rows::{HistoryRow, IdempotencyRow, TimeEntryRow};
use crate::schema::{idempotency_keys, time_entries, time_entry_history};
use crate::types::IdValue;

/// Returns how many bytes of answers it stores.
pub(super) fn save(conn: &mut SqliteConnection, changes: Changes) -> Result<u64, DbError> {
    for deletion in &changes.deletions {
        let (organization, id) = deletion.key;
        let entry = time_entries::table.find((IdValue::from(organization), IdValue::from(id)));
        let deleted = diesel::delete(entry.filter(time_entries::version.eq(deletion.loaded.get())))
            .execute(conn)?;
        if deleted != 1 {
            return Err(changed(id));
        }
    }
    for change in &changes.time_entries {
        let row = TimeEntryRow::from(&change.time_entry);
        let saved = match change.loaded {
            None => diesel::insert_into(time_entries::table).values(row).execute(conn)?,
            Some(version) => {
                let entry = time_entries::table.find((row.organization_id, row.id));
                let entry = entry.filter(time_entries::version.eq(version.get()));
                KeepPrepared(diesel::update(entry).set(row)).execute(conn)?
            }
        };
        if saved != 1 {
            return Err(changed(change.time_entry.id()));
        }
    }
    // Nobody else writes, so what is numbered now is also committed next.
    let mut committed = HashMap::new();
    for mut row in HistoryRow::numbered(changes.history) {
        row.seq += match committed.entry(row.organization_id) {
            Entry::Occupied(last) => *last.get(),
            Entry::Vacant(unknown) => *unknown.insert(last_seq(conn, row.organization_id)?),
        };
        diesel::insert_into(time_entry_history::table).values(row).execute(conn)?;
    }
    let mut bytes = 0;
    for answer in changes.answers {
        let row = IdempotencyRow::from(answer);
        bytes += row.bytes();
        // What may be there is an expired answer: a live one would have been replayed.
        diesel::replace_into(idempotency_keys::table).values(row).execute(conn)?;
    }
    Ok(bytes)
}

/// The number of the organization's last change, 0 where it has none.
fn last_seq(conn: &mut SqliteConnection, organization: IdValue) -> QueryResult<i64> {
    let changes = time_entry_history::table
        .filter(time_entry_history::organization_id.eq(organization))
        .order(time_entry_history::seq.desc());
    let last = changes.select(time_entry_history::seq).first(conn).optional()?;
    Ok(last.unwrap_or(0))
}

fn changed(id: TimeEntryId) -> DbError {
    DbError::Conflict(format!("time entry {id} has changed"))
}
