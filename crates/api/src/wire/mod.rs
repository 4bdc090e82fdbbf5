//! What stands on the wire: bodies, answers, parameters and columns, each declared once. From its
//! declaration come its reader or its writer, and its description in the OpenAPI document. Nothing
//! here knows HTTP.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod change;
pub(crate) mod closing;
pub(crate) mod csv;
mod cursor_text;
mod destination;
pub(crate) mod directory;
pub(crate) mod event;
mod fault;
pub(crate) mod filter;
pub(crate) mod history;
pub(crate) mod include;
pub(crate) mod key;
pub(crate) mod name;
mod number;
pub(crate) mod page;
pub(crate) mod query;
mod reader;
pub(crate) mod schema;
mod selection;
pub(crate) mod summary;
mod table;
pub(crate) mod time_entry;
pub(crate) mod transition;
mod value;
mod violation;
pub(crate) mod webhook;
pub(crate) mod workbook;

pub(crate) use answer::{Answered, Sometimes, Word, answer, bytes};
pub(crate) use body::{Nullable, Optional, Required, body};
pub(crate) use cursor_text::{CursorText, InvalidCursor};
pub(crate) use fault::Fault;
pub(crate) use query::{Pairs, Parameters, Query, query};
pub(crate) use reader::{Body, Handling, Json, Reader};
pub(crate) use schema::{Described, Schemas};
pub(crate) use violation::{MOST_TOLD, Unreadable, Violation};
