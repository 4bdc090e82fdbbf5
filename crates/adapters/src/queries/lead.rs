//! Leads: indexes by which the entries that a filter lets through may be few.

use diesel::sql_types::{BigInt, Binary};
use timelog_domain::{Filter, OrganizationId, SortKey};

use super::filter::{About, Conditions};
use super::index::Index;
use super::sql::{Sql, Typed, Value};
use crate::digests::of_part;
use crate::types::DigestValue;

/// The most entries that are read by a lead, or in order beside what is asked.
pub(super) const MOST: i64 = 10_000;

/// Into so many parts of an index a lead may fall.
const PARTS: usize = 36;

/// What is asked of the entries of an organization.
pub(super) struct Asked {
    organization: OrganizationId,
    filter: Filter,
    conditions: Conditions,
}

/// A way to entries: parts of an index, and the order in which that has them. PostgreSQL uses an
/// index whose order is asked for.
pub(super) struct Lead {
    parts: Vec<Sql>,
    order: &'static str,
}

const BY_REFERENCE: &str =
    " ORDER BY external_provider_digest, external_type_digest, external_id_digest";

const fn by(order: SortKey) -> &'static str {
    match order {
        SortKey::WorkDate => " ORDER BY work_date, id",
        SortKey::UpdatedAt => " ORDER BY updated_at, id",
        SortKey::CreatedAt => " ORDER BY id",
    }
}

impl Asked {
    pub(super) fn new(organization: OrganizationId, filter: Filter) -> Self {
        let conditions = Conditions::of(&filter);
        Self { organization, filter, conditions }
    }

    /// The index that gives an order and all that is asked, if there is one.
    pub(super) fn exact(&self, order: SortKey) -> Option<Index> {
        Index::exact(&self.conditions, order)
    }

    /// What the index can find that gives an order, and of what is asked the most.
    pub(super) fn in_order(&self, order: SortKey) -> Sql {
        let index = Index::in_order(&self.conditions, order);
        self.conditions.about(self.organization, &index.about())
    }

    /// The parts of an index in which the entries are that it can find.
    pub(super) fn parts(&self, index: Index) -> Vec<Sql> {
        index.parts(self.organization, &self.filter, &self.conditions)
    }

    /// An index as a lead.
    pub(super) fn lead(&self, index: Index) -> Lead {
        Lead { parts: self.parts(index), order: by(index.order) }
    }

    /// All of the organization's.
    pub(super) fn own(&self) -> Sql {
        self.conditions.about(self.organization, &[])
    }

    /// All that is asked.
    pub(super) fn all(&self) -> Sql {
        self.conditions.about(self.organization, &About::ALL)
    }

    /// From where all that is asked is read, by a lead if one leads to few.
    pub(super) fn source(&self, lead: Option<&Lead>) -> Sql {
        match lead {
            None => Sql::text(" FROM time_entries WHERE ").and(Sql::endable(self.all())),
            Some(lead) => {
                let found = Sql::text(" FROM (").and(lead.union());
                found.and_text(") AS found WHERE ").and(self.all())
            }
        }
    }

    /// Whether something is asked that few entries have in common, so that it is better not to
    /// begin in order.
    pub(super) fn is_narrow(&self) -> bool {
        let narrow = [About::Ticket, About::Release, About::Invoice];
        narrow.iter().any(|about| self.conditions.has(*about)) || self.filter.external_id.is_some()
    }

    /// Asks for the kinds of references there are, if they must be known: the index of references
    /// begins with the provider and the type. There is one more than may be used if there are too
    /// many.
    pub(super) fn kinds(&self) -> Option<Typed<(Binary, Binary)>> {
        let Filter { external_provider, external_type, external_id, .. } = &self.filter;
        let is_begun =
            external_provider.is_some() && (external_type.is_some() || external_id.is_none());
        let is_asked = external_type.is_some() || external_id.is_some();
        (is_asked && !is_begun).then(|| kinds(self.organization))
    }

    /// The leads, first those that are likely to lead to the fewest. `kinds` are the
    /// [kinds of references](Self::kinds).
    pub(super) fn leads(&self, kinds: Option<Vec<(DigestValue, DigestValue)>>) -> Vec<Lead> {
        let by_index = Index::leads(&self.conditions);
        let by_index = by_index.map(|index| self.lead(index));
        self.references(kinds).into_iter().chain(by_index).collect()
    }

