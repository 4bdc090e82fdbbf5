//! Answers: objects whose members are declared once.

use serde::{Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};

use super::schema::{self, Described, Schemas};

/// A value that an answer may hold.
pub(crate) trait Answered: Described + Serialize {
    /// Whether every answer has it.
    const IS_REQUIRED: bool = true;

    /// Whether this answer lacks it.
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T: Answered> Answered for Option<T> {}
impl<T: Answered> Answered for &T {}
impl<T: Answered> Answered for Vec<T> {}
impl Answered for bool {}
impl Answered for u64 {}

/// A member that only some answers have.
pub(crate) struct Sometimes<T>(pub(crate) Option<T>);

impl<T: Serialize> Serialize for Sometimes<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<T: Described> Described for Sometimes<T> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        T::schema(schemas)
    }
}

impl<T: Answered> Answered for Sometimes<T> {
    const IS_REQUIRED: bool = false;

    fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

/// Declares an answer, or a part of one: its name in the document, and its members with their
/// types. An answer has exactly these members. What the document says of them are their comments.
macro_rules! answer {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $answer:ident $(<$life:lifetime>)? = $title:literal {
            $($(#[doc = $about_member:literal])* $member:ident: $type:ty),+ $(,)?
        }
        $(examples $examples:expr;)?
    ) => {
        $(#[doc = $about])*
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        $vis struct $answer $(<$life>)? {
            $(
                $(#[doc = $about_member])*
                #[serde(skip_serializing_if = "crate::wire::Answered::is_absent")]
                pub(crate) $member: $type,
            )+
        }

        impl $(<$life>)? $answer $(<$life>)? {
            /// The members, as the document describes them.
            pub(crate) fn declared(
                schemas: &mut $crate::wire::Schemas,
            ) -> utoipa::openapi::schema::ObjectBuilder {
                let members = vec![$($crate::wire::schema::Member {
                    name: $crate::wire::name::name!($member),
                    about: &[$($about_member),*],
                    is_required: <$type as $crate::wire::Answered>::IS_REQUIRED,
                    default: None,
                    schema: <$type as $crate::wire::Described>::schema(schemas),
                }),+];
                let object = $crate::wire::schema::object(&[$($about),*], members);
                $(let object = object.examples($examples);)?
                object
            }
        }

        impl $(<$life>)? $crate::wire::Described for $answer $(<$life>)? {
            fn schema(
                schemas: &mut $crate::wire::Schemas,
            ) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let declared = |schemas: &mut _| $crate::wire::schema::closed(Self::declared(schemas));
                schemas.named($title, declared)
            }
        }

        impl $(<$life>)? $crate::wire::Answered for $answer $(<$life>)? {}
    };
}

pub(crate) use answer;

/// One of a few words.
#[derive(Serialize)]
pub(crate) struct Word(pub(crate) &'static str);

impl Described for Word {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::text("").into()
    }
}

impl Answered for Word {}

/// The bytes of an answer.
pub(crate) fn bytes(body: &impl Serialize) -> Vec<u8> {
    // Texts, numbers and lists of them always serialize.
    serde_json::to_vec(body).unwrap_or_default()
}
