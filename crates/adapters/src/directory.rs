//! The directory on diesel. Nothing is ever taken out of it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use timelog_domain::ports::{Directory, PortFuture};
use timelog_domain::{
    Name, OrganizationId, Page, Project, ProjectId, Release, ReleaseId, Ticket, TicketId, User,
    UserId,
};

use crate::database::on_database;
use crate::rows::{OrganizationRow, ProjectRow, ReleaseRow, TicketRow, UserRow};
use crate::schema::{organizations, project_entries, project_releases, projects, users};
use crate::store::Store;
use crate::types::IdValue;

/// Inserts, and where that meets a row, replaces it. Rows are never deleted, so a row that the
/// insert met is still there, and of two that insert at the same time exactly one is told that it
/// created.
macro_rules! put {
    ($store:ident, $organization:expr, $table:ident, ($($key:ident),+), $row:expr) => {
        Box::pin(async move {
            let pass = $store.turn_to_put($organization).await?;
            let row = $row;
            on_database!($store.database, write, |conn| {
                async {
                    let insert = diesel::insert_into($table::table).values(&row);
                    let inserted = insert.on_conflict(($($table::$key),+)).do_nothing().execute(conn).await?;
                    if inserted == 0 {
                        let insert = diesel::insert_into($table::table).values(&row);
                        insert.on_conflict(($($table::$key),+)).do_update().set(&row).execute(conn).await?;
                    }
                    drop(pass);
                    QueryResult::Ok(inserted == 1)
                }
                .await
            })
            .await
        })
    };
}

macro_rules! get {
    ($store:ident, $table:ident, $organization:ident, $key:expr, $row:ident) => {
        Box::pin(async move {
            let query = $table::table.find($key);
            let row = on_database!($store.database, read($organization), |conn| query
                .select($row::as_select())
                .first(conn)
                .await
                .optional())
            .await?;
            Ok(row.map(TryInto::try_into).transpose()?)
        })
    };
}

macro_rules! page {
    ($store:ident, $table:ident, $organization:ident, $after:ident, $limit:ident, $row:ident, $domain:ident) => {
        Box::pin(async move {
            // Read from the id itself on, because the first page begins at the least id there is
            // and not after it.
            let from = $after.map_or(IdValue::NIL, IdValue::from);
            let query = $table::table
                .filter($table::organization_id.eq(IdValue::from($organization)))
                .filter($table::id.ge(from))
                .order($table::id)
                .limit(i64::from($limit) + 2);
            let rows = on_database!($store.database, read($organization), |conn| query
                .select($row::as_select())
                .load(conn)
                .await)
            .await?;
            let mut items =
                rows.into_iter().map($domain::try_from).collect::<Result<Vec<_>, _>>()?;
            items.retain(|item| Some(item.id) != $after);
            Ok(Page::of(items, $limit, |last| last.id))
        })
    };
}

impl Directory for Store {
    fn put_organization(&self, id: OrganizationId, name: Name) -> PortFuture<'_, bool> {
        put!(
            self,
            id,
            organizations,
            (id),
            OrganizationRow { id: id.into(), name: name.as_str().to_owned() }
        )
    }

    fn put_project(&self, project: Project) -> PortFuture<'_, bool> {
        put!(
            self,
            project.organization_id,
            projects,
            (organization_id, id),
            ProjectRow::from(project)
        )
    }

    fn put_user(&self, user: User) -> PortFuture<'_, bool> {
        put!(self, user.organization_id, users, (organization_id, id), UserRow::from(user))
    }

    fn put_ticket(&self, ticket: Ticket) -> PortFuture<'_, bool> {
        put!(
            self,
            ticket.organization_id,
            project_entries,
            (organization_id, project_id, id),
            TicketRow::from(ticket)
        )
    }

    fn put_release(&self, release: Release) -> PortFuture<'_, bool> {
        put!(
            self,
            release.organization_id,
            project_releases,
            (organization_id, project_id, id),
            ReleaseRow::from(release)
        )
    }

    fn project(
        &self,
        organization: OrganizationId,
        id: ProjectId,
    ) -> PortFuture<'_, Option<Project>> {
        get!(
            self,
            projects,
            organization,
            (IdValue::from(organization), IdValue::from(id)),
            ProjectRow
        )
    }

    fn projects(
        &self,
        organization: OrganizationId,
        after: Option<ProjectId>,
        limit: u32,
    ) -> PortFuture<'_, Page<Project, ProjectId>> {
        page!(self, projects, organization, after, limit, ProjectRow, Project)
    }

    fn user(&self, organization: OrganizationId, id: UserId) -> PortFuture<'_, Option<User>> {
        get!(self, users, organization, (IdValue::from(organization), IdValue::from(id)), UserRow)
    }

    fn users(
        &self,
        organization: OrganizationId,
        after: Option<UserId>,
        limit: u32,
    ) -> PortFuture<'_, Page<User, UserId>> {
        page!(self, users, organization, after, limit, UserRow, User)
    }

    fn ticket(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        id: TicketId,
    ) -> PortFuture<'_, Option<Ticket>> {
        let key = (IdValue::from(organization), IdValue::from(project), IdValue::from(id));
        get!(self, project_entries, organization, key, TicketRow)
    }

    fn release(
        &self,
        organization: OrganizationId,
        project: ProjectId,
        id: ReleaseId,
    ) -> PortFuture<'_, Option<Release>> {
        let key = (IdValue::from(organization), IdValue::from(project), IdValue::from(id));
        get!(self, project_releases, organization, key, ReleaseRow)
    }
}
