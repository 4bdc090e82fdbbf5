//! Saves what a batch changed: one statement a table, over arrays.

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use timelog_domain::{Changes, TimeEntryDeletion, Timestamp};

use super::statement::{Column, Statement};
use crate::error::DbError;
use crate::rows::{HistoryRow, IdempotencyRow, TimeEntryRow};

/// Names the columns of a statement and gathers their values, in one order.
macro_rules! columns {
    ($rows:expr, $($column:ident: $kind:ident $(($as:ident))?),+ $(,)?) => {
        vec![$(Column::$kind($rows.iter().map(|row| row.$column$(.$as())?).collect())),+]
    };
}

/// An expired answer may be taken over, in the claim itself. A live one means that somebody else
/// was first.
const CLAIM: &str = "INSERT INTO idempotency_keys (organization_id, key_id, operation, key, fingerprint, \
    status, location, etag, body, expires_at, body_lz4, size) \
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT (organization_id, key_id, operation, key) DO UPDATE SET fingerprint = excluded.fingerprint, \
    status = excluded.status, location = excluded.location, etag = excluded.etag, body = excluded.body, \
    expires_at = excluded.expires_at, body_lz4 = excluded.body_lz4, size = excluded.size WHERE idempotency_keys.expires_at <= ?";

const INSERT: &str = "INSERT INTO time_entries (organization_id, id, project_id, user_id, entry_id, release_id, \
    work_date, minutes, description, billable, source, status, external_provider, external_type, external_id, version, \
    created_at, updated_at, external_provider_digest, external_type_digest, external_id_digest) \
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// What never changes in an entry is not written again.
const UPDATE: &str = "UPDATE time_entries t SET user_id = n.user_id, entry_id = n.entry_id, release_id = n.release_id, \
    work_date = n.work_date, minutes = n.minutes, description = n.description, billable = n.billable, \
    status = n.status, version = n.version, updated_at = n.updated_at \
    FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS n (organization_id, id, user_id, entry_id, release_id, \
    work_date, minutes, description, billable, status, version, updated_at, loaded) \
    WHERE t.organization_id = n.organization_id AND t.id = n.id AND t.version = n.loaded";

const RECORD: &str = "INSERT INTO time_entry_history (organization_id, time_entry_id, project_id, version, event, at, \
    key_id, user_id, reason, invoice_ref, from_status, to_status, changes) \
    SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const DELETE: &str = "DELETE FROM time_entries t USING unnest(?, ?, ?) AS n (organization_id, id, loaded) \
    WHERE t.organization_id = n.organization_id AND t.id = n.id AND t.version = n.loaded";

/// Returns how many bytes of answers it stores.
pub(super) async fn save(
    conn: &mut AsyncPgConnection,
    changes: Changes,
    now: Timestamp,
) -> Result<u64, DbError> {
    let answers: Vec<_> = changes.answers.into_iter().map(IdempotencyRow::from).collect();
    let bytes = answers.iter().map(IdempotencyRow::bytes).sum();
    // The claims go first: whoever waits for one of them waits here, before anything else is
    // locked.
    claim(conn, answers, now).await?;
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for change in &changes.time_entries {
        let row = TimeEntryRow::from(&change.time_entry);
        match change.loaded {
            None => new.push(row),
            Some(version) => known.push((row, version.get())),
        }
    }
    // Deletions come first, because an entry that is new may have taken over the reference of one
    // that goes.
    delete(conn, &changes.deletions).await?;
    update(conn, &known).await?;
    insert(conn, &new).await?;
    record(conn, &changes.history.into_iter().map(HistoryRow::from).collect::<Vec<_>>()).await?;
    Ok(bytes)
}

/// Runs a statement that must do something to each of so many rows; where it did not, somebody else
/// changed them.
async fn affect(
    conn: &mut AsyncPgConnection,
    sql: &'static str,
    columns: Vec<Column<'_>>,
    rows: usize,
) -> Result<(), DbError> {
    if rows == 0 {
        return Ok(());
    }
    let affected = Statement { sql, columns }.execute(conn).await?;
    if affected == rows {
        Ok(())
    } else {
        Err(DbError::Conflict(format!("{affected} of {rows} rows were as loaded")))
    }
}

