//! The history of an entry on the wire.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use timelog_domain::{
    Event, Field, FieldChange, FieldValue, HistoryRecord, InvoiceRef, KeyId, Reason, Status,
    Timestamp, UserId, Version,
};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};

use super::schema::{self, Described, Schemas, nullable};
use super::time_entry::TimeEntryBody;
use super::{Answered, answer};

answer! {
    /// Every change of an entry, oldest first.
    pub(crate) struct HistoryBody<'a> = "History" {
        data: Records<'a>,
    }
}

/// At least one record.
#[derive(Serialize)]
pub(crate) struct Records<'a>(Vec<RecordBody<'a>>);

impl Described for Records<'_> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        ArrayBuilder::new().items(RecordBody::schema(schemas)).min_items(Some(1)).into()
    }
}

impl Answered for Records<'_> {}

impl<'a> From<&'a [HistoryRecord]> for HistoryBody<'a> {
    fn from(records: &'a [HistoryRecord]) -> Self {
        Self { data: Records(records.iter().map(RecordBody::from).collect()) }
    }
}

answer! {
    /// One change of an entry.
    pub(crate) struct RecordBody<'a> = "HistoryRecord" {
        /// The version that the change made.
        version: Version,
        /// What was done.
        action: Event,
        /// When.
        at: Timestamp,
        /// Whose key it was done with.
        by: By,
        /// Why, if that was said.
        reason: Option<&'a Reason>,
        /// The invoice, if one was named.
        invoice_ref: Option<&'a InvoiceRef>,
        /// The status before; null when it was logged.
        from: Option<Status>,
        /// The status after; null when it was deleted.
        to: Option<Status>,
        /// The members whose values changed. There are none where the entry was logged or moved.
        /// Where it was deleted they are all there, so that the history tells what is gone.
        changes: Changes<'a>,
    }
}

answer! {
    /// A key, and the user it is bound to.
    pub(crate) struct By = "By" {
        /// The key.
        key_id: KeyId,
        /// The user that the key is bound to, if any.
        user_id: Option<UserId>,
    }
}

impl<'a> From<&'a HistoryRecord> for RecordBody<'a> {
    fn from(record: &'a HistoryRecord) -> Self {
        Self {
            version: record.version,
            action: record.event,
            at: record.at,
            by: By { key_id: record.key_id, user_id: record.user_id },
            reason: record.reason.as_ref(),
            invoice_ref: record.invoice_ref.as_ref(),
            from: record.from,
            to: record.to,
            changes: Changes(&record.changes),
        }
    }
}

impl Described for Event {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::words("", Self::all().map(Self::as_str)).into()
    }
}

impl Answered for Event {}

macro_rules! remarks {
    ($($type:ident),+) => {$(
        impl Described for $type {
            fn schema(_: &mut Schemas) -> RefOr<Schema> {
                schema::text("").min_length(Some(1)).max_length(Some(Self::MAX_CHARS)).into()
            }
        }

        impl Answered for $type {}
    )+};
}

remarks!(Reason, InvoiceRef);

/// `{"minutes": {"old": 90, "new": 105}}`
pub(crate) struct Changes<'a>(pub(crate) &'a [FieldChange]);

#[derive(Serialize)]
struct Change<'a> {
    old: &'a FieldValue,
    new: &'a FieldValue,
}

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut changes = to.serialize_map(Some(self.0.len()))?;
        for FieldChange { field, old, new } in self.0 {
            changes.serialize_entry(field, &Change { old, new })?;
        }
        changes.end()
    }
}

impl Described for Changes<'_> {
    /// Each member that can change, with the values that it has in an entry.
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        schemas.named("Changes", |schemas| {
            let about = Some("Old and new values of members.");
            let members = TimeEntryBody::declared(schemas).build().properties;
            let changes = ObjectBuilder::new().description(about);
            let changes = Field::ALL.iter().fold(changes, |changes, field| {
                let Some(value) = members.get(field.as_str()) else { return changes };
                let change = ObjectBuilder::new()
                    .property("old", value.clone())
                    .required("old")
                    .property("new", or_null(value))
                    .required("new");
                changes.property(field.as_str(), schema::closed(change))
            });
            schema::closed(changes)
        })
    }
}

impl Answered for Changes<'_> {}

/// The same, or null, unless it may be null already.
fn or_null(value: &RefOr<Schema>) -> RefOr<Schema> {
    match value {
        already @ RefOr::T(Schema::OneOf(_)) => already.clone(),
        value => nullable(value.clone()),
    }
}
