//! The directory on diesel. Nothing is ever taken out of it.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use timelog_domain::ports::{Directory, PortFuture};
use timelog_domain::{
    Name, Names, OrganizationId, Page, Project, ProjectId, References, Release, ReleaseId, Ticket,
    TicketId, User, UserId,
};

use crate::database::on_database;
use crate::error::DbError;
use crate::rows::{OrganizationRow, ProjectRow, ReleaseRow, TicketRow, UserRow};
use crate::schema::{organizations, project_entries, project_releases, projects, users};
use crate::store::Store;
use crate::types::IdValue;

/// Inserts, and where that meets a row, replaces it. Rows are never deleted, so a row that the
/// insert met is still there, and of two that insert at the same time exactly one is told that it
/// created.
macro_rules! put_row {
    ($store:expr, $organization:expr, $row:expr, $table:ident, ($($key:ident),+)) => {
        Box::pin(async move {
            let permit = $store.permit_to_put($organization).await?;
            let row = $row;
            on_database!($store.database, write, |conn| {
                async {
                    let insert = diesel::insert_into($table::table).values(&row);
                    let insert = insert.on_conflict(($($table::$key),+)).do_nothing();
                    let inserted = insert.execute(conn).await?;
                    if inserted == 0 {
                        let insert = diesel::insert_into($table::table).values(&row);
                        let replace = insert.on_conflict(($($table::$key),+)).do_update();
                        replace.set(&row).execute(conn).await?;
                    }
                    drop(permit);
                    QueryResult::Ok(inserted == 1)
                }
                .await
            })
            .await
        })
    };
}

macro_rules! put {
    ($name:ident: $domain:ident as $row:ident in $table:ident, $key:tt) => {
        fn $name(&self, value: $domain) -> PortFuture<'_, bool> {
            put_row!(self, value.organization_id, $row::from(value), $table, $key)
        }
    };
}

macro_rules! get {
    ($name:ident: $domain:ident as $row:ident in $table:ident, $($key:ident: $id:ident),+) => {
        fn $name(
            &self,
            organization: OrganizationId,
            $($key: $id),+
        ) -> PortFuture<'_, Option<$domain>> {
            Box::pin(async move {
                let key = (IdValue::from(organization), $(IdValue::from($key)),+);
                let query = $table::table.find(key);
                let row = on_database!(self.database, read(organization), |conn| {
                    query.select($row::as_select()).first(conn).await.optional()
                });
                Ok(row.await?.map(TryInto::try_into).transpose()?)
            })
        }
    };
}

macro_rules! page {
    ($name:ident: $domain:ident as $row:ident in $table:ident, $id:ident $(of $of:ident: $of_id:ident)?) => {
        fn $name(
            &self,
            organization: OrganizationId,
            $($of: $of_id,)?
            after: Option<$id>,
            limit: u32,
        ) -> PortFuture<'_, Page<$domain, $id>> {
            Box::pin(async move {
                // Read from the id itself on, because the first page begins at the least id there
                // is and not after it.
                let query = $table::table
                    .filter($table::organization_id.eq(IdValue::from(organization)))
                    $(.filter($table::project_id.eq(IdValue::from($of))))?
                    .filter($table::id.ge(after.map_or(IdValue::NIL, IdValue::from)))
                    .order($table::id)
                    .limit(i64::from(limit) + 2);
                let rows = on_database!(self.database, read(organization), |conn| {
                    query.select($row::as_select()).load(conn).await
                });
                let items = rows.await?.into_iter().map($domain::try_from);
                let mut items = items.collect::<Result<Vec<_>, _>>()?;
                items.retain(|item| Some(item.id) != after);
                Ok(Page::of(items, limit, |last| last.id))
            })
        }
    };
}

/// The names of some rows of a table, by their ids.
macro_rules! names {
    ($conn:ident, $organization:ident, $ids:expr, $row:ident of $table:ident $(in $projects:expr)?) => {{
        let ids: Vec<_> = $ids.into_iter().map(IdValue::from).collect();
        let rows: Vec<$row> = if ids.is_empty() {
            Vec::new()
        } else {
            $table::table
                .filter($table::organization_id.eq($organization))
                $(.filter($table::project_id.eq_any($projects)))?
                .filter($table::id.eq_any(ids))
                .select($row::as_select())
                .load($conn)
                .await?
        };
        rows
    }};
}

/// The names of rows, under their keys.
fn named<R, T, K: Ord>(
    rows: Vec<R>,
    of: impl Fn(T) -> (K, Name),
) -> Result<BTreeMap<K, Name>, DbError>
where
    T: TryFrom<R, Error = DbError>,
{
    rows.into_iter().map(|row| Ok(of(row.try_into()?))).collect()
}

impl Directory for Store {
    fn put_organization(&self, id: OrganizationId, name: Name) -> PortFuture<'_, bool> {
        let row = OrganizationRow {
            id: id.into(),
            name: name.as_str().to_owned(),
            feed_epoch: IdValue::random(),
        };
        put_row!(self, id, row, organizations, (id))
    }

    put!(put_project: Project as ProjectRow in projects, (organization_id, id));
    put!(put_user: User as UserRow in users, (organization_id, id));
    put!(put_ticket: Ticket as TicketRow in project_entries, (organization_id, project_id, id));
    put!(put_release: Release as ReleaseRow in project_releases, (organization_id, project_id, id));

    get!(project: Project as ProjectRow in projects, id: ProjectId);
    get!(user: User as UserRow in users, id: UserId);
    get!(ticket: Ticket as TicketRow in project_entries, project: ProjectId, id: TicketId);
    get!(release: Release as ReleaseRow in project_releases, project: ProjectId, id: ReleaseId);

    page!(projects: Project as ProjectRow in projects, ProjectId);
    page!(users: User as UserRow in users, UserId);
    page!(tickets: Ticket as TicketRow in project_entries, TicketId of project: ProjectId);
    fn names(&self, organization: OrganizationId, of: References) -> PortFuture<'_, Names> {
        Box::pin(async move {
            let References { projects, users, tickets, releases } = of;
            let id = IdValue::from(organization);
            // Read by the key, which begins with the project. One of the same id in another of
            // these projects is read in vain.
            let ticket_ids: BTreeSet<_> = tickets.iter().map(|(_, id)| *id).collect();
            let release_ids: BTreeSet<_> = releases.iter().map(|(_, id)| *id).collect();
            let within: Vec<_> = projects.iter().map(|id| IdValue::from(*id)).collect();
            let rows = on_database!(self.database, read(organization), |conn| {
                async {
                    QueryResult::Ok((
                        names!(conn, id, projects, ProjectRow of projects),
                        names!(conn, id, users, UserRow of users),
                        names!(conn, id, ticket_ids, TicketRow of project_entries in within.clone()),
                        names!(conn, id, release_ids, ReleaseRow of project_releases in within),
                    ))
                }
                .await
            });
            let (project_rows, user_rows, ticket_rows, release_rows) = rows.await?;
            let mut names = Names {
                projects: named(project_rows, |project: Project| (project.id, project.name))?,
                users: named(user_rows, |user: User| (user.id, user.name))?,
                tickets: named(ticket_rows, |it: Ticket| ((it.project_id, it.id), it.title))?,
                releases: named(release_rows, |it: Release| ((it.project_id, it.id), it.name))?,
            };
            names.tickets.retain(|key, _| tickets.contains(key));
            names.releases.retain(|key, _| releases.contains(key));
            Ok(names)
        })
    }

    page!(releases: Release as ReleaseRow in project_releases, ReleaseId of project: ProjectId);
}
