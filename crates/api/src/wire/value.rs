//! Values: how each is read from a body, written in an answer, and described.

use std::marker::PhantomData;

use serde::{Serialize, Serializer};
use serde_json::json;
use serde_json::value::RawValue;
use timelog_domain::{
    Action, Description, EventId, ExternalRefPart, KeyId, Month, Name, OrganizationId, ProjectId,
    ReleaseId, Source, Status, TicketId, TimeEntryId, Timestamp, UserId, Version, WebhookId, Week,
    WorkDate, WorkDuration,
};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat};
use utoipa::openapi::{RefOr, Schema};

use super::answer::Answered;
use super::fault::Fault;
use super::reader::{Body, Json, Reader};
use super::schema::{self, Described, Schemas};
use super::violation::Unreadable;

/// A value that a body may hold.
pub(crate) trait Value {
    /// What it is read into.
    type Read;

    /// Reads it; nothing where it is no such value, which is noted.
    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self::Read>;

    /// Its schema in a request.
    fn schema(schemas: &mut Schemas) -> RefOr<Schema>;
}

/// A value, or null.
pub(crate) struct OrNull<T>(PhantomData<T>);

impl<T: Value> Value for OrNull<T> {
    type Read = Option<T::Read>;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self::Read> {
        if raw.get() == "null" { Some(None) } else { T::read(reader, name, raw).map(Some) }
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        schema::nullable(T::schema(schemas))
    }
}

/// Reads a text that parses into a `T`.
pub(super) fn parsed<T>(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<T>
where
    T: std::str::FromStr<Err: Fault>,
{
    let text = reader.text(name, raw)?;
    reader.check(name, text.parse::<T>())
}

/// Values that are read from a text and written as one: the schemas that they have in answers and
/// in requests.
macro_rules! texts {
    ($([$($type:ty),+] => $name:literal $make:ident, $request:literal $wider:ident;)+) => {$($(
        impl $crate::wire::Described for $type {
            fn schema(
                schemas: &mut $crate::wire::Schemas,
            ) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                schemas.named($name, |_| $make().into())
            }
        }

        impl $crate::wire::Answered for $type {}

        impl $crate::wire::value::Value for $type {
            type Read = Self;

            fn read(
                reader: &mut $crate::wire::Reader,
                name: &str,
                raw: &serde_json::value::RawValue,
            ) -> Option<Self> {
                $crate::wire::value::parsed(reader, name, raw)
            }

            fn schema(
                schemas: &mut $crate::wire::Schemas,
            ) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                schemas.named($request, |_| $wider().into())
            }
        }
    )+)+};
}

pub(super) use texts;

texts! {
    [EventId, KeyId, OrganizationId, ProjectId, ReleaseId, TicketId, TimeEntryId, UserId, WebhookId]
        => "Id" id, "IdInput" id_input;
    [WorkDate] => "Date" date, "Date" date;
    [Description] => "Description" description, "Description" description;
    [Name] => "Name" name, "Name" name;
    [ExternalRefPart] => "ExternalRefPart" external_ref_part, "ExternalRefPart" external_ref_part;
    [Status] => "Status" status, "Status" status;
    [Source] => "Source" source, "Source" source;
    [Action] => "Action" action, "Action" action;
}

/// At least one character that is not white space, and none that is U+0000.
const NOT_BLANK: &str = "^[\\u0009-\\u000D\\u0020\\u0085\\u00A0\\u1680\\u2000-\\u200A\
    \\u2028\\u2029\\u202F\\u205F\\u3000]*[^\\u0000\\u0009-\\u000D\\u0020\\u0085\\u00A0\\u1680\
    \\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000][^\\u0000]*$";
/// No character that is U+0000.
pub(super) const NO_NUL: &str = "^[^\\u0000]*$";

fn uuid(about: &str, hex: &str) -> ObjectBuilder {
    let pattern = [8, 4, 4, 4, 12].map(|count| format!("[{hex}]{{{count}}}")).join("-");
    schema::text(about)
        .format(Some(SchemaFormat::Custom("uuid".to_owned())))
        .pattern(Some(format!("^{pattern}$")))
}

fn id() -> ObjectBuilder {
    uuid("A UUID as the server writes it: with hyphens, in lower case.", "0-9a-f")
        .examples([json!("01946900-56c0-7c3e-9d24-51f6a7b8c9d0")])
}

fn id_input() -> ObjectBuilder {
    let about = "A UUID as the server reads it: with hyphens and nothing around it, in any case.";
    uuid(about, "0-9A-Fa-f").examples([
        json!("9a8b7c6d-0000-0000-0000-000000000002"),
        json!("9A8B7C6D-0000-0000-0000-000000000002"),
    ])
}

fn date() -> ObjectBuilder {
    let year = "([0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})";
    let about =
        "A day of the calendar, of the years 0001 to 9999. It has no time and no time zone.";
    schema::text(about)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
        .pattern(Some(format!("^{year}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")))
        .examples([json!("2025-01-15"), json!("2024-02-29")])
}

/// A text of at most so many characters, and not blank.
pub(super) fn not_blank(about: &str, most: usize) -> ObjectBuilder {
    let length = "with at least one character that is not white space. The length counts Unicode \
        code points.";
    schema::text(&format!("{about} {length}"))
        .min_length(Some(1))
        .max_length(Some(most))
        .pattern(Some(NOT_BLANK))
}

fn named(about: &str, most: usize, example: &str) -> ObjectBuilder {
    not_blank(about, most).examples([json!(example)])
}

fn name() -> ObjectBuilder {
    named("A name", Name::MAX_CHARS, "Website")
}

fn external_ref_part() -> ObjectBuilder {
    named("Text", ExternalRefPart::MAX_CHARS, "10042")
}

