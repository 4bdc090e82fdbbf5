//! A service that runs in this process, on a database of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use timelog_adapters::{DatabaseOptions, DatabaseUrl, QueueOptions, Store};
use timelog_api::{Ports, Server, Settings};
use timelog_domain::memory::ManualClock;
use timelog_domain::ports::{Clock, IssuedKey, NewApiKey, PortError, TimeEntryRepository};
use timelog_domain::{
    Action, ApplyAction, Caller, Command, Given, ProjectId, Request, Status, TimeEntryId,
    Timestamp, Transition,
};

use super::answer::Answer;
use super::api::{Api, Call};
use super::database::{Database, TestDatabase};
use super::postgres::Cluster;
use super::tenant::Tenant;

/// 2026-03-01T09:00:00.000Z, when every test begins.
const BEGINNING: i64 = 1_772_355_600_000;

/// A running service with an organization in its database.
pub(crate) struct Service {
    /// Calls it with the key of its organization.
    pub(crate) api: Api,
    pub(crate) tenant: Tenant,
    /// Stands still unless a test moves it.
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<Store>,
    pub(crate) address: SocketAddr,
    /// Where metrics, health and documentation are, if that is elsewhere.
    pub(crate) admin_address: Option<SocketAddr>,
    server: Option<Server>,
    // The last field, so that the database outlives all that uses it.
    pub(crate) database: TestDatabase,
}

/// What a test can change before the start.
pub(crate) struct Setup {
    pub(crate) settings: Settings,
    pub(crate) database: DatabaseOptions,
    pub(crate) queue: QueueOptions,
    /// The clock of commits, if not `clock`.
    pub(crate) time: Option<Arc<dyn Clock>>,
    pub(crate) clock: ManualClock,
    /// Lets the test replace ports.
    pub(crate) ports: Box<dyn FnOnce(&mut Ports) + Send>,
}

impl Service {
    pub(crate) async fn start(database: Database) -> Self {
        Self::start_with(database, |_| ()).await
    }

    pub(crate) async fn start_with(database: Database, change: impl FnOnce(&mut Setup)) -> Self {
        Self::start_for(None, database.create(), change).await
    }

    /// Starts on a new database of a PostgreSQL server that is the test's own.
    pub(crate) async fn start_on(cluster: &Arc<Cluster>) -> Self {
        let database = TestDatabase::Postgres(cluster.clone(), cluster.url_of_new_database());
        Self::start_for(None, database, |_| ()).await
    }

    /// Another instance on the same database, for the same organization.
    pub(crate) async fn beside(&self, change: impl FnOnce(&mut Setup)) -> Self {
        Self::start_for(Some(self.tenant.clone()), self.database.clone(), change).await
    }

    /// Starts for an existing organization, or makes one.
    pub(crate) async fn start_for(
        tenant: Option<Tenant>,
        database: TestDatabase,
        change: impl FnOnce(&mut Setup),
    ) -> Self {
        let beginning = Timestamp::from_unix_millis(BEGINNING).expect("it is in range");
        let mut setup = Setup {
            settings: Settings {
                listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                workers: 2,
                // Changes of a key must show at once.
                key_memory: Duration::ZERO,
                shutdown_timeout: Duration::ZERO,
                ..Settings::default()
            },
            // A test must not fail because the machine is busy.
            database: DatabaseOptions {
                lock_timeout: Duration::from_mins(1),
                ..DatabaseOptions::default()
            },
            queue: QueueOptions { max_wait: Duration::from_mins(1), ..QueueOptions::default() },
            time: None,
            clock: ManualClock::at(beginning),
            ports: Box::new(|_| ()),
        };
        change(&mut setup);
        let Setup { settings, database: options, queue, time, clock, ports: change_ports } = setup;
        let time = time.unwrap_or_else(|| Arc::new(clock.clone()));
        let url = database.url().parse().expect("it is the URL of a database");
        let store = open(&url, &options, &queue, &time).await;
        let tenant = match tenant {
            Some(tenant) => tenant,
            None => Tenant::provision(&store).await,
        };
        let mut ports = Ports::on(&store, Arc::new(clock.clone()));
        change_ports(&mut ports);
        let server = Server::start(&settings, ports).expect("the server starts");
        let (address, admin_address) = (server.address(), server.admin_address());
        let api = Api::new(address, &settings.base_path).with_key(&tenant.key.text);
        Self { api, tenant, clock, store, address, admin_address, server: Some(server), database }
    }

