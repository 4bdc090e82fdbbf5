//! One list of columns for each table. It declares the row struct, from which diesel makes its
//! statements. PostgreSQL's statements over arrays get their names and values from it.

use std::fmt::{Debug, Display};

use diesel::IntoSql;
use diesel::pg::Pg;
use diesel::query_builder::QueryFragment;
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, HasSqlType, SqlType};

use crate::error::DbError;

/// A row of a table whose columns are known by name.
pub(crate) trait Row: Sized + 'static {
    const TABLE: &'static str;
    const COLUMNS: &'static [Column<Self>];

    /// The names of the columns that are written so.
    fn names(written: &[Written]) -> Vec<&'static str> {
        columns::<Self>(written).map(|column| column.name).collect()
    }

    /// What the rows have in the columns that are written so.
    fn arrays<'a>(rows: &'a [Self], written: &[Written]) -> Vec<Values<'a>> {
        columns::<Self>(written).map(|column| (column.values)(rows)).collect()
    }

    /// A stored value as the domain knows it.
    fn known<T, E: Display>(column: &str, value: Result<T, E>) -> Result<T, DbError> {
        value.map_err(|error| DbError::unknown_value(Self::TABLE, column, error))
    }
}

fn columns<R: Row>(written: &[Written]) -> impl Iterator<Item = &'static Column<R>> {
    R::COLUMNS.iter().filter(|column| written.contains(&column.written))
}

/// When a column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// With the row, which it is found by: a column of the primary key.
    AsKey,
    /// With the row, and never again.
    Once,
    /// With the row, and whenever that changes.
    Again,
}

impl Written {
    pub(crate) const ALL: [Self; 3] = [Self::AsKey, Self::Once, Self::Again];
}

/// One column of a table.
pub(crate) struct Column<R> {
    pub(crate) name: &'static str,
    pub(crate) written: Written,
    /// Its value in each of the rows.
    pub(crate) values: for<'a> fn(&'a [R]) -> Values<'a>,
}

/// One parameter of a statement: the values of a column, in an array.
pub(crate) type Values<'a> = Box<dyn QueryFragment<Pg> + Send + 'a>;

/// Binds values, of a column of type `S`, as an array.
pub(crate) fn values<'a, S, V>(values: impl Iterator<Item = V>) -> Values<'a>
where
    Pg: HasSqlType<S>,
    S: SqlType + Send + 'static,
    V: ToSql<S, Pg> + Debug + Send + 'a,
{
    Box::new(values.collect::<Vec<V>>().into_sql::<Array<S>>())
}

/// Declares the row of a table. `key` are the columns of the primary key, `once` those that are
/// written once, and `again` those that are written again whenever the row changes.
macro_rules! row {
    (
        $(#[$meta:meta])*
        $row:ident of $table:ident {
            key { $($key:ident: $key_type:ty),+ $(,)? }
            once { $($once:ident: $once_type:ty),* $(,)? }
            again { $($again:ident: $again_type:ty),* $(,)? }
        }
    ) => {
        #[derive(Debug, Queryable, QueryableByName, Selectable, Insertable)]
        $(#[$meta])*
        #[diesel(table_name = $table, treat_none_as_default_value = false)]
        pub(crate) struct $row {
            $(pub(crate) $key: $key_type,)+
            $(#[diesel(skip_update)] pub(crate) $once: $once_type,)*
            $(pub(crate) $again: $again_type,)*
        }

        impl super::row::Row for $row {
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [super::row::Column<Self>] = &[
                $(super::row::column!($table, $key, AsKey),)+
                $(super::row::column!($table, $once, Once),)*
                $(super::row::column!($table, $again, Again),)*
            ];
        }
    };
}

macro_rules! column {
    ($table:ident, $column:ident, $written:ident) => {
        super::row::Column {
            name: stringify!($column),
            written: super::row::Written::$written,
            values: |rows| {
                super::row::values::<diesel::dsl::SqlTypeOf<$table::$column>, _>(
                    rows.iter().map(|row| &row.$column),
                )
            },
        }
    };
}

pub(crate) use {column, row};
