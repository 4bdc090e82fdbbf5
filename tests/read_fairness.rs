//! Organizations share the read connections. Reads of one delay no other organization, end in time,
//! and end when their client disconnects.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use timelog_domain::Permission;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::support::{
    Answer, Api, Call, Connection, Database, EndlessQueries, Service, Setup, Tenant, may,
    on_every_database, until,
};

on_every_database![
    endless_totals_of_one_organization_delay_no_other_organization,
    endless_totals_of_an_organization_leave_connections_for_its_lists,
    a_read_ends_when_its_client_disconnects,
    a_read_over_the_statement_timeout_is_answered_503,
    a_read_without_a_connection_in_time_is_answered_503,
    head_reads_no_rows_for_totals_and_exports,
    head_of_a_page_does_not_count,
    head_is_refused_like_its_get,
];

/// Entries that are not billable, which the held reads ask for.
const HELD: &str = "billable=false";

/// Longer than anything here takes, also on a busy machine.
const LONG: Duration = Duration::from_hours(1);

/// The metrics are those of the whole process, so tests that use them run one after the other.
static METRICS: Mutex<()> = Mutex::const_new(());

/// A service without a limit on reads, and an entry that the held reads look for.
async fn start(database: Database, change: impl FnOnce(&mut Setup)) -> Service {
    let service = Service::start_with(database, |setup| {
        setup.database.statement_timeout = LONG;
        change(setup);
    });
    let service = service.await;
    service.log(&service.tenant.body_with(&json!({ "billable": false }))).send().await.is(201);
    service
}

/// Requests that wait until this is dropped. Then their connections are reset.
struct Asked(Vec<Connection>);

impl Asked {
    async fn begin(service: &Service, paths: impl IntoIterator<Item = String>) -> Self {
        let mut connections = Vec::new();
        let key = &service.tenant.key.text;
        for path in paths {
            let mut connection = Connection::open(service.address).await;
            connection
                .send(format!(
                    "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
                ))
                .await;
            connections.push(connection);
        }
        Self(connections)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Connection::reset);
    }
}

async fn is_being_read(service: &Service, wanted: bool) {
    let database = service.database.clone();
    until(if wanted { "a read" } else { "its end" }, async || {
        let database = database.clone();
        tokio::task::spawn_blocking(move || database.is_being_read()).await.unwrap() == wanted
    })
    .await;
}

/// How many reads wait.
async fn waiting(service: &Service) -> u64 {
    service.api.metric("timelog_reads_waiting").await.unwrap_or(0)
}

/// How many reads were given up for that reason.
async fn given_up(service: &Service, why: &str) -> u64 {
    let name = format!("timelog_reads_given_up_total{{why=\"{why}\"}}");
    service.api.metric(&name).await.unwrap_or(0)
}

/// Every kind of read, of entries and of the directory, each with its own key, and the readiness.
async fn everything(service: &Service, tenant: &Tenant, entry: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    for path in tenant.reads(entry) {
        let key = tenant.key(&service.store, |_| ()).await;
        calls.push(service.api.with_key(&key.text).get(&path));
    }
    calls
}

async fn endless_totals_of_one_organization_delay_no_other_organization(database: Database) {
    let _alone = METRICS.lock().await;
    let service = start(database, |_| ()).await;
    let other = Tenant::provision(&service.store).await;
    let api = other.api(&service.api);
    let log = api.post(&other.path()).json(&other.body());
    let entry = log.clone().send().await.is(201).text("id");

    service.database.hold_reads(service.tenant.organization_id);
    let paths = [
        format!("/time-entries/summary?{HELD}"),
        format!("/time-entries?limit=1&includeTotal=true&{HELD}"),
    ];
    let flood =
        Asked::begin(&service, (0..64).map(|number| paths[number % paths.len()].clone())).await;
    is_being_read(&service, true).await;
    until("a queue", async || waiting(&service).await >= 60).await;
    if let Database::Sqlite = database {
        service.database.free_reads();
    }

    for _ in 0..3 {
        for call in everything(&service, &other, &entry).await {
            call.send().await.is(200);
        }
        log.clone().send().await.is(201);
        let edit = api.patch(&format!("/time-entries/{entry}")).json(&json!({ "minutes": 30 }));
        edit.send().await.is(200);
    }
    assert!(waiting(&service).await >= 60, "nobody was held");
    drop(flood);
    is_being_read(&service, false).await;
}