    /// Logs time on the project of the service's organization.
    pub(crate) fn log(&self, body: &Value) -> Call {
        self.api.post(&self.tenant.path()).json(body)
    }

    /// Logs time with a minimal body.
    pub(crate) fn log_any(&self) -> Call {
        self.log(&self.tenant.body())
    }

    /// Makes another key of the service's organization.
    pub(crate) async fn key(&self, limit: impl FnOnce(&mut NewApiKey)) -> IssuedKey {
        self.tenant.key(&self.store, limit).await
    }

    /// Calls the service with another key of its organization.
    pub(crate) async fn with_key(&self, limit: impl FnOnce(&mut NewApiKey)) -> Api {
        self.api.with_key(&self.key(limit).await.text)
    }

    pub(crate) async fn archive(&self, project: ProjectId, archived: bool) {
        self.tenant.put_project(&self.store, project, archived).await;
    }

    /// Logs an entry and brings it to a status. Returns its id.
    pub(crate) async fn entry_in(&self, status: Status) -> String {
        let id = self.log_any().send().await.is(201).text("id");
        let way: &[Action] = match status {
            Status::Draft => &[],
            Status::Submitted => &[Action::Submit],
            Status::Approved => &[Action::Submit, Action::Approve],
            Status::Rejected => &[Action::Submit, Action::Reject],
            Status::Locked => &[Action::Submit, Action::Approve, Action::Lock],
            Status::Invoiced => &[Action::Submit, Action::Approve, Action::Invoice],
        };
        self.apply(&id, way).await;
        id
    }

    /// An entry as it is now.
    pub(crate) async fn read(&self, id: &str) -> Answer {
        self.api.get(&format!("/time-entries/{id}")).send().await.is(200)
    }

    /// The history of an entry, oldest first.
    pub(crate) async fn history(&self, id: &str) -> Vec<Value> {
        let history =
            self.api.get(&format!("/time-entries/{id}/history")).send().await.is(200).json();
        history["data"].as_array().expect("a history is a list").clone()
    }

    /// Moves an entry of the service's organization through its life.
    pub(crate) async fn apply(&self, id: &str, actions: &[Action]) {
        let id: TimeEntryId = id.parse().expect("it is the id of an entry");
        for &action in actions {
            let said = Given::Is("because".to_owned());
            let transition = Transition::new(action, said.clone(), said).expect("it is said");
            let if_match = timelog_domain::IfMatch::Any;
            let command = Command::Apply(ApplyAction { id, transition, if_match });
            let request =
                Request { caller: Caller::from(&self.tenant.key.key), command, claim: None };
            let decision = self.store.execute(request).await.expect("the store works");
            decision.unwrap_or_else(|refusal| panic!("{action}: {refusal}"));
        }
    }
}

/// Opens and migrates a database. A test that gives it little time must not fail because the
/// machine is busy.
async fn open(
    url: &DatabaseUrl,
    options: &DatabaseOptions,
    queue: &QueueOptions,
    time: &Arc<dyn Clock>,
) -> Arc<Store> {
    for _ in 0..100 {
        match try_open(url, options, queue, time).await {
            Err(PortError::Unavailable(_)) => {}
            opened => return Arc::new(opened.expect("the database opens")),
        }
    }
    panic!("the database cannot be reached");
}

async fn try_open(
    url: &DatabaseUrl,
    options: &DatabaseOptions,
    queue: &QueueOptions,
    time: &Arc<dyn Clock>,
) -> Result<Store, PortError> {
    let store = Store::open(url, options, queue, time.clone()).await?;
    store.migrate().await?;
    Ok(store)
}

impl Drop for Service {
    /// Servers that keep running would use up the open files of the process.
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(server.stop())
            })
            .expect("the server stops");
        }
    }
}
