//! Saves what a batch changed, row by row with cached statements, which on SQLite is faster than
//! inserting many rows at once.

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
    for record in changes.history {
        diesel::insert_into(time_entry_history::table)
            .values(HistoryRow::from(record))
            .execute(conn)?;
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

fn changed(id: TimeEntryId) -> DbError {
    DbError::Conflict(format!("time entry {id} has changed"))
}
