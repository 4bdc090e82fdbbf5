//! `timelog serve`

use std::sync::Arc;

use anyhow::Context;
use timelog_adapters::{DatabaseOptions, QueueOptions, sweep};
use tokio::signal::unix::{SignalKind, signal};

use super::demo;
use super::global::Global;
use crate::clock::SystemClock;
use crate::listener;
use crate::server::Server;
use crate::settings::Settings;
use crate::state::Ports;

/// Serves HTTP until a signal says to stop.
pub(super) async fn run(mut settings: Settings, global: &Global) -> anyhow::Result<()> {
    // First of all, so that a signal during the start is not lost.
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let possible = listener::raise_file_limit(&settings);
    if possible < settings.max_connections {
        let wanted = settings.max_connections;
        tracing::warn!(
            wanted,
            possible,
            "the limit on open files (ulimit -n) allows fewer connections"
        );
        settings.max_connections = possible;
    }
    let database = DatabaseOptions {
        create: true,
        read_connections: settings.read_connections,
        lock_timeout: global.lock_timeout,
        statement_timeout: settings.statement_timeout,
        lanes: settings.lanes,
    };
    let queue = QueueOptions {
        capacity: settings.queue_capacity,
        batch_size: settings.batch_size,
        max_wait: settings.queue_timeout,
    };
    let (store, applied) = tokio::select! {
        opened = global.open_with(&global.database_url, &database, &queue) => opened?,
        // A signal also ends the wait for a database that is away.
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    if !applied.is_empty() {
        tracing::info!(applied = applied.len(), "brought the database schema up to date");
    }
    let key = if settings.no_demo { None } else { demo::make(&store).await? };
    let mut server = Server::start(&settings, Ports::on(&store, Arc::new(SystemClock)))?;
    if let Some(address) = server.admin_address() {
        tracing::info!(%address, "serving metrics, health and documentation");
    }
    tracing::info!(address = %server.address(), database = %global.database_url, "serving");
    if let Some(key) = key
        && let Err(error) = demo::introduce(&server, &settings.base_path, &key)
    {
        tracing::warn!(%error, "the demo key was shown to nobody; make another with \"timelog key \
            create\"");
    }
    let sweeper = tokio::spawn({
        let store = store.clone();
        async move { sweep(&store, &SystemClock, settings.sweep_interval).await }
    });
    let signal = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
        ended = server.ended() => return ended.context("the service no longer listens"),
    };
    tracing::info!(signal, "stopping: answering what was accepted");
    server.stop().await?;
    sweeper.abort();
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}
