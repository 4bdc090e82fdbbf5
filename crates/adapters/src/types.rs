//! SQL types of our own, so that one schema serves every database: each maps to the column type
//! that its database does best. Beside each stands the Rust value that is stored and read.

use std::io::Write;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Integer, SqlType, Text};
use diesel::sqlite::{Sqlite, SqliteValue};
use time::Date;
use timelog_domain::{
    KeyId, OrganizationId, ProjectId, ReleaseId, TicketId, TimeEntryId, Timestamp, UserId, WorkDate,
};
use uuid::Uuid;

/// A UUID: 16 bytes on SQLite, `uuid` on PostgreSQL.
#[derive(SqlType, QueryId)]
#[diesel(sqlite_type(name = "Binary"), postgres_type(oid = 2950, array_oid = 2951))]
pub struct Id;

/// A UTC instant: milliseconds since 1970-01-01T00:00:00Z on SQLite, `timestamptz` on PostgreSQL.
#[derive(SqlType, QueryId)]
#[diesel(sqlite_type(name = "Long"), postgres_type(oid = 1184, array_oid = 1185))]
pub struct Instant;

/// A calendar day: `YYYY-MM-DD` on SQLite, `date` on PostgreSQL.
#[derive(SqlType, QueryId)]
#[diesel(sqlite_type(name = "Text"), postgres_type(oid = 1082, array_oid = 1182))]
pub struct Day;

/// A JSON document: its text on SQLite, `jsonb` on PostgreSQL.
#[derive(SqlType, QueryId)]
#[diesel(sqlite_type(name = "Text"), postgres_type(oid = 3802, array_oid = 3807))]
pub struct Document;

/// The value of an [`Id`] column. Which of the domain's ids it is, the row that holds it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
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

/// The value of a [`Document`] column: the text of some JSON.
#[derive(Debug, Clone, AsExpression, FromSqlRow)]
#[diesel(sql_type = Document)]
pub(crate) struct DocumentValue(pub(crate) String);

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

ids!(TicketId, KeyId, OrganizationId, ProjectId, ReleaseId, TimeEntryId, UserId);

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

impl ToSql<Document, Sqlite> for DocumentValue {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_str());
        Ok(IsNull::No)
    }
}

impl FromSql<Document, Sqlite> for DocumentValue {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Sqlite>>::from_sql(value).map(Self)
    }
}

/// PostgreSQL counts from 2000-01-01T00:00:00Z: microseconds in an instant, days in a day.
const POSTGRES_EPOCH_MILLIS: i64 = 946_684_800_000;
const POSTGRES_EPOCH_JULIAN_DAY: i32 = 2_451_545;
/// Stands before the text of a `jsonb` value on the wire.
const JSONB_VERSION: u8 = 1;

impl ToSql<Id, Pg> for IdValue {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Id, Pg> for IdValue {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(value.as_bytes())?))
    }
}

impl ToSql<Instant, Pg> for InstantValue {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = (self.0.unix_millis() - POSTGRES_EPOCH_MILLIS) * 1000;
        <i64 as ToSql<BigInt, Pg>>::to_sql(&micros, &mut out.reborrow())
    }
}

impl FromSql<Instant, Pg> for InstantValue {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        Ok(Self(Timestamp::from_unix_millis(
            micros.div_euclid(1000).saturating_add(POSTGRES_EPOCH_MILLIS),
        )?))
    }
}

impl ToSql<Day, Pg> for DayValue {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let days = self.0.date().to_julian_day() - POSTGRES_EPOCH_JULIAN_DAY;
        <i32 as ToSql<Integer, Pg>>::to_sql(&days, &mut out.reborrow())
    }
}

impl FromSql<Day, Pg> for DayValue {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let days = <i32 as FromSql<Integer, Pg>>::from_sql(value)?;
        Ok(Self(Date::from_julian_day(days.saturating_add(POSTGRES_EPOCH_JULIAN_DAY))?.try_into()?))
    }
}

impl ToSql<Document, Pg> for DocumentValue {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB_VERSION])?;
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Document, Pg> for DocumentValue {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes().split_first() {
            Some((&JSONB_VERSION, text)) => Ok(Self(String::from_utf8(text.to_vec())?)),
            _ => Err("jsonb of a version that is not known".into()),
        }
    }
}
