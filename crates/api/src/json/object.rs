//! The text of a JSON object, and what is to become of members that nobody knows.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::members::Members;
use crate::http::code::Code;
use crate::http::problem::{Problem, Violation};

/// What is done with members that an object is not known to have. The names are those of RFC 7240.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    /// They are ignored.
    Lenient,
    /// They are refused, each at its place.
    Strict,
}

/// A JSON text that is to be read. There is no other way to an object, so none forgets how unknown
/// members are to be taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<'a> {
    text: &'a [u8],
    handling: Handling,
}

impl<'a> Json<'a> {
    pub(crate) const fn new(text: &'a [u8], handling: Handling) -> Self {
        Self { text, handling }
    }

    /// The text, or that of an empty object where there is none.
    pub(crate) const fn or_empty(self) -> Self {
        if self.text.is_empty() { Self { text: b"{}", ..self } } else { self }
    }

    /// Reads the text into a struct of [`Raw`](super::Raw) members. A known member that is there
    /// twice makes the whole malformed.
    pub(crate) fn object<T: Deserialize<'a>>(self) -> Result<(Members, T), Problem> {
        // serde_json does not look into what it skips, so the text is checked here as a whole.
        let text = std::str::from_utf8(self.text)
            .map_err(|error| malformed(&format!("it is not UTF-8: {error}")))?;
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| malformed(&error.to_string()))?;
        if !raw.get().starts_with('{') {
            return Err(Problem::invalid(vec![Violation::at(
                "",
                "wrong_type",
                "must be an object",
            )]));
        }
        let mut members = Members::new(self.handling);
        let object = members.open(raw).map_err(|error| malformed(&error.to_string()))?;
        Ok((members, object))
    }
}

pub(super) fn malformed(reason: &str) -> Problem {
    Problem::new(Code::MalformedJson, format!("The body cannot be read: {reason}."))
}
