//! Saves what a batch changed: one statement a table, over arrays.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use timelog_domain::{Changes, Timestamp, Version, WebhookChange};

use super::statement::{Statement, Text};
use crate::digests::digest;
use crate::error::DbError;
use crate::rows::{
    ClosingRow, FailureRow, HistoryRow, IdempotencyRow, Row, TimeEntryRow, Values, WebhookRow,
    Written, values,
};
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

/// Numbers the changes and writes them. The numbers that the rows have are within their
/// organization and this batch; the last one that is committed comes to them here.
///
/// The next number is in the primary key. So of two commits that number at once, one fails and is
/// decided again; and a number is only given where the one before it is committed, and so is seen
/// by everybody who sees it.
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

/// Waits for other commits of the same organizations, so that the next statements see the numbers
/// that they gave and what they closed, and none fails over them. The order of the locks is the
/// same everywhere, so no two wait for one another.
static AWAIT_OTHERS: Text = LazyLock::new(|| {
    [
        "SELECT pg_advisory_xact_lock(n.organization) FROM".to_owned(),
        "AS n (organization)".to_owned(),
    ]
});

/// Finds the organizations whose books are as they were loaded. Only those who hold its lock close
/// anything, so once that is found, nobody does before the end of this transaction.
static COMPARE_BOOKS: Text = LazyLock::new(|| {
    let as_loaded = "AS n (organization_id, version) WHERE n.version = coalesce(\
        (SELECT c.number FROM closings c WHERE c.organization_id = n.organization_id \
        ORDER BY c.number DESC LIMIT 1), 0)";
    ["SELECT FROM".to_owned(), as_loaded.to_owned()]
});

static CLOSE: Text = LazyLock::new(|| [insert::<ClosingRow>(), String::new()]);

static UPDATE: Text = LazyLock::new(update::<TimeEntryRow>);
static DELETE: Text = LazyLock::new(delete::<TimeEntryRow>);

static INSERT_WEBHOOKS: Text = LazyLock::new(|| [insert::<WebhookRow>(), String::new()]);
static UPDATE_WEBHOOKS: Text = LazyLock::new(update::<WebhookRow>);
static DELETE_WEBHOOKS: Text = LazyLock::new(delete::<WebhookRow>);
static DELETE_FAILURES: Text = LazyLock::new(|| {
    let key = FailureRow::names(&[Written::AsKey]);
    let same: Vec<_> = key.iter().map(|name| format!("t.{name} = n.{name}")).collect();
    let rows = format!("AS n ({}) WHERE {}", key.join(", "), same.join(" AND "));
    ["DELETE FROM webhook_failures t USING".to_owned(), rows]
});

/// What never changes in a row is not written again.
const UPDATED: [Written; 2] = [Written::AsKey, Written::Again];

fn insert<R: Row>() -> String {
    format!("INSERT INTO {} ({}) SELECT * FROM", R::TABLE, R::names(&Written::ALL).join(", "))
}

fn update<R: Row>() -> [String; 2] {
    let update = format!("UPDATE {} t SET {} FROM", R::TABLE, assignments::<R>("n"));
    [update, as_loaded(&R::names(&UPDATED))]
}

fn delete<R: Row>() -> [String; 2] {
    let key = R::names(&[Written::AsKey]);
    [format!("DELETE FROM {} t USING", R::TABLE), as_loaded(&key)]
}

fn assignments<R: Row>(from: &str) -> String {
    let names = R::names(&[Written::Again]).into_iter();
    names.map(|name| format!("{name} = {from}.{name}")).collect::<Vec<_>>().join(", ")
}

/// Holds to the rows whose version is still the one that was loaded.
fn as_loaded(names: &[&str]) -> String {
    format!(
        "AS n ({}, loaded) WHERE t.organization_id = n.organization_id AND t.id = n.id \
         AND t.version = n.loaded",
        names.join(", ")
    )
}

