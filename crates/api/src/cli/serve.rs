//! `timelog serve`

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::builder::{BoolishValueParser, TypedValueParser};
use clap::{Args, ValueEnum, value_parser};
use ipnet::IpNet;
use timelog_adapters::{DatabaseOptions, QueueOptions, Store, sweep};
use timelog_domain::MismatchPolicy;
use timelog_domain::ids::{OrganizationId, ProjectId, UserId};
use tokio::signal::unix::{SignalKind, signal};
use uuid::{Uuid, uuid};

use super::duration::{DurationRange, HOUR};
use super::provision::Provision;
use super::{Global, say};
use crate::clock::SystemClock;
use crate::listener;
use crate::network::network;
use crate::server::Server;
use crate::settings::{self, Settings};
use crate::state::Ports;

const DEMO_ORGANIZATION: Uuid = uuid!("7b1e2c3d-0000-0000-0000-000000000001");
const DEMO_PROJECT_AND_USER: Uuid = uuid!("9a8b7c6d-0000-0000-0000-000000000002");

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Where to listen.
    #[arg(
        long,
        env = "TIMELOG_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS:PORT"
    )]
    listen: SocketAddr,
    /// Where to serve metrics, health and documentation, and then nowhere else; where everything is
    /// if not given.
    #[arg(long, env = "TIMELOG_ADMIN_LISTEN", value_name = "ADDRESS:PORT")]
    admin_listen: Option<SocketAddr>,
    /// What to put before every path, such as /api/v1.
    #[arg(long, env = "TIMELOG_BASE_PATH", default_value = "", value_parser = base_path, value_name = "PATH")]
    base_path: String,
    /// Leave an empty database empty, instead of making a demo organization in it.
    #[arg(long, env = "TIMELOG_NO_DEMO", value_parser = BoolishValueParser::new())]
    no_demo: bool,
    /// How to answer an idempotency key that comes again with another body.
    #[arg(
        long,
        env = "TIMELOG_IDEMPOTENCY_MISMATCH",
        default_value = "replay",
        value_enum,
        value_name = "POLICY"
    )]
    idempotency_mismatch: Mismatch,
    /// How many threads serve connections, 1 to 128; as many as there are processors if not given.
    #[arg(
        long,
        env = "TIMELOG_WORKERS",
        value_parser = value_parser!(u16).range(1..=128),
        value_name = "COUNT"
    )]
    workers: Option<u16>,
    /// How many connections read the database for organizations at the same time, 1 to 1024. One
    /// organization alone gets half of them.
    #[arg(
        long,
        env = "TIMELOG_READ_CONNECTIONS",
        default_value = "8",
        value_parser = value_parser!(u16).range(1..=1024),
        value_name = "COUNT"
    )]
    read_connections: u16,
    /// How many transactions commit at the same time, each with a connection of its own, 1 to 256.
    /// PostgreSQL only.
    #[arg(
        long,
        env = "TIMELOG_LANES",
        default_value = "4",
        value_parser = value_parser!(u16).range(1..=256),
        value_name = "COUNT"
    )]
    lanes: u16,
    /// How long one statement may take, 100ms to 1h. Then the request is answered 503. On SQLite it
    /// holds for lists and totals.
    #[arg(
        long,
        env = "TIMELOG_STATEMENT_TIMEOUT",
        default_value = "10s",
        value_parser = DurationRange::milliseconds(100..=HOUR),
        value_name = "DURATION"
    )]
    statement_timeout: Duration,
    /// How many changes may wait to be committed, in each lane, 1 to 1000000. Organizations share
    /// them: the first gets up to half, each further one half of what is left. One more is answered
    /// 503.
    #[arg(
        long,
        env = "TIMELOG_QUEUE_CAPACITY",
        default_value = "4096",
        value_parser = value_parser!(u32).range(1..=1_000_000),
        value_name = "COUNT"
    )]
    queue_capacity: u32,
    /// How long a change may wait to be committed, 10ms to 1h, before it is answered 503.
    #[arg(
        long,
        env = "TIMELOG_QUEUE_TIMEOUT",
        default_value = "10s",
        value_parser = DurationRange::milliseconds(10..=HOUR),
        value_name = "DURATION"
    )]
    queue_timeout: Duration,
    /// How many changes one transaction takes at most, 1 to 1024; what suits the database if not
    /// given.
    #[arg(
        long,
        env = "TIMELOG_BATCH_SIZE",
        value_parser = value_parser!(u16).range(1..=1024),
        value_name = "COUNT"
    )]
    batch_size: Option<u16>,
    /// How long an API key is remembered, and so how long its revocation may go unnoticed, 0s to
    /// 5s.
    #[arg(
        long,
        env = "TIMELOG_KEY_MEMORY",
        default_value = "2s",
        value_parser = DurationRange::milliseconds(0..=5000),
        value_name = "DURATION"
    )]
    key_memory: Duration,
    /// How many requests a second each API key may make, 1 to 1000000; no limit if not given.
    #[arg(
        long,
        env = "TIMELOG_RATE_LIMIT",
        value_parser = value_parser!(u32).range(1..=1_000_000).try_map(NonZeroU32::try_from),
        value_name = "COUNT"
    )]
    rate_limit: Option<NonZeroU32>,
    /// How many requests a second one address may make without a valid key, 1 to 1000000; no limit
    /// if not given.
    #[arg(
        long,
        env = "TIMELOG_ANONYMOUS_RATE",
        value_parser = value_parser!(u32).range(1..=1_000_000).try_map(NonZeroU32::try_from),
        value_name = "COUNT"
    )]
    anonymous_rate: Option<NonZeroU32>,
    /// A network of proxies that are believed when they tell a client's address, such as
    /// 10.0.0.0/8; may be repeated, or several separated by commas.
    #[arg(
        long,
        env = "TIMELOG_TRUSTED_PROXY",
        value_parser = network,
        value_delimiter = ',',
        value_name = "CIDR"
    )]
    trusted_proxy: Vec<IpNet>,
    /// How much time passes before expired idempotency keys are deleted again, 1s to 24h.
    #[arg(
        long,
        env = "TIMELOG_SWEEP_INTERVAL",
        default_value = "1m",
        value_parser = DurationRange::milliseconds(1000..=24 * HOUR),
        value_name = "DURATION"
    )]
    sweep_interval: Duration,
    /// How many connections there may be at a time, 1 to 65536. One more takes the place of the one
    /// that has kept the service waiting longest.
    #[arg(
        long,
        env = "TIMELOG_MAX_CONNECTIONS",
        default_value = "2048",
        value_parser = value_parser!(u32).range(1..=65_536),
        value_name = "COUNT"
    )]
    max_connections: u32,
    /// How many MiB the bodies that arrive and the answers that are taken may hold together, 16 to
    /// 65536. More is answered 503.
    #[arg(
        long,
        env = "TIMELOG_IN_FLIGHT_MIB",
        default_value = "256",
        value_parser = value_parser!(u32).range(16..=65_536).try_map(NonZeroU32::try_from),
        value_name = "COUNT"
    )]
    in_flight_mib: NonZeroU32,
    /// How long a connection without a request stays open, 1s to 1h.
    #[arg(
        long,
        env = "TIMELOG_KEEP_ALIVE",
        default_value = "75s",
        value_parser = DurationRange::milliseconds(1000..=HOUR),
        value_name = "DURATION"
    )]
    keep_alive: Duration,
    /// How long the head of a request may take to arrive once it has begun, 1s to 1h. Then it is
    /// answered 408.
    #[arg(
        long,
        env = "TIMELOG_HEAD_TIMEOUT",
        default_value = "5s",
        value_parser = DurationRange::milliseconds(1000..=HOUR),
        value_name = "DURATION"
    )]
    head_timeout: Duration,
    /// How long the body of a request may take to arrive once its head has, 1s to 1h. Then it is
    /// answered 408.
    #[arg(
        long,
        env = "TIMELOG_REQUEST_TIMEOUT",
        default_value = "30s",
        value_parser = DurationRange::milliseconds(1000..=HOUR),
        value_name = "DURATION"
    )]
    request_timeout: Duration,
    /// How long a client may take for each 64 KiB of an answer, 1s to 1h. Then the connection ends.
    #[arg(
        long,
        env = "TIMELOG_ANSWER_TIMEOUT",
        default_value = "30s",
        value_parser = DurationRange::milliseconds(1000..=HOUR),
        value_name = "DURATION"
    )]
    answer_timeout: Duration,
    /// How long requests that have begun may take once the service is told to stop, 1s to 1h, in
    /// whole seconds.
    #[arg(
        long,
        env = "TIMELOG_SHUTDOWN_TIMEOUT",
        default_value = "30s",
        value_parser = DurationRange::seconds(1..=3600),
        value_name = "DURATION"
    )]
    shutdown_timeout: Duration,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mismatch {
    /// With the stored answer.
    Replay,
    /// With 422.
    Reject,
}

