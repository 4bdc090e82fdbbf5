//! The HTTP server.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Protocol};
use actix_server::{ServerBuilder, ServerHandle};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::error::DispatchError;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, web};
use anyhow::Context;
use tokio::task::JoinHandle;
use validator::Validate;

use crate::connections::{Connections, Deadlines, SURPLUS, Stream};
use crate::http::observe::observe;
use crate::listener;
use crate::routes::{Surface, mount, not_found, table};
use crate::settings::Settings;
use crate::state::{AppState, Ports};
use crate::telemetry;
use crate::webhooks::Deliverer;

/// How often the samples of histograms are added up. Without it they would grow while nobody reads
/// the metrics.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// How many connections the listener of `--admin-listen` takes.
const ADMIN_CONNECTIONS: usize = 64;

/// How long a client may still send after the last answer on a connection. Nobody reads what it
/// sends.
const LINGER: Duration = Duration::from_secs(1);

/// A running server.
pub struct Server {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    state: web::Data<AppState>,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    upkeep: JoinHandle<()>,
    deliverer: Option<Deliverer>,
}

impl Server {
    /// Starts to listen and to serve, on the current tokio runtime and threads of its own.
    ///
    /// # Errors
    ///
    /// Where a setting is not valid, or the server cannot listen on an address.
    pub fn start(settings: &Settings, ports: Ports) -> anyhow::Result<Self> {
        settings
            .validate()
            .map_err(|errors| anyhow::anyhow!("a setting cannot be used: {errors}"))?;
        let metrics = telemetry::metrics();
        let openapi = crate::openapi::document(&settings.base_path)?.into();
        let state = web::Data::new(AppState::new(ports.clone(), settings, openapi));
        let limits = state.clone();
        let mut builder = actix_server::Server::build()
            .workers(settings.workers)
            // A connection beyond the limit must be accepted to be answered 503.
            .max_concurrent_connections(2 * settings.max_connections + SURPLUS)
            .shutdown_timeout(settings.shutdown_timeout.as_secs())
            .disable_signals();
        let surface = if settings.admin_listen.is_some() { Surface::Api } else { Surface::All };
        let (listener, address) = listener::listen(settings.listen, settings)?;
        let connections =
            Connections::new(settings.max_connections, Deadlines::from(settings), "api");
        builder = serve(builder, listener, connections, settings, (&state, surface))?;
        let mut admin_address = None;
        if let Some(admin) = settings.admin_listen {
            let (listener, address) = listener::listen(admin, settings)?;
            let connections =
                Connections::new(ADMIN_CONNECTIONS, Deadlines::from(settings), "admin");
            builder = serve(builder, listener, connections, settings, (&state, Surface::Admin))?;
            admin_address = Some(address);
        }
        let server = builder.run();
        let handle = server.handle();
        let upkeep = async move {
            loop {
                tokio::time::sleep(METRICS_UPKEEP).await;
                metrics.run_upkeep();
                limits.forget_idle();
            }
        };
        let deliverer =
            (!settings.no_webhooks).then(|| Deliverer::start(ports, state.receivers.clone()));
        Ok(Self {
            address,
            admin_address,
            state,
            handle,
            serving: tokio::spawn(server),
            upkeep: tokio::spawn(upkeep),
            deliverer,
        })
    }

    /// The address that it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of `--admin-listen`, if there is one.
    #[must_use]
    pub const fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Waits until the server ends without having been told to stop, which is an error.
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
    /// Where the server had failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.state.waiting.stop();
        let delivered = async {
            if let Some(deliverer) = self.deliverer {
                deliverer.stop().await;
            }
        };
        tokio::join!(self.handle.stop(true), delivered);
        self.upkeep.abort();
        self.serving.await.context("the server panicked")?.context("the server failed")
    }
}

/// Adds a listener to a server. The one of actix-web gives no access to the connections.
fn serve(
    builder: ServerBuilder,
    listener: TcpListener,
    connections: Connections,
    settings: &Settings,
    (state, surface): (&web::Data<AppState>, Surface),
) -> anyhow::Result<ServerBuilder> {
    let (state, base_path) = (state.clone(), settings.base_path.clone());
    let (request_timeout, stopping) =
        (settings.request_timeout, builder.graceful_shutdown_signal());
    // Called once by each worker.
    let service = move || {
        let app = App::new()
            .app_data(state.clone())
            .app_data(state.in_flight.clone())
            .wrap(from_fn(move |request, next| observe(request, next, request_timeout)))
            .service(web::scope(&base_path).configure(|config| mount(config, table(), surface)))
            .default_service(web::to(not_found));
        let app = app.into_factory().map_err(|error: Error| error.error_response());
        let (connections, stopping) = (connections.clone(), stopping.clone());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            // The connections have deadlines of their own.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(|stream: &Stream, data| {
                data.insert(stream.connection().clone());
            })
            .finish(map_config(app, |()| AppConfig::default()));
        let admit = fn_service(move |stream: TcpStream| {
            let connections = connections.clone();
            async move {
                let peer = stream.peer_addr().ok();
                let stream = connections.admit(stream).ok_or(DispatchError::DisconnectTimeout)?;
                Ok::<_, DispatchError>((stream, Protocol::Http1, peer))
            }
        });
        admit.and_then(http)
    };
    builder.listen("timelog", listener, service).context("cannot listen")
}

impl From<&Settings> for Deadlines {
    fn from(settings: &Settings) -> Self {
        Self {
            idle: settings.keep_alive,
            head: settings.head_timeout,
            answer: settings.answer_timeout,
        }
    }
}
