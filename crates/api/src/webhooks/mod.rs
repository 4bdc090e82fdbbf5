//! Delivering the feed to webhooks: where it may be sent, what is sent, and by whom.

mod addresses;
mod deliverer;
mod delivery;
mod message;
mod names;
mod receivers;

pub(crate) use deliverer::Deliverer;
pub(crate) use message::{Message, secret_text};
pub use names::{Names, SystemNames};
pub(crate) use receivers::{Answer, Receivers};