async fn endless_totals_of_an_organization_leave_connections_for_its_lists(database: Database) {
    let _alone = METRICS.lock().await;
    let service = start(database, |_| ()).await;
    service.database.hold_reads(service.tenant.organization_id);
    let flood =
        Asked::begin(&service, (0..16).map(|_| format!("/time-entries/summary?{HELD}"))).await;
    is_being_read(&service, true).await;
    for path in ["/projects", "/users", "/me", &format!("/projects/{}", service.tenant.project_id)]
    {
        service.api.get(path).send().await.is(200);
    }
    if let Database::Sqlite = database {
        service.database.free_reads();
        service.api.get("/time-entries").send().await.is(200);
    }
    drop(flood);
    is_being_read(&service, false).await;
}

/// A request that waits for a connection, after another one. It is answered as long as the held
/// reads have no connection: what is being read may still be their key, or their project.
async fn second_in_queue(service: &Service, api: Api) -> JoinHandle<Answer> {
    for _ in 0..6000 {
        let next = tokio::spawn(api.get("/projects").send());
        until("a queue", async || waiting(service).await >= 2 || next.is_finished()).await;
        if !next.is_finished() {
            return next;
        }
        next.await.unwrap().is(200);
    }
    panic!("nobody holds the connection");
}

async fn a_read_ends_when_its_client_disconnects(database: Database) {
    let _alone = METRICS.lock().await;
    let service = start(database, |setup| setup.database.read_connections = 1).await;
    let other = Tenant::provision(&service.store).await;
    let project = service.tenant.path();
    let list = format!("/time-entries?{HELD}");
    for path in
        [format!("/time-entries/summary?{HELD}"), format!("{project}.csv?{HELD}"), list.clone()]
    {
        service.database.hold_reads(service.tenant.organization_id);
        let gone = Asked::begin(&service, [path]).await;
        is_being_read(&service, true).await;
        // The only connection is in use, so these wait, and the first of them only until its client
        // has gone.
        let also_gone = Asked::begin(&service, [list.clone()]).await;
        let next = second_in_queue(&service, other.api(&service.api)).await;
        drop((gone, also_gone));
        next.await.unwrap().is(200);
        is_being_read(&service, false).await;
        service.database.free_reads();
        service.api.get(&list).send().await.is(200);
    }
}

/// Reads that are held, of each kind.
fn held(service: &Service) -> Vec<Call> {
    let mut calls = Vec::new();
    for path in ["/time-entries".to_owned(), service.tenant.path()] {
        for end in ["", "/summary", ".csv"] {
            calls.push(service.api.get(&format!("{path}{end}?{HELD}")));
        }
        calls.push(service.api.get(&format!("{path}?includeTotal=true&{HELD}")));
    }
    calls
}

async fn a_read_over_the_statement_timeout_is_answered_503(database: Database) {
    let _alone = METRICS.lock().await;
    let service =
        start(database, |setup| setup.database.statement_timeout = Duration::from_millis(200))
            .await;
    service.database.hold_reads(service.tenant.organization_id);
    let before = given_up(&service, "too_long").await;
    for call in held(&service) {
        let refused = call.send().await.fails_with(503, "unavailable");
        assert!(refused.header("retry-after").is_some(), "{}", refused.describe());
    }
    assert!(given_up(&service, "too_long").await >= before + 8);
    service.database.free_reads();
    for call in held(&service) {
        call.send().await.is(200);
    }
}

async fn a_read_without_a_connection_in_time_is_answered_503(database: Database) {
    let _alone = METRICS.lock().await;
    let service = start(database, |setup| {
        setup.database.read_connections = 1;
        setup.database.lock_timeout = Duration::from_millis(200);
    });
    let service = service.await;
    service.database.hold_reads(service.tenant.organization_id);
    let flood = Asked::begin(&service, [format!("/time-entries/summary?{HELD}")]).await;
    is_being_read(&service, true).await;
    // That may have been its key.
    let projects = service.api.get("/projects");
    until("a queue", async || projects.clone().send().await.status == 503).await;
    let before = given_up(&service, "no_turn").await;
    for call in [projects].into_iter().chain(held(&service)) {
        let refused = call.send().await.fails_with(503, "unavailable");
        assert!(refused.header("retry-after").is_some(), "{}", refused.describe());
    }
    assert!(given_up(&service, "no_turn").await >= before + 9);
    // Keys and readiness do not wait for it.
    for path in ["/me", "/health/ready"] {
        service.api.get(path).send().await.is(200);
    }
    drop(flood);
    is_being_read(&service, false).await;
    service.api.get("/projects").send().await.is(200);
}

