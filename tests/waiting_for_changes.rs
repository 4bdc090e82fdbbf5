//! `GET /changes?wait=…`: readers who wait for the next change.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use timelog_domain::ports::{ApiKeys, ChangeFeed, Clock, Notice, PortFuture};
use timelog_domain::{FeedPage, FeedRequest, OrganizationId, Permission};

use crate::support::feed::{changes, cursor, project_path, read, seqs};
use crate::support::{Api, Database, Service, Setup, may, on_every_database, until};

on_every_database! {
    a_reader_who_waits_is_answered_as_soon_as_there_is_a_change,
    a_reader_who_waits_hears_of_another_instance,
    a_reader_of_a_project_waits_for_its_own_changes,
    a_wait_ends_by_itself,
    a_reader_whose_key_is_revoked_meanwhile_gets_nothing,
    those_who_wait_do_not_take_all_connections,
    those_who_wait_are_answered_when_the_service_stops,
    a_head_does_not_wait,
}

/// A feed that counts how often somebody began to wait.
struct Waits {
    feed: Arc<dyn ChangeFeed>,
    waits: Arc<AtomicUsize>,
}

impl ChangeFeed for Waits {
    fn changes(
        &self,
        organization: OrganizationId,
        request: FeedRequest,
    ) -> PortFuture<'_, FeedPage> {
        self.feed.changes(organization, request)
    }

    fn notice(&self, organization: OrganizationId) -> Notice {
        let (mut notice, waits) = (self.feed.notice(organization), self.waits.clone());
        let mut begun = false;
        Box::pin(poll_fn(move |context| {
            let polled = notice.as_mut().poll(context);
            if !std::mem::replace(&mut begun, true) {
                waits.fetch_add(1, Ordering::SeqCst);
            }
            polled
        }))
    }
}

/// A counter of those who wait, and what puts it into a service.
fn counting() -> (Arc<AtomicUsize>, impl FnOnce(&mut Setup)) {
    let waits = Arc::<AtomicUsize>::default();
    let counter = waits.clone();
    let change = move |setup: &mut Setup| {
        setup.ports = Box::new(move |ports| {
            ports.feed = Arc::new(Waits { feed: ports.feed.clone(), waits: counter });
        });
    };
    (waits, change)
}

/// Reads what comes after everything that there is, in a task of its own, once it waits.
async fn waiting(api: &Api, path: &str, waits: &AtomicUsize) -> tokio::task::JoinHandle<Value> {
    let before = waits.load(Ordering::SeqCst);
    let after = cursor(&read(api, path).await).to_owned();
    let (reader, path) = (api.clone(), format!("{path}?wait=30s&after={after}"));
    let reading = tokio::spawn(async move { read(&reader, &path).await });
    until("the reader waits", async || waits.load(Ordering::SeqCst) > before).await;
    reading
}

async fn a_reader_who_waits_is_answered_as_soon_as_there_is_a_change(database: Database) {
    let (waits, change) = counting();
    let service = Service::start_with(database, change).await;
    let began = Instant::now();
    let reading = waiting(&service.api, "/changes", &waits).await;
    let id = service.log_any().send().await.is(201).text("id");
    let page = reading.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(29), "it waited to the end");
    assert_eq!(changes(&page)[0]["timeEntryId"], id.as_str());
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![1], &json!(false)));
    // Nobody waits where there is a change.
    let began = Instant::now();
    assert_eq!(seqs(&read(&service.api, "/changes?wait=30s").await), [1]);
    assert!(began.elapsed() < Duration::from_secs(29), "it waited to the end");
}

async fn a_reader_who_waits_hears_of_another_instance(database: Database) {
    let service = Service::start(database).await;
    let (waits, change) = counting();
    let other = service.beside(change).await;
    for seq in 1..4 {
        let began = Instant::now();
        let reading = waiting(&other.api, "/changes", &waits).await;
        service.log_any().send().await.is(201);
        assert_eq!(seqs(&reading.await.unwrap()), [seq]);
        assert!(began.elapsed() < Duration::from_secs(29), "it waited to the end");
    }
}

