//! Settings of the HTTP server.

use std::net::SocketAddr;
use std::num::{NonZeroU32, TryFromIntError};
use std::thread::available_parallelism;
use std::time::Duration;

use clap::builder::{BoolishValueParser, EnumValueParser, TypedValueParser};
use clap::{Parser, ValueEnum};
use ipnet::IpNet;
use timelog_adapters::{DatabaseOptions, QueueOptions};
use timelog_domain::MismatchPolicy;
use validator::{Validate, ValidationError};

use crate::limits::{HOUR, count, milliseconds, seconds, text};
use crate::network::network;

/// Each worker needs four open files, of which many systems give a program 1024.
const MAX_WORKERS: usize = 128;

/// More connections are of no use to one program.
const MAX_CONNECTIONS: usize = 65_536;

/// The longest that a revoked key may go on working, in milliseconds.
const MAX_KEY_MEMORY: u64 = 5000;

const MILLION: usize = 1_000_000;

/// Settings of the HTTP server. Each field is a flag of `timelog serve`, and its comment the help.
///
/// The command line has narrower limits than [`Validate`] checks, so that tests can use shorter
/// times.
#[derive(Debug, Clone, Parser, Validate)]
pub struct Settings {
    /// Where to listen. Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// A separate address for metrics, health and documentation, which are then served nowhere
    /// else. If it is not given, they are served with everything else.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub admin_listen: Option<SocketAddr>,
    /// The prefix of every path, such as /api/v1.
    #[arg(long, default_value = "", value_parser = base_path, value_name = "PATH")]
    #[validate(custom(function = is_base_path))]
    pub base_path: String,
    /// Make no demo organization in an empty database. The variable is 1 or 0, true or false, yes
    /// or no.
    #[arg(long, value_parser = BoolishValueParser::new())]
    pub no_demo: bool,
    /// How to answer an idempotency key that comes again with another body.
    #[arg(
        long = "idempotency-mismatch",
        default_value = "replay",
        value_parser = EnumValueParser::<Mismatch>::new().map(MismatchPolicy::from),
        value_name = "POLICY"
    )]
    pub on_mismatch: MismatchPolicy,
    /// How many worker threads serve connections. If it is not given, one for each processor.
    #[arg(
        long,
        default_value_t = available_parallelism().map_or(2, usize::from).min(MAX_WORKERS),
        hide_default_value = true,
        value_parser = count(1..=MAX_WORKERS)
    )]
    #[validate(custom(function = is_within::<1, MAX_WORKERS>))]
    pub workers: usize,
    /// How many connections read the database for organizations at the same time. One organization
    /// alone gets half of them.
    #[arg(
        long,
        default_value_t = DatabaseOptions::default().read_connections,
        value_parser = count(1..=1024)
    )]
    pub read_connections: usize,
    /// How many lanes there are: transactions that commit at the same time, each with a connection
    /// of its own. PostgreSQL only.
    #[arg(long, default_value_t = DatabaseOptions::default().lanes, value_parser = count(1..=256))]
    pub lanes: usize,
    /// How long one statement may take. Then the request is answered 503. On SQLite it limits lists
    /// and totals only.
    #[arg(
        long,
        default_value = text(DatabaseOptions::default().statement_timeout),
        value_parser = milliseconds(100..=HOUR)
    )]
    pub statement_timeout: Duration,
    /// How many changes may wait to be committed in each lane. Organizations share these places:
    /// the first gets up to half, each further one half of what is left. One more is answered 503.
    #[arg(
        long,
        default_value_t = QueueOptions::default().capacity,
        value_parser = count(1..=MILLION)
    )]
    pub queue_capacity: usize,
    /// How long a change may wait to be committed. Then it is not begun, and answered 503.
    #[arg(
        long,
        default_value = text(QueueOptions::default().max_wait),
        value_parser = milliseconds(10..=HOUR)
    )]
    pub queue_timeout: Duration,
    /// How many changes one transaction takes at most. If it is not given, what suits the database:
    /// 32 on SQLite, 128 on PostgreSQL.
    #[arg(long, value_parser = count(1..=1024))]
    pub batch_size: Option<usize>,
    /// How long an API key is remembered, and so how long its revocation may go unnoticed.
    #[arg(long, default_value = "2s", value_parser = milliseconds(0..=MAX_KEY_MEMORY))]
    #[validate(custom(function = is_key_memory))]
    pub key_memory: Duration,
    /// How many requests a second each API key may make, counted by each process. If it is not
    /// given, there is no limit.
    #[arg(long, value_parser = count(1..=MILLION).try_map(non_zero))]
    pub rate_limit: Option<NonZeroU32>,
    /// How many requests a second one address may make without a valid key, counted by each
    /// process. If it is not given, there is no limit.
    #[arg(long, value_parser = count(1..=MILLION).try_map(non_zero))]
    pub anonymous_rate: Option<NonZeroU32>,
    /// A network of proxies that are trusted to tell the address of a client, such as 10.0.0.0/8.
    /// May be repeated, or have several values with commas between them.
    #[arg(
        long = "trusted-proxy",
        value_parser = network,
        value_delimiter = ',',
        value_name = "CIDR"
    )]
    pub trusted_proxies: Vec<IpNet>,
    /// A network that webhooks may lead to beside the public internet, also with http, such as
    /// 10.0.0.0/8. May be repeated, or have several values with commas between them.
    #[arg(long, value_parser = network, value_delimiter = ',', value_name = "CIDR")]
    pub webhook_allow: Vec<IpNet>,
    /// How long the receiver of a webhook may take to answer.
    // Two thirds of the time that is left of a lease when an event is sent.
    #[arg(long, default_value = "15s", value_parser = milliseconds(100..=15_000))]
    pub webhook_timeout: Duration,
    /// Deliver nothing to webhooks, for example where a copy of the database is tried out. The
    /// variable is 1 or 0, true or false, yes or no.
    #[arg(long, value_parser = BoolishValueParser::new())]
    pub no_webhooks: bool,
    /// How often expired idempotency keys are deleted, 500 in one statement.
    #[arg(long, default_value = "1m", value_parser = milliseconds(1000..=24 * HOUR))]
    pub sweep_interval: Duration,
    /// How many connections may be open at the same time. One more takes the place of the one that
    /// has kept the service waiting longest.
    #[arg(long, default_value_t = 2048, value_parser = count(1..=MAX_CONNECTIONS))]
    #[validate(custom(function = is_within::<1, MAX_CONNECTIONS>))]
    pub max_connections: usize,
    /// How many MiB of memory all bodies that arrive and all answers on their way to clients may
    /// take together. A request that needs more is answered 503.
    // Enough for sixty bodies of the largest batches.
    #[arg(long, default_value = "256", value_parser = count(16..=65_536).try_map(non_zero))]
    pub in_flight_mib: NonZeroU32,
    /// How long a connection without a request stays open.
    #[arg(long, default_value = "75s", value_parser = milliseconds(1000..=HOUR))]
    pub keep_alive: Duration,
    /// How long the head of a request may take to arrive once it has begun. Then it is answered
    /// 408 and the connection ends.
    #[arg(long, default_value = "5s", value_parser = milliseconds(1000..=HOUR))]
    pub head_timeout: Duration,
    /// How long the body of a request may take to arrive once its head has. Then it is answered
    /// 408 and the connection ends.
    #[arg(long, default_value = "30s", value_parser = milliseconds(1000..=HOUR))]
    pub request_timeout: Duration,
    /// How long a client may take for each 64 KiB of an answer. Then the connection ends.
    #[arg(long, default_value = "30s", value_parser = milliseconds(1000..=HOUR))]
    pub answer_timeout: Duration,
    /// How long requests that have begun may take once the service is told to stop, in whole
    /// seconds.
    #[arg(long, default_value = "30s", value_parser = seconds(1..=3600))]
    pub shutdown_timeout: Duration,
}

