//! Copying everything from one database to another, of either kind.

use std::collections::HashSet;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Text};
use diesel_async::RunQueryDsl;
use timelog_domain::ports::PortError;

use crate::database::{Database, detached, on_database};
use crate::error::DbError;
use crate::postgres::hand_back;
use crate::rows::{
    ApiKeyRow, ClosingRow, FailureRow, FormerSecretRow, HistoryRow, IdempotencyRow,
    OrganizationRow, ProjectRow, ReleaseRow, TicketRow, TimeEntryRow, UserRow, WebhookRow,
};
use crate::schema::{
    api_keys, closings, former_secrets, idempotency_keys, organizations, project_entries,
    project_releases, projects, time_entries, time_entry_history, users, webhook_failures,
    webhooks,
};
use crate::store::Store;
use crate::types::{DigestValue, Id, IdValue};

/// How many rows a table has.
macro_rules! count {
    ($database:expr, $table:ident) => {
        on_database!($database, look_up, |conn| $table::table.count().get_result::<i64>(conn).await)
            .await?
    };
}

/// How many rows are read, and written in one transaction, at a time.
const PAGE: i64 = 500;

/// How far the copying of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyProgress {
    /// The table.
    pub table: &'static str,
    /// How many of its rows were looked at.
    pub rows: u64,
    /// How many it has.
    pub total: u64,
}

/// Copies every row that `to` does not have from `from`, table by table, and returns how many rows
/// each table has. Both must have the same schema, and nobody should write to either meanwhile. A
/// copy that was interrupted goes on where it was when it is started again. At the end the rows of
/// both are counted.
///
/// # Errors
///
/// [`PortError`] where a database does not answer; where `to` holds what `from` does not, and then
/// nothing is written; or where the two do not have as many rows in the end, because something
/// wrote to one of them.
pub async fn copy(
    from: &Store,
    to: &Store,
    progress: &(dyn Fn(CopyProgress) + Send + Sync),
) -> Result<Vec<CopyProgress>, PortError> {
    let (from, to) = (&from.database, &to.database);
    refuse_others(from, to).await?;
    // What is referred to comes before what refers to it.
    Ok(vec![
        copy_organizations(from, to, progress).await?,
        copy_projects(from, to, progress).await?,
        copy_users(from, to, progress).await?,
        copy_tickets(from, to, progress).await?,
        copy_releases(from, to, progress).await?,
        copy_api_keys(from, to, progress).await?,
        copy_former_secrets(from, to, progress).await?,
        copy_time_entries(from, to, progress).await?,
        copy_history(from, to, progress).await?,
        copy_closings(from, to, progress).await?,
        copy_answers(from, to, progress).await?,
        copy_webhooks(from, to, progress).await?,
        copy_webhook_failures(from, to, progress).await?,
    ])
}

/// Fails where `to` holds rows that a copy of `from` does not have, as far as organizations and
/// numbers of rows tell.
async fn refuse_others(from: &Database, to: &Database) -> Result<(), PortError> {
    let known: HashSet<IdValue> = organizations_of(from).await?.into_iter().collect();
    if organizations_of(to).await?.iter().any(|id| !known.contains(id)) {
        let reason =
            "the target has an organization that the source does not have, and nothing was written";
        return Err(DbError::Failed(reason.to_owned()).into());
    }
    macro_rules! refuse_more {
        ($($table:ident),+) => {$(
            let here = count!(from, $table);
            let there = count!(to, $table);
            if there > here {
                let table = stringify!($table);
                return Err(DbError::Failed(format!(
                    "{table} has {here} rows at the source and {there} at the target, so it is no \
                     copy, and nothing was written"
                ))
                .into());
            }
        )+};
    }
    refuse_more!(projects, users, project_entries, project_releases, api_keys, former_secrets);
    refuse_more!(time_entries, time_entry_history, closings, idempotency_keys);
    refuse_more!(webhooks, webhook_failures);
    Ok(())
}

async fn organizations_of(database: &Database) -> Result<Vec<IdValue>, PortError> {
    let query = organizations::table.select(organizations::id);
    on_database!(database, look_up, |conn| query.load(conn).await).await
}

