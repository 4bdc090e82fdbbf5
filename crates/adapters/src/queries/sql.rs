//! SQL that is put together at run time. What stands in it are texts of this program and values
//! that are bound, never texts of anybody else.

use std::marker::PhantomData;

use diesel::expression::ValidGrouping;
use diesel::expression::is_aggregate::Never;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Binary, Bool, Text};
use diesel::sqlite::Sqlite;
use timelog_domain::OrganizationId;

use crate::sqlite::limit::CANCEL_CONDITION;
use crate::types::{Day, DayValue, DigestValue, Id, IdValue, Instant, InstantValue};

/// A value in its place.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Id(IdValue),
    /// The organization that is asked. PostgreSQL gets it in a way that hides it from the planner:
    /// statistics do not know an organization that is new, and the planner would take it for
    /// empty. Now it takes each for the largest one.
    Organization(IdValue),
    Day(DayValue),
    Instant(InstantValue),
    Word(&'static str),
    Flag(bool),
    Digest(DigestValue),
}

#[derive(Debug, Clone)]
enum Piece {
    Text(&'static str),
    Value(Value),
    /// A number that stands in the text, so that PostgreSQL knows it when it plans.
    Number(i64),
    /// The condition through which SQLite ends a read. PostgreSQL itself can end a statement.
    Endable,
    /// The day on which a period of `work_date` begins.
    BeginOf(Period),
}

/// A period around a day.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Period {
    Week,
    Month,
    /// The part of a week that is in one month.
    WeekOfMonth,
}

/// Texts and values in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sql(Vec<Piece>);

impl Sql {
    pub(crate) fn text(text: &'static str) -> Self {
        Self(vec![Piece::Text(text)])
    }

    /// A condition behind the one through which a read can be ended. That comes first, so that it
    /// also sees the rows that the other leaves out.
    pub(crate) fn endable(condition: Self) -> Self {
        Self(vec![Piece::Endable]).and_text(" AND ").and(condition)
    }

    /// The day on which a period of `work_date` begins.
    pub(crate) fn begin_of(period: Period) -> Self {
        Self(vec![Piece::BeginOf(period)])
    }

    /// With a text behind it.
    pub(crate) fn and_text(mut self, text: &'static str) -> Self {
        self.0.push(Piece::Text(text));
        self
    }

    /// With a value behind it.
    pub(crate) fn and_value(mut self, value: Value) -> Self {
        self.0.push(Piece::Value(value));
        self
    }

    /// With a number behind it, as text.
    pub(crate) fn and_number(mut self, number: i64) -> Self {
        self.0.push(Piece::Number(number));
        self
    }

    /// With another behind it.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, with a text between each two.
    pub(crate) fn join(parts: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or_default();
        parts.fold(first, |joined, part| joined.and_text(between).and(part))
    }

    /// The [organization](Value::Organization) that is asked.
    pub(crate) fn organization(id: OrganizationId) -> Self {
        Self::default().and_value(Value::Organization(id.into()))
    }

    /// As an expression or a statement whose value has a type of SQL.
    pub(crate) const fn typed<ST>(self) -> Typed<ST> {
        Typed { sql: self, is_kept: false, of: PhantomData }
    }

    /// As above, and kept prepared: one of few texts that are asked often.
    pub(crate) const fn kept<ST>(self) -> Typed<ST> {
        Typed { sql: self, is_kept: true, of: PhantomData }
    }
}

macro_rules! writes {
    (
        $database:ident, $endable:expr, $hidden:literal, $end:literal,
        $week:literal, $month:literal, $later:literal
    ) => {
        impl QueryFragment<$database> for Sql {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, $database>) -> QueryResult<()> {
                for piece in &self.0 {
                    match piece {
                        Piece::Text(text) => out.push_sql(text),
                        Piece::Endable => out.push_sql($endable),
                        Piece::BeginOf(Period::Week) => out.push_sql($week),
                        Piece::BeginOf(Period::Month) => out.push_sql($month),
                        Piece::BeginOf(Period::WeekOfMonth) => {
                            out.push_sql(concat!($later, "(", $week, ", ", $month, ")"));
                        }
                        Piece::Number(number) => out.push_sql(&number.to_string()),
                        Piece::Value(Value::Id(id)) => out.push_bind_param::<Id, _>(id)?,
                        Piece::Value(Value::Organization(id)) => {
                            out.push_sql($hidden);
                            out.push_bind_param::<Id, _>(id)?;
                            out.push_sql($end);
                        }
                        Piece::Value(Value::Day(day)) => out.push_bind_param::<Day, _>(day)?,
                        Piece::Value(Value::Instant(at)) => {
                            out.push_bind_param::<Instant, _>(at)?;
                        }
                        Piece::Value(Value::Word(word)) => out.push_bind_param::<Text, _>(word)?,
                        Piece::Value(Value::Flag(flag)) => out.push_bind_param::<Bool, _>(flag)?,
                        Piece::Value(Value::Digest(digest)) => {
                            out.push_bind_param::<Binary, _>(digest)?;
                        }
                    }
                }
                Ok(())
            }
        }
    };
}

// SQLite has days as numbers since 1970. The first day of the year 1, -719162, is a Monday.
writes!(
    Sqlite,
    CANCEL_CONDITION,
    "",
    "",
    "work_date - (work_date + 719162) % 7",
    "unixepoch(work_date * 86400, 'unixepoch', 'start of month') / 86400",
    "max"
);
writes!(
    Pg,
    "true",
    "(SELECT ",
    ")",
    "work_date - (extract(isodow FROM work_date)::integer - 1)",
    "work_date - (extract(day FROM work_date)::integer - 1)",
    "greatest"
);

/// The [organization](Value::Organization) that is asked, to compare a column with.
pub(crate) fn asked(organization: OrganizationId) -> Typed<Id> {
    Sql::organization(organization).kept()
}

/// SQL with the type of its value, or of its rows where it is a statement.
#[derive(Debug, Clone)]
pub(crate) struct Typed<ST> {
    sql: Sql,
    /// diesel keeps what it prepares for as long as the connection, under its text. Filters and
    /// orders together have very many.
    is_kept: bool,
    of: PhantomData<ST>,
}

impl<ST, DB: diesel::backend::Backend> QueryFragment<DB> for Typed<ST>
where
    Sql: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.is_kept {
            out.unsafe_to_cache_prepared();
        }
        self.sql.walk_ast(out)
    }
}

impl<ST> QueryId for Typed<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST: diesel::expression::TypedExpressionType> Expression for Typed<ST> {
    type SqlType = ST;
}

impl<ST> ValidGrouping<()> for Typed<ST> {
    type IsAggregate = Never;
}

impl<ST, T> AppearsOnTable<T> for Typed<ST> where Self: Expression {}

impl<ST, T> SelectableExpression<T> for Typed<ST> where Self: AppearsOnTable<T> {}

impl<ST> Query for Typed<ST> {
    type SqlType = ST;
}

impl<ST, Conn> RunQueryDsl<Conn> for Typed<ST> {}
