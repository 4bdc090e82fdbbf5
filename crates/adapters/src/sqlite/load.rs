//! Loads what a batch touches. SQLite has no round trips, so one cached statement per row is faster
//! than one per table.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use timelog_domain::{Ledger, Request, Touches};

use crate::digests::of_reference;
use crate::error::DbError;
use crate::queries::found;
use crate::rows::{
    ClosingRow, FeedEndRow, IdempotencyRow, Load, ProjectRow, ReleaseRow, TicketRow, TimeEntryRow,
    UserRow, WebhookRow, digest_scope, load_books,
};
use crate::schema::{
    closings, idempotency_keys, project_entries, project_releases, projects, time_entries,
    time_entry_history, users, webhooks,
};
use crate::types::IdValue;

pub(super) fn load(conn: &mut SqliteConnection, requests: &[Request]) -> Result<Ledger, DbError> {
    let mut ledger = Ledger::default();
    let touched = Touches::from_iter(requests);
    load_touched(conn, &touched, &mut ledger)?;
    found::load_on_sqlite(conn, &touched.filters, &mut ledger)?;
    let following = Touches::following(requests, &ledger);
    load_touched(conn, &following, &mut ledger)?;
    Ok(ledger)
}

/// Puts the one row of a query into the ledger, if there is one.
macro_rules! load_first {
    ($conn:ident, $ledger:ident, $row:ident, $query:expr) => {
        if let Some(row) = $query.select($row::as_select()).first($conn).optional()? {
            row.load_into($ledger)?;
        }
    };
}

fn load_touched(
    conn: &mut SqliteConnection,
    touches: &Touches,
    ledger: &mut Ledger,
) -> Result<(), DbError> {
    fn id(id: &(impl Copy + Into<IdValue>)) -> IdValue {
        (*id).into()
    }
    for (organization, project) in &touches.projects {
        let query = projects::table.find((id(organization), id(project)));
        load_first!(conn, ledger, ProjectRow, query);
    }
    for (organization, user) in &touches.users {
        let query = users::table.find((id(organization), id(user)));
        load_first!(conn, ledger, UserRow, query);
    }
    for (organization, project, ticket) in &touches.tickets {
        let query = project_entries::table.find((id(organization), id(project), id(ticket)));
        load_first!(conn, ledger, TicketRow, query);
    }
    for (organization, project, release) in &touches.releases {
        let query = project_releases::table.find((id(organization), id(project), id(release)));
        load_first!(conn, ledger, ReleaseRow, query);
    }
    for (organization, entry) in &touches.time_entries {
        let query = time_entries::table.find((id(organization), id(entry)));
        load_first!(conn, ledger, TimeEntryRow, query);
    }
    for (organization, reference) in &touches.external_refs {
        let [provider, kind, external_id] = of_reference(reference);
        let query = time_entries::table
            .filter(time_entries::organization_id.eq(id(organization)))
            .filter(time_entries::external_provider_digest.eq(provider))
            .filter(time_entries::external_type_digest.eq(kind))
            .filter(time_entries::external_id_digest.eq(external_id));
        load_first!(conn, ledger, TimeEntryRow, query);
    }
    for organization in &touches.books {
        let own = || {
            let own = closings::table.filter(closings::organization_id.eq(id(organization)));
            own.select(ClosingRow::as_select())
        };
        let last = || own().order(closings::number.desc());
        // Most organizations have none yet.
        let Some(row) = last().first(conn).optional()? else { continue };
        let of_all = last().filter(closings::project_id.is_null()).first(conn).optional()?;
        let of_one = own().filter(closings::project_id.is_not_null()).first(conn).optional()?;
        let rows = [Some(row), of_all, of_one].into_iter().flatten();
        rows.into_iter().try_for_each(|row| load_books(row, ledger))?;
    }
    for (organization, project) in &touches.closings {
        let own = closings::table.filter(closings::organization_id.eq(id(organization)));
        let query = own.filter(closings::project_id.eq(id(project)));
        load_first!(conn, ledger, ClosingRow, query.order(closings::number.desc()));
    }
    for (organization, webhook) in &touches.webhooks {
        let query = webhooks::table.find((id(organization), id(webhook)));
        load_first!(conn, ledger, WebhookRow, query);
    }
    for organization in &touches.feeds {
        let seq = last_seq(conn, id(organization))?;
        FeedEndRow { organization_id: id(organization), seq }.load_into(ledger)?;
    }
    for scope in &touches.answers {
        let key = (id(&scope.organization_id), digest_scope(scope));
        let query = idempotency_keys::table.find(key).select(IdempotencyRow::as_select());
        if let Some(row) = query.first(conn).optional()? {
            ledger.load_answer(scope.clone(), row.try_into()?);
        }
    }
    Ok(())
}

/// The number of the organization's last change, 0 where it has none.
pub(super) fn last_seq(conn: &mut SqliteConnection, organization: IdValue) -> QueryResult<i64> {
    let changes = time_entry_history::table
        .filter(time_entry_history::organization_id.eq(organization))
        .order(time_entry_history::seq.desc());
    let last = changes.select(time_entry_history::seq).first(conn).optional()?;
    Ok(last.unwrap_or(0))
}
