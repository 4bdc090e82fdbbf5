//! A time entry on the wire: as it is logged, edited, and shown.

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use timelog_domain::command::MOST_ITEMS;
use timelog_domain::{
    Description, Details, ExternalRef, ExternalRefPart, Filter, InvalidDuration, InvoiceRef,
    OrganizationId, Patch, ProjectId, Reason, ReleaseId, Selection, Source, Status, TicketId,
    TimeEntry, TimeEntryId, Timestamp, UserId, Version, WorkDate, WorkDuration,
};
use utoipa::openapi::{RefOr, Schema};

use super::include::{Include, Included};
use super::selection::{Ids, selection};
use super::value::{DecimalHours, EachOf, Hours, Minutes, Value};
use super::{Answered, Described, Reader, Schemas, Sometimes, Unreadable, answer, body};

/// What a body asks to log.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(crate) details: Details,
    pub(crate) external_ref: Option<ExternalRef>,
}

body! {
    /// Time to log. Of `minutes` and `hours` at least one is needed. Other members are skipped
    /// unless `Prefer` asks to refuse them; a member that is listed here and comes twice is
    /// refused.
    pub(crate) struct LogBody = "LogTimeEntry" asks for Logged {
        /// Who worked: an active user of the organization.
        user_id: Required<UserId>,
        /// The day the work was done.
        work_date: Required<WorkDate>,
        /// How long, in whole minutes. Counts when `hours` is there too.
        minutes: Optional<Minutes>,
        /// How long, in decimal hours. It has to come to 1 to 1440 minutes once rounded, unless
        /// `minutes` is there to decide.
        hours: Optional<Hours>,
        /// What was done.
        description: Nullable<Description> = None,
        /// Whether somebody may be billed for it.
        billable: Optional<bool> = true,
        /// A ticket of this project the work was for.
        entry_id: Nullable<TicketId> = None,
        /// A release of this project the work was for.
        release_id: Nullable<ReleaseId> = None,
        external_ref: Optional<ExternalRef>,
    }
    examples [json!({
        "userId": "9a8b7c6d-0000-0000-0000-000000000002",
        "workDate": "2025-01-15",
        "minutes": 150,
        "description": "Paired on the login form",
    })];
}

body! {
    /// Many entries to log. Other members are skipped unless `Prefer` asks to refuse them.
    pub(crate) struct LogManyBody = "LogManyTimeEntries" asks for LoggedMany {
        /// What to log, each as for a single entry. An item that is not as described here fails
        /// alone, and the request succeeds.
        entries: Required<EachOf<LogBody, MOST_ITEMS>>,
        /// Whether all items succeed or none takes effect.
        atomic: Optional<bool> = false,
    }
}

/// What a body asks to log, each by itself, and whether all of them or none.
pub(crate) type LoggedMany = (Vec<Result<Logged, Unreadable>>, bool);

impl LogManyBody {
    fn put_together(self, _: &mut Reader, (): ()) -> Option<LoggedMany> {
        Some((self.entries.value()?, self.atomic.value()?))
    }
}

impl LogBody {
    fn put_together(self, reader: &mut Reader, (): ()) -> Option<Logged> {
        let duration = WorkDuration::to_log(self.minutes, self.hours.as_deref());
        let duration = told(reader, duration);
        let (user_id, work_date) = (self.user_id.value()?, self.work_date.value()?);
        let details = Details {
            description: self.description.value()?,
            billable: self.billable.value()?,
            ticket_id: self.entry_id.value()?,
            release_id: self.release_id.value()?,
            ..Details::new(user_id, work_date, duration?)
        };
        Some(Logged { details, external_ref: self.external_ref.value() })
    }
}

body! {
    /// What is to be different: a JSON merge patch (RFC 7396). A member that is absent stays as it
    /// is; null takes a value away, where there may be none. Other members are skipped unless
    /// `Prefer` asks to refuse them; a member that is listed here and comes twice is refused.
    pub(crate) struct EditBody = "EditTimeEntry" asks for Patch {
        /// The project to move the entry to. Its ticket and its release must be of that one then,
        /// or null.
        project_id: Optional<ProjectId>,
        /// Who worked: an active user of the organization.
        user_id: Optional<UserId>,
        /// The day the work was done.
        work_date: Optional<WorkDate>,
        /// How long, in whole minutes. `hours` beside it must say the same.
        minutes: Optional<Minutes>,
        /// How long, in decimal hours. It has to come to 1 to 1440 minutes once rounded, and to the
        /// `minutes` beside it, if they are there.
        hours: Optional<Hours>,
        /// What was done.
        description: Nullable<Description>,
        /// Whether somebody may be billed for it.
        billable: Optional<bool>,
        /// A ticket of the entry's project.
        entry_id: Nullable<TicketId>,
        /// A release of the entry's project.
        release_id: Nullable<ReleaseId>,
    }
    examples [json!({ "minutes": 105, "description": null })];
}

