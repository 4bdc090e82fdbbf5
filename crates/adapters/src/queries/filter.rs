//! The conditions of a filter, as SQL. What they mean is [`Filter::matches`](timelog_domain::Filter::matches).

/// Adds an organization and the conditions of a filter to a boxed query. Lists, counts and totals all pass through here, so
/// they see the same entries.
macro_rules! filtered {
    ($query:expr, $organization:expr, $filter:expr) => {{
        use $crate::external_digest::digest_external_ref;
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
        let mut query = $query.filter(t::organization_id.eq(IdValue::from($organization)));
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
        // The index of references holds only rows that have one. It finds them by digests, and the texts decide.
        if external_provider.is_some() || external_type.is_some() || external_id.is_some() {
            query = query.filter(t::external_digest.is_not_null());
        }
        match (&external_provider, &external_type, &external_id) {
            (Some(provider), Some(kind), Some(id)) => {
                let digest = digest_external_ref(provider.as_str(), kind.as_str(), id.as_str());
                query = query.filter(t::external_digest.eq(digest.to_vec()));
            }
            (Some(provider), kind, _) => {
                let (from, to) = $crate::external_digest::range(provider, kind.as_ref());
                query = query.filter(t::external_digest.ge(from)).filter(t::external_digest.le(to));
            }
            (None, ..) => {}
        }
        if let Some(part) = external_provider {
            query = query.filter(t::external_provider.eq(part.as_str().to_owned()));
        }
        if let Some(part) = external_type {
            query = query.filter(t::external_type.eq(part.as_str().to_owned()));
        }
        if let Some(part) = external_id {
            query = query.filter(t::external_id.eq(part.as_str().to_owned()));
        }
        query
    }};
}

pub(super) use filtered;
