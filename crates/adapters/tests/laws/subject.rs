//! What a law is tried on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use timelog_adapters::{DatabaseOptions, DatabaseUrl, QueueOptions, Store};
use timelog_domain::Timestamp;
use timelog_domain::memory::{ManualClock, MemoryStore};
use timelog_domain::ports::{
    ChangeFeed, Clock, Closings, Deliveries, Directory, Health, IdempotencyCache, PortError,
    TimeEntryQueries, TimeEntryRepository, Webhooks,
};

use crate::server;
use crate::world::populate;

/// A store with a directory in it, behind the ports.
pub(crate) struct Subject {
    pub(crate) clock: TestClock,
    pub(crate) time_entries: Arc<dyn TimeEntryRepository>,
    pub(crate) queries: Arc<dyn TimeEntryQueries>,
    pub(crate) answers: Arc<dyn IdempotencyCache>,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) feed: Arc<dyn ChangeFeed>,
    pub(crate) closings: Arc<dyn Closings>,
    pub(crate) webhooks: Arc<dyn Webhooks>,
    pub(crate) deliveries: Arc<dyn Deliveries>,
    database: Option<Database>,
}

/// The database behind a subject, where it has one.
pub(crate) struct Database {
    pub(crate) url: DatabaseUrl,
    pub(crate) store: Arc<Store>,
    /// Deleted with the subject.
    _folder: Option<TempDir>,
}

impl Subject {
    /// The database. Only for laws of databases.
    pub(crate) fn database(&self) -> &Database {
        self.database.as_ref().expect("this store has no database")
    }

    /// What another program sees that opens the same database.
    pub(crate) async fn opened_again(&self) -> Self {
        self.opened_again_with(QueueOptions::default()).await
    }

    /// Likewise, with a queue of its own.
    pub(crate) async fn opened_again_with(&self, queue: QueueOptions) -> Self {
        let url = self.database().url.clone();
        Self::on(open(&url, queue, self.clock.clone()).await, url, None, self.clock.clone())
    }

    fn on(store: Arc<Store>, url: DatabaseUrl, folder: Option<TempDir>, clock: TestClock) -> Self {
        Self {
            clock,
            time_entries: store.clone(),
            queries: store.clone(),
            answers: store.clone(),
            directory: store.clone(),
            feed: store.clone(),
            closings: store.clone(),
            webhooks: store.clone(),
            deliveries: store.clone(),
            database: Some(Database { url, store, _folder: folder }),
        }
    }
}

/// The adapter in memory.
pub(crate) async fn memory() -> Subject {
    let subject = empty_memory(TestClock::default());
    populate(&*subject.directory).await;
    subject
}

/// The adapter in memory with nothing in it.
pub(crate) fn empty_memory(clock: TestClock) -> Subject {
    let store = Arc::new(MemoryStore::new(clock.clone()));
    Subject {
        clock,
        time_entries: store.clone(),
        queries: store.clone(),
        answers: store.clone(),
        directory: store.clone(),
        feed: store.clone(),
        closings: store.clone(),
        webhooks: store.clone(),
        deliveries: store,
        database: None,
    }
}

/// A new SQLite database in a folder of its own.
pub(crate) async fn sqlite() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("timelog.db").display()).parse().unwrap();
    database(url, Some(folder)).await
}

/// A new PostgreSQL database on a server that the tests share.
pub(crate) async fn postgres() -> Subject {
    let url = tokio::task::spawn_blocking(server::url_of_new_database).await.unwrap();
    database(url.parse().unwrap(), None).await
}

async fn database(url: DatabaseUrl, folder: Option<TempDir>) -> Subject {
    let clock = TestClock::default();
    let store = open(&url, QueueOptions::default(), clock.clone()).await;
    store.migrate().await.unwrap();
    populate(&*store).await;
    Subject::on(store, url, folder, clock)
}

async fn open(url: &DatabaseUrl, queue: QueueOptions, clock: TestClock) -> Arc<Store> {
    // Long enough that nobody gives up while the tests that run beside it keep the machine busy.
    let database =
        DatabaseOptions { lock_timeout: Duration::from_mins(1), ..DatabaseOptions::default() };
    Arc::new(Store::open(url, &database, &queue, Arc::new(clock)).await.unwrap())
}

/// Whether the store has the schema that it needs.
pub(crate) async fn is_current(store: &Store) -> Result<bool, PortError> {
    store.check().await.map(|readiness| readiness.current)
}

/// A clock that stands still until it is moved, and counts how often it is asked. Clones share
/// both.
#[derive(Debug, Clone)]
pub(crate) struct TestClock {
    time: ManualClock,
    asked: Arc<AtomicUsize>,
    panics: Arc<AtomicUsize>,
}

impl Default for TestClock {
    fn default() -> Self {
        let now = Timestamp::from_unix_millis(1_736_928_000_000).unwrap();
        Self { time: ManualClock::at(now), asked: Arc::default(), panics: Arc::default() }
    }
}

impl TestClock {
    /// The time, without counting.
    pub(crate) fn time(&self) -> Timestamp {
        self.time.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.time.advance(by);
    }

    /// Sets the time, forwards or back.
    pub(crate) fn set(&self, now: Timestamp) {
        self.time.set(now);
    }

    /// Panics the next so many times that it is asked. A store asks in the middle of its
    /// transaction.
    pub(crate) fn panic_next(&self, times: usize) {
        self.panics.store(times, Ordering::SeqCst);
    }

    /// How often it was asked, which a store does once for each batch that it decides.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let left = self
            .panics
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            // Resumed rather than raised, which would write to standard error.
            std::panic::resume_unwind(Box::new("the clock has stopped"));
        }
        self.time.now()
    }
}
