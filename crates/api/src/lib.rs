//! The HTTP service: routes, answers, credentials, settings, and the commands of the `timelog`
//! program.

pub mod cli;
mod clock;
mod connections;
mod document;
mod http;
mod limits;
mod listener;
mod network;
pub mod openapi;
pub mod rendering;
mod routes;
mod server;
mod settings;
mod state;
pub mod telemetry;
mod webhooks;
mod wire;

pub use clock::SystemClock;
pub use server::Server;
pub use settings::Settings;
pub use state::Ports;
pub use webhooks::{Names, SystemNames};
