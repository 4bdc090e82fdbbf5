//! Metrics: no request can add a series.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::program::{path, serve, text};
use crate::support::{Api, Connection, Database, raw};

/// How many requests of each kind are sent.
const MANY: usize = 3000;

/// The names and labels of all series.
async fn series(api: &Api) -> BTreeSet<String> {
    let metrics = String::from_utf8(api.get("/metrics").send().await.is(200).body).unwrap();
    let lines = metrics.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

/// Heads of requests of every kind that a client can make up, distinct by a number.
fn heads(project: &str, number: usize) -> [String; 10] {
    [
        format!("M{number} /me"),
        format!("!{number} /nothing"),
        format!("GET /{number}"),
        format!("GET /docs/{number}"),
        format!("GET /projects/{number}/time-entries"),
        format!("DELETE /time-entries/{number}/history"),
        format!("GET {project}?{number}=1"),
        format!("GET /time-entries?status={number}"),
        format!("GET /%{:02x}etrics/{number}", b'm'),
        format!("PUT /users/{number}"),
    ]
}

/// Sends requests on one connection and waits for their answers.
async fn send(connection: &mut Connection, key: &str, heads: &[String], number: usize) {
    let mut requests = String::new();
    for head in heads {
        write!(
            requests,
            "{head} HTTP/1.1\r\nHost: h{number}\r\nX-Api-Key: {key}\r\nX-{number}: \
             {number}\r\nUser-Agent: u{number}\r\n\
             X-Request-Id: r{number}\r\nContent-Type: a/{number}\r\nPrefer: \
             p{number}\r\nContent-Length: 0\r\n\r\n"
        )
        .unwrap();
    }
    connection.send(requests).await;
    for _ in heads {
        assert!((400..500).contains(&connection.answer().await.status));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_adds_a_metric_series() {
    let database = Database::Sqlite.create();
    let (program, made, api) = serve(&database, &[]);
    let project = path(&made);
    let hardly_http = [
        "GET\r\n\r\n".to_owned(),
        "GET /me HTTP/9.9\r\n\r\n".to_owned(),
        "GET /me HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "x".repeat(300_000)),
        format!(
            "GET /me HTTP/1.1\r\nHost: x\r\nX: {}\r\nConnection: close\r\n\r\n",
            "x".repeat(300_000)
        ),
        "POST /me HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned(),
    ];
    let mut before = BTreeSet::new();
    for round in 0..2 {
        let numbers = if round == 0 { 0..2 } else { 2..MANY };
        for key in [text(&made, "apiKey"), "x"] {
            let mut connection = Connection::open(program.address).await;
            for number in numbers.clone() {
                send(&mut connection, key, &heads(&project, number), number).await;
            }
        }
        for request in &hardly_http {
            raw(program.address, request.clone()).await;
        }
        // The first call of `/metrics` is a request like any other.
        series(&api).await;
        let now = series(&api).await;
        if round == 0 {
            before = now;
        } else {
            let new: Vec<_> = now.difference(&before).collect();
            // A few are added later: by the first sweep, and by the first connection that ended.
            assert!(new.len() < 20, "{} series more, such as {:?}", new.len(), &new[..5]);
        }
    }
    assert!(before.len() > 50, "{before:?}");
    program.stop();
}
