//! Loads what a batch touches. SQLite has no round trips, so one cached statement per row is faster
//! than one per table.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use timelog_domain::{IdempotencyRecord, Ledger, Project, Request, TimeEntry, Touches, User};

use crate::error::DbError;
use crate::external_digest;
use crate::rows::{IdempotencyRow, ProjectRow, ReleaseRow, TicketRow, TimeEntryRow, UserRow};
use crate::schema::{
    idempotency_keys, project_entries, project_releases, projects, time_entries, users,
};
use crate::types::IdValue;

pub(super) fn load(conn: &mut SqliteConnection, requests: &[Request]) -> Result<Ledger, DbError> {
    let mut ledger = Ledger::default();
    load_touched(conn, &Touches::from_iter(requests), &mut ledger)?;
    let following = Touches::following(requests, &ledger);
    load_touched(conn, &following, &mut ledger)?;
    Ok(ledger)
}

fn load_touched(
    conn: &mut SqliteConnection,
    touches: &Touches,
    ledger: &mut Ledger,
) -> Result<(), DbError> {
    load_directory(conn, touches, ledger)?;
    load_time_entries(conn, touches, ledger)?;
    for scope in &touches.answers {
        let (organization, key) =
            (IdValue::from(scope.organization_id), IdValue::from(scope.key_id));
        let key = (organization, key, &scope.operation, scope.key.as_str());
        let row = idempotency_keys::table
            .find(key)
            .select(IdempotencyRow::as_select())
            .first(conn)
            .optional()?;
        if let Some(row) = row {
            ledger.load_answer(scope.clone(), IdempotencyRecord::try_from(row)?);
        }
    }
    Ok(())
}

fn load_directory(
    conn: &mut SqliteConnection,
    touches: &Touches,
    ledger: &mut Ledger,
) -> Result<(), DbError> {
    for (organization, id) in &touches.projects {
        let row = projects::table
            .find((IdValue::from(*organization), IdValue::from(*id)))
            .select(ProjectRow::as_select())
            .first(conn)
            .optional()?;
        if let Some(row) = row {
            ledger.load_project(Project::try_from(row)?);
        }
    }
    for (organization, id) in &touches.users {
        let row = users::table
            .find((IdValue::from(*organization), IdValue::from(*id)))
            .select(UserRow::as_select())
            .first(conn)
            .optional()?;
        if let Some(row) = row {
            ledger.load_user(User::try_from(row)?);
        }
    }
    for (organization, project, id) in &touches.tickets {
        let row = project_entries::table
            .find((IdValue::from(*organization), IdValue::from(*project), IdValue::from(*id)))
            .select(TicketRow::as_select())
            .first(conn)
            .optional()?;
        if let Some(row) = row {
            ledger.load_ticket(&row.try_into()?);
        }
    }
    for (organization, project, id) in &touches.releases {
        let row = project_releases::table
            .find((IdValue::from(*organization), IdValue::from(*project), IdValue::from(*id)))
            .select(ReleaseRow::as_select())
            .first(conn)
            .optional()?;
        if let Some(row) = row {
            ledger.load_release(&row.try_into()?);
        }
    }
    Ok(())
}

fn load_time_entries(
    conn: &mut SqliteConnection,
    touches: &Touches,
    ledger: &mut Ledger,
) -> Result<(), DbError> {
    for (organization, id) in &touches.time_entries {
        let row = time_entries::table
            .find((IdValue::from(*organization), IdValue::from(*id)))
            .select(TimeEntryRow::as_select())
            .first(conn)
            .optional()?;
        if let Some(row) = row {
            ledger.load_time_entry(TimeEntry::try_from(row)?);
        }
    }
    for (organization, reference) in &touches.external_refs {
        let [provider, kind, id] = external_digest::of_reference(reference);
        let row = time_entries::table
            .filter(time_entries::organization_id.eq(IdValue::from(*organization)))
            .filter(time_entries::external_provider_digest.eq(provider))
            .filter(time_entries::external_type_digest.eq(kind))
            .filter(time_entries::external_id_digest.eq(id))
            .select(TimeEntryRow::as_select())
            .first(conn)
            .optional()?;
        if let Some(row) = row {
            ledger.load_time_entry(TimeEntry::try_from(row)?);
        }
    }
    Ok(())
}
