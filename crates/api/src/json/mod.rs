//! Reading JSON bodies so that everything that is wrong with one is said at once, and writing our
//! own.

mod fault;
mod members;
mod number;
mod object;

pub(crate) use fault::Fault;
pub(crate) use members::{Members, Raw, body, present};
pub(crate) use object::{Handling, Json};

/// The bytes of a body of our own.
pub(crate) fn bytes(body: &impl serde::Serialize) -> Vec<u8> {
    // Texts, numbers and lists of them always serialize.
    serde_json::to_vec(body).unwrap_or_default()
}
