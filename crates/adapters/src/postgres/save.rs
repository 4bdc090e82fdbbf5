//! Saves what a batch changed: one statement a table, over arrays.

use std::sync::LazyLock;

use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use timelog_domain::{Changes, Timestamp};

use super::statement::{Statement, Text};
use crate::error::DbError;
use crate::rows::{HistoryRow, IdempotencyRow, Row, TimeEntryRow, Values, Written, values};
use crate::types::{Id, IdValue, InstantValue};

/// An expired answer may be taken over, in the claim itself. A live one means that somebody else
/// was first.
static CLAIM: Text = LazyLock::new(|| {
    let key = IdempotencyRow::names(&[Written::AsKey]).join(", ");
    let set = assignments::<IdempotencyRow>("excluded");
    let take_over =
        format!("ON CONFLICT ({key}) DO UPDATE SET {set} WHERE idempotency_keys.expires_at <= ");
    [insert::<IdempotencyRow>(), take_over]
});

static INSERT: Text = LazyLock::new(|| [insert::<TimeEntryRow>(), String::new()]);

static RECORD: Text = LazyLock::new(|| [insert::<HistoryRow>(), String::new()]);

static UPDATE: Text = LazyLock::new(|| {
    let update = format!("UPDATE time_entries t SET {} FROM", assignments::<TimeEntryRow>("n"));
    [update, as_loaded(&TimeEntryRow::names(&UPDATED))]
});

static DELETE: Text = LazyLock::new(|| {
    let key = TimeEntryRow::names(&[Written::AsKey]);
    ["DELETE FROM time_entries t USING".to_owned(), as_loaded(&key)]
});

/// What never changes in an entry is not written again.
const UPDATED: [Written; 2] = [Written::AsKey, Written::Again];

fn insert<R: Row>() -> String {
    format!("INSERT INTO {} ({}) SELECT * FROM", R::TABLE, R::names(&Written::ALL).join(", "))
}

fn assignments<R: Row>(from: &str) -> String {
    let names = R::names(&[Written::Again]).into_iter();
    names.map(|name| format!("{name} = {from}.{name}")).collect::<Vec<_>>().join(", ")
}

/// Holds to the entries whose version is still the one that was loaded.
fn as_loaded(names: &[&str]) -> String {
    format!(
        "AS n ({}, loaded) WHERE t.organization_id = n.organization_id AND t.id = n.id \
         AND t.version = n.loaded",
        names.join(", ")
    )
}

/// Returns how many bytes of answers it stores.
pub(super) async fn save(
    conn: &mut AsyncPgConnection,
    changes: Changes,
    now: Timestamp,
) -> Result<u64, DbError> {
    let answers: Vec<_> = changes.answers.into_iter().map(IdempotencyRow::from).collect();
    let bytes = answers.iter().map(IdempotencyRow::bytes).sum();
    let (mut new, mut known, mut loaded) = (Vec::new(), Vec::new(), Vec::new());
    for change in &changes.time_entries {
        let row = TimeEntryRow::from(&change.time_entry);
        match change.loaded {
            None => new.push(row),
            Some(version) => {
                known.push(row);
                loaded.push(version.get());
            }
        }
    }
    let deletions = &changes.deletions;
    let deleted = vec![
        values::<Id, _>(deletions.iter().map(|deletion| IdValue::from(deletion.key.0))),
        values::<Id, _>(deletions.iter().map(|deletion| IdValue::from(deletion.key.1))),
        values::<BigInt, _>(deletions.iter().map(|deletion| deletion.loaded.get())),
    ];
    let mut updated = TimeEntryRow::arrays(&known, &UPDATED);
    updated.push(values::<BigInt, _>(loaded.into_iter()));
    let history: Vec<_> = changes.history.into_iter().map(HistoryRow::from).collect();

    // The claims go first: whoever waits for one of them waits here, before anything else is
    // locked.
    let claims = IdempotencyRow::arrays(&answers, &Written::ALL);
    affect(conn, &CLAIM, claims, Some(now.into()), answers.len()).await?;
    // Deletions come before what is new, because that may have taken over the reference of one
    // that goes.
    affect(conn, &DELETE, deleted, None, deletions.len()).await?;
    affect(conn, &UPDATE, updated, None, known.len()).await?;
    affect(conn, &INSERT, TimeEntryRow::arrays(&new, &Written::ALL), None, new.len()).await?;
    affect(conn, &RECORD, HistoryRow::arrays(&history, &Written::ALL), None, history.len()).await?;
    Ok(bytes)
}

/// Runs a statement that must do something to each of so many rows; where it did not, somebody else
/// changed them.
async fn affect(
    conn: &mut AsyncPgConnection,
    text: &'static Text,
    arrays: Vec<Values<'_>>,
    last: Option<InstantValue>,
    rows: usize,
) -> Result<(), DbError> {
    if rows == 0 {
        return Ok(());
    }
    let affected = Statement { text, arrays, last }.execute(conn).await?;
    if affected == rows {
        Ok(())
    } else {
        Err(DbError::Conflict(format!("{affected} of {rows} rows were as loaded")))
    }
}

#[cfg(test)]
mod tests {
    use diesel::debug_query;
    use diesel::pg::Pg;
    use diesel::query_builder::QueryFragment;

    use super::*;

    /// What is sent for so many rows of so many columns, and kept prepared.
    fn sent(text: &'static Text, columns: usize, rows: usize) -> String {
        let array = |_| values::<BigInt, _>((0..rows).map(|_| 1_i64));
        let statement = Statement { text, arrays: (0..columns).map(array).collect(), last: None };
        assert!(statement.is_safe_to_cache_prepared(&Pg).unwrap());
        let debug = debug_query::<Pg, _>(&statement).to_string();
        debug.split_once(" -- binds").unwrap().0.to_owned()
    }

    #[test]
    fn batches_of_any_size_have_one_text_which_is_kept_prepared() {
        let columns = TimeEntryRow::COLUMNS.len();
        for text in [&INSERT, &UPDATE, &DELETE, &RECORD, &CLAIM] {
            assert_eq!(sent(text, columns, 1), sent(text, columns, 64));
        }
        assert_eq!(
            sent(&DELETE, 3, 2),
            "DELETE FROM time_entries t USING unnest($1, $2, $3) AS n (organization_id, id, \
             loaded) \
             WHERE t.organization_id = n.organization_id AND t.id = n.id AND t.version = n.loaded"
        );
    }

    #[test]
    fn what_never_changes_in_an_entry_is_not_written_again() {
        let update = sent(&UPDATE, UPDATED.len(), 1);
        let (set, _) = update.split_once(" FROM").unwrap();
        assert!(set.contains(" SET user_id = n.user_id, "), "{set}");
        for column in ["organization_id", "project_id", "source", "external_id", "created_at"] {
            assert!(!set.contains(column), "{column}: {set}");
        }
    }
}