impl EditBody {
    fn put_together(self, reader: &mut Reader, (): ()) -> Option<Patch> {
        let duration = WorkDuration::to_edit(self.minutes, self.hours.as_deref());
        Some(Patch {
            duration: told(reader, duration)?,
            project_id: self.project_id.value(),
            user_id: self.user_id.value(),
            work_date: self.work_date.value(),
            description: self.description.value(),
            billable: self.billable.value(),
            ticket_id: self.entry_id.value(),
            release_id: self.release_id.value(),
        })
    }
}

/// An edit of many entries.
pub(crate) struct EditMany {
    pub(crate) entries: Selection,
    pub(crate) patch: Patch,
    pub(crate) atomic: bool,
}

body! {
    /// An edit of many entries. Other members are skipped unless `Prefer` asks to refuse them.
    pub(crate) struct EditManyBody = "EditTimeEntries" asks for EditMany {
        /// The entries, in the order in which they are to be edited.
        ids: Optional<Ids>,
        /// Which entries, in place of `ids`.
        filter: Optional<Filter>,
        /// What is to be different in each, as for a single entry.
        patch: Required<Patch>,
        /// Whether all items succeed or none takes effect.
        atomic: Optional<bool> = false,
    }
}

impl EditManyBody {
    fn put_together(self, reader: &mut Reader, (): ()) -> Option<EditMany> {
        let entries = selection(reader, self.ids, self.filter);
        Some(EditMany {
            entries: entries?,
            patch: self.patch.value()?,
            atomic: self.atomic.value()?,
        })
    }
}

impl Value for Patch {
    type Read = Self;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self> {
        reader.object::<EditBody>(name, raw)
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        EditBody::schema(schemas)
    }
}

/// A deletion of many entries.
pub(crate) struct DeleteMany {
    pub(crate) entries: Selection,
    pub(crate) atomic: bool,
}

body! {
    /// A deletion of many entries. Other members are skipped unless `Prefer` asks to refuse them.
    pub(crate) struct DeleteManyBody = "DeleteTimeEntries" asks for DeleteMany {
        /// The entries, in the order in which they are to be deleted.
        ids: Optional<Ids>,
        /// Which entries, in place of `ids`.
        filter: Optional<Filter>,
        /// Whether all items succeed or none takes effect.
        atomic: Optional<bool> = false,
    }
}

impl DeleteManyBody {
    fn put_together(self, reader: &mut Reader, (): ()) -> Option<DeleteMany> {
        let entries = selection(reader, self.ids, self.filter);
        Some(DeleteMany { entries: entries?, atomic: self.atomic.value()? })
    }
}

/// What was decided about minutes and hours, or what is wrong with them, at its place.
fn told<T>(reader: &mut Reader, duration: Result<T, Vec<InvalidDuration>>) -> Option<T> {
    let add = |wrong: Vec<InvalidDuration>| {
        for error in wrong {
            reader.check::<(), _>(error.member(), Err(error));
        }
    };
    duration.map_err(add).ok()
}

body! {
    /// What the entry is called in another system. The three parts together belong to at most one
    /// entry of the organization; they are compared byte for byte, so case and accents count.
    pub(crate) struct ExternalRefBody = "ExternalRef" asks for ExternalRef {
        /// The other system.
        provider: Required<ExternalRefPart>,
        /// The kind of thing it is there.
        external_type: Required<ExternalRefPart>,
        /// Its id there.
        external_id: Required<ExternalRefPart>,
    }
    examples [json!({ "provider": "jira", "externalType": "worklog", "externalId": "10042" })];
}

impl ExternalRefBody {
    fn put_together(self, _: &mut Reader, (): ()) -> Option<ExternalRef> {
        Some(ExternalRef {
            provider: self.provider.value()?,
            external_type: self.external_type.value()?,
            external_id: self.external_id.value()?,
        })
    }
}

impl Value for ExternalRef {
    type Read = Self;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self> {
        reader.object::<ExternalRefBody>(name, raw)
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        ExternalRefBody::schema(schemas)
    }
}