/// The headers that do not depend on the moment or the body.
fn lasting(answer: &Answer) -> BTreeMap<String, String> {
    let passing = ["content-length", "transfer-encoding", "date", "x-request-id"];
    let headers = answer.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
    headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

async fn head_reads_no_rows_for_totals_and_exports(database: Database) {
    let service = start(database, |_| ()).await;
    let mut calls = held(&service);
    calls.extend(
        ["/projects?limit=1", "/users?limit=1", "/metrics"].map(|path| service.api.get(path)),
    );
    let mut whole = Vec::new();
    for call in calls {
        whole.push(call.send().await.is(200));
    }
    // A page is read for its `Link` header.
    let is_page = |answer: &Answer| {
        ["/time-entries?", "/projects?", "/users?"].iter().any(|end| answer.path.contains(end))
    };
    let (pages, others): (Vec<_>, Vec<_>) = whole.into_iter().partition(is_page);
    let same_head = async |get: &Answer| {
        let head = service.api.call(Method::HEAD, &get.path).send().await.is(200);
        assert!(head.body.is_empty());
        assert_eq!(lasting(&head), lasting(get), "{}", get.path);
        assert_eq!(head.header("content-length"), None, "{}", head.describe());
    };
    for page in &pages {
        same_head(page).await;
    }
    service.database.hold_reads(service.tenant.organization_id);
    for other in &others {
        same_head(other).await;
    }
    assert_eq!((pages.len(), others.len()), (6, 5));
    assert!(!service.database.is_being_read());
}

async fn head_of_a_page_does_not_count(database: Database) {
    let service = Service::start_with(database, |setup| {
        setup.ports = Box::new(|ports| {
            ports.queries = Arc::new(EndlessQueries {
                queries: ports.queries.clone(),
                waiting: Arc::default(),
            });
        });
    });
    let service = service.await;
    for path in ["/time-entries".to_owned(), service.tenant.path()] {
        service.api.call(Method::HEAD, &format!("{path}?includeTotal=true")).send().await.is(200);
    }
}

async fn head_is_refused_like_its_get(database: Database) {
    let service = start(database, |_| ()).await;
    let mut calls = Vec::new();
    let unknown = format!("/projects/{}/time-entries", Uuid::now_v7());
    let writer = service.with_key(may(&[Permission::Write])).await;
    let project = service.tenant.project_id;
    let limited = service.with_key(move |key| key.project_id = Some(project)).await;
    for end in ["", "/summary", ".csv"] {
        calls.push(service.api.get(&format!("{unknown}{end}")));
        for api in [service.api.without_key(), writer.clone(), limited.clone()] {
            calls.push(api.get(&format!("/time-entries{end}")));
        }
        for query in ["x=1", "from=x", "cursor=x&groupBy=x", "limit=0"] {
            calls.push(service.api.get(&format!("{}{end}?{query}", service.tenant.path())));
        }
    }
    for path in ["/projects?limit=0", "/users?cursor=x"] {
        calls.push(service.api.get(path));
    }
    for call in calls {
        let get = call.clone().send().await;
        assert!((400..500).contains(&get.status), "{}", get.describe());
        let head = call.with_method(Method::HEAD).send().await;
        assert_eq!(
            (head.status, lasting(&head)),
            (get.status, lasting(&get)),
            "{}",
            get.describe()
        );
        assert!(head.body.is_empty());
    }
    // A single entry is read for its `ETag`.
    let entry = service.log_any().send().await.is(201).text("id");
    let head =
        service.api.call(Method::HEAD, &format!("/time-entries/{entry}")).send().await.is(200);
    assert_eq!(head.header("etag"), Some("\"1\""));
    let listed: Value = service.api.get("/time-entries").send().await.is(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
}
