//! Queries of requests: parameters that are declared once, and read one by one, so that everything
//! that is wrong is told at once.

use std::collections::HashSet;
use std::str::FromStr;

use timelog_domain::{GroupBy, GroupKey, Sort, SortKey, Timestamp};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, SchemaFormat};
use utoipa::openapi::{RefOr, Required, Schema};

use super::cursor_text::{CURSOR, CursorText};
use super::fault::Fault;
use super::schema::{self, Described, Schemas};
use super::value::Value;
use super::violation::{Unreadable, Violation};

/// The parameters of a request, as they were sent.
pub(crate) struct Pairs {
    pairs: Vec<(String, String)>,
    /// The parameters that are not Unicode.
    garbled: Vec<String>,
}

impl Pairs {
    pub(crate) fn of(query: &str) -> Self {
        // Every text is a query: what is no escape stands for itself.
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let sent = query.split('&').filter(|pair| !pair.is_empty());
        let garbled = pairs
            .iter()
            .zip(sent)
            .filter(|(_, sent)| percent_encoding::percent_decode_str(sent).decode_utf8().is_err());
        let garbled = garbled.map(|((name, _), _)| name.clone()).collect();
        Self { pairs, garbled }
    }

    /// All of them as a query, with another value of one.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let others = self.pairs.iter().filter(|(known, _)| known != name);
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair(name, value)
            .finish()
    }

    pub(crate) fn as_slice(&self) -> &[(String, String)] {
        &self.pairs
    }
}

/// Reads the parameters of a request and collects what is wrong with them.
pub(crate) struct Query<'a> {
    pairs: &'a Pairs,
    known: Vec<&'static str>,
    violations: Vec<Violation>,
}

impl<'a> Query<'a> {
    pub(crate) const fn new(pairs: &'a Pairs) -> Self {
        Self { pairs, known: Vec::new(), violations: Vec::new() }
    }

    /// The values of a parameter that may be repeated.
    fn all<T: FromStr<Err: Fault>>(&mut self, name: &'static str) -> Vec<T> {
        self.known.push(name);
        let named = self.pairs.pairs.iter().filter(|(known, _)| known == name);
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for value in named.map(|(_, value)| value.parse::<T>()) {
            match value {
                Ok(value) => good.push(value),
                Err(error) => {
                    bad.push(Violation::in_parameter(name, error.code(), error.to_string()));
                }
            }
        }
        self.violations.extend(bad);
        good
    }

    /// The value of a parameter that stands at most once.
    fn one<T: FromStr<Err: Fault>>(&mut self, name: &'static str) -> Option<T> {
        if self.pairs.pairs.iter().filter(|(known, _)| known == name).count() > 1 {
            self.known.push(name);
            self.add(name, "repeated", "must stand only once");
            return None;
        }
        self.all(name).pop()
    }

    /// Notes something that is wrong.
    pub(crate) fn add(&mut self, name: &str, code: &'static str, message: &str) {
        self.violations.push(Violation::in_parameter(name, code, message));
    }

    /// Refuses the request if anything was wrong, or a parameter was never read.
    pub(crate) fn finish(mut self) -> Result<(), Unreadable> {
        // Each once, in the order in which they first stand.
        let mut told = HashSet::new();
        for (name, _) in &self.pairs.pairs {
            if !self.known.contains(&name.as_str()) && told.insert(name) {
                let message = "is no parameter of this request";
                self.violations.push(Violation::in_parameter(name, "unknown_parameter", message));
            }
        }
        // Of what was refused already it need not be said.
        for name in &self.pairs.garbled {
            if !self.violations.iter().any(|known| known.is_in(name)) {
                let message = "must be UTF-8, percent-encoded";
                self.violations.push(Violation::in_parameter(name, "invalid_character", message));
            }
        }
        if self.violations.is_empty() {
            return Ok(());
        }
        Err(Unreadable::Invalid { violations: self.violations, more: 0 })
    }
}

/// Parameters, as [`query!`] declares them.
pub(crate) trait Parameters: Sized {
    /// Reads them.
    fn read(query: &mut Query<'_>) -> Self;

    /// Describes them.
    fn describe(schemas: &mut Schemas) -> Vec<Parameter>;
}

impl<A: Parameters, B: Parameters> Parameters for (A, B) {
    fn read(query: &mut Query<'_>) -> Self {
        (A::read(query), B::read(query))
    }

    fn describe(schemas: &mut Schemas) -> Vec<Parameter> {
        [A::describe(schemas), B::describe(schemas)].concat()
    }
}

/// A text that a parameter may have as its value.
pub(crate) trait ParameterValue: FromStr<Err: Fault> {
    /// Whether it is a list, with commas between its items.
    const IS_LIST: bool = false;

    fn schema(schemas: &mut Schemas) -> RefOr<Schema>;
}

/// How often a parameter may stand.
pub(super) trait Times: Sized {
    fn read(query: &mut Query<'_>, name: &'static str) -> Self;

    fn describe(schemas: &mut Schemas) -> ParameterBuilder;
}

impl<T: ParameterValue> Times for Option<T> {
    fn read(query: &mut Query<'_>, name: &'static str) -> Self {
        query.one(name)
    }