impl Serve {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        // Asked for first, so that a signal during the start is not lost.
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
        let mut settings = self.settings();
        let possible = listener::raise_file_limit(
            &settings,
            u64::from(self.read_connections) + u64::from(self.lanes),
        );
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
            read_connections: self.read_connections.into(),
            lock_timeout: global.lock_timeout,
            statement_timeout: self.statement_timeout,
            lanes: self.lanes.into(),
        };
        let queue = QueueOptions {
            capacity: usize::try_from(self.queue_capacity)?,
            batch_size: self.batch_size.map(usize::from),
            max_wait: self.queue_timeout,
        };
        let (store, applied) = tokio::select! {
            opened = global.open_with(&global.database_url, &database, &queue) => opened?,
            // Whoever waits for a database that is away can be told to stop.
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        if !applied.is_empty() {
            tracing::info!(applied = applied.len(), "brought the database schema up to date");
        }
        let key = if self.no_demo { None } else { make_demo(&store).await? };
        let mut server = Server::start(&settings, Ports::on(&store, Arc::new(SystemClock)))?;
        if let Some(address) = server.admin_address() {
            tracing::info!(%address, "serving metrics, health and documentation");
        }
        tracing::info!(address = %server.address(), database = %global.database_url, "serving");
        if let Some(key) = key
            && let Err(error) = introduce(&server, &self.base_path, &key)
        {
            tracing::warn!(%error, "the demo key was shown to nobody; make another with \"timelog key create\"");
        }
        let sweeper = tokio::spawn({
            let store = store.clone();
            async move { sweep(&store, &SystemClock, self.sweep_interval).await }
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

    fn settings(&self) -> Settings {
        let defaults = Settings::default();
        Settings {
            listen: self.listen,
            base_path: self.base_path.clone(),
            on_mismatch: match self.idempotency_mismatch {
                Mismatch::Replay => MismatchPolicy::Replay,
                Mismatch::Reject => MismatchPolicy::Reject,
            },
            workers: self.workers.map_or(defaults.workers, usize::from),
            key_memory: self.key_memory,
            rate_limit: self.rate_limit,
            admin_listen: self.admin_listen,
            max_connections: usize::try_from(self.max_connections)
                .unwrap_or(defaults.max_connections),
            in_flight_mib: self.in_flight_mib,
            anonymous_rate: self.anonymous_rate,
            trusted_proxies: self.trusted_proxy.clone(),
            keep_alive: self.keep_alive,
            head_timeout: self.head_timeout,
            request_timeout: self.request_timeout,
            answer_timeout: self.answer_timeout,
            shutdown_timeout: self.shutdown_timeout,
        }
    }
}

fn base_path(text: &str) -> Result<String, &'static str> {
    settings::is_base_path(text).then(|| text.to_owned()).ok_or(settings::BASE_PATH)
}

/// Fills an empty database with a demo organization and returns the text of its key.
async fn make_demo(store: &Arc<Store>) -> anyhow::Result<Option<String>> {
    if !store.is_empty().await? {
        return Ok(None);
    }
    let demo = Provision {
        organization_id: OrganizationId::new(DEMO_ORGANIZATION),
        project_id: ProjectId::new(DEMO_PROJECT_AND_USER),
        user_id: UserId::new(DEMO_PROJECT_AND_USER),
        ..Provision::fresh()
    };
    Ok(Some(
        demo.store(store, "Demo").await.context("the demo organization could not be made")?.text,
    ))
}

/// Shows the demo key, once, and a request that can be pasted.
fn introduce(server: &Server, base_path: &str, key: &str) -> anyhow::Result<()> {
    let root = |address: SocketAddr| {
        let host = if address.ip().is_unspecified() {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            address.ip()
        };
        format!("http://{}{base_path}", SocketAddr::new(host, address.port()))
    };
    let docs = root(server.admin_address().unwrap_or(server.address()));
    let root = root(server.address());
    let body = format!(
        r#"{{"userId":"{DEMO_PROJECT_AND_USER}","workDate":"2025-01-15","hours":"2.5","description":"Implemented login flow."}}"#
    );
    say(format_args!(
        "The database was empty and now has a demo organization. Its API key is shown only this once:\n\n\
         {key}\n\n\
         Log two and a half hours; send it again and the same answer comes back:\n\n\
         curl -i {root}/projects/{DEMO_PROJECT_AND_USER}/time-entries -H 'Authorization: Bearer {key}' \
         -H 'Content-Type: application/json' -H 'Idempotency-Key: first-entry' -d '{body}'\n\n\
         Documentation: {docs}/docs/"
    ))
}
