//! The baseline of logging: the same server on the same database, which decides each request by
//! the rules and answers it, but stores nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use timelog_adapters::{DatabaseOptions, QueueOptions, Store};
use timelog_api::{Ports, Server, Settings, SystemClock};
use timelog_domain::ports::{Clock, Directory, PortFuture, TimeEntryRepository};
use timelog_domain::{
    Decision, Ledger, OrganizationId, Project, Request, TimeEntry, TimeEntryId, User, handle,
};

/// What to serve.
#[derive(Debug, clap::Args)]
pub(crate) struct Deciding {
    /// A database that `timelog bootstrap` has filled. It is read for keys alone.
    #[arg(long)]
    database_url: String,
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    organization: String,
    #[arg(long)]
    project: String,
    #[arg(long)]
    user: String,
}

/// Decides on a small directory that never changes.
struct Decider {
    project: Project,
    user: User,
}

impl Deciding {
    /// Serves until the process is ended.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        // As `timelog serve` does, so that both write a log line for each request.
        timelog_api::telemetry::log(
            "info,actix_server=warn,actix_http=off",
            timelog_api::telemetry::LogFormat::Json,
        )?;
        let url = self.database_url.parse()?;
        let clock = Arc::new(SystemClock);
        let (database, queue) = (DatabaseOptions::default(), QueueOptions::default());
        let store = Arc::new(Store::open(&url, &database, &queue, clock.clone()).await?);
        let organization = self.organization.parse()?;
        let project = store.project(organization, self.project.parse()?).await?;
        let user = store.user(organization, self.user.parse()?).await?;
        let decider = Decider {
            project: project.context("the project is not there")?,
            user: user.context("the user is not there")?,
        };
        let ports = Ports { time_entries: Arc::new(decider), ..Ports::on(&store, clock) };
        let settings = Settings { listen: self.listen, ..Settings::default() };
        Server::start(&settings, ports)?.ended().await
    }
}

impl TimeEntryRepository for Decider {
    fn execute(&self, request: Request) -> PortFuture<'_, Decision> {
        let mut ledger = Ledger::default();
        ledger.load_project(self.project.clone());
        ledger.load_user(self.user.clone());
        let decision = handle(&request, &mut ledger, SystemClock.now());
        Box::pin(std::future::ready(Ok(decision)))
    }

    fn find(&self, _: OrganizationId, _: TimeEntryId) -> PortFuture<'_, Option<TimeEntry>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}
