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
use diesel::sql_types::{self, Binary, SqlType, Text};
use diesel::sqlite::Sqlite;
use time::Date;
use timelog_domain::{
    FeedEpoch, KeyId, LeaseHolder, OrganizationId, ProjectId, ReleaseId, Source, Status, TicketId,
    TimeEntryId, Timestamp, UserId, WebhookId, WorkDate,
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

/// A calendar day: days since 1970-01-01 on SQLite, `date` on PostgreSQL.
#[derive(SqlType, QueryId)]
#[diesel(sqlite_type(name = "Integer"), postgres_type(oid = 1082, array_oid = 1182))]
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

/// The value of a column of digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Binary)]
pub(crate) struct DigestValue(pub(crate) [u8; 16]);

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

ids!(
    FeedEpoch,
    KeyId,
    LeaseHolder,
    OrganizationId,
    ProjectId,
    ReleaseId,
    TicketId,
    TimeEntryId,
    UserId,
    WebhookId
);

impl DigestValue {
    /// Nothing has this digest that anybody finds.
    pub(crate) const NONE: Self = Self([0; 16]);
}

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

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// One that nothing else has.
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

/// Stores a value: on SQLite as a value that it has, which is read where it stands, and on
/// PostgreSQL as a value that diesel stores there.
macro_rules! stored {
    (
        $value:ident: $sql:ty, $database:ident,
        |$own:ident, $out:ident| $to:expr, |$stored:ident| $from:expr
    ) => {
        impl ToSql<$sql, $database> for $value {
            fn to_sql<'b>(&'b self, $out: &mut Output<'b, '_, $database>) -> serialize::Result {
                let $own = &self.0;
                $to
            }
        }

        impl FromSql<$sql, $database> for $value {
            fn from_sql($stored: <$database as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(Self($from))
            }
        }
    };
    ($value:ident: $sql:ty, on SQLite |$own:ident| $to:expr, |$stored:ident| $from:expr) => {
        stored!($value: $sql, Sqlite, |$own, out| {
            out.set_value($to);
            Ok(IsNull::No)
        }, |value| {
            let mut $stored = value;
            $from
        });
    };
    (
        $value:ident: $sql:ty, on PostgreSQL as $known:ty: $known_sql:ty,
        |$own:ident| $to:expr, |$stored:ident| $from:expr
    ) => {
        stored!($value: $sql, Pg, |$own, out| {
            ToSql::<$known_sql, Pg>::to_sql(&$to, &mut out.reborrow())
        }, |value| {
            let $stored = <$known as FromSql<$known_sql, Pg>>::from_sql(value)?;
            $from
        });
    };
}

/// PostgreSQL counts from 2000-01-01T00:00:00Z, in microseconds.
const POSTGRES_EPOCH_MILLIS: i64 = 946_684_800_000;

/// The Julian day of 1970-01-01.
const EPOCH_JULIAN_DAY: i32 = 2_440_588;

stored!(IdValue: Id, on SQLite |id| id.as_bytes().as_slice(),
    |stored| Uuid::from_slice(stored.read_blob())?);
stored!(IdValue: Id, on PostgreSQL as Uuid: sql_types::Uuid, |id| id, |id| id);
stored!(InstantValue: Instant, on SQLite |at| at.unix_millis(),
    |stored| Timestamp::from_unix_millis(stored.read_long())?);
stored!(InstantValue: Instant, on PostgreSQL as PgTimestamp: sql_types::Timestamptz,
    |at| PgTimestamp((at.unix_millis() - POSTGRES_EPOCH_MILLIS) * 1000),
    |at| Timestamp::from_unix_millis(at.0.div_euclid(1000).saturating_add(POSTGRES_EPOCH_MILLIS))?);
stored!(DayValue: Day, on SQLite |day| day.date().to_julian_day() - EPOCH_JULIAN_DAY,
    |stored| Date::from_julian_day(
        stored.read_integer().saturating_add(EPOCH_JULIAN_DAY)
    )?.try_into()?);
stored!(DayValue: Day, on PostgreSQL as Date: sql_types::Date,
    |day| day.date(), |date| date.try_into()?);
stored!(DocumentValue: Document, on SQLite |json| json.as_str(),
    |stored| stored.read_text().to_owned());
stored!(DigestValue: Binary, on SQLite |digest| digest.as_slice(),
    |stored| stored.read_blob().try_into()?);
stored!(DigestValue: Binary, Pg, |digest, out| ToSql::<Binary, Pg>::to_sql(digest.as_slice(), out),
    |stored| stored.as_bytes().try_into()?);

/// Values that are stored by their names.
macro_rules! named {
    ($($value:ident: $domain:ident),+) => {$(
        #[derive(Debug, Clone, Copy, AsExpression, FromSqlRow)]
        #[diesel(sql_type = Text)]
        pub(crate) struct $value($domain);

        wraps!($value: $domain);

        stored!($value: Text, on SQLite |name| name.as_str(),
            |stored| stored.read_text().parse()?);
        stored!($value: Text, Pg,
            |name, out| ToSql::<Text, Pg>::to_sql(name.as_str(), out),
            |stored| std::str::from_utf8(stored.as_bytes())?.parse()?);
    )+};
}

named!(SourceValue: Source, StatusValue: Status);

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
