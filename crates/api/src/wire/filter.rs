//! Which time entries are asked for: by a list, a total or an export, over HTTP or in a command.

use timelog_domain::{
    ExternalRefPart, Filter, InvoiceRef, ProjectId, ReleaseId, Sort, Source, Status, TicketId,
    UserId, WorkDate,
};
use utoipa::openapi::path::Parameter;

use super::include::{IncludeQuery, OrNone};
use super::page::{PageQuery, Paged, TotalQuery};
use super::query::{Boolean, Instant};
use super::{CursorText, Parameters, Query, Schemas, query};

query! {
    /// Which entries: those that meet every condition.
    pub(crate) struct EntryFilter, checked by check {
        /// Only the entries of this user.
        user_id: Option<UserId> = "userId",
            example "9a8b7c6d-0000-0000-0000-000000000002", flag "user" "ID";
        /// Only the entries on this ticket, or with `none` those on no ticket.
        ticket_id: Option<OrNone<TicketId>> = "entryId",
            example "0194683a-2c3b-7d4e-8a5f-6b7c8d9e0f10", flag "entry" "ID";
        /// Only the entries on this release, or with `none` those on no release.
        release_id: Option<OrNone<ReleaseId>> = "releaseId",
            example "0194683a-2c3b-7a01-9b02-0c3d4e5f6071", flag "release" "ID";
        /// Only entries with this status, or with one of several: repeat the parameter.
        status: Vec<Status> = "status",
            example ["submitted", "approved"], flag "status" "STATUS";
        /// Only entries that are (true), or are not (false), billable.
        billable: Option<Boolean> = "billable", example true, flag "billable" "BOOLEAN";
        /// Only entries that came in this way: api, ui or import.
        source: Option<Source> = "source", example "api", flag "source" "SOURCE";
        /// Only work of this day and later. It must not be after `to`.
        from: Option<WorkDate> = "from", example "2025-01-01", flag "from" "DATE";
        /// Only work of this day and earlier.
        to: Option<WorkDate> = "to", example "2025-01-31", flag "to" "DATE";
        /// Only entries that changed at this instant or later. RFC 3339 with any offset; in a URL
        /// write its `+` as `%2B`, or use `Z`. What is finer than a millisecond is dropped.
        updated_since: Option<Instant> = "updatedSince",
            example "2025-01-15T08:00:00.000Z", flag "updated-since" "INSTANT";
        /// Only the entries that are on this invoice.
        invoice_ref: Option<InvoiceRef> = "invoiceRef",
            example "2025-0042", flag "invoice" "TEXT";
        /// Only entries whose external reference has this provider.
        external_provider: Option<ExternalRefPart> = "externalRef.provider",
            example "jira", flag "external-provider" "TEXT";
        /// Only entries whose external reference has this type.
        external_type: Option<ExternalRefPart> = "externalRef.externalType",
            example "worklog", flag "external-type" "TEXT";
        /// Only entries whose external reference has this id.
        external_id: Option<ExternalRefPart> = "externalRef.externalId",
            example "10042", flag "external-id" "TEXT";
    }
}

impl EntryFilter {
    /// The filter, in a project or in all, for who may see the entries of one user alone, or of all.
    pub(crate) fn filter(
        self,
        project_id: Option<ProjectId>,
        visible_of: Option<UserId>,
    ) -> Filter {
        Filter {
            project_id,
            user_id: self.user_id,
            visible_of,
            ticket_id: self.ticket_id.map(|OrNone(id)| id),
            release_id: self.release_id.map(|OrNone(id)| id),
            statuses: self.status.into_iter().collect(),
            billable: self.billable.map(|Boolean(billable)| billable),
            source: self.source,
            from: self.from,
            to: self.to,
            updated_since: self.updated_since.map(|Instant(instant)| instant),
            invoice_ref: self.invoice_ref,
            external_provider: self.external_provider,
            external_type: self.external_type,
            external_id: self.external_id,
        }
    }

    /// Notes what is wrong with conditions together.
    fn check(&self, query: &mut Query<'_>) {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            query.add("from", "out_of_range", "must not be after the parameter to");
        }
    }
}

query! {
    /// In which order.
    pub(crate) struct Order {
        /// The order: by the day of the work, by when entries were logged, or by when they last
        /// changed; a leading `-` puts the newest first. Ids break ties in the same direction.
        sort: Option<Sort> = "sort", example "updatedAt";
    }
}

impl Order {
    pub(crate) fn sort(&self) -> Sort {
        self.sort.unwrap_or_default()
    }
}

/// Which entries, in which order, and which page of them.
pub(crate) struct ListQuery {
    pub(crate) filter: EntryFilter,
    pub(crate) order: Order,
    pub(crate) page: PageQuery,
    pub(crate) total: TotalQuery,
    pub(crate) include: IncludeQuery,
}

impl Parameters for ListQuery {
    fn read(query: &mut Query<'_>) -> Self {
        let ((filter, order), ((page, total), include)) = Parameters::read(query);
        Self { filter, order, page, total, include }
    }

    fn describe(schemas: &mut Schemas) -> Vec<Parameter> {
        <((EntryFilter, Order), ((PageQuery, TotalQuery), IncludeQuery))>::describe(schemas)
    }
}

impl Paged for ListQuery {
    fn cursor(&self) -> Option<&CursorText> {
        self.page.cursor()
    }

    fn sort(&self) -> Option<Sort> {
        Some(self.order.sort())
    }
}
