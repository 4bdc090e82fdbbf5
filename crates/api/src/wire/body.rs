//! Bodies of requests: objects whose members are declared once.

use std::marker::PhantomData;

use serde_json::value::RawValue;
use timelog_domain::Given;
use utoipa::openapi::{RefOr, Schema};

use super::reader::Reader;
use super::schema::{Schemas, nullable};
use super::value::Value;

/// Whether a member may be left out, or be `null`.
pub(crate) trait Presence {
    /// What is read.
    type Read;
    /// Whether it must be there.
    const IS_REQUIRED: bool;

    fn read(reader: &mut Reader, name: &str, raw: Option<&RawValue>) -> Given<Self::Read>;

    fn schema(schemas: &mut Schemas) -> RefOr<Schema>;
}

/// What is read of a member.
pub(crate) type Read<P> = Given<<P as Presence>::Read>;

/// It must be there.
pub(crate) struct Required<T>(PhantomData<T>);

/// It may be left out.
pub(crate) struct Optional<T>(PhantomData<T>);

/// It may be left out or be `null`.
pub(crate) struct Nullable<T>(PhantomData<T>);

impl<T: Value> Presence for Required<T> {
    type Read = T::Read;
    const IS_REQUIRED: bool = true;

    fn read(reader: &mut Reader, name: &str, raw: Option<&RawValue>) -> Given<T::Read> {
        Optional::<T>::read(reader, name, raw)
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        T::schema(schemas)
    }
}

impl<T: Value> Presence for Optional<T> {
    type Read = T::Read;
    const IS_REQUIRED: bool = false;

    fn read(reader: &mut Reader, name: &str, raw: Option<&RawValue>) -> Given<T::Read> {
        match raw.map(|raw| T::read(reader, name, raw)) {
            None => Given::Absent,
            Some(None) => Given::Unreadable,
            Some(Some(value)) => Given::Is(value),
        }
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        T::schema(schemas)
    }
}

impl<T: Value> Presence for Nullable<T> {
    type Read = Option<T::Read>;
    const IS_REQUIRED: bool = false;

    fn read(reader: &mut Reader, name: &str, raw: Option<&RawValue>) -> Given<Option<T::Read>> {
        match raw {
            Some(raw) if raw.get() == "null" => Given::Is(None),
            raw => Optional::<T>::read(reader, name, raw).map(Some),
        }
    }

    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        nullable(T::schema(schemas))
    }
}

/// Declares the body of a request: its name in the document, and its members with whether they may
/// be missing, their types and their defaults. A member that is left out has its default. What the
/// document says of it are its comments.
///
/// After `asks for` stands the type that is made of the members, in a method `put_together`; after
/// `knowing` what it must be told for that. With `or none sent`, no body at all says as much as an
/// empty object.
macro_rules! body {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $body:ident = $title:literal asks for $asked:ty
            $(, knowing $context:ident)? $(, or none $missing:ident)?
        {
            $(
                $(#[doc = $about_member:literal])*
                $member:ident: $presence:ident<$type:ty> $(= $default:expr)?
            ),+ $(,)?
        }
        $(examples $examples:expr;)?
    ) => {
        $(#[doc = $about])*
        $vis struct $body {
            $(
                $(#[doc = $about_member])*
                $member: $crate::wire::body::Read<$crate::wire::$presence<$type>>,
            )+
        }

        impl $crate::wire::Body for $body {
            type Asked = $asked;
            type Context = $crate::wire::body!(@context $($context)?);
            $(const MAY_BE_MISSING: bool = { stringify!($missing); true };)?

            fn open(
                reader: &mut $crate::wire::Reader,
                object: &serde_json::value::RawValue,
            ) -> serde_json::Result<Self> {
                use $crate::wire::body::Presence;
                const COUNT: usize = [$(stringify!($member)),+].len();
                static NAMES: [&str; COUNT] = [$($crate::wire::name::name!($member)),+];
                let [$($member),+] = reader.open(object, &NAMES)?;
                $(
                    if <$crate::wire::$presence<$type>>::IS_REQUIRED && $member.is_none() {
                        reader.add($crate::wire::name::name!($member), "required", "is required");
                    }
                )+
                Ok(Self { $(
                    $member: <$crate::wire::$presence<$type>>::read(
                        reader, $crate::wire::name::name!($member), $member,
                    )$(.or($default))?,
                )+ })
            }

            fn asked(
                self,
                reader: &mut $crate::wire::Reader,
                context: Self::Context,
            ) -> Option<$asked> {
                self.put_together(reader, context)
            }
        }

        impl $body {
            /// The members, as the document describes them.
            pub(crate) fn declared(
                schemas: &mut $crate::wire::Schemas,
            ) -> utoipa::openapi::schema::ObjectBuilder {
                use $crate::wire::body::Presence;
                let members = vec![$($crate::wire::schema::Member {
                    name: $crate::wire::name::name!($member),
                    about: &[$($about_member),*],
                    is_required: <$crate::wire::$presence<$type>>::IS_REQUIRED,
                    default: [$({
                        let default: <$crate::wire::$presence<$type> as Presence>::Read = $default;
                        serde_json::json!(default)
                    })?].into_iter().next(),
                    schema: <$crate::wire::$presence<$type>>::schema(schemas),
                }),+];
                let object = $crate::wire::schema::object(&[$($about),*], members);
                $(let object = object.examples($examples);)?
                object
            }
        }

        impl $crate::wire::Described for $body {
            fn schema(
                schemas: &mut $crate::wire::Schemas,
            ) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                schemas.named($title, |schemas| Self::declared(schemas).into())
            }
        }
    };
    (@context $context:ident) => { $context };
    (@context) => { () };
}

pub(crate) use body;
