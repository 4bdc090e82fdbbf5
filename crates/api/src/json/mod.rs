//! Reading JSON bodies so that everything that is wrong with one is said at once.

mod fault;
mod members;
mod number;

pub(crate) use fault::Fault;
pub(crate) use members::{Members, Raw, body, object, present};
