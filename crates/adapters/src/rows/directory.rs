//! Rows of the directory: `organizations`, `projects`, `users`, `project_entries`,
//! `project_releases`.

use diesel::prelude::*;
use timelog_domain::{Project, Release, Ticket, User};

use super::row::{Row, row};
use crate::error::DbError;
use crate::schema::{organizations, project_entries, project_releases, projects, users};
use crate::types::IdValue;

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = organizations, primary_key(id))]
pub(crate) struct OrganizationRow {
    pub(crate) id: IdValue,
    pub(crate) name: String,
    /// Made with the row, and not changed with its name.
    #[diesel(skip_update)]
    pub(crate) feed_epoch: IdValue,
}

/// A directory row, and its ways from and to the domain's struct. `$name` is the column that holds
/// the name.
macro_rules! directory_row {
    (
        $row:ident of $table:ident, $domain:ident:
        ($($key:ident),+), $name:ident $(, $flag:ident)?
    ) => {
        row! {
            #[derive(AsChangeset)]
            #[diesel(primary_key($($key),+))]
            $row of $table {
                key { $($key: IdValue),+ }
                once {}
                again { $name: String $(, $flag: bool)? }
            }
        }

        impl From<$domain> for $row {
            fn from(value: $domain) -> Self {
                Self {
                    $($key: value.$key.into(),)+
                    $name: value.$name.as_str().to_owned(),
                    $($flag: value.$flag,)?
                }
            }
        }

        impl TryFrom<$row> for $domain {
            type Error = DbError;

            fn try_from(row: $row) -> Result<Self, DbError> {
                Ok(Self {
                    $($key: row.$key.into(),)+
                    $name: $row::known(stringify!($name), row.$name.try_into())?,
                    $($flag: row.$flag,)?
                })
            }
        }
    };
}

directory_row!(ProjectRow of projects, Project: (organization_id, id), name, archived);
directory_row!(UserRow of users, User: (organization_id, id), name, active);
directory_row!(TicketRow of project_entries, Ticket: (organization_id, project_id, id), title);
directory_row!(ReleaseRow of project_releases, Release: (organization_id, project_id, id), name);