/// Returns how many bytes of answers it stores.
///
/// All statements are sent before the first is answered, and carried out in this order.
///
/// - The claims go first: whoever waits for one of them waits here, before anything else is locked
///   (but for what is held since it was loaded).
/// - Deletions come before what is new, because that may have taken over the reference of one that
///   goes.
/// - The changes are numbered last, so that others wait for that no longer than they must.
pub(super) async fn save(
    conn: &AsyncPgConnection,
    changes: Changes,
    now: Timestamp,
) -> Result<u64, DbError> {
    let answers: Vec<_> = changes.answers.into_iter().map(IdempotencyRow::from).collect();
    let bytes = answers.iter().map(IdempotencyRow::bytes).sum();
    let mut entries = Rows::default();
    for change in &changes.time_entries {
        entries.put(TimeEntryRow::from(&change.time_entry), change.loaded);
    }
    for deletion in &changes.deletions {
        let (organization, id) = deletion.key;
        entries.deleted.push((organization.into(), id.into(), deletion.loaded.get()));
    }
    let mut webhooks = Rows::default();
    for WebhookChange { key: (organization, id), loaded, webhook } in &changes.webhooks {
        match (webhook, loaded) {
            (Some(webhook), _) => webhooks.put(WebhookRow::from(webhook), *loaded),
            (None, Some(version)) => {
                webhooks.deleted.push(((*organization).into(), (*id).into(), version.get()));
            }
            (None, None) => {}
        }
    }
    let taken: Vec<_> = changes
        .taken
        .iter()
        .map(|((organization, webhook), seq)| {
            (IdValue::from(*organization), IdValue::from(*webhook), seq.get())
        })
        .collect();
    let history = HistoryRow::numbered(changes.history);
    // Whose history grows, or who closes something.
    let books: Vec<_> = changes
        .books
        .iter()
        .map(|(organization, version)| (IdValue::from(*organization), version.get()))
        .collect();
    let locks: BTreeSet<_> = books.iter().map(|(organization, _)| lock_of(*organization)).collect();
    let waits = locks.len();
    let locks = vec![values::<BigInt, _>(locks.into_iter())];
    let as_loaded = vec![
        values::<Id, _>(books.iter().map(|(organization, _)| organization)),
        values::<BigInt, _>(books.iter().map(|(_, version)| version)),
    ];
    let closings: Vec<_> = changes.closings.into_iter().map(ClosingRow::from).collect();

    let claims = IdempotencyRow::arrays(&answers, &Written::ALL);
    let saved = join_all([
        affect(conn, &CLAIM, claims, Some(now.into()), answers.len()),
        affect(conn, &DELETE, keys(&entries.deleted), None, entries.deleted.len()),
        affect(conn, &UPDATE, entries.updated(), None, entries.known.len()),
        affect(conn, &INSERT, entries.inserted(), None, entries.new.len()),
        affect(conn, &DELETE_WEBHOOKS, keys(&webhooks.deleted), None, webhooks.deleted.len()),
        affect(conn, &UPDATE_WEBHOOKS, webhooks.updated(), None, webhooks.known.len()),
        affect(conn, &INSERT_WEBHOOKS, webhooks.inserted(), None, webhooks.new.len()),
        forget(conn, &taken),
        affect(conn, &AWAIT_OTHERS, locks, None, waits),
        affect(conn, &COMPARE_BOOKS, as_loaded, None, books.len()),
        affect(conn, &CLOSE, ClosingRow::arrays(&closings, &Written::ALL), None, closings.len()),
        affect(conn, &RECORD, HistoryRow::arrays(&history, &Written::ALL), None, history.len()),
    ]);
    // Once one fails, those behind it fail because of it.
    let errors = saved.await.into_iter().filter_map(Result::err);
    errors.reduce(DbError::or_cause).map_or(Ok(bytes), Err)
}

