//! SQL types of our own, so that one schema serves every database: each maps to the column type that its database does best.
//! Beside each stands the Rust value that is stored and read.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, SqlType, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use timelog_domain::{EntryId, KeyId, OrganizationId, ProjectId, ReleaseId, TimeEntryId, Timestamp, UserId, WorkDate};
use uuid::Uuid;

/// A UUID: 16 bytes on SQLite.
#[derive(SqlType, QueryId)]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Id;

/// A UTC instant: milliseconds since 1970-01-01T00:00:00Z on SQLite.
#[derive(SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"))]
pub struct Instant;

/// A calendar day: `YYYY-MM-DD` on SQLite.
#[derive(SqlType, QueryId)]
#[diesel(sqlite_type(name = "Text"))]
pub struct Day;

/// The value of an [`Id`] column. Which of the domain's ids it is, the row that holds it knows.
#[derive(Debug, Clone, Copy, AsExpression, FromSqlRow)]
#[diesel(sql_type = Id)]
pub(crate) struct IdValue(Uuid);

/// The value of an [`Instant`] column.
#[derive(Debug, Clone, Copy, AsExpression, FromSqlRow)]
#[diesel(sql_type = Instant)]
pub(crate) struct InstantValue(Timestamp);

/// The value of a [`Day`] column.
#[derive(Debug, Clone, Copy, AsExpression, FromSqlRow)]
#[diesel(sql_type = Day)]
pub(crate) struct DayValue(WorkDate);

macro_rules! ids {
    ($($id:ident),+) => {$(
        impl From<$id> for IdValue {
            fn from(id: $id) -> Self {
                Self(id.uuid())
            }
        }

        impl From<IdValue> for $id {
            fn from(value: IdValue) -> Self {
                Self::new(value.0)
            }
        }
    )+};
}

ids!(EntryId, KeyId, OrganizationId, ProjectId, ReleaseId, TimeEntryId, UserId);

macro_rules! wraps {
    ($($value:ident: $domain:ident),+) => {$(
        impl From<$domain> for $value {
            fn from(value: $domain) -> Self {
                Self(value)
            }
        }

        impl From<$value> for $domain {
            fn from(value: $value) -> Self {
                value.0
            }
        }
    )+};
}

wraps!(InstantValue: Timestamp, DayValue: WorkDate);

impl IdValue {
    /// The nil UUID, which names nothing.
    pub(crate) const NIL: Self = Self(Uuid::nil());
}

impl ToSql<Id, Sqlite> for IdValue {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<Id, Sqlite> for IdValue {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self(Uuid::from_slice(&bytes)?))
    }
}

impl ToSql<Instant, Sqlite> for InstantValue {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.unix_millis());
        Ok(IsNull::No)
    }
}

impl FromSql<Instant, Sqlite> for InstantValue {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let millis = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
        Ok(Self(Timestamp::from_unix_millis(millis)?))
    }
}

impl ToSql<Day, Sqlite> for DayValue {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<Day, Sqlite> for DayValue {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(<String as FromSql<Text, Sqlite>>::from_sql(value)?.parse()?))
    }
}
