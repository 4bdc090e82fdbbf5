//! Statements over arrays. One constant text serves a batch of any size, so it is prepared once for
//! a connection.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Untyped};

use crate::types::{Day, DayValue, Document, DocumentValue, Id, IdValue, Instant, InstantValue};

/// The values of one column, a row each.
pub(super) enum Column<'a> {
    Bigints(Vec<i64>),
    Binaries(Vec<&'a [u8]>),
    Bools(Vec<bool>),
    Days(Vec<DayValue>),
    Documents(Vec<&'a DocumentValue>),
    Ids(Vec<IdValue>),
    Instants(Vec<InstantValue>),
    Integers(Vec<i32>),
    OptionalBinaries(Vec<Option<&'a [u8]>>),
    OptionalIds(Vec<Option<IdValue>>),
    OptionalTexts(Vec<Option<&'a str>>),
    Texts(Vec<&'a str>),
    /// One value for all rows.
    Instant(InstantValue),
}

/// A text with a `?` where each column goes.
pub(super) struct Statement<'a> {
    pub(super) sql: &'static str,
    pub(super) columns: Vec<Column<'a>>,
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut columns = self.columns.iter();
        for (index, text) in self.sql.split('?').enumerate() {
            if index > 0 {
                match columns.next() {
                    Some(Column::Bigints(values)) => {
                        out.push_bind_param::<Array<BigInt>, _>(values)?
                    }
                    Some(Column::Binaries(values)) => {
                        out.push_bind_param::<Array<Binary>, _>(values)?
                    }
                    Some(Column::Bools(values)) => out.push_bind_param::<Array<Bool>, _>(values)?,
                    Some(Column::Days(values)) => out.push_bind_param::<Array<Day>, _>(values)?,
                    Some(Column::Documents(values)) => {
                        out.push_bind_param::<Array<Document>, _>(values)?
                    }
                    Some(Column::Ids(values)) => out.push_bind_param::<Array<Id>, _>(values)?,
                    Some(Column::Instants(values)) => {
                        out.push_bind_param::<Array<Instant>, _>(values)?
                    }
                    Some(Column::Integers(values)) => {
                        out.push_bind_param::<Array<Integer>, _>(values)?
                    }
                    Some(Column::OptionalBinaries(values)) => {
                        out.push_bind_param::<Array<Nullable<Binary>>, _>(values)?;
                    }
                    Some(Column::OptionalIds(values)) => {
                        out.push_bind_param::<Array<Nullable<Id>>, _>(values)?
                    }
                    Some(Column::OptionalTexts(values)) => {
                        out.push_bind_param::<Array<Nullable<Text>>, _>(values)?
                    }
                    Some(Column::Texts(values)) => out.push_bind_param::<Array<Text>, _>(values)?,
                    Some(Column::Instant(value)) => out.push_bind_param::<Instant, _>(value)?,
                    None => {
                        return Err(diesel::result::Error::QueryBuilderError(
                            "a column is missing".into(),
                        ));
                    }
                }
            }
            out.push_sql(text);
        }
        Ok(())
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();

    // The text is the key under which it is kept prepared.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl<Conn> diesel::query_dsl::RunQueryDsl<Conn> for Statement<'_> {}
