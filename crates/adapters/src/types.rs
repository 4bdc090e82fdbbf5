//! SQL types of our own, so that one schema serves every database: each maps to the column type
//! that its database does best. Beside each stands the Rust value that is stored and read.

use std::io::Write;

use diesel::backend::Backend;
use diesel::data_types::PgTimestamp;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{self, SqlType};
use diesel::sqlite::Sqlite;
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

/// The value of an [`Id`] column: any of the domain's ids.
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

/// Stores a value on one database as a value that diesel stores there.
macro_rules! stored {
    (
        $value:ident: $sql:ident on $database:ident as $known:ty: $known_sql:ty,
        |$own:ident| $to:expr, |$stored:ident| $from:expr
    ) => {
        impl ToSql<$sql, $database> for $value {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, $database>) -> serialize::Result {
                let $own = &self.0;
                stored!($database, out, $to, $known_sql)
            }
        }

        impl FromSql<$sql, $database> for $value {
            fn from_sql(value: <$database as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                let $stored = <$known as FromSql<$known_sql, $database>>::from_sql(value)?;
                Ok(Self($from))
            }
        }
    };
    (Sqlite, $out:ident, $value:expr, $sql:ty) => {{
        $out.set_value($value);
        Ok(IsNull::No)
    }};
    (Pg, $out:ident, $value:expr, $sql:ty) => {
        ToSql::<$sql, Pg>::to_sql(&$value, &mut $out.reborrow())
    };
}

/// PostgreSQL counts from 2000-01-01T00:00:00Z, in microseconds.
const POSTGRES_EPOCH_MILLIS: i64 = 946_684_800_000;

stored!(IdValue: Id on Sqlite as Vec<u8>: sql_types::Binary,
    |id| id.as_bytes().as_slice(), |bytes| Uuid::from_slice(&bytes)?);
stored!(IdValue: Id on Pg as Uuid: sql_types::Uuid, |id| id, |id| id);
stored!(InstantValue: Instant on Sqlite as i64: sql_types::BigInt,
    |at| at.unix_millis(), |millis| Timestamp::from_unix_millis(millis)?);
stored!(InstantValue: Instant on Pg as PgTimestamp: sql_types::Timestamptz,
    |at| PgTimestamp((at.unix_millis() - POSTGRES_EPOCH_MILLIS) * 1000),
    |at| Timestamp::from_unix_millis(at.0.div_euclid(1000).saturating_add(POSTGRES_EPOCH_MILLIS))?);
stored!(DayValue: Day on Sqlite as String: sql_types::Text,
    |day| day.to_string(), |text| text.parse()?);
stored!(DayValue: Day on Pg as Date: sql_types::Date, |day| day.date(), |date| date.try_into()?);
stored!(DocumentValue: Document on Sqlite as String: sql_types::Text,
    |json| json.as_str(), |json| json);

/// Stands before the text of a `jsonb` value on the wire. diesel's own `Jsonb` parses the text, and
/// would write it in another form than it was read.
const JSONB_VERSION: u8 = 1;

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