async fn a_reader_of_a_project_waits_for_its_own_changes(database: Database) {
    let (waits, change) = counting();
    let service = Service::start_with(database, change).await;
    let tenant = &service.tenant;
    let reading = waiting(&service.api, &project_path(tenant), &waits).await;
    for _ in 0..3 {
        service.api.post(&tenant.other_path()).json(&tenant.body()).send().await.is(201);
    }
    assert!(!reading.is_finished());
    service.log_any().send().await.is(201);
    assert_eq!(seqs(&reading.await.unwrap()), [4]);
}

async fn a_wait_ends_by_itself(database: Database) {
    let service = Service::start(database).await;
    let page = read(&service.api, "/changes?wait=50ms").await;
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![], &json!(false)));
    // The cursor leads past what others did meanwhile.
    let tenant = &service.tenant;
    service.api.post(&tenant.other_path()).json(&tenant.body()).send().await.is(201);
    let page = read(&service.api, &format!("{}?wait=50ms", project_path(tenant))).await;
    let after = format!("{}?after={}", project_path(tenant), cursor(&page));
    service.log_any().send().await.is(201);
    assert_eq!(seqs(&read(&service.api, &after).await), [2]);
}

async fn a_reader_whose_key_is_revoked_meanwhile_gets_nothing(database: Database) {
    let (waits, change) = counting();
    let service = Service::start_with(database, change).await;
    let key = service.key(may(&[Permission::Read])).await;
    let reader = service.api.with_key(&key.text);
    let reading = tokio::spawn(async move { reader.get("/changes?wait=30s").send().await });
    until("the reader waits", async || waits.load(Ordering::SeqCst) > 0).await;
    assert!(service.store.revoke(key.key.id, service.clock.now()).await.unwrap());
    service.log_any().send().await.is(201);
    reading.await.unwrap().fails_with(401, "key_revoked");
}

async fn those_who_wait_do_not_take_all_connections(database: Database) {
    let (waits, change) = counting();
    let service = Service::start_with(database, |setup| {
        change(setup);
        setup.settings.max_connections = 8;
    })
    .await;
    let mut readings = Vec::new();
    // Half of the connections may wait, and an organization has half of these.
    for _ in 0..2 {
        readings.push(waiting(&service.api, "/changes", &waits).await);
    }
    let refused = service.api.get("/changes?wait=30s").send().await;
    let refused = refused.fails_with(503, "unavailable");
    assert_eq!(refused.header("retry-after"), Some("1"));
    service.api.get("/changes").send().await.is(200);
    service.log_any().send().await.is(201);
    for reading in readings {
        assert_eq!(seqs(&reading.await.unwrap()), [1]);
    }
    let page = read(&service.api, "/changes").await;
    let path = format!("/changes?wait=50ms&after={}", cursor(&page));
    assert_eq!(seqs(&read(&service.api, &path).await), [0; 0]);
}

async fn those_who_wait_are_answered_when_the_service_stops(database: Database) {
    let (waits, change) = counting();
    let service = Service::start_with(database, |setup| {
        change(setup);
        setup.settings.shutdown_timeout = Duration::from_mins(1);
    })
    .await;
    let reading = waiting(&service.api, "/changes", &waits).await;
    let began = Instant::now();
    drop(service);
    let page = reading.await.unwrap();
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![], &json!(false)));
    assert!(began.elapsed() < Duration::from_secs(29), "it waited to the end");
}

async fn a_head_does_not_wait(database: Database) {
    let service = Service::start(database).await;
    let began = Instant::now();
    service.api.call(Method::HEAD, "/changes?wait=30s").send().await.is(200);
    assert!(began.elapsed() < Duration::from_secs(29), "it waited to the end");
}
