//! What every handler uses: the ports, and the limits on requests.

use std::sync::Arc;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpRequest};
use timelog_adapters::Store;
use timelog_domain::ports::{
    ApiKeys, ChangeFeed, Clock, Closings, Deliveries, Directory, Health, IdempotencyCache,
    PortError, TimeEntryQueries, TimeEntryRepository, Webhooks,
};
use timelog_domain::{ApiKey, Decision, MismatchPolicy, Request};

use crate::http::anonymous::Anonymous;
use crate::http::code::Code;
use crate::http::credentials::KeyRing;
use crate::http::in_flight::{Asking, InFlight};
use crate::http::problem::Problem;
use crate::http::rate_limit::RateLimit;
use crate::http::waiting::Waiting;
use crate::settings::Settings;
use crate::webhooks::{Names, Receivers, SystemNames};

/// The adapters behind the domain's ports.
#[derive(Clone)]
pub struct Ports {
    /// Changes of time entries, and reading one.
    pub time_entries: Arc<dyn TimeEntryRepository>,
    /// Lists, totals and history.
    pub queries: Arc<dyn TimeEntryQueries>,
    /// Every change, in order.
    pub feed: Arc<dyn ChangeFeed>,
    /// Up to which day the books are closed.
    pub closings: Arc<dyn Closings>,
    /// Webhooks, and what they refused.
    pub webhooks: Arc<dyn Webhooks>,
    /// Who delivers to which webhook, and how far that is.
    pub deliveries: Arc<dyn Deliveries>,
    /// The addresses of hosts, which webhooks lead to.
    pub names: Arc<dyn Names>,
    /// Projects, users, tickets and releases.
    pub directory: Arc<dyn Directory>,
    /// The stored answers.
    pub answers: Arc<dyn IdempotencyCache>,
    /// The API keys.
    pub keys: Arc<dyn ApiKeys>,
    /// Whether the store works.
    pub health: Arc<dyn Health>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Ports {
    /// One store for every port.
    #[must_use]
    pub fn on(store: &Arc<Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            time_entries: store.clone(),
            queries: store.clone(),
            feed: store.clone(),
            closings: store.clone(),
            webhooks: store.clone(),
            deliveries: store.clone(),
            names: Arc::new(SystemNames),
            directory: store.clone(),
            answers: store.clone(),
            keys: store.clone(),
            health: store.clone(),
            clock,
        }
    }
}

/// Shared by the handlers of a server.
pub(crate) struct AppState {
    pub(crate) ports: Ports,
    pub(crate) base_path: Arc<str>,
    pub(crate) on_mismatch: MismatchPolicy,
    pub(crate) openapi: Bytes,
    keys: KeyRing,
    rate_limit: RateLimit,
    /// Requests also get it alone, so that `in_flight.rs` does not need this file.
    pub(crate) in_flight: Data<InFlight>,
    anonymous: Anonymous,
    /// Those that wait for changes.
    pub(crate) waiting: Waiting,
    /// Those that events are sent to.
    pub(crate) receivers: Arc<Receivers>,
}

impl AppState {
    /// That of the server that a request came to.
    pub(crate) fn of(request: &HttpRequest) -> Result<Data<Self>, Problem> {
        let missing = || Problem::new(Code::Internal, "The server is not set up.");
        request.app_data::<Data<Self>>().cloned().ok_or_else(missing)
    }

    pub(crate) fn new(ports: Ports, settings: &Settings, openapi: Bytes) -> Self {
        Self {
            base_path: settings.base_path.as_str().into(),
            on_mismatch: settings.on_mismatch,
            openapi,
            keys: KeyRing::new(ports.keys.clone(), ports.clock.clone(), settings.key_memory),
            rate_limit: RateLimit::new(settings.rate_limit),
            in_flight: Data::new(InFlight::new(u64::from(settings.in_flight_mib.get()) << 20)),
            anonymous: Anonymous::new(settings.anonymous_rate, &settings.trusted_proxies),
            waiting: Waiting::new(settings.max_connections),
            receivers: Arc::new(Receivers::new(ports.names.clone(), settings)),
            ports,
        }
    }

    /// Counts a request against the limit of its address, before anything else is done for it,
    /// unless its key was found valid lately. So guessing keys costs the database no more than the
    /// limit allows.
    pub(crate) async fn admit(&self, request: &HttpRequest) -> Result<(), Problem> {
        if !self.anonymous.is_limited() || self.keys.knows(request.headers()).await {
            return Ok(());
        }
        self.anonymous.count(request)
    }

    /// The key of the request, if it is valid and within its rate limit.
    pub(crate) async fn authenticate(&self, request: &HttpRequest) -> Result<Arc<ApiKey>, Problem> {
        let key = self.recognize(request).await?;
        request.extensions_mut().insert(Asking(key.organization_id));
        self.rate_limit.count(key.id)?;
        Ok(key)
    }

    /// The key of a request that was counted already, if it is still valid.
    pub(crate) async fn recognize(&self, request: &HttpRequest) -> Result<Arc<ApiKey>, Problem> {
        self.keys.authenticate(request).await
    }

    /// Frees the memory of rate limits that are not in use. To be called every few seconds.
    pub(crate) fn forget_idle(&self) {
        self.rate_limit.forget_idle();
        self.anonymous.forget_idle();
    }

    /// Executes a request. Where the store cannot write now, a repeat may still get its stored
    /// answer.
    pub(crate) async fn execute(&self, request: Request) -> Result<Decision, PortError> {
        let claim = request.claim.clone();
        let executed = self.ports.time_entries.execute(request).await;
        let (Err(PortError::Busy | PortError::Unavailable(_)), Some(claim)) = (&executed, claim)
        else {
            return executed;
        };
        match self.ports.answers.find(&claim.scope, self.ports.clock.now()).await {
            Ok(Some(record)) => Ok(timelog_domain::replay(&claim, &record)),
            _ => executed,
        }
    }
}
