//! Schemas of the OpenAPI document. Those that have a name stand in it once and are referred to.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::schema::{
    AdditionalProperties, AllOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};

/// A value that has a schema.
pub(crate) trait Described {
    /// Its schema in an answer.
    fn schema(schemas: &mut Schemas) -> RefOr<Schema>;
}

impl<T: Described> Described for &T {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        T::schema(schemas)
    }
}

impl<T: Described> Described for Option<T> {
    /// The value, or null.
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        nullable(T::schema(schemas))
    }
}

impl<T: Described> Described for Vec<T> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        ArrayBuilder::new().items(T::schema(schemas)).into()
    }
}

/// The schemas that have a name.
#[derive(Default)]
pub(crate) struct Schemas(BTreeMap<String, RefOr<Schema>>);

impl Schemas {
    /// Refers to the schema of that name, which is made where it is not there yet.
    pub(crate) fn named(
        &mut self,
        name: &str,
        make: impl FnOnce(&mut Self) -> RefOr<Schema>,
    ) -> RefOr<Schema> {
        if !self.0.contains_key(name) {
            let schema = make(self);
            self.0.insert(name.to_owned(), schema);
        }
        Ref::from_schema_name(name).into()
    }

    pub(crate) fn into_inner(self) -> BTreeMap<String, RefOr<Schema>> {
        self.0
    }
}

/// A member of an object.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    /// The lines of its documentation.
    pub(crate) about: &'static [&'static str],
    pub(crate) is_required: bool,
    pub(crate) default: Option<Value>,
    pub(crate) schema: RefOr<Schema>,
}

/// An object of those members.
pub(crate) fn object(about: &[&str], members: Vec<Member>) -> ObjectBuilder {
    let described = ObjectBuilder::new().description(Some(paragraphs(about)));
    members.into_iter().fold(described, |object, member| {
        let Member { name, about, is_required, default, schema } = member;
        let object = if is_required { object.required(name) } else { object };
        object.property(name, with(schema, about, default))
    })
}

/// An object that has those members and no others.
pub(crate) fn closed(object: ObjectBuilder) -> RefOr<Schema> {
    object.additional_properties(Some(AdditionalProperties::FreeForm(false))).into()
}

/// A schema as that of a member, with what is said of the member.
pub(crate) fn with(schema: RefOr<Schema>, about: &[&str], default: Option<Value>) -> RefOr<Schema> {
    let about = Some(paragraphs(about)).filter(|text| !text.is_empty());
    match schema {
        RefOr::Ref(mut reference) if default.is_none() => {
            reference.description = about.unwrap_or_default();
            reference.into()
        }
        reference @ RefOr::Ref(_) => {
            AllOfBuilder::new().item(reference).description(about).default(default).into()
        }
        RefOr::T(mut schema) => {
            match &mut schema {
                Schema::Object(object) => {
                    object.description = about.or(object.description.take());
                    object.default = default;
                }
                Schema::Array(array) => {
                    array.description = about.or(array.description.take());
                    array.default = default;
                }
                Schema::OneOf(one) => {
                    one.description = about.or(one.description.take());
                    one.default = default;
                }
                _ => {}
            }
            schema.into()
        }
    }
}

/// The value, or null.
pub(crate) fn nullable(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Type(kind) = &object.schema_type {
                object.schema_type = SchemaType::from_iter([kind.clone(), Type::Null]);
            }
            Schema::Object(object).into()
        }
        schema => OneOfBuilder::new()
            .item(schema)
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .into(),
    }
}

/// One of these.
pub(crate) fn one_of(schemas: impl IntoIterator<Item = RefOr<Schema>>) -> RefOr<Schema> {
    schemas.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item).into()
}

/// A text.
pub(crate) fn text(about: &str) -> ObjectBuilder {
    let about = Some(about).filter(|about| !about.is_empty());
    ObjectBuilder::new().schema_type(Type::String).description(about)
}

/// A whole number of at least `least`.
pub(crate) fn whole(least: i64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(least))
}

/// One of those words.
pub(crate) fn words<'a>(about: &str, words: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    text(about).enum_values(Some(words))
}

impl Described for bool {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }
}

impl Described for u64 {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        whole(0).into()
    }
}

/// Lines of documentation as paragraphs.
pub(crate) fn paragraphs(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match (line.is_empty(), text.is_empty() || text.ends_with('\n')) {
            (true, _) => text.push_str("\n\n"),
            (false, true) => text.push_str(line),
            (false, false) => {
                text.push(' ');
                text.push_str(line);
            }
        }
    }
    text
}