impl Default for Settings {
    /// The settings of a command line without flags.
    fn default() -> Self {
        // It ends the program where a default cannot be read, which every test would notice.
        Self::parse_from(["timelog"])
    }
}

/// A [`MismatchPolicy`] as the flag takes it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mismatch {
    /// With the stored answer.
    Replay,
    /// With 422.
    Reject,
}

impl From<Mismatch> for MismatchPolicy {
    fn from(mismatch: Mismatch) -> Self {
        match mismatch {
            Mismatch::Replay => Self::Replay,
            Mismatch::Reject => Self::Reject,
        }
    }
}

fn non_zero(count: usize) -> Result<NonZeroU32, TryFromIntError> {
    u32::try_from(count)?.try_into()
}

fn base_path(text: &str) -> Result<String, ValidationError> {
    is_base_path(text).map(|()| text.to_owned())
}

fn is_base_path(path: &str) -> Result<(), ValidationError> {
    // Clients resolve dots before they send a path, so one with them would never be asked for.
    let is_segment = |text: &str| {
        !["", ".", ".."].contains(&text)
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    };
    let is_path = |rest: &str| rest.split('/').all(is_segment);
    check(path.is_empty() || path.strip_prefix('/').is_some_and(is_path), "empty or like /api/v1")
}

fn is_within<const LEAST: usize, const MOST: usize>(count: usize) -> Result<(), ValidationError> {
    check((LEAST..=MOST).contains(&count), &format!("{LEAST} to {MOST}"))
}

fn is_key_memory(memory: &Duration) -> Result<(), ValidationError> {
    let most = Duration::from_millis(MAX_KEY_MEMORY);
    let limit = format!("at most {}, so that a revoked key stops in time", text(most));
    check(*memory <= most, &limit)
}

fn check(holds: bool, what: &str) -> Result<(), ValidationError> {
    let refused = || ValidationError::new("setting").with_message(format!("must be {what}").into());
    if holds { Ok(()) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_valid(change: impl FnOnce(&mut Settings)) -> bool {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.validate().is_ok()
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(is_valid(|_| ()));
        assert!(is_valid(|settings| settings.base_path = "/api/v1".to_owned()));
        for path in ["/", "api", "/api/", "//", "/a b", "/{id}", "/api/..", "/."] {
            assert!(!is_valid(|settings| settings.base_path = path.to_owned()), "{path}");
        }
        assert!(!is_valid(|settings| settings.key_memory = Duration::from_millis(5001)));
        assert!(!is_valid(|settings| settings.workers = 0));
        assert!(!is_valid(|settings| settings.workers = 129));
        assert!(!is_valid(|settings| settings.max_connections = 0));
        assert!(!is_valid(|settings| settings.max_connections = 65_537));
    }
}
