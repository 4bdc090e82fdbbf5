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
    let key = IdempotencyRow::names(|written| written == Written::AsKey).join(", ");
    let again = IdempotencyRow::names(|written| written == Written::Again);
    let set = list(&again, |name| format!("{name} = excluded.{name}"));
    let [insert, _] = insert::<IdempotencyRow>();
    let over =
        format!("ON CONFLICT ({key}) DO UPDATE SET {set} WHERE idempotency_keys.expires_at <= ");
    [insert, over]
});

static INSERT: Text = LazyLock::new(insert::<TimeEntryRow>);

static RECORD: Text = LazyLock::new(insert::<HistoryRow>);

static UPDATE: Text = LazyLock::new(|| {
    let set = TimeEntryRow::names(|written| written == Written::Again);
    let set = list(&set, |name| format!("{name} = n.{name}"));
    let names = TimeEntryRow::names(is_updated).join(", ");
    [
        format!("UPDATE time_entries t SET {set} FROM"),
        format!("AS n ({names}, loaded) WHERE {AS_LOADED}"),
    ]
});

static DELETE: Text = LazyLock::new(|| {
    let rest = format!("AS n (organization_id, id, loaded) WHERE {AS_LOADED}");
    ["DELETE FROM time_entries t USING".to_owned(), rest]
});

const AS_LOADED: &str =
    "t.organization_id = n.organization_id AND t.id = n.id AND t.version = n.loaded";

fn insert<R: Row>() -> [String; 2] {
    let names = R::names(|_| true).join(", ");
    [format!("INSERT INTO {} ({names}) SELECT * FROM", R::TABLE), String::new()]
}

fn list(names: &[&str], item: impl Fn(&str) -> String) -> String {
    names.iter().map(|name| item(name)).collect::<Vec<_>>().join(", ")
}

/// What never changes in an entry is not written again.
fn is_updated(written: Written) -> bool {
    written != Written::Once
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
    let mut updated = TimeEntryRow::arrays(&known, is_updated);
    updated.push(values::<BigInt, _>(loaded.into_iter()));
    let history: Vec<_> = changes.history.into_iter().map(HistoryRow::from).collect();
    let all = |_| true;

    // The claims go first: whoever waits for one of them waits here, before anything else is
    // locked.
    let claims = IdempotencyRow::arrays(&answers, all);
    affect(conn, &CLAIM, claims, Some(now.into()), answers.len()).await?;
    // Deletions come before what is new, because that may have taken over the reference of one
    // that goes.
    affect(conn, &DELETE, deleted, None, deletions.len()).await?;
    affect(conn, &UPDATE, updated, None, known.len()).await?;
    affect(conn, &INSERT, TimeEntryRow::arrays(&new, all), None, new.len()).await?;
    affect(conn, &RECORD, HistoryRow::arrays(&history, all), None, history.len()).await?;
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