fn description() -> ObjectBuilder {
    schema::text("Text that may be empty. The length counts Unicode code points.")
        .max_length(Some(Description::MAX_CHARS))
        .pattern(Some(NO_NUL))
        .examples([json!("Paired on the login form")])
}

fn status() -> ObjectBuilder {
    let about = "Where an entry stands between being logged and being billed.";
    schema::words(about, Status::ALL.iter().map(|status| status.as_str()))
}

fn source() -> ObjectBuilder {
    let about =
        "What brought an entry in: a single request, a person at a screen, or many at once.";
    schema::words(about, Source::ALL.iter().map(|source| source.as_str()))
}

fn action() -> ObjectBuilder {
    let about = "What moves an entry through its life.";
    schema::words(about, Action::ALL.iter().map(|action| action.as_str()))
}

/// Minutes as a body gives them. Whether there can be so many, the domain says.
pub(crate) struct Minutes;

impl Value for Minutes {
    type Read = i64;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<i64> {
        reader.whole_number(name, raw)
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        WorkDuration::schema(schemas)
    }
}

impl Described for WorkDuration {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about =
            "Whole minutes, from one minute to one day. `150.0` and `1.5e2` are whole as well.";
        let make = |_: &mut _| {
            schema::whole(Self::MIN.minutes().into())
                .maximum(Some(Self::MAX.minutes()))
                .description(Some(about))
                .examples([json!(150)])
                .into()
        };
        schemas.named("Minutes", make)
    }
}

impl Answered for WorkDuration {}

/// Hours as a body gives them. Whether there can be so many, the domain says.
pub(crate) struct Hours;

impl Value for Hours {
    type Read = String;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<String> {
        reader.text(name, raw)
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = "Decimal hours as the server reads them: text, so that no digit is lost.";
        let make = |_: &mut _| {
            schema::text(about)
                .pattern(Some("^[0-9]{1,4}(\\.[0-9]{1,30})?$"))
                .examples([json!("2.5"), json!("0.25"), json!("24.0000")])
                .into()
        };
        schemas.named("Hours", make)
    }
}

/// Hours as an answer gives them.
pub(crate) struct DecimalHours(pub(crate) String);

impl Serialize for DecimalHours {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl Described for DecimalHours {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        let day = "0\\.[0-9]?[1-9]|([1-9]|1[0-9]|2[0-3])(\\.[0-9]?[1-9])?|24";
        schema::text("")
            .pattern(Some(format!("^({day})$")))
            .examples([json!("2.5"), json!("2"), json!("1.67")])
            .into()
    }
}

impl Answered for DecimalHours {}

impl Value for bool {
    type Read = Self;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self> {
        reader.boolean(name, raw)
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        <Self as Described>::schema(schemas)
    }
}

/// Text beside an action. Whether it is needed depends on the action, so the domain checks it.
pub(crate) struct Remark;

impl Value for Remark {
    type Read = String;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<String> {
        reader.text(name, raw)
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = "Text that may be blank, which says as much as leaving it out. The length \
            counts Unicode code points.";
        let make = |_: &mut _| {
            schema::text(about)
                .max_length(Some(timelog_domain::Reason::MAX_CHARS))
                .pattern(Some(NO_NUL))
                .into()
        };
        schemas.named("Remark", make)
    }
}

/// A list of 1 to `MOST` values.
pub(crate) struct ListOf<T, const MOST: usize>(PhantomData<T>);

impl<T: Value, const MOST: usize> Value for ListOf<T, MOST> {
    type Read = Vec<T::Read>;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Vec<T::Read>> {
        let raw = reader.list(name, raw, MOST)?;
        // Every one is read, so that everything that is wrong is told.
        let values = raw.iter().enumerate().map(|(index, raw)| {
            let name = format!("{name}/{index}");
            T::read(reader, &name, raw)
        });
        values.collect::<Vec<_>>().into_iter().collect()
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        list(T::schema(schemas), MOST)
    }
}

fn list(items: RefOr<Schema>, most: usize) -> RefOr<Schema> {
    ArrayBuilder::new().items(items).min_items(Some(1)).max_items(Some(most)).into()
}

/// A list of 1 to `MOST` bodies, each of which is taken or refused by itself.
pub(crate) struct EachOf<B, const MOST: usize>(PhantomData<B>);

impl<B: Body<Context = ()>, const MOST: usize> Value for EachOf<B, MOST> {
    type Read = Vec<Result<B::Asked, Unreadable>>;

    fn read(reader: &mut Reader, name: &str, raw: &RawValue) -> Option<Self::Read> {
        let raw = reader.list(name, raw, MOST)?;
        let read =
            |raw: &&RawValue| Json::new(raw.get().as_bytes(), reader.handling()).read::<B>(());
        Some(raw.iter().map(read).collect())
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        list(B::schema(schemas), MOST)
    }
}

impl Described for Timestamp {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let make = |_: &mut _| {
            schema::text("A moment in UTC, to the millisecond.")
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
                .pattern(Some(
                    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$",
                ))
                .examples([json!("2025-01-15T08:06:57.472Z")])
                .into()
        };
        schemas.named("Instant", make)
    }
}

impl Answered for Timestamp {}

impl Described for Version {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::whole(1).into()
    }
}

impl Answered for Version {}

impl Described for Week {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("A week as ISO 8601 counts them.")
            .pattern(Some("^[0-9]{4}-W[0-9]{2}$"))
            .examples([json!("2025-W03")])
            .into()
    }
}

impl Described for Month {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("").pattern(Some("^[0-9]{4}-[0-9]{2}$")).examples([json!("2025-01")]).into()
    }
}
