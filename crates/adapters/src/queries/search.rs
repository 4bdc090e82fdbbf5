//! Finding the entries of a page.
//!
//! Where an index gives the order and all that is asked, a page is read from where it begins. Else
//! a page reads a bounded number of entries. It begins in order, which suffices where many are what
//! is asked. Where few are, one of the [leads](super::lead) tells, and all that it leads to is read
//! and sorted. Where neither finds enough, the page has what was found so far, and the next one
//! goes on from there.

use diesel::sql_types::{BigInt, Bool, Untyped};
use timelog_domain::query::SortValue;
use timelog_domain::{Direction, OrganizationId, PageRequest, Position, Sort, SortKey};

use super::lead::{Asked, Lead, scan, union};
use super::sql::{Sql, Typed, Value};

/// How many entries a page reads in order before it looks for a lead.
pub(super) const FIRST: i64 = 1_000;

/// What a page asks.
pub(super) struct Search {
    pub(super) asked: Asked,
    sort: Sort,
    after: Option<Position>,
    /// One more than the page has, because that tells whether there is another page.
    rows: i64,
}

impl Search {
    pub(super) fn new(organization: OrganizationId, page: PageRequest) -> Self {
        let PageRequest { filter, sort, after, limit } = page;
        let asked = Asked::new(organization, filter);
        Self { asked, sort, after, rows: i64::from(limit) + 1 }
    }

    pub(super) const fn rows(&self) -> i64 {
        self.rows
    }

    /// The order of the list, as SQL.
    pub(super) fn order(&self) -> Typed<Untyped> {
        self.ordering().kept()
    }

    fn ordering(&self) -> Sql {
        Sql::text(match (self.sort.key, self.sort.direction) {
            (SortKey::WorkDate, Direction::Ascending) => "work_date, id",
            (SortKey::WorkDate, Direction::Descending) => "work_date DESC, id DESC",
            (SortKey::UpdatedAt, Direction::Ascending) => "updated_at, id",
            (SortKey::UpdatedAt, Direction::Descending) => "updated_at DESC, id DESC",
            // Ids begin with the time.
            (SortKey::CreatedAt, Direction::Ascending) => "id",
            (SortKey::CreatedAt, Direction::Descending) => "id DESC",
        })
    }

    /// Behind the position where the page begins, with " AND " before it.
    fn behind(&self) -> Sql {
        let Some(Position { value, id }) = self.after else { return Sql::default() };
        let id = Value::Id(id.into());
        if self.sort.key == SortKey::CreatedAt {
            let after = match self.sort.direction {
                Direction::Ascending => " AND id > ",
                Direction::Descending => " AND id < ",
            };
            return Sql::text(after).and_value(id);
        }
        let after = match (self.sort.key, self.sort.direction) {
            (SortKey::WorkDate, Direction::Ascending) => " AND (work_date, id) > (",
            (SortKey::WorkDate, Direction::Descending) => " AND (work_date, id) < (",
            (_, Direction::Ascending) => " AND (updated_at, id) > (",
            (_, Direction::Descending) => " AND (updated_at, id) < (",
        };
        let value = match value {
            SortValue::Day(day) => Value::Day(day.into()),
            SortValue::Instant(at) => Value::Instant(at.into()),
        };
        Sql::text(after).and_value(value).and_text(", ").and_value(id).and_text(")")
    }

    /// The entries of the page, where an index gives the order and all that is asked.
    pub(super) fn exact(&self) -> Option<Typed<Bool>> {
        let mut parts = self.asked.parts(self.asked.exact(self.sort.key)?);
        if parts.len() == 1 {
            return parts.pop().map(|part| Sql::endable(part.and(self.behind())).kept());
        }
        let parts = parts.into_iter().map(|part| self.next(part, self.rows));
        Some(self.among(union(parts), Sql::default(), self.ordering()))
    }

    /// The same index as a lead, which ends after so many.
    pub(super) fn exact_lead(&self) -> Option<Lead> {
        Some(self.asked.lead(self.asked.exact(self.sort.key)?))
    }

    /// How many of the entries that a lead leads to are asked; if it ends before, at least so many.
    pub(super) fn count(&self, lead: &Lead) -> Typed<BigInt> {
        Sql::text("SELECT count(*)").and(self.asked.source(Some(lead))).typed()
    }

    /// Those entries of the page that are among the next so many in order.
    pub(super) fn in_order(&self, entries: i64) -> Typed<Bool> {
        let asked = Sql::text(" WHERE ").and(self.asked.all());
        // What a subquery gives in order stays in order.
        self.among(self.next(self.walk(), entries), asked, Sql::default())
    }

    /// What is read in order, asked for or not.
    pub(super) fn walked(&self) -> Typed<Bool> {
        self.walk().and(self.behind()).typed()
    }

    fn walk(&self) -> Sql {
        self.asked.in_order(self.sort.key)
    }

    /// The next so many entries of a part, in the order of the list.
    fn next(&self, part: Sql, entries: i64) -> Sql {
        let order = Sql::text(" ORDER BY ").and(self.ordering());
        scan(part.and(self.behind()), order, entries)
    }

    /// The entries of the page, where a lead leads to few.
    pub(super) fn by(&self, lead: &Lead) -> Typed<Bool> {
        let asked = Sql::text(" WHERE ").and(self.asked.all()).and(self.behind());
        self.among(lead.union(), asked, self.ordering())
    }

    /// The first of those that the parts select and that are asked, in an order if one is given.
    fn among(&self, parts: Sql, asked: Sql, order: Sql) -> Typed<Bool> {
        let mut ids =
            Sql::endable(self.asked.own()).and_text(" AND id IN (SELECT id FROM (").and(parts);
        ids = ids.and_text(") AS found").and(asked);
        if !order.is_empty() {
            ids = ids.and_text(" ORDER BY ").and(order);
        }
        ids.and_text(" LIMIT ").and_number(self.rows).and_text(")").typed()
    }
}
