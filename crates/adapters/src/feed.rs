//! The feed on diesel: the history in the order of its numbers, and the entries beside it.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use timelog_domain::ports::{ChangeFeed, Notice, PortError, PortFuture};
use timelog_domain::{
    Change, FeedPage, FeedRequest, HistoryRecord, OrganizationId, Seq, TimeEntry, TimeEntryId,
};

use crate::database::{Database, on_database};
use crate::error::DbError;
use crate::gathering::Entries;
use crate::load_rows::LoadRows;
use crate::queries::sql::{Sql, Typed, Value, asked};
use crate::rows::{HistoryRow, TimeEntryRow};
use crate::schema::{organizations, time_entry_history};
use crate::store::Store;
use crate::types::IdValue;

/// How many changes are looked at for those of one project or user. No index has them: it would
/// cost every commit more than it saves its few readers.
const MOST: u32 = 5000;

/// Gives every feed a new epoch.
pub(crate) const RENEW_ON_SQLITE: &str = "UPDATE organizations SET feed_epoch = randomblob(16)";

/// What is read of a feed.
struct Read {
    epoch: IdValue,
    end: i64,
    rows: Vec<HistoryRow>,
    entries: Vec<TimeEntryRow>,
}

impl Store {
    /// Gives every organization's feed a new epoch, and returns how many there are. For a database
    /// that was put back to an earlier state: readers begin again, instead of missing what is
    /// numbered anew.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the database does not answer.
    pub async fn renew_feeds(&self) -> Result<usize, PortError> {
        let renew = sql_query(match self.database {
            Database::Sqlite(_) => RENEW_ON_SQLITE,
            Database::Postgres(_) => "UPDATE organizations SET feed_epoch = gen_random_uuid()",
        });
        on_database!(self.database, write, |conn| renew.execute(conn).await).await
    }
}

impl ChangeFeed for Store {
    fn changes(
        &self,
        organization: OrganizationId,
        request: FeedRequest,
    ) -> PortFuture<'_, FeedPage> {
        Box::pin(changes(&self.database, organization, request))
    }

    fn notice(&self, organization: OrganizationId) -> Notice {
        self.notices.of(organization)
    }
}

/// The number of an organization's last change, where it has any.
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn last_change() -> _ {
    time_entry_history::table
        .filter(time_entry_history::organization_id.eq(organizations::id))
        .order(time_entry_history::seq.desc())
        .select(time_entry_history::seq)
        .single_value()
}

async fn changes(
    database: &Database,
    organization: OrganizationId,
    request: FeedRequest,
) -> Result<FeedPage, PortError> {
    let FeedRequest { project_id, user_id, after, limit } = request;
    let is_limited = project_id.is_some() || user_id.is_some();
    let looked_at = after.plus(MOST);
    let read = on_database!(database, read(organization), |conn| {
        async {
            let state = organizations::table.find(IdValue::from(organization));
            let state = state.select((organizations::feed_epoch, last_change()));
            let Some((epoch, end)) = state.first::<(_, Option<i64>)>(conn).await.optional()? else {
                return Ok(None);
            };
            let mut read =
                Read { epoch, end: end.unwrap_or(0), rows: Vec::new(), entries: Vec::new() };
            if read.end <= after.get() {
                return Ok(Some(read));
            }
            let following = time_entry_history::table
                .filter(time_entry_history::organization_id.eq(asked(organization)))
                .filter(time_entry_history::seq.gt(after.get()))
                .order(time_entry_history::seq)
                .limit(limit.into())
                .select(HistoryRow::as_select());
            read.rows = if is_limited {
                let seen = following
                    .filter(time_entry_history::seq.le(looked_at.get()))
                    .filter(seen_by(&request));
                conn.rows(seen).await?
            } else {
                conn.rows(following).await?
            };
            // Later than their changes, so none of these is missing in them.
            let ids: BTreeSet<TimeEntryId> =
                read.rows.iter().map(|row| row.time_entry_id.into()).collect();
            read.entries = conn.entries(organization, ids.into_iter().collect()).await?;
            QueryResult::Ok(Some(read))
        }
        .await
    });
    let Read { epoch, end, rows, entries } = read.await?.ok_or(PortError::UnknownReference)?;
    let is_full = i64::try_from(rows.len()) == Ok(limit.into());
    let changes = put_together(rows, entries, &request)?;
    // Others may have been committed since the end was read.
    let end = changes.last().map_or(Seq::START, |change| change.seq).max(Seq::new(end));
    let through = match changes.last() {
        Some(last) if is_full => last.seq,
        _ if is_limited => looked_at.min(end),
        _ => end,
    };
    Ok(FeedPage { epoch: epoch.into(), changes, through: through.max(after), end })
}

/// Those changes that a reader [sees](FeedRequest::sees), of one project or of one user's entries.
fn seen_by(request: &FeedRequest) -> Typed<Bool> {
    let project = request.project_id.map(|project| {
        let id = || Value::Id(project.into());
        let of_it = Sql::text("(project_id = ").and_value(id());
        of_it.and_text(" OR left_project_id = ").and_value(id()).and_text(")")
    });
    let user = request.user_id.map(|user| {
        let id = || Value::Id(user.into());
        let lost = Sql::text("(left_user_id = ").and_value(id());
        let own = lost.and_text(
            " OR EXISTS (SELECT 1 FROM time_entries t \
             WHERE t.organization_id = time_entry_history.organization_id \
             AND t.id = time_entry_history.time_entry_id AND t.user_id = ",
        );
        own.and_value(id()).and_text("))")
    });
    Sql::join(project.into_iter().chain(user), " AND ").typed()
}

fn put_together(
    rows: Vec<HistoryRow>,
    entries: Vec<TimeEntryRow>,
    request: &FeedRequest,
) -> Result<Vec<Change>, DbError> {
    let entries = entries.into_iter().map(|row| Ok((row.id.into(), row.try_into()?)));
    let entries: HashMap<TimeEntryId, TimeEntry> = entries.collect::<Result<_, DbError>>()?;
    let change = |row: HistoryRow| {
        let seq = Seq::new(row.seq);
        let record = HistoryRecord::try_from(row)?;
        let entry = entries.get(&record.time_entry_id);
        Ok(request.show(seq, record, entry))
    };
    rows.into_iter().map(change).collect()
}
