//! The indexes of time entries, and how a filter enters them.

use timelog_domain::{Filter, OrganizationId, SortKey, Source, Status};

use super::filter::{About, Conditions, word};
use super::sql::{Sql, Value};

/// An index: entries that are equal in some columns, in the order of another one and of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index {
    equal: &'static [About],
    pub(super) order: SortKey,
}

const fn index(equal: &'static [About], order: SortKey) -> Index {
    Index { equal, order }
}

/// Status, billable and source have few values, and share an index.
const STATUS: Index = index(&[About::Status, About::Billable, About::Source], SortKey::WorkDate);

/// All of them, first those where the fewest entries are equal. References have one of their own,
/// which gives no order. The order of creation is that of the primary key.
const INDEXES: [Index; 10] = [
    index(&[About::Invoice], SortKey::WorkDate),
    index(&[About::Ticket], SortKey::WorkDate),
    index(&[About::Release], SortKey::WorkDate),
    index(&[About::User], SortKey::WorkDate),
    STATUS,
    index(&[About::Project], SortKey::WorkDate),
    index(&[About::Project], SortKey::UpdatedAt),
    index(&[], SortKey::WorkDate),
    index(&[], SortKey::UpdatedAt),
    index(&[], SortKey::CreatedAt),
];

impl Index {
    /// The index that gives an order and all that the filter asks, if there is one.
    pub(super) fn exact(conditions: &Conditions, order: SortKey) -> Option<Self> {
        let mut all = INDEXES.into_iter().filter(|index| index.order == order);
        all.find(|index| index.is_entered(conditions) && conditions.are_about(&index.about()))
    }

    /// The index that gives an order, and of what the filter asks the most.
    pub(super) fn in_order(conditions: &Conditions, order: SortKey) -> Self {
        let mut all = INDEXES.into_iter().filter(|index| index.order == order && *index != STATUS);
        // The last one is that of everything.
        all.find(|index| index.is_entered(conditions)).unwrap_or(index(&[], order))
    }

    /// Those that leave something out.
    pub(super) fn leads(conditions: &Conditions) -> impl Iterator<Item = Self> {
        INDEXES.into_iter().filter(|index| {
            let narrows = match index.equal {
                [] | [About::Project] if index.order != SortKey::WorkDate => {
                    conditions.has(About::Updated)
                }
                [] => conditions.has(About::Day),
                _ => true,
            };
            narrows && index.order != SortKey::CreatedAt && index.is_entered(conditions)
        })
    }

    /// Whether the filter says enough to enter it.
    fn is_entered(self, conditions: &Conditions) -> bool {
        let said = |about: &About| conditions.has(*about);
        if self == STATUS { self.equal.iter().any(said) } else { self.equal.iter().all(said) }
    }

    /// What it can answer.
    pub(super) fn about(self) -> Vec<About> {
        let range = match self.order {
            SortKey::WorkDate => Some(About::Day),
            SortKey::UpdatedAt => Some(About::Updated),
            SortKey::CreatedAt => None,
        };
        self.equal.iter().copied().chain(range).collect()
    }

    /// The parts of the index in which the entries are that it can find, as conditions. They are
    /// several where something of the status was not asked.
    pub(super) fn parts(
        self,
        organization: OrganizationId,
        filter: &Filter,
        conditions: &Conditions,
    ) -> Vec<Sql> {
        if self != STATUS {
            return vec![conditions.about(organization, &self.about())];
        }
        let days = conditions.about(organization, &[About::Day]);
        let statuses = Status::ALL.iter().copied();
        let statuses = statuses
            .filter(|status| filter.statuses.is_empty() || filter.statuses.contains(status));
        let billable = filter.billable.map_or(vec![false, true], |billable| vec![billable]);
        let sources = filter.source.map_or(Source::ALL.to_vec(), |source| vec![source]);
        let mut parts = Vec::new();
        for status in statuses {
            for billable in &billable {
                for source in &sources {
                    let part = days.clone().and_text(" AND status = ").and_value(word(status));
                    let part = part.and_text(" AND billable = ").and_value(Value::Flag(*billable));
                    let source = Value::Word(source.as_str());
                    parts.push(part.and_text(" AND source = ").and_value(source));
                }
            }
        }
        parts
    }
}