/// Copies one table in the order of its primary key.
///
/// - `resume`: whether to begin after the greatest key that is there already. Only for keys that
///   both databases order alike, which is not so for texts.
macro_rules! copy_table {
    ($function:ident, $table:ident, $row:ident, resume: $resume:literal, {
        $($key:ident: $sql_type:ident = $least:expr),+
    }) => {
        async fn $function(
            from: &Database,
            to: &Database,
            progress: &(dyn Fn(CopyProgress) + Send + Sync),
        ) -> Result<CopyProgress, PortError> {
            let total = count!(from, $table);
            let mut done = CopyProgress { table: stringify!($table), rows: 0, total: total.unsigned_abs() };
            progress(done);
            $(let mut $key = $least;)+
            if $resume {
                let last = on_database!(to, look_up, |conn| $table::table
                    .order(($($table::$key.desc(),)+))
                    .select($row::as_select())
                    .first(conn)
                    .await
                    .optional())
                .await?;
                if let Some(last) = last {
                    $($key = last.$key;)+
                    done.rows = count!(to, $table).unsigned_abs();
                }
            }
            loop {
                let after = sql::<Bool>(concat!("(", $(stringify!($key), ", ",)+ "0) > ("))
                    $(.bind::<$sql_type, _>($key.clone()).sql(", "))+
                    .sql("0)");
                let rows: Vec<$row> = on_database!(from, look_up, |conn| $table::table
                    .filter(after)
                    .order(($($table::$key,)+))
                    .limit(PAGE)
                    .select($row::as_select())
                    .load(conn)
                    .await)
                .await?;
                let Some(last) = rows.last() else { break };
                $($key = last.$key.clone();)+
                done.rows += rows.len() as u64;
                match to.clone() {
                    Database::Sqlite(pools) => {
                        detached(async move {
                            pools
                                .write_rows(move |conn| {
                                    rows.into_iter().try_for_each(|row| {
                                        let insert = diesel::insert_or_ignore_into($table::table).values(row);
                                        diesel::RunQueryDsl::execute(insert, conn).map(drop)
                                    })
                                })
                                .await
                        })
                        .await?;
                    }
                    Database::Postgres(pools) => {
                        detached(async move {
                            let insert = diesel::insert_into($table::table).values(rows).on_conflict_do_nothing();
                            let mut writer = pools.write().await?;
                            let asked = pools.ask(async { Ok(insert.execute(&mut writer).await?) }).await;
                            hand_back(writer, asked)
                        })
                        .await?;
                    }
                }
                progress(done);
            }
            let there = count!(to, $table);
            if there != total {
                return Err(DbError::Failed(format!(
                    "{} has {total} rows at the source and {there} at the target",
                    stringify!($table)
                ))
                .into());
            }
            Ok(CopyProgress { rows: done.total, ..done })
        }
    };
}

copy_table!(copy_organizations, organizations, OrganizationRow, resume: false, { id: Id = IdValue::NIL });
copy_table!(copy_projects, projects, ProjectRow, resume: false, {
    organization_id: Id = IdValue::NIL, id: Id = IdValue::NIL
});
copy_table!(copy_users, users, UserRow, resume: false, {
    organization_id: Id = IdValue::NIL, id: Id = IdValue::NIL
});
copy_table!(copy_tickets, project_entries, TicketRow, resume: false, {
    organization_id: Id = IdValue::NIL, project_id: Id = IdValue::NIL, id: Id = IdValue::NIL
});
copy_table!(copy_releases, project_releases, ReleaseRow, resume: false, {
    organization_id: Id = IdValue::NIL, project_id: Id = IdValue::NIL, id: Id = IdValue::NIL
});
copy_table!(copy_api_keys, api_keys, ApiKeyRow, resume: false, {
    organization_id: Id = IdValue::NIL, id: Id = IdValue::NIL
});
copy_table!(copy_former_secrets, former_secrets, FormerSecretRow, resume: false, {
    organization_id: Id = IdValue::NIL, key_id: Id = IdValue::NIL, prefix: Text = String::new()
});
copy_table!(copy_time_entries, time_entries, TimeEntryRow, resume: true, {
    organization_id: Id = IdValue::NIL, id: Id = IdValue::NIL
});
copy_table!(copy_history, time_entry_history, HistoryRow, resume: true, {
    organization_id: Id = IdValue::NIL, seq: BigInt = i64::MIN
});
copy_table!(copy_closings, closings, ClosingRow, resume: false, {
    organization_id: Id = IdValue::NIL, number: BigInt = i64::MIN
});
copy_table!(copy_answers, idempotency_keys, IdempotencyRow, resume: false, {
    organization_id: Id = IdValue::NIL, digest: Binary = DigestValue::NONE
});
copy_table!(copy_webhooks, webhooks, WebhookRow, resume: false, {
    organization_id: Id = IdValue::NIL, id: Id = IdValue::NIL
});
copy_table!(copy_webhook_failures, webhook_failures, FailureRow, resume: false, {
    organization_id: Id = IdValue::NIL, webhook_id: Id = IdValue::NIL, seq: BigInt = i64::MIN
});
