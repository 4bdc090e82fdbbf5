//! A database and the service on it, which can be stopped and started.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::support::postgres::Cluster;
use crate::support::{Bootstrapped, Database, Program, TestDatabase, bootstrap};

pub(super) struct Deployment {
    pub(super) database: TestDatabase,
    pub(super) made: Arc<Bootstrapped>,
    /// The settings of the service: the URL of its database, its flags and its variables.
    pub(super) url: String,
    pub(super) flags: Vec<&'static str>,
    pub(super) variables: Vec<(&'static str, String)>,
    program: Option<Program>,
    address: watch::Sender<Option<SocketAddr>>,
}

/// Settings with which a server keeps what it has answered.
pub(super) const SOUND: [(&str, &str); 3] =
    [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on")];

impl Deployment {
    /// A new database with an organization in it. No service runs yet.
    pub(super) fn new(database: Database) -> Self {
        match database {
            Database::Sqlite => Self::on(database.create()),
            Database::Postgres => Self::on_server(Arc::new(Cluster::start(&SOUND))),
        }
    }

    pub(super) fn on_server(cluster: Arc<Cluster>) -> Self {
        let url = cluster.url_of_new_database();
        Self::on(TestDatabase::Postgres(cluster, url))
    }

    fn on(database: TestDatabase) -> Self {
        let (url, made) = (database.url(), Arc::new(bootstrap(&database.url())));
        let (variables, address) = (Vec::new(), watch::Sender::new(None));
        Self { database, made, url, flags: Vec::new(), variables, program: None, address }
    }

    /// Another instance on the same database, with the same settings. It does not run yet.
    pub(super) fn beside(&self) -> Self {
        Self {
            database: self.database.clone(),
            made: self.made.clone(),
            url: self.url.clone(),
            flags: self.flags.clone(),
            variables: self.variables.clone(),
            program: None,
            address: watch::Sender::new(None),
        }
    }

    /// The server, where the database is PostgreSQL.
    pub(super) fn cluster(&self) -> Option<&Arc<Cluster>> {
        match &self.database {
            TestDatabase::Sqlite(_) => None,
            TestDatabase::Postgres(cluster, _) => Some(cluster),
        }
    }

    /// The address of the service, while it runs.
    pub(super) fn address(&self) -> watch::Receiver<Option<SocketAddr>> {
        self.address.subscribe()
    }

    pub(super) fn program(&self) -> &Program {
        self.program.as_ref().expect("the service runs")
    }

    pub(super) fn start(&mut self) {
        // A line for each request would only fill the memory of the tests.
        let flags =
            [&["--no-demo", "--log", "warn,timelog_api::cli=info"], &self.flags[..]].concat();
        let program = Program::begin_bound(&self.url, &flags, &self.variables).serving();
        self.address.send_replace(Some(program.address));
        self.program = Some(program);
    }

    /// Kills the service. Nothing of it is left.
    pub(super) fn kill(&mut self) {
        self.address.send_replace(None);
        if let Some(program) = self.program.take() {
            program.signal("KILL");
            program.end();
        }
    }

    /// Stops the service as an operator does, and says whether it ended well.
    pub(super) fn stop(&mut self) -> bool {
        self.address.send_replace(None);
        self.program.take().is_none_or(|program| program.stop().status.success())
    }
}
