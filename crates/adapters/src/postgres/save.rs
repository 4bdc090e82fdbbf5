//! Saves what a batch changed: one statement a table, over arrays.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::join;
use timelog_domain::{Changes, Timestamp};

use super::statement::{Statement, Text};
use crate::digests::digest;
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

/// The numbers that rows have are within their organization and this batch. The last one that the
/// organization has comes to them here.
static RECORD: Text = LazyLock::new(|| {
    let names = HistoryRow::names(&Written::ALL);
    let numbered: Vec<_> = names
        .iter()
        .map(
            |name| if *name == "seq" { "last.seq + n.seq".to_owned() } else { format!("n.{name}") },
        )
        .collect();
    let (names, numbered) = (names.join(", "), numbered.join(", "));
    let after = format!(
        "AS n ({names})), \
         last AS MATERIALIZED (SELECT organization_id, coalesce((SELECT h.seq \
         FROM time_entry_history h WHERE h.organization_id = o.organization_id \
         ORDER BY h.seq DESC LIMIT 1), 0) AS seq \
         FROM (SELECT DISTINCT organization_id FROM n) o) \
         INSERT INTO time_entry_history ({names}) SELECT {numbered} \
         FROM n JOIN last ON last.organization_id = n.organization_id"
    );
    ["WITH n AS MATERIALIZED (SELECT * FROM".to_owned(), after]
});

/// Waits for other commits of the same organizations. What is sent next sees what they committed,
/// and so the numbers that they gave.
static AWAIT_OTHERS: Text = LazyLock::new(|| {
    [
        "SELECT pg_advisory_xact_lock(n.organization) FROM".to_owned(),
        "AS n (organization)".to_owned(),
    ]
});

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
    let history = HistoryRow::numbered(changes.history);

    // The claims go first: whoever waits for one of them waits here, before anything else is
    // locked.
    let claims = IdempotencyRow::arrays(&answers, &Written::ALL);
    affect(conn, &CLAIM, claims, Some(now.into()), answers.len()).await?;
    // Deletions come before what is new, because that may have taken over the reference of one
    // that goes.
    affect(conn, &DELETE, deleted, None, deletions.len()).await?;
    affect(conn, &UPDATE, updated, None, known.len()).await?;
    affect(conn, &INSERT, TimeEntryRow::arrays(&new, &Written::ALL), None, new.len()).await?;
    record(conn, &history).await?;
    Ok(bytes)
}

/// Numbers the changes and writes them, as the last thing before the commit.
///
/// The greatest number that is committed, plus one, is in the primary key. So of two commits that
/// number at once one fails and is decided again, and no number is seen before a smaller one,
/// whatever else happens. That they wait for each other only spares them that; in the same order
/// of organizations, so that no two wait for one another.
async fn record(conn: &AsyncPgConnection, history: &[HistoryRow]) -> Result<(), DbError> {
    if history.is_empty() {
        return Ok(());
    }
    let organizations: BTreeSet<_> =
        history.iter().map(|row| lock_of(row.organization_id)).collect();
    let arrays = vec![values::<BigInt, _>(organizations.into_iter())];
    let wait = Statement { text: &AWAIT_OTHERS, arrays, last: None };
    let arrays = HistoryRow::arrays(history, &Written::ALL);
    let write = Statement { text: &RECORD, arrays, last: None };
    // Sent one behind the other, without a round trip between them.
    let sent = join(wait.execute(&mut &*conn), write.execute(&mut &*conn)).await;
    let waited = sent.0.map_err(DbError::from);
    let written = sent.1.map_err(DbError::from).map(drop);
    match (waited, written) {
        (Ok(_), written) => written,
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(other)) => Err(error.or_cause(other)),
    }
}

/// The advisory lock of an organization's feed. Two of the same number only wait for each other
/// more often.
fn lock_of(organization: IdValue) -> i64 {
    let digest = digest(&[b"timelog feed ", organization.as_bytes()]);
    i64::from_be_bytes(std::array::from_fn(|index| digest[index]))
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
