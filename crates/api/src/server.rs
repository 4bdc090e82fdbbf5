//! The HTTP server.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use anyhow::Context;
use tokio::task::JoinHandle;
use validator::Validate;

use crate::http::observe::observe;
use crate::routes;
use crate::settings::Settings;
use crate::state::{AppState, Ports};

/// How often the histograms are folded up, which keeps them from growing while nobody reads the figures.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// A server that runs.
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    upkeep: JoinHandle<()>,
}

impl Server {
    /// Starts to listen and to serve, on the current tokio runtime and threads of its own.
    ///
    /// # Errors
    ///
    /// Where a setting is nonsense or the address cannot be listened on.
    pub fn start(settings: &Settings, ports: Ports) -> anyhow::Result<Self> {
        settings.validate().map_err(|errors| anyhow::anyhow!("a setting cannot be used: {errors}"))?;
        let figures = crate::telemetry::metrics();
        let state = web::Data::new(AppState::new(ports, settings)?);
        let base_path = settings.base_path.clone();
        let request_timeout = settings.request_timeout;
        let app = move || {
            App::new()
                .app_data(state.clone())
                .wrap(from_fn(move |request, next| observe(request, next, request_timeout)))
                .service(web::scope(&base_path).configure(routes::mount))
                .default_service(web::to(routes::not_found))
        };
        let server = HttpServer::new(app)
            .workers(settings.workers)
            .keep_alive(settings.keep_alive)
            .shutdown_timeout(settings.shutdown_timeout.as_secs())
            .disable_signals()
            .bind(settings.listen)
            .with_context(|| format!("cannot listen on {}", settings.listen))?;
        let address = server.addrs().first().copied().context("the server has no address")?;
        let server = server.run();
        let handle = server.handle();
        let upkeep = async {
            loop {
                tokio::time::sleep(METRICS_UPKEEP).await;
                figures.run_upkeep();
            }
        };
        Ok(Self { address, handle, serving: tokio::spawn(server), upkeep: tokio::spawn(upkeep) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server has ended though nobody told it to stop, which is an error.
    ///
    /// # Errors
    ///
    /// Always, with the reason where there is one.
    pub async fn ended(&mut self) -> anyhow::Result<()> {
        (&mut self.serving).await.context("the server panicked")?.context("the server failed")?;
        anyhow::bail!("the server ended by itself")
    }

    /// Stops accepting, answers what was accepted, and returns when that is done.
    ///
    /// # Errors
    ///
    /// Where serving had failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.handle.stop(true).await;
        self.upkeep.abort();
        self.serving.await.context("the server panicked")?.context("the server failed")
    }
}
