//! The store: one database, and the queue in front of it.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use timelog_domain::OrganizationId;
use timelog_domain::ports::{Clock, Health, PortError, PortFuture, Readiness};
use tokio::task::JoinHandle;

use crate::commit_queue::CommitQueue;
use crate::database::{Database, detached, on_database};
use crate::error::DbError;
use crate::fair_semaphore::{FairSemaphore, Permit};
use crate::gathering::Gathering;
use crate::notices::Notices;
use crate::options::{DatabaseOptions, QueueOptions};
use crate::schema::organizations;
use crate::types::IdValue;
use crate::url::DatabaseUrl;

/// Implements every port of the domain on one database.
pub struct Store {
    pub(crate) database: Database,
    pub(crate) queue: CommitQueue,
    pub(crate) gathering: Gathering,
    pub(crate) notices: Notices,
    /// Looks for what other programs change.
    looking: JoinHandle<()>,
    /// Permits to put something into the directory. They are few, because the commit queue shares
    /// the connections and may have to wait for them, and fair, so that no organization waits for
    /// all that another one puts.
    puts: FairSemaphore<OrganizationId>,
    /// How long a put waits for its permit.
    wait: Duration,
}

impl Store {
    /// Opens a database, creating it if [that is wanted](DatabaseOptions::create) and its kind
    /// allows it, and starts the commit queue on the current tokio runtime. It does not
    /// [`migrate`](Self::migrate).
    ///
    /// # Errors
    ///
    /// [`PortError::Unavailable`] where the database is away and may come back,
    /// [`PortError::Internal`] where it cannot be used until somebody mends something, such as a
    /// password.
    pub async fn open(
        url: &DatabaseUrl,
        database: &DatabaseOptions,
        queue: &QueueOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let lanes = match url {
            DatabaseUrl::Sqlite(_) => 1,
            DatabaseUrl::Postgres(_) => database.lanes,
        };
        let (create, wait) = (database.create, database.lock_timeout);
        let database = Database::open(url, database).await.map_err(DbError::at_opening)?;
        if !create && !database.was_migrated().await? {
            database.close().await;
            let nothing = "there is no database of this program; look at --database-url, or make \
                one with \"timelog migrate\"";
            return Err(PortError::Internal(nothing.to_owned()));
        }
        let batch_size = queue.batch_size.unwrap_or(database.batch_size());
        for warning in database.warnings().await? {
            tracing::warn!(warning, "the database may lose what was answered");
        }
        let notices = Notices::default();
        let queue = CommitQueue::start(&database, &clock, &notices, lanes, batch_size, queue);
        let looking = tokio::spawn(notices.clone().look(database.clone()));
        let puts = FairSemaphore::new(database.other_writers());
        Ok(Self { database, queue, gathering: Gathering::default(), notices, looking, puts, wait })
    }

    /// Waits until the organization may put something into the directory.
    pub(crate) async fn permit_to_put(
        &self,
        organization: OrganizationId,
    ) -> Result<Permit<OrganizationId>, PortError> {
        tokio::time::timeout(self.wait, self.puts.acquire(organization))
            .await
            .map_err(|_| PortError::Busy)
    }

    /// Brings the schema up to date and returns the versions of the migrations that were applied.
    /// Programs that start at the same time wait for each other.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the database is away or refuses a migration.
    pub async fn migrate(&self) -> Result<Vec<String>, PortError> {
        Ok(self.database.migrate().await?)
    }

    /// Whether the database has no organization yet.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the database does not answer.
    pub async fn is_empty(&self) -> Result<bool, PortError> {
        Ok(self.two_organizations().await?.is_empty())
    }

    /// The one organization that the database has; none where it has several, or no organization at
    /// all.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the database does not answer.
    pub async fn only_organization(&self) -> Result<Option<OrganizationId>, PortError> {
        match self.two_organizations().await?[..] {
            [only] => Ok(Some(only.into())),
            _ => Ok(None),
        }
    }

    /// Whether the database has this organization.
    ///
    /// # Errors
    ///
    /// [`PortError`] where the database does not answer.
    pub async fn has_organization(&self, id: OrganizationId) -> Result<bool, PortError> {
        let query = organizations::table.find(IdValue::from(id)).count();
        let found: i64 =
            on_database!(self.database, look_up, |conn| query.get_result(conn).await).await?;
        Ok(found > 0)
    }

    /// Two organizations of the database, or as many as it has.
    async fn two_organizations(&self) -> Result<Vec<IdValue>, PortError> {
        let query = organizations::table.select(organizations::id).limit(2);
        on_database!(self.database, look_up, |conn| query.load(conn).await).await
    }

    /// Takes no more changes, carries out those that wait, and returns when all are answered.
    pub async fn drain(&self) {
        self.queue.drain().await;
    }

    /// [Drains](Self::drain) and closes the database, and returns when that is done. An SQLite
    /// database that no other process uses is one file then.
    pub async fn close(&self) {
        self.drain().await;
        self.looking.abort();
        self.database.close().await;
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

impl Health for Store {
    fn check(&self) -> PortFuture<'_, Readiness> {
        Box::pin(async move {
            self.queue.check()?;
            let database = self.database.clone();
            detached(async move {
                let current = !database.has_pending_migrations().await?;
                Ok(Readiness { current, warnings: database.warnings().await? })
            })
            .await
        })
    }
}
