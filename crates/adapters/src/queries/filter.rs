//! The conditions of a filter, as SQL. What they mean is
//! [`Filter::matches`](timelog_domain::Filter::matches).

use timelog_domain::{Filter, OrganizationId, Status};

use super::sql::{Sql, Value};
use crate::digests::{of_invoice, of_part};

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Project,
    User,
    Ticket,
    Release,
    Status,
    Billable,
    Source,
    /// The day: two conditions, or one.
    Day,
    Updated,
    Invoice,
    Reference,
    /// That it has no ticket, or no release.
    Without,
}

impl About {
    pub(super) const ALL: [Self; 12] = [
        Self::Project,
        Self::User,
        Self::Ticket,
        Self::Release,
        Self::Status,
        Self::Billable,
        Self::Source,
        Self::Day,
        Self::Updated,
        Self::Invoice,
        Self::Reference,
        Self::Without,
    ];
}

/// The conditions of a filter, one after the other.
pub(super) struct Conditions(Vec<(About, Sql)>);

impl Conditions {
    pub(super) fn of(filter: &Filter) -> Self {
        let Filter {
            project_id,
            user_id,
            visible_of,
            ticket_id,
            release_id,
            statuses,
            billable,
            source,
            from,
            to,
            updated_since,
            invoice_ref,
            external_provider,
            external_type,
            external_id,
        } = filter;
        let mut all = Vec::new();
        let mut add = |about, column: &'static str, value: Option<Value>| {
            all.extend(value.map(|value| (about, Sql::text(column).and_value(value))));
        };
        add(About::Project, "project_id = ", project_id.map(|id| Value::Id(id.into())));
        add(About::User, "user_id = ", user_id.map(|id| Value::Id(id.into())));
        add(About::User, "user_id = ", visible_of.map(|id| Value::Id(id.into())));
        add(About::Ticket, "entry_id = ", ticket_id.flatten().map(|id| Value::Id(id.into())));
        add(About::Release, "release_id = ", release_id.flatten().map(|id| Value::Id(id.into())));
        add(About::Billable, "billable = ", billable.map(Value::Flag));
        add(About::Source, "source = ", source.map(|source| Value::Word(source.as_str())));
        add(About::Day, "work_date >= ", from.map(|day| Value::Day(day.into())));
        add(About::Day, "work_date <= ", to.map(|day| Value::Day(day.into())));
        add(About::Updated, "updated_at >= ", updated_since.map(|at| Value::Instant(at.into())));
        // References are found by digests of their parts.
        let digest = |part: &Option<_>| part.as_ref().map(|part| Value::Digest(of_part(part)));
        add(About::Reference, "external_provider_digest = ", digest(external_provider));
        add(About::Reference, "external_type_digest = ", digest(external_type));
        add(About::Reference, "external_id_digest = ", digest(external_id));
        let invoice = invoice_ref.as_ref().map(|invoice| Value::Digest(of_invoice(invoice)));
        add(About::Invoice, "invoice_digest = ", invoice);
        // No index has what an entry does not have.
        if *ticket_id == Some(None) {
            all.push((About::Without, Sql::text("entry_id IS NULL")));
        }
        if *release_id == Some(None) {
            all.push((About::Without, Sql::text("release_id IS NULL")));
        }
        if !statuses.is_empty() {
            let words = statuses.iter().map(|status| Sql::default().and_value(word(*status)));
            let any = Sql::text("status IN (").and(Sql::join(words, ", ")).and_text(")");
            all.push((About::Status, any));
        }
        Self(all)
    }

    /// Whether one is about it.
    pub(super) fn has(&self, about: About) -> bool {
        self.0.iter().any(|(other, _)| *other == about)
    }

    /// Whether all are about these.
    pub(super) fn are_about(&self, these: &[About]) -> bool {
        self.0.iter().all(|(about, _)| these.contains(about))
    }

    /// Those of an organization's entries that meet all conditions about these.
    pub(super) fn about(&self, organization: OrganizationId, these: &[About]) -> Sql {
        let met = self.0.iter().filter(|(about, _)| these.contains(about));
        let own = Sql::text("organization_id = ").and(Sql::organization(organization));
        Sql::join(std::iter::once(own).chain(met.map(|(_, sql)| sql.clone())), " AND ")
    }
}

pub(super) fn word(status: Status) -> Value {
    Value::Word(status.as_str())
}
