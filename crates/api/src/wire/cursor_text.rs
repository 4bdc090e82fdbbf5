//! A cursor as it is sent.

use std::convert::Infallible;
use std::str::FromStr;

use super::fault::Fault;

/// A cursor as it was sent. Whether it is one, its list knows.
#[derive(Debug, Clone)]
pub(crate) struct CursorText(pub(crate) String);

impl FromStr for CursorText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// The text is no cursor of this list.
#[derive(Debug, thiserror::Error)]
#[error("must be the nextCursor of a page of the same list, with the same filters and order")]
pub(crate) struct InvalidCursor;

impl Fault for InvalidCursor {
    fn code(&self) -> &'static str {
        "invalid_cursor"
    }
}

/// What a cursor is made of.
pub(super) const CURSOR: &str = "^[A-Za-z0-9_-]+$";