answer! {
    /// Time that somebody worked. The sixteen members that are required are always there, the others
    /// where `include` asks for them.
    pub(crate) struct TimeEntryBody<'a> = "TimeEntry" {
        /// The entry.
        id: TimeEntryId,
        /// The organization it belongs to.
        organization_id: OrganizationId,
        /// The project the work was for.
        project_id: ProjectId,
        /// Who worked.
        user_id: UserId,
        /// The ticket the work was for, if one was named.
        entry_id: Option<TicketId>,
        /// The release the work was for, if one was named.
        release_id: Option<ReleaseId>,
        /// The day the work was done.
        work_date: WorkDate,
        /// The minutes in hours, rounded half up to two decimals and without trailing zeros.
        hours: DecimalHours,
        /// How long the work took. This is the exact value.
        minutes: WorkDuration,
        /// What was done.
        description: Option<&'a Description>,
        /// Whether somebody may be billed for it.
        billable: bool,
        /// What brought the entry in.
        source: Source,
        /// Where the entry stands.
        status: Status,
        /// Whether the status is `invoiced`.
        invoiced: bool,
        /// When it was logged.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
        /// What the entry is called in another system; null where it has no such name.
        external_ref: Sometimes<Option<ExternalRefShown<'a>>>,
        /// The invoice that the entry is on; null where it is on none.
        invoice_ref: Sometimes<Option<&'a InvoiceRef>>,
        /// The reason that was given with its last action; null where none was.
        reason: Sometimes<Option<&'a Reason>>,
        /// The number of its changes, as in `ETag`.
        version: Sometimes<Version>,
    }
}

impl<'a> From<&'a TimeEntry> for TimeEntryBody<'a> {
    /// Its sixteen members.
    fn from(entry: &'a TimeEntry) -> Self {
        Self::showing(entry, Include::default())
    }
}

impl<'a> TimeEntryBody<'a> {
    /// Its sixteen members, and others that are asked for.
    pub(crate) fn showing(entry: &'a TimeEntry, include: Include) -> Self {
        let details = entry.details();
        let reference = || entry.external_ref().map(ExternalRefShown::from);
        Self {
            id: entry.id(),
            organization_id: entry.organization_id(),
            project_id: entry.project_id(),
            user_id: details.user_id,
            entry_id: details.ticket_id,
            release_id: details.release_id,
            work_date: details.work_date,
            hours: DecimalHours(details.duration.hours()),
            minutes: details.duration,
            description: details.description.as_ref(),
            billable: details.billable,
            source: entry.source(),
            status: entry.status(),
            invoiced: entry.invoiced(),
            created_at: entry.created_at(),
            updated_at: entry.updated_at(),
            external_ref: Sometimes(include.has(Included::ExternalRef).then(reference)),
            invoice_ref: Sometimes(include.has(Included::InvoiceRef).then(|| entry.invoice_ref())),
            reason: Sometimes(include.has(Included::Reason).then(|| entry.reason())),
            version: Sometimes(include.has(Included::Version).then(|| entry.version())),
        }
    }
}

body! {
    /// What a line of an export has beside what can be logged.
    pub(crate) struct ExportedBody = "ExportedTimeEntry" asks for Exported {
        /// The entry.
        id: Nullable<TimeEntryId> = None,
    }
}

/// What a line of an export says of where it comes from.
pub(crate) struct Exported {
    pub(crate) id: Option<TimeEntryId>,
}

impl ExportedBody {
    fn put_together(self, _: &mut Reader, (): ()) -> Option<Exported> {
        Some(Exported { id: self.id.value()? })
    }
}

/// An external reference, as an export shows it and a request takes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExternalRefShown<'a> {
    provider: &'a ExternalRefPart,
    external_type: &'a ExternalRefPart,
    external_id: &'a ExternalRefPart,
}

impl<'a> From<&'a ExternalRef> for ExternalRefShown<'a> {
    fn from(reference: &'a ExternalRef) -> Self {
        let ExternalRef { provider, external_type, external_id } = reference;
        Self { provider, external_type, external_id }
    }
}

impl Described for ExternalRefShown<'_> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        ExternalRefBody::schema(schemas)
    }
}

impl Answered for ExternalRefShown<'_> {}

/// The bytes of a time entry. Every answer that shows one uses them, so that a create and a later
/// read agree to the byte.
pub(crate) fn bytes(entry: &TimeEntry, include: Include) -> Vec<u8> {
    super::bytes(&TimeEntryBody::showing(entry, include))
}
