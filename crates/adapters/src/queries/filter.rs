//! The conditions of a filter, as SQL. What they mean is [`Filter::matches`](timelog_domain::Filter::matches).

use diesel::pg::Pg;
use diesel::sqlite::Sqlite;

use crate::sqlite;

/// What a kind of database needs among the conditions so that a read can be ended.
pub(super) trait Endable {
    /// Must be the first condition, where there is one.
    const CONDITION: Option<&'static str>;
}

impl Endable for Sqlite {
    const CONDITION: Option<&'static str> = Some(sqlite::CONDITION);
}

impl Endable for Pg {
    // The server ends a statement when it is told to.
    const CONDITION: Option<&'static str> = None;
}

/// Adds an organization and the conditions of a filter to a boxed query. Lists, counts and totals all pass through here, so
/// they see the same entries.
macro_rules! filtered {
    ($db:ty, $query:expr, $organization:expr, $filter:expr) => {{
        use $crate::external_digest::of_part;
        use $crate::schema::time_entries as t;
        use $crate::types::{DayValue, IdValue, InstantValue};

        let timelog_domain::Filter {
            project_id,
            user_id,
            entry_id,
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
        let mut query = $query;
        if let Some(condition) = <$db as $crate::queries::filter::Endable>::CONDITION {
            query = query.filter(diesel::dsl::sql::<diesel::sql_types::Bool>(condition));
        }
        query = query.filter(t::organization_id.eq(IdValue::from($organization)));
        if let Some(id) = project_id {
            query = query.filter(t::project_id.eq(IdValue::from(id)));
        }
        if let Some(id) = user_id {
            query = query.filter(t::user_id.eq(IdValue::from(id)));
        }
        if let Some(id) = entry_id {
            query = query.filter(t::entry_id.eq(IdValue::from(id)));
        }
        if let Some(id) = release_id {
            query = query.filter(t::release_id.eq(IdValue::from(id)));
        }
        if !statuses.is_empty() {
            query = query.filter(t::status.eq_any(statuses.into_iter().map(timelog_domain::Status::as_str)));
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
