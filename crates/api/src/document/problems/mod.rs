//! Sets of problems: what an operation may answer with one status when it fails.

pub(crate) mod samples;
pub(crate) mod sets;

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{RefOr, Schema};

use super::headers::Header;
use super::sample::{Sample, content};
use crate::http::code::Code;
use crate::wire::Schemas;

/// What an operation may answer with one status when it fails.
pub(crate) struct Problems {
    /// What the set is called in the document.
    pub(crate) component: &'static str,
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    pub(crate) codes: &'static [Code],
    pub(crate) headers: &'static [&'static Header],
    pub(crate) schema: fn(&mut Schemas) -> RefOr<Schema>,
    pub(crate) samples: fn() -> Vec<Sample>,
    /// Whether it is true at its moment only.
    pub(crate) is_momentary: bool,
}

impl Problems {
    pub(super) fn describe(&self, schemas: &mut Schemas) -> ResponseBuilder {
        let codes: Vec<_> = self.codes.iter().map(|code| code.as_str()).collect();
        ResponseBuilder::new()
            .description(self.about)
            .content("application/problem+json", content((self.schema)(schemas), (self.samples)()))
            .extensions(Some(ExtensionsBuilder::new().add("x-codes", codes).build()))
    }
}
