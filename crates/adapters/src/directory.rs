//! The directory on diesel: every put is one insert-or-update.

use diesel_async::RunQueryDsl;
use timelog_domain::ports::{Directory, PortFuture};
use timelog_domain::{Entry, Name, OrganizationId, Project, Release, User};

use crate::database::on_database;
use crate::rows::{EntryRow, OrganizationRow, ProjectRow, ReleaseRow, UserRow};
use crate::schema::{organizations, project_entries, project_releases, projects, users};
use crate::store::Store;

macro_rules! put {
    ($store:ident, $table:ident, ($($key:ident),+), $row:expr) => {
        Box::pin(async move {
            let row = $row;
            on_database!($store.database, write, |conn| {
                diesel::insert_into($table::table)
                    .values(&row)
                    .on_conflict(($($table::$key),+))
                    .do_update()
                    .set(&row)
                    .execute(conn)
                    .await
            })
            .await?;
            Ok(())
        })
    };
}

impl Directory for Store {
    fn put_organization(&self, id: OrganizationId, name: Name) -> PortFuture<'_, ()> {
        put!(self, organizations, (id), OrganizationRow { id: id.into(), name: name.as_str().to_owned() })
    }

    fn put_project(&self, project: Project) -> PortFuture<'_, ()> {
        put!(self, projects, (organization_id, id), ProjectRow::from(project))
    }

    fn put_user(&self, user: User) -> PortFuture<'_, ()> {
        put!(self, users, (organization_id, id), UserRow::from(user))
    }

    fn put_entry(&self, entry: Entry) -> PortFuture<'_, ()> {
        put!(self, project_entries, (organization_id, project_id, id), EntryRow::from(entry))
    }

    fn put_release(&self, release: Release) -> PortFuture<'_, ()> {
        put!(self, project_releases, (organization_id, project_id, id), ReleaseRow::from(release))
    }
}
