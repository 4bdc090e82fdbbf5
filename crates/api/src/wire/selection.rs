//! Which entries a request for many is for: their ids, or a filter in their place.

use std::marker::PhantomData;

use serde_json::value::RawValue;
use timelog_domain::command::MOST_ITEMS;
use timelog_domain::{
    Filter, Given, ProjectId, ReleaseId, Selection, Status, TicketId, TimeEntryId, UserId, WorkDate,
};
use utoipa::openapi::{RefOr, Schema};

use super::include::OrNone;
use super::value::{ListOf, Value};
use super::{Reader, Schemas, body, schema};

/// The ids of entries.
pub(crate) type Ids = ListOf<TimeEntryId, MOST_ITEMS>;

/// Puts the two together, of which a request has one.
pub(crate) fn selection(
    reader: &mut Reader,
    ids: Given<Vec<TimeEntryId>>,
    filter: Given<Filter>,
) -> Option<Selection> {
    match (ids, filter) {
        (Given::Is(ids), Given::Absent) => Some(Selection::Ids(ids)),
        (Given::Absent, Given::Is(filter)) => Some(Selection::Filter(filter)),
        (Given::Absent, Given::Absent) => {
            reader.add("ids", "required", "is required, or filter in its place");
            None
        }
        (Given::Unreadable, Given::Absent) | (Given::Absent, Given::Unreadable) => None,
        (Given::Is(_) | Given::Unreadable, Given::Is(_) | Given::Unreadable) => {
            reader.add("filter", "disagrees", "must not stand beside ids");
            None
        }
    }
}

body! {
    /// Which entries: those that meet every condition at that moment, at most 2000. They are taken
    /// in the order of their days and ids. A member that is not described here is refused, whatever
    /// `Prefer` says, because a misspelt filter must not reach further.
    pub(crate) struct SelectionBody = "TimeEntryFilter" asks for Filter {
        /// Only the entries of this project. A key that is confined to a project has to name it.
        project_id: Optional<ProjectId>,
        /// Only the entries of this user.
        user_id: Optional<UserId>,
        /// Only the entries on this ticket, or with `none` those on no ticket.
        entry_id: Optional<OrNone<TicketId>>,
        /// Only the entries on this release, or with `none` those on no release.
        release_id: Optional<OrNone<ReleaseId>>,
        /// Only entries with this status, or with one of several.
        status: Optional<OneOrMany<Status>>,
        /// Only entries that are, or are not, billable.
        billable: Optional<bool>,
        /// Only work of this day and later. It must not be after `to`.
        from: Required<WorkDate>,
        /// Only work of this day and earlier.
        to: Required<WorkDate>,
    }
}

impl SelectionBody {
    fn put_together(self, reader: &mut Reader, (): ()) -> Option<Filter> {
        let (from, to) = (self.from.value()?, self.to.value()?);
        if from > to {
            reader.add("from", "out_of_range", "must not be after to");
            return None;
        }
        Some(Filter {
            project_id: self.project_id.value(),
            user_id: self.user_id.value(),
            ticket_id: self.entry_id.value().map(|OrNone(id)| id),
            release_id: self.release_id.value().map(|OrNone(id)| id),
            statuses: self.status.value().into_iter().flatten().collect(),
            billable: self.billable.value(),
            from: Some(from),
            to: Some(to),
            ..Filter::default()
        })
    }
}

impl Value for Filter {
    type Read = Self;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self> {
        reader.strictly(|reader| reader.object::<SelectionBody>(name, raw))
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let declared = |schemas: &mut _| schema::closed(SelectionBody::declared(schemas));
        schemas.named("TimeEntryFilter", declared)
    }
}

/// A value, or a list of some.
pub(crate) struct OneOrMany<T>(PhantomData<T>);

/// So many values that are different there may be in a list.
const MOST_VALUES: usize = 20;

impl<T: Value> Value for OneOrMany<T> {
    type Read = Vec<T::Read>;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Vec<T::Read>> {
        if raw.get().starts_with('[') {
            ListOf::<T, MOST_VALUES>::read(reader, name, raw)
        } else {
            T::read(reader, name, raw).map(|value| vec![value])
        }
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        schema::one_of([T::schema(schemas), ListOf::<T, MOST_VALUES>::schema(schemas)])
    }
}

impl<T: std::str::FromStr + Value> Value for OrNone<T> {
    type Read = Self;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self> {
        super::value::parsed(reader, name, raw)
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        OrNone::<T>::one_of(T::schema(schemas))
    }
}