    fn describe(schemas: &mut Schemas) -> ParameterBuilder {
        let parameter = ParameterBuilder::new().schema(Some(T::schema(schemas)));
        if !T::IS_LIST {
            return parameter;
        }
        parameter.style(Some(ParameterStyle::Form)).explode(Some(false))
    }
}

impl<T: ParameterValue> Times for Vec<T> {
    fn read(query: &mut Query<'_>, name: &'static str) -> Self {
        query.all(name)
    }

    fn describe(schemas: &mut Schemas) -> ParameterBuilder {
        let list = ArrayBuilder::new().items(T::schema(schemas)).min_items(Some(1));
        ParameterBuilder::new()
            .schema(Some(list))
            .style(Some(ParameterStyle::Form))
            .explode(Some(true))
    }
}

/// Describes one parameter.
pub(super) fn parameter<T: Times>(
    schemas: &mut Schemas,
    name: &str,
    about: &[&str],
    example: Option<serde_json::Value>,
    default: Option<serde_json::Value>,
) -> Parameter {
    let mut parameter = T::describe(schemas)
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(schema::paragraphs(about)))
        .example(example)
        .build();
    if default.is_some() {
        parameter.schema = parameter.schema.map(|schema| schema::with(schema, &[], default));
    }
    parameter
}

/// Declares parameters: their types, their names on the wire, and an example of each. One of type
/// `Option` stands at most once, one of type `Vec` may be repeated. What the document says of them
/// are their comments. After `flag` stands the flag of `timelog export` that says the same, and
/// what its value is called there. After the name of all may stand `checked by` a method, for
/// what is wrong with them together.
macro_rules! query {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $query:ident $(, checked by $checked:ident)? {
            $(
                $(#[doc = $about_member:literal])*
                $member:ident: $times:ident<$type:ty> = $name:literal
                    $(, example $example:expr)? $(, default $default:expr)? $(, flag $flag:literal $value:literal)?;
            )+
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, clap::Args)]
        $vis struct $query {
            $(
                $(#[doc = $about_member])*
                $(#[arg(long = $flag, value_name = $value)])?
                $vis $member: $times<$type>,
            )+
        }

        impl $crate::wire::Parameters for $query {
            fn read(query: &mut $crate::wire::Query<'_>) -> Self {
                let read = Self { $($member: $crate::wire::query::Times::read(query, $name),)+ };
                $(read.$checked(query);)?
                read
            }

            fn describe(
                schemas: &mut $crate::wire::Schemas,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                vec![$($crate::wire::query::parameter::<$times<$type>>(
                    schemas,
                    $name,
                    &[$($about_member),*],
                    [$(serde_json::json!($example))?].into_iter().next(),
                    [$(serde_json::json!($default))?].into_iter().next(),
                )),+]
            }
        }
    };
}

pub(crate) use query;

/// `true` or `false`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Boolean(pub(crate) bool);

/// The text is neither `true` nor `false`.
#[derive(Debug, thiserror::Error)]
#[error("must be true or false")]
pub(crate) struct InvalidBoolean;

impl FromStr for Boolean {
    type Err = InvalidBoolean;

    fn from_str(text: &str) -> Result<Self, InvalidBoolean> {
        text.parse().map(Self).map_err(|_| InvalidBoolean)
    }
}

impl Fault for InvalidBoolean {
    fn code(&self) -> &'static str {
        "wrong_type"
    }
}

impl ParameterValue for Boolean {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        <bool as Described>::schema(schemas)
    }
}

/// An RFC 3339 instant, in any zone and precision. What is finer than a millisecond is dropped, as
/// it is of what is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instant(pub(crate) Timestamp);

/// The text is no RFC 3339 instant.
#[derive(Debug, thiserror::Error)]
#[error("must be an RFC 3339 instant such as 2025-01-15T08:00:00.000Z")]
pub(crate) struct InvalidInstant;

impl FromStr for Instant {
    type Err = InvalidInstant;

    fn from_str(text: &str) -> Result<Self, InvalidInstant> {
        use time::OffsetDateTime;
        use time::format_description::well_known::Rfc3339;
        let instant = OffsetDateTime::parse(text, &Rfc3339);
        instant.map(|instant| Self(instant.into())).map_err(|_| InvalidInstant)
    }
}

impl Fault for InvalidInstant {
    fn code(&self) -> &'static str {
        "invalid_instant"
    }
}

impl ParameterValue for Instant {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("").format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
    }
}

impl ParameterValue for Sort {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        let orders = SortKey::ALL.iter().flat_map(|key| [key.to_string(), format!("-{key}")]);
        schema::text("")
            .enum_values(Some(orders))
            .default(Some(serde_json::json!(Self::default().to_string())))
            .into()
    }
}

impl ParameterValue for GroupBy {
    const IS_LIST: bool = true;

    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        let keys = GroupKey::ALL.iter().map(|key| key.as_str());
        ArrayBuilder::new()
            .items(schema::words("", keys))
            .min_items(Some(1))
            .max_items(Some(Self::MOST_KEYS))
            .unique_items(true)
            .into()
    }
}

impl ParameterValue for CursorText {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("").pattern(Some(CURSOR)).into()
    }
}

/// Texts that requests have in bodies and in queries alike.
impl<T: Value<Read = T> + FromStr<Err: Fault>> ParameterValue for T {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        <T as Value>::schema(schemas)
    }
}
