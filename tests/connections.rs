//! Slow clients, and too many of them: each wait for a client ends, and others are served
//! meanwhile. Little of this depends on the database, so most tests run on SQLite alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use timelog_api::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Connection, Database, EndlessQueries, Service, on_every_database, until};

on_every_database![
    a_disconnected_client_ends_its_read,
    a_half_closed_connection_still_gets_the_answer_to_a_change,
];

/// A service whose totals are never answered, and the number of requests that wait for one.
async fn endless(
    database: Database,
    change: impl FnOnce(&mut Settings),
) -> (Service, Arc<AtomicUsize>) {
    let waiting = Arc::new(AtomicUsize::new(0));
    let counter = waiting.clone();
    let start = Service::start_with(database, |setup| {
        change(&mut setup.settings);
        setup.ports = Box::new(|ports| {
            ports.queries =
                Arc::new(EndlessQueries { queries: ports.queries.clone(), waiting: counter });
        });
    });
    (start.await, waiting)
}

/// Waits until that many wait.
async fn until_wait(expected: usize, waiting: &AtomicUsize) {
    let what = format!("{expected} that wait");
    until(&what, async || waiting.load(Ordering::SeqCst) == expected).await;
}

async fn service(change: impl FnOnce(&mut Settings)) -> Service {
    Service::start_with(Database::Sqlite, |setup| change(&mut setup.settings)).await
}

fn total(service: &Service) -> String {
    format!(
        "GET /time-entries/summary HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\n\r\n",
        service.tenant.key.text
    )
}

/// A connection with a small receive buffer.
pub(crate) async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.connect(address).await.unwrap()
}

/// How many connections ended because their client did not read its answer. Other tests of this
/// process have none.
async fn ended_answers(service: &Service) -> u64 {
    service.api.metric("timelog_connections_ended_total{reason=\"answer\"}").await.unwrap_or(0)
}

