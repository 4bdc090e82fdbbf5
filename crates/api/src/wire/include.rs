//! What an answer shows of entries beside their sixteen members, where it is asked for.

use std::str::FromStr;

use timelog_domain::InvoiceRef;
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{RefOr, Schema};

use super::query::ParameterValue;
use super::schema::{self, Schemas};
use super::{Fault, query};

query! {
    /// What is shown of entries.
    pub(crate) struct IncludeQuery {
        /// What to show of entries beside their sixteen members: some of these, separated by commas.
        /// `externalRef`, `invoiceRef` (the invoice that the entry is on) and `reason` (given with
        /// its last action) are null where there is none; `version` is that of the `ETag`.
        include: Option<Include> = "include", example ["externalRef", "version"];
    }
}

impl IncludeQuery {
    /// What is asked for; nothing by default.
    pub(crate) fn asked(&self) -> Include {
        self.include.unwrap_or_default()
    }
}

/// A member that is shown where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Included {
    ExternalRef,
    InvoiceRef,
    Reason,
    Version,
}

/// The members by their names on the wire.
const NAMES: [(&str, Included); 4] = [
    ("externalRef", Included::ExternalRef),
    ("invoiceRef", Included::InvoiceRef),
    ("reason", Included::Reason),
    ("version", Included::Version),
];

fn names() -> [&'static str; NAMES.len()] {
    NAMES.map(|(name, _)| name)
}

/// What is shown of entries beside their sixteen members.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Include(u8);

impl Include {
    /// Those, and this one.
    pub(crate) const fn and(self, member: Included) -> Self {
        Self(self.0 | 1 << member as u8)
    }

    pub(crate) const fn has(self, member: Included) -> bool {
        self.0 & 1 << member as u8 != 0
    }
}

/// The text is no [`Include`].
#[derive(Debug, thiserror::Error)]
#[error("must be some of {}, separated by commas", names().join(", "))]
pub(crate) struct InvalidInclude;

impl FromStr for Include {
    type Err = InvalidInclude;

    fn from_str(text: &str) -> Result<Self, InvalidInclude> {
        text.split(',').try_fold(Self::default(), |include, asked| {
            let known = NAMES.iter().find(|(name, _)| *name == asked);
            known.map(|(_, member)| include.and(*member)).ok_or(InvalidInclude)
        })
    }
}

impl Fault for InvalidInclude {
    fn code(&self) -> &'static str {
        "unknown_value"
    }
}

impl ParameterValue for Include {
    const IS_LIST: bool = true;

    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        ArrayBuilder::new().items(schema::words("", names())).min_items(Some(1)).into()
    }
}

/// The name of an invoice in a query.
impl ParameterValue for InvoiceRef {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        super::value::not_blank("", Self::MAX_CHARS).into()
    }
}

/// An id, or `none` for what has none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrNone<T>(pub(crate) Option<T>);

/// The text is neither an id nor `none`.
#[derive(Debug, thiserror::Error)]
#[error("must be none, or a hyphenated UUID such as 3fa85f64-5717-4562-b3fc-2c963f66afa6")]
pub(crate) struct NeitherIdNorNone;

impl<T> OrNone<T> {
    /// The schema, given that of an id.
    pub(super) fn one_of(id: RefOr<Schema>) -> RefOr<Schema> {
        let none = schema::words("Those without one.", ["none"]);
        schema::one_of([id, none.into()])
    }
}

impl<T: FromStr> FromStr for OrNone<T> {
    type Err = NeitherIdNorNone;

    fn from_str(text: &str) -> Result<Self, NeitherIdNorNone> {
        if text == "none" {
            return Ok(Self(None));
        }
        text.parse().map(|id| Self(Some(id))).map_err(|_| NeitherIdNorNone)
    }
}

impl Fault for NeitherIdNorNone {
    fn code(&self) -> &'static str {
        "invalid_id"
    }
}