async fn claim(
    conn: &mut AsyncPgConnection,
    rows: Vec<IdempotencyRow>,
    now: Timestamp,
) -> Result<(), DbError> {
    let mut columns = columns!(
        rows,
        organization_id: Ids,
        key_id: Ids,
        operation: Texts(as_str),
        key: Texts(as_str),
        fingerprint: Binaries(as_slice),
        status: Integers,
        location: OptionalTexts(as_deref),
        etag: OptionalTexts(as_deref),
        body: OptionalBinaries(as_deref),
        expires_at: Instants,
        body_lz4: OptionalBinaries(as_deref),
        size: Integers,
    );
    columns.push(Column::Instant(now.into()));
    affect(conn, CLAIM, columns, rows.len()).await
}

async fn delete(
    conn: &mut AsyncPgConnection,
    deletions: &[TimeEntryDeletion],
) -> Result<(), DbError> {
    let columns = vec![
        Column::Ids(deletions.iter().map(|deletion| deletion.key.0.into()).collect()),
        Column::Ids(deletions.iter().map(|deletion| deletion.key.1.into()).collect()),
        Column::Bigints(deletions.iter().map(|deletion| deletion.loaded.get()).collect()),
    ];
    affect(conn, DELETE, columns, deletions.len()).await
}

async fn insert(conn: &mut AsyncPgConnection, rows: &[TimeEntryRow]) -> Result<(), DbError> {
    let columns = columns!(
        rows,
        organization_id: Ids,
        id: Ids,
        project_id: Ids,
        user_id: Ids,
        entry_id: OptionalIds,
        release_id: OptionalIds,
        work_date: Days,
        minutes: Integers,
        description: OptionalTexts(as_deref),
        billable: Bools,
        source: Texts(as_str),
        status: Texts(as_str),
        external_provider: OptionalTexts(as_deref),
        external_type: OptionalTexts(as_deref),
        external_id: OptionalTexts(as_deref),
        version: Bigints,
        created_at: Instants,
        updated_at: Instants,
        external_provider_digest: OptionalBinaries(as_deref),
        external_type_digest: OptionalBinaries(as_deref),
        external_id_digest: OptionalBinaries(as_deref),
    );
    affect(conn, INSERT, columns, rows.len()).await
}

async fn update(
    conn: &mut AsyncPgConnection,
    known: &[(TimeEntryRow, i64)],
) -> Result<(), DbError> {
    let rows: Vec<&TimeEntryRow> = known.iter().map(|(row, _)| row).collect();
    let mut columns = columns!(
        rows,
        organization_id: Ids,
        id: Ids,
        user_id: Ids,
        entry_id: OptionalIds,
        release_id: OptionalIds,
        work_date: Days,
        minutes: Integers,
        description: OptionalTexts(as_deref),
        billable: Bools,
        status: Texts(as_str),
        version: Bigints,
        updated_at: Instants,
    );
    columns.push(Column::Bigints(known.iter().map(|(_, loaded)| *loaded).collect()));
    affect(conn, UPDATE, columns, rows.len()).await
}

async fn record(conn: &mut AsyncPgConnection, rows: &[HistoryRow]) -> Result<(), DbError> {
    let columns = columns!(
        rows,
        organization_id: Ids,
        time_entry_id: Ids,
        project_id: Ids,
        version: Bigints,
        event: Texts(as_str),
        at: Instants,
        key_id: Ids,
        user_id: OptionalIds,
        reason: OptionalTexts(as_deref),
        invoice_ref: OptionalTexts(as_deref),
        from_status: OptionalTexts(as_deref),
        to_status: OptionalTexts(as_deref),
        changes: Documents(by_ref),
    );
    affect(conn, RECORD, columns, rows.len()).await
}