const LIVE: &str = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incomplete_head_is_answered_408_on_a_new_and_on_a_used_connection() {
    let service = service(|settings| settings.head_timeout = Duration::from_millis(300)).await;
    for head in ["", "GET", LIVE.strip_suffix("\r\n").unwrap()] {
        for requests in 0..3 {
            // Before the first byte of a later head, the connection is idle.
            if head.is_empty() && requests > 0 {
                continue;
            }
            let mut connection = Connection::open(service.address).await;
            for _ in 0..requests {
                connection.send(LIVE).await;
                assert_eq!(connection.answer().await.status, 200);
            }
            connection.send(head).await;
            let answer = connection.answer().await.fails_with(408, "request_timeout");
            assert!(
                answer.is_last() && String::from_utf8_lossy(&answer.body).contains("300ms"),
                "{answer:?}"
            );
            connection.closing().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_arrives_byte_by_byte_is_answered_408_after_the_head_timeout() {
    let service = service(|settings| settings.head_timeout = Duration::from_millis(300)).await;
    let mut connection = Connection::open(service.address).await;
    connection.send(LIVE).await;
    assert_eq!(connection.answer().await.status, 200);
    let sent = async {
        for letter in LIVE.as_bytes().iter().cycle().filter(|letter| **letter != b'\n') {
            if !connection.try_send([*letter]).await || connection.is_readable().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    sent.await;
    connection.answer().await.fails_with(408, "request_timeout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_is_closed_after_keep_alive() {
    let service = service(|settings| settings.keep_alive = Duration::from_millis(300)).await;
    let mut connection = Connection::open(service.address).await;
    connection.send(LIVE).await;
    assert_eq!(connection.answer().await.status, 200);
    connection.closing().await;
    // A part of the next head that came together with a whole request does not prolong it.
    for first in [LIVE, "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut connection = Connection::open(service.address).await;
        connection.send(format!("{first}GET /health")).await;
        assert_eq!(connection.answer().await.status, 200);
        connection.closing().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_the_client_does_not_read_ends_its_connection() {
    let service = service(|settings| settings.answer_timeout = Duration::from_millis(500)).await;
    let before = ended_answers(&service).await;
    let mut stream = narrow(service.address).await;
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(16);
    stream.write_all(request.as_bytes()).await.unwrap();
    // The metric shows that the service ended the connection, although the client reads nothing and
    // keeps its side open.
    until("its end", async || ended_answers(&service).await > before).await;
    assert_eq!(ended_answers(&service).await, before + 1);
    let mut taken = Vec::new();
    // A reset or an end: not all answers are there.
    let _ = stream.read_to_end(&mut taken).await;
    // The send buffer of the system stays small too.
    assert!(taken.len() < 1_000_000, "{}", taken.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_the_client_reads_slowly_is_sent_to_its_end() {
    let service = service(|settings| settings.answer_timeout = Duration::from_secs(3)).await;
    let mut stream = narrow(service.address).await;
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    // The whole answer takes longer than one piece of it may.
    let (mut taken, mut pauses) = (0, 0);
    let mut piece = vec![0; 4096];
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        taken += read;
        if read == 0 {
            break;
        }
        if taken / 200_000 > pauses {
            pauses += 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    assert!(pauses > 3);
    let whole = service.api.get("/docs/swagger-ui-bundle.js").send().await.is(200).body.len();
    assert!(taken > whole, "{taken} of {whole}");
}

async fn a_disconnected_client_ends_its_read(database: Database) {
    let (service, waiting) = endless(database, |_| ()).await;
    // By a close, as after a time-out of the client, and by a reset.
    for is_reset in [false, true] {
        let mut connection = Connection::open(service.address).await;
        connection.send(total(&service)).await;
        until_wait(1, &waiting).await;
        if is_reset {
            connection.reset();
        } else {
            drop(connection);
        }
        until_wait(0, &waiting).await;
    }
}

async fn a_half_closed_connection_still_gets_the_answer_to_a_change(database: Database) {
    // Nothing but the answer may end the connection.
    let service = Service::start_with(database, |setup| {
        setup.settings.keep_alive = Duration::from_hours(1);
        setup.settings.head_timeout = Duration::from_hours(1);
    });
    let service = service.await;
    let body = service.tenant.body().to_string();
    for _ in 0..20 {
        let mut connection = Connection::open(service.address).await;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: \
             application/json\r\nContent-Length: {}\r\n\r\n",
            service.tenant.path(),
            service.tenant.key.text,
            body.len()
        );
        connection.send(head + &body).await;
        connection.close_half().await;
        assert_eq!(connection.answer().await.status, 201);
        connection.closing().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_requests_are_answered_in_order() {
    let service = service(|_| ()).await;
    let mut connection = Connection::open(service.address).await;
    let (requests, size) = (400, 1024);
    let requests: Vec<String> = (0..requests)
        .map(|number| {
            format!(
                "GET /health/live?{} HTTP/1.1\r\nHost: x\r\nX-Request-Id: r{number}\r\n\r\n",
                "x".repeat(size)
            )
        })
        .collect();
    connection.send(requests.concat()).await;
    for number in 0..400 {
        let answer = connection.answer().await;
        assert!(answer.headers.contains(&format!("x-request-id: r{number}")), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_over_the_limit_replaces_the_one_that_has_been_idle_longest() {
    let service = service(|settings| settings.max_connections = 8).await;
    let mut connections = Vec::new();
    for _ in 0..8 {
        let mut connection = Connection::open(service.address).await;
        connection.send(LIVE).await;
        assert_eq!(connection.answer().await.status, 200);
        connections.push(connection);
    }
    // A connection that is used again becomes the newest.
    for _ in 0..100 {
        connections[0].send(LIVE).await;
        assert_eq!(connections[0].answer().await.status, 200);
        let mut connection = Connection::open(service.address).await;
        connection.send(LIVE).await;
        assert_eq!(connection.answer().await.status, 200);
    }
    for _ in 0..100 {
        let mut connection = Connection::open(service.address).await;
        connection.send(LIVE).await;
        assert_eq!(connection.answer().await.status, 200);
        connections.push(connection);
    }
    let newest = connections.split_off(connections.len() - 8);
    for connection in connections {
        connection.closing().await;
    }
    for mut connection in newest {
        connection.send(LIVE).await;
        assert_eq!(connection.answer().await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_connections_busy_one_more_is_answered_503_and_health_200() {
    let change = |settings: &mut Settings| {
        settings.max_connections = 4;
        settings.head_timeout = Duration::from_hours(1);
    };
    let (service, waiting) = endless(Database::Sqlite, change).await;
    let mut busy = Vec::new();
    for _ in 0..4 {
        let mut connection = Connection::open(service.address).await;
        connection.send(total(&service)).await;
        busy.push(connection);
    }
    until_wait(4, &waiting).await;
    for line in ["GET /health/live", "GET /health/ready"] {
        let mut connection = Connection::open(service.address).await;
        connection.send(format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        let answer = connection.answer().await;
        assert_eq!((answer.status, answer.is_last()), (200, true), "{answer:?}");
        connection.closing().await;
    }
    let mut connection = Connection::open(service.address).await;
    connection.send(total(&service)).await;
    let answer = connection.answer().await.fails_with(503, "unavailable");
    assert!(
        answer.is_last() && answer.headers.iter().any(|header| header.starts_with("retry-after: "))
    );
    connection.closing().await;
    // A crowd of surplus connections does not keep health from being answered either.
    let mut crowd = Vec::new();
    for _ in 0..200 {
        crowd.push(Connection::open(service.address).await);
        let mut connection = Connection::open(service.address).await;
        connection.send(LIVE).await;
        assert_eq!(connection.answer().await.status, 200);
    }
    drop((busy, crowd));
    until_wait(0, &waiting).await;
}

/// The status of a path at an address, without a key.
async fn status(address: SocketAddr, path: &str) -> u16 {
    let mut connection = Connection::open(address).await;
    connection.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    connection.answer().await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_listener_alone_serves_health_metrics_and_documentation() {
    let service = service(|settings| {
        settings.admin_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        settings.base_path = "/api/v1".to_owned();
    });
    let service = service.await;
    let admin = service.admin_address.unwrap();
    for (path, expected) in [
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/metrics", 200),
        ("/%6detrics", 200),
        ("/openapi.json", 200),
        ("/docs", 308),
        ("/docs/", 200),
        ("/docs/swagger-ui-bundle.js", 200),
    ] {
        assert_eq!(status(admin, &format!("/api/v1{path}")).await, expected, "{path}");
        assert_eq!(status(service.address, &format!("/api/v1{path}")).await, 404, "{path}");
    }
    let list = format!("/api/v1{}", service.tenant.path());
    assert_eq!(status(service.address, &list).await, 401);
    for path in [&list, "/api/v1/me", "/api/v1/time-entries", "/api/v1/projects", "/api/v1/users"] {
        assert_eq!(status(admin, path).await, 404, "{path}");
    }
}
