//! What every handler works with.

use std::sync::Arc;

use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpRequest};
use timelog_adapters::Store;
use timelog_domain::ports::{
    ApiKeys, Clock, Directory, Health, IdempotencyCache, PortError, TimeEntryQueries,
    TimeEntryRepository,
};
use timelog_domain::{ApiKey, Decision, MismatchPolicy, Request};

use crate::http::anonymous::Anonymous;
use crate::http::credentials::KeyRing;
use crate::http::in_flight::{Asking, InFlight};
use crate::http::problem::Problem;
use crate::http::rate_limit::RateLimit;
use crate::settings::Settings;

/// The outside world, behind the domain's ports.
#[derive(Clone)]
pub struct Ports {
    /// Where time entries are kept.
    pub time_entries: Arc<dyn TimeEntryRepository>,
    /// Reading many of them.
    pub queries: Arc<dyn TimeEntryQueries>,
    /// What they may refer to.
    pub directory: Arc<dyn Directory>,
    /// The answers kept for repeats.
    pub answers: Arc<dyn IdempotencyCache>,
    /// The keys that callers authenticate with.
    pub keys: Arc<dyn ApiKeys>,
    /// Whether the store can be worked with.
    pub health: Arc<dyn Health>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Ports {
    /// Every port on one store.
    #[must_use]
    pub fn on(store: &Arc<Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            time_entries: store.clone(),
            queries: store.clone(),
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
    /// Requests get it by itself too, so that what holds memory need not know this state.
    pub(crate) in_flight: Data<InFlight>,
    anonymous: Anonymous,
}

impl AppState {
    pub(crate) fn new(ports: Ports, settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {
            base_path: settings.base_path.as_str().into(),
            on_mismatch: settings.on_mismatch,
            openapi: crate::openapi::document(&settings.base_path)?.into(),
            keys: KeyRing::new(ports.keys.clone(), ports.clock.clone(), settings.key_memory),
            rate_limit: RateLimit::new(settings.rate_limit),
            in_flight: Data::new(InFlight::new(u64::from(settings.in_flight_mib.get()) << 20)),
            anonymous: Anonymous::new(settings.anonymous_rate, &settings.trusted_proxies),
            ports,
        })
    }

    /// Lets a request in before anything is done for it. Without a key that was good lately it is
    /// counted for its address, so that guessing keys costs the database no more than the limit
    /// allows.
    pub(crate) async fn admit(&self, request: &HttpRequest) -> Result<(), Problem> {
        if !self.anonymous.is_limited() || self.keys.knows(request.headers()).await {
            return Ok(());
        }
        self.anonymous.count(request)
    }

    /// The key that the request is made with, if it may ask now.
    pub(crate) async fn authenticate(&self, request: &HttpRequest) -> Result<Arc<ApiKey>, Problem> {
        let key = self.keys.authenticate(request).await?;
        request.extensions_mut().insert(Asking(key.organization_id));
        self.rate_limit.count(key.id)?;
        Ok(key)
    }

    /// Gives back the memory of limits that nobody comes near any more. To be called every few
    /// seconds.
    pub(crate) fn forget_idle(&self) {
        self.rate_limit.forget_idle();
        self.anonymous.forget_idle();
    }

    /// Carries a request out. Where the store cannot write now, a repeat may still be answered from
    /// what it has stored.
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
