//! Rows of the directory: `organizations`, `projects`, `users`, `project_entries`,
//! `project_releases`.

use diesel::prelude::*;
use timelog_domain::{Project, Release, Ticket, User};

use crate::error::DbError;
use crate::schema::{organizations, project_entries, project_releases, projects, users};
use crate::types::IdValue;

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = organizations, primary_key(id))]
pub(crate) struct OrganizationRow {
    pub(crate) id: IdValue,
    pub(crate) name: String,
}

/// A directory row, and its ways from and to the domain's struct. `$name` is the field that holds
/// the name.
macro_rules! directory_row {
    ($row:ident, $table:ident, $domain:ident, { $($field:ident: $type:ty),+ }, $name:ident, ($($key:ident),+)) => {
        #[derive(Debug, Queryable, QueryableByName, Selectable, Insertable, AsChangeset)]
        #[diesel(table_name = $table, primary_key($($key),+))]
        pub(crate) struct $row {
            $(pub(crate) $field: $type,)+
            $name: String,
        }

        impl From<$domain> for $row {
            fn from(value: $domain) -> Self {
                Self { $($field: value.$field.into(),)+ $name: value.$name.as_str().to_owned() }
            }
        }

        impl TryFrom<$row> for $domain {
            type Error = DbError;

            fn try_from(row: $row) -> Result<Self, DbError> {
                let $name = row.$name.try_into();
                let $name = $name.map_err(|error| DbError::unknown_value(stringify!($table), stringify!($name), error))?;
                Ok(Self { $($field: row.$field.into(),)+ $name })
            }
        }
    };
}

directory_row!(
    ProjectRow, projects, Project,
    { organization_id: IdValue, id: IdValue, archived: bool }, name,
    (organization_id, id)
);
directory_row!(
    UserRow, users, User,
    { organization_id: IdValue, id: IdValue, active: bool }, name,
    (organization_id, id)
);
directory_row!(
    TicketRow, project_entries, Ticket,
    { organization_id: IdValue, project_id: IdValue, id: IdValue }, title,
    (organization_id, project_id, id)
);
directory_row!(
    ReleaseRow, project_releases, Release,
    { organization_id: IdValue, project_id: IdValue, id: IdValue }, name,
    (organization_id, project_id, id)
);
