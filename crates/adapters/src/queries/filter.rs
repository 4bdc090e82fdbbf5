//! The conditions of a filter, as SQL. What they mean is
//! [`Filter::matches`](timelog_domain::Filter::matches).

use diesel::expression::ValidGrouping;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;

use crate::sqlite;

/// The condition through which SQLite ends a read. Unlike a text given to `sql`, it lets diesel
/// keep the statement prepared.
#[derive(Debug, Clone, Copy, QueryId, ValidGrouping)]
pub(super) struct Cancellable;

impl Expression for Cancellable {
    type SqlType = Bool;
}

impl<T> AppearsOnTable<T> for Cancellable {}

impl<T> SelectableExpression<T> for Cancellable {}

impl QueryFragment<Sqlite> for Cancellable {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(sqlite::CANCEL_CONDITION);
        Ok(())
    }
}

impl QueryFragment<Pg> for Cancellable {
    /// The server itself can end a statement.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("true");
        Ok(())
    }
}

/// Adds an organization and the conditions of a filter to a boxed query. Lists, counts and totals
/// all use it, so they see the same entries.
macro_rules! filtered {
    ($query:expr, $organization:expr, $filter:expr) => {{
        use $crate::external_digest::of_part;
        use $crate::schema::time_entries as t;
        use $crate::types::{DayValue, IdValue, InstantValue};

        let timelog_domain::Filter {
            project_id,
            user_id,
            ticket_id,
            release_id,
            statuses,
            billable,
            source,
            from,
            to,
            updated_since,
            external_provider,
            external_type,
            external_id,
        } = $filter;
        // The first condition, so that it also sees the rows that the others leave out.
        let query = $query.filter($crate::queries::filter::Cancellable);
        let mut query = query.filter(t::organization_id.eq(IdValue::from($organization)));
        if let Some(id) = project_id {
            query = query.filter(t::project_id.eq(IdValue::from(id)));
        }
        if let Some(id) = user_id {
            query = query.filter(t::user_id.eq(IdValue::from(id)));
        }
        if let Some(id) = ticket_id {
            query = query.filter(t::entry_id.eq(IdValue::from(id)));
        }
        if let Some(id) = release_id {
            query = query.filter(t::release_id.eq(IdValue::from(id)));
        }
        if !statuses.is_empty() {
            query = query
                .filter(t::status.eq_any(statuses.into_iter().map(timelog_domain::Status::as_str)));
        }
        if let Some(billable) = billable {
            query = query.filter(t::billable.eq(billable));
        }
        if let Some(source) = source {
            query = query.filter(t::source.eq(source.as_str()));
        }
        if let Some(day) = from {
            query = query.filter(t::work_date.ge(DayValue::from(day)));
        }
        if let Some(day) = to {
            query = query.filter(t::work_date.le(DayValue::from(day)));
        }
        if let Some(instant) = updated_since {
            query = query.filter(t::updated_at.ge(InstantValue::from(instant)));
        }
        // References are found by digests of their parts, in an index of those rows that have one.
        if external_provider.is_some() || external_type.is_some() || external_id.is_some() {
            query = query.filter(t::external_provider_digest.is_not_null());
        }
        if let Some(part) = external_provider {
            query = query.filter(t::external_provider_digest.eq(of_part(&part)));
        }
        if let Some(part) = external_type {
            query = query.filter(t::external_type_digest.eq(of_part(&part)));
        }
        if let Some(part) = external_id {
            query = query.filter(t::external_id_digest.eq(of_part(&part)));
        }
        query
    }};
}

pub(super) use filtered;