    fn references(&self, kinds: Option<Vec<(DigestValue, DigestValue)>>) -> Option<Lead> {
        if !self.conditions.has(About::Reference) {
            return None;
        }
        let reference = self.conditions.about(self.organization, &[About::Reference]);
        let Some(kinds) = kinds else {
            return Some(Lead { parts: vec![reference], order: BY_REFERENCE });
        };
        if kinds.len() > PARTS {
            return None;
        }
        let asked = |part: &Option<_>, digest: &DigestValue| {
            part.as_ref().is_none_or(|part| of_part(part) == *digest)
        };
        let Filter { external_provider, external_type, .. } = &self.filter;
        let kinds = kinds.into_iter().filter(|(provider, kind)| {
            asked(external_provider, provider) && asked(external_type, kind)
        });
        let mut kinds: Vec<_> = kinds.collect();
        if kinds.is_empty() {
            // No reference has these.
            kinds.push((DigestValue::NONE, DigestValue::NONE));
        }
        let part = |(provider, kind)| {
            let part = reference.clone().and_text(" AND external_provider_digest = ");
            let part = part.and_value(Value::Digest(provider));
            part.and_text(" AND external_type_digest = ").and_value(Value::Digest(kind))
        };
        Some(Lead { parts: kinds.into_iter().map(part).collect(), order: BY_REFERENCE })
    }
}

impl Lead {
    /// All that it leads to, if that is few.
    pub(super) fn union(&self) -> Sql {
        union(self.parts.iter().map(|part| scan(part.clone(), Sql::text(self.order), MOST)))
    }

    /// To how many entries it leads; from [`MOST`] on it may be more.
    pub(super) fn count(&self) -> Typed<BigInt> {
        Sql::text("SELECT count(*) FROM (").and(self.union()).and_text(") AS found").typed()
    }
}

/// Some entries, in some order.
pub(super) fn scan(condition: Sql, order: Sql, entries: i64) -> Sql {
    let scan = Sql::text("SELECT * FROM time_entries WHERE ").and(Sql::endable(condition));
    scan.and(order).and_text(" LIMIT ").and_number(entries)
}

/// What any of the parts selects.
pub(super) fn union(parts: impl IntoIterator<Item = Sql>) -> Sql {
    let part = |part| Sql::text("SELECT * FROM (").and(part).and_text(") AS part");
    Sql::join(parts.into_iter().map(part), " UNION ALL ")
}

/// The pairs of provider and type that references have, found from each to the next. There are few
/// in a database, among any number of references.
fn kinds(organization: OrganizationId) -> Typed<(Binary, Binary)> {
    let organization = || Sql::organization(organization);
    let most = i64::try_from(PARTS).unwrap_or(i64::MAX);
    Sql::text(
        "WITH RECURSIVE providers (provider, number) AS (\
         SELECT (SELECT external_provider_digest FROM time_entries \
         WHERE external_provider_digest IS NOT NULL AND organization_id = ",
    )
    .and(organization())
    .and_text(
        " ORDER BY external_provider_digest LIMIT 1), 0 UNION ALL \
         SELECT (SELECT external_provider_digest FROM time_entries \
         WHERE external_provider_digest > provider AND organization_id = ",
    )
    .and(organization())
    .and_text(
        " ORDER BY external_provider_digest LIMIT 1), number + 1 FROM providers \
         WHERE provider IS NOT NULL AND number <= ",
    )
    .and_number(most)
    .and_text(
        "), kinds (provider, kind, number) AS (\
         SELECT provider, (SELECT external_type_digest FROM time_entries \
         WHERE external_provider_digest = provider AND organization_id = ",
    )
    .and(organization())
    .and_text(
        " ORDER BY external_type_digest LIMIT 1), 0 FROM providers WHERE provider IS NOT NULL \
         UNION ALL \
         SELECT provider, (SELECT external_type_digest FROM time_entries \
         WHERE external_provider_digest = provider AND external_type_digest > kind \
         AND organization_id = ",
    )
    .and(organization())
    .and_text(
        " ORDER BY external_type_digest LIMIT 1), number + 1 FROM kinds \
         WHERE kind IS NOT NULL AND number <= ",
    )
    .and_number(most)
    .and_text(") SELECT provider, kind FROM kinds WHERE kind IS NOT NULL LIMIT ")
    .and_number(most.saturating_add(1))
    .typed()
}

/// The lead that leads to few, if there is one. Looked for on a connection of either kind.
macro_rules! few {
    ($conn:ident, $asked:expr) => {{
        let kinds = match $asked.kinds() {
            Some(kinds) => Some(kinds.load::<(_, _)>($conn).await?),
            None => None,
        };
        let mut few = None;
        for lead in $asked.leads(kinds) {
            if lead.count().get_result::<i64>($conn).await? < $crate::queries::lead::MOST {
                few = Some(lead);
                break;
            }
        }
        few
    }};
}

pub(super) use few;
