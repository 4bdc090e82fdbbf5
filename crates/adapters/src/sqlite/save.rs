//! Saves what a batch changed, row by row with cached statements, which on SQLite is faster than
//! inserting many rows at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Display;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use timelog_domain::{Changes, Seq, Version, WebhookChange, WebhookKey};

use super::load::last_seq;
use crate::error::DbError;
use crate::keep_prepared::KeepPrepared;
use crate::rows::{ClosingRow, HistoryRow, IdempotencyRow, TimeEntryRow, WebhookRow};
use crate::schema::{
    closings, idempotency_keys, time_entries, time_entry_history, webhook_failures, webhooks,
};
use crate::types::IdValue;

/// Returns how many bytes of answers it stores.
pub(super) fn save(conn: &mut SqliteConnection, changes: Changes) -> Result<u64, DbError> {
    for deletion in &changes.deletions {
        let (organization, id) = deletion.key;
        let entry = time_entries::table.find((IdValue::from(organization), IdValue::from(id)));
        let deleted = diesel::delete(entry.filter(time_entries::version.eq(deletion.loaded.get())))
            .execute(conn)?;
        if deleted != 1 {
            return Err(changed("time entry", &id));
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
            return Err(changed("time entry", &change.time_entry.id()));
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
    // Nobody else has closed anything since the books were loaded.
    for row in changes.closings.into_iter().map(ClosingRow::from) {
        diesel::insert_into(closings::table).values(row).execute(conn)?;
    }
    save_webhooks(conn, changes.webhooks, &changes.taken)?;
    let mut bytes = 0;
    for answer in changes.answers {
        let row = IdempotencyRow::from(answer);
        bytes += row.bytes();
        // What may be there is an expired answer: a live one would have been replayed.
        diesel::replace_into(idempotency_keys::table).values(row).execute(conn)?;
    }
    Ok(bytes)
}

fn save_webhooks(
    conn: &mut SqliteConnection,
    changes: Vec<WebhookChange>,
    taken: &[(WebhookKey, Seq)],
) -> Result<(), DbError> {
    let ids = |(organization, id): WebhookKey| (IdValue::from(organization), IdValue::from(id));
    for WebhookChange { key, loaded, webhook } in changes {
        let as_loaded = |version: Version| {
            webhooks::table.find(ids(key)).filter(webhooks::version.eq(version.get()))
        };
        let saved = match (webhook.as_ref().map(WebhookRow::from), loaded) {
            (Some(row), None) => diesel::insert_into(webhooks::table).values(row).execute(conn)?,
            (Some(row), Some(version)) => {
                diesel::update(as_loaded(version)).set(row).execute(conn)?
            }
            (None, Some(version)) => diesel::delete(as_loaded(version)).execute(conn)?,
            (None, None) => 1,
        };
        if saved != 1 {
            return Err(changed("webhook", &key.1));
        }
    }
    for (key, seq) in taken {
        let (organization, webhook) = ids(*key);
        let failure = webhook_failures::table.find((organization, webhook, seq.get()));
        diesel::delete(failure).execute(conn)?;
    }
    Ok(())
}

fn changed(what: &str, id: &dyn Display) -> DbError {
    DbError::Conflict(format!("{what} {id} has changed"))
}