/// The rows of a table to save, by what is to be done with them.
struct Rows<R> {
    new: Vec<R>,
    known: Vec<R>,
    /// The versions that these were loaded with.
    loaded: Vec<i64>,
    deleted: Vec<Key>,
}

/// A row by its organization, its id, and the version that it was loaded with or its number.
type Key = (IdValue, IdValue, i64);

impl<R> Default for Rows<R> {
    fn default() -> Self {
        Self { new: Vec::new(), known: Vec::new(), loaded: Vec::new(), deleted: Vec::new() }
    }
}

impl<R: Row> Rows<R> {
    fn put(&mut self, row: R, loaded: Option<Version>) {
        match loaded {
            None => self.new.push(row),
            Some(version) => {
                self.known.push(row);
                self.loaded.push(version.get());
            }
        }
    }

    fn inserted(&self) -> Vec<Values<'_>> {
        R::arrays(&self.new, &Written::ALL)
    }

    fn updated(&self) -> Vec<Values<'_>> {
        let mut updated = R::arrays(&self.known, &UPDATED);
        updated.push(values::<BigInt, _>(self.loaded.iter()));
        updated
    }
}

fn keys(keys: &[Key]) -> Vec<Values<'_>> {
    vec![
        values::<Id, _>(keys.iter().map(|key| key.0)),
        values::<Id, _>(keys.iter().map(|key| key.1)),
        values::<BigInt, _>(keys.iter().map(|key| key.2)),
    ]
}

/// Deletes events that were put aside, if they are still there.
fn forget<'a>(
    conn: &'a AsyncPgConnection,
    failures: &'a [Key],
) -> BoxFuture<'a, Result<(), DbError>> {
    async move {
        if !failures.is_empty() {
            let statement =
                Statement { text: &DELETE_FAILURES, arrays: keys(failures), last: None };
            statement.execute(&mut &*conn).await?;
        }
        Ok(())
    }
    .boxed()
}

/// The advisory lock of an organization's feed. Two of the same number only wait for each other
/// more often.
fn lock_of(organization: IdValue) -> i64 {
    let digest = digest(&[b"timelog feed ", organization.as_bytes()]);
    i64::from_be_bytes(std::array::from_fn(|index| digest[index]))
}

/// Runs a statement that must do something to each of so many rows; where it did not, somebody else
/// changed them.
fn affect<'a>(
    conn: &'a AsyncPgConnection,
    text: &'static Text,
    arrays: Vec<Values<'a>>,
    last: Option<InstantValue>,
    rows: usize,
) -> BoxFuture<'a, Result<(), DbError>> {
    async move {
        if rows == 0 {
            return Ok(());
        }
        let affected = Statement { text, arrays, last }.execute(&mut &*conn).await?;
        if affected == rows {
            Ok(())
        } else {
            Err(DbError::Conflict(format!("{affected} of {rows} rows were as loaded")))
        }
    }
    .boxed()
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
        for text in [&INSERT, &UPDATE, &DELETE, &RECORD, &CLAIM, &COMPARE_BOOKS, &CLOSE] {
            assert_eq!(sent(text, columns, 1), sent(text, columns, 64));
        }
        assert_eq!(
            sent(&DELETE, 3, 2),
            "DELETE FROM time_entries t USING unnest((SELECT $1), (SELECT $2), (SELECT $3)) \
             AS n (organization_id, id, loaded) \
             WHERE t.organization_id = n.organization_id AND t.id = n.id AND t.version = n.loaded"
        );
    }

    #[test]
    fn what_never_changes_in_an_entry_is_not_written_again() {
        let update = sent(&UPDATE, UPDATED.len(), 1);
        let (set, _) = update.split_once(" FROM").unwrap();
        assert!(set.contains(" SET project_id = n.project_id, user_id = n.user_id, "), "{set}");
        for column in ["organization_id", "source", "external_id", "created_at"] {
            assert!(!set.contains(column), "{column}: {set}");
        }
    }
}
