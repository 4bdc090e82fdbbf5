//! Slow clients: a thousand of each sort hold connections beside clients that work.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::audit::audit;
use super::deployment::Deployment;
use super::latency::Latency;
use super::outbox::{Outbox, RetryPolicy};
use super::results::Results;
use super::tenants::fill;
use super::trial::{Trial, pause};
use crate::support::{Bootstrapped, Random, bootstrap, program};

/// What a client does with its connection.
#[derive(Debug, Clone, Copy)]
enum Sort {
    SaysNothing,
    SlowHead,
    SlowSecondHead,
    SlowBody,
    BodyThatNobodyReads,
    TakesNoAnswer,
    Vanishes,
}

const SORTS: [Sort; 7] = [
    Sort::SaysNothing,
    Sort::SlowHead,
    Sort::SlowSecondHead,
    Sort::SlowBody,
    Sort::BodyThatNobodyReads,
    Sort::TakesNoAnswer,
    Sort::Vanishes,
];

/// How many there are of a sort.
const MANY: usize = 1000;

/// The flags of the deadlines, as far as the program has them.
const DEADLINES: [&str; 4] =
    ["--request-timeout", "--keep-alive", "--head-timeout", "--answer-timeout"];

/// They must have ended by then: the deadlines, and some time for a busy machine.
const AT_MOST: Duration = Duration::from_secs(30);

/// Sabotage: the deadlines are an hour away.
pub(super) async fn run(mut trial: Trial) -> Results {
    let mut deployment = Deployment::new(trial.database);
    let help =
        String::from_utf8(program(&["serve", "--help"]).output().expect("it has help").stdout)
            .unwrap();
    let deadline = if trial.sabotage { "1h" } else { "2s" };
    let known = DEADLINES.iter().filter(|flag| help.contains(*flag));
    deployment.flags.extend(known.flat_map(|flag| [*flag, deadline]));
    // The slow clients belong to another organization, with lists that are long enough.
    let other = Arc::new(bootstrap(&deployment.database.url()));
    fill(&deployment.database, &other, 500);
    deployment.start();
    let outbox = Outbox::new(
        &deployment.made,
        deployment.address(),
        Duration::from_secs(20),
        RetryPolicy::Careful,
    );
    outbox.send(8, 100, &mut trial.random).await;
    let mut results = Results::default();
    let idle = beside(&outbox, &deployment, &mut trial.random, pause(Duration::from_secs(1))).await;
    let mut measured = vec![format!("alone {idle}")];
    for _ in 0..trial.cycles {
        for sort in SORTS {
            let mut left = Ok(());
            let latency = beside(&outbox, &deployment, &mut trial.random, async {
                left = hold(sort, &deployment, &other).await;
            });
            let latency = latency.await;
            measured.push(format!("{sort:?} {latency}"));
            if let Err(left) = left {
                results.fault(format!("{sort:?}: {left}"));
            }
            audit(&mut results, &outbox, &deployment).await;
        }
        results.cycles += 1;
    }
    if results.server_errors > 0 {
        results.fault(format!("{} times 5xx to clients that work", results.server_errors));
    }
    if trial.sabotage {
        deployment.kill();
    } else if !deployment.stop() {
        results.fault("the service did not end well".to_owned());
    }
    results.measured = measured.join("; ");
    results
}

/// The latency of working clients while something else goes on.
async fn beside(
    outbox: &Arc<Outbox>,
    deployment: &Deployment,
    random: &mut Random,
    work: impl Future<Output = ()>,
) -> Latency {
    let load = outbox.begin(4, random);
    let probe = Latency::measure(
        deployment.program().address,
        &deployment.made,
        "/time-entries?limit=5",
        work,
    );
    let latency = probe.await;
    load.finish().await;
    latency
}

/// Opens many connections of a sort and waits until the service has ended them.
async fn hold(sort: Sort, deployment: &Deployment, made: &Arc<Bootstrapped>) -> Result<(), String> {
    let before = sockets(deployment);
    let mut held = JoinSet::new();
    for _ in 0..MANY {
        held.spawn(connect(sort, deployment.program().address, made.clone()));
    }
    let mut connections = Vec::new();
    while let Some(connection) = held.join_next().await {
        connections.push(connection.expect("a client does not panic"));
    }
    // Otherwise the case did not occur. Vanished clients may have been noticed already.
    let mut held = 0;
    for _ in 0..200 {
        held = held.max(sockets(deployment).saturating_sub(before));
        if matches!(sort, Sort::Vanishes) || held > MANY / 2 {
            break;
        }
        pause(Duration::from_millis(50)).await;
    }
    if !matches!(sort, Sort::Vanishes) && held <= MANY / 2 {
        return Err(format!("only {held} of {MANY} connections were held"));
    }
    let begun = tokio::time::Instant::now();
    // The connections that the working clients open and close meanwhile.
    while sockets(deployment) > before + 20 {
        if begun.elapsed() > AT_MOST {
            return Err(format!(
                "{} of {MANY} connections are still there",
                sockets(deployment) - before
            ));
        }
        pause(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// How many sockets the service has.
fn sockets(deployment: &Deployment) -> usize {
    let files = std::fs::read_dir(format!("/proc/{}/fd", deployment.program().id()))
        .into_iter()
        .flatten()
        .flatten();
    let links = files.filter_map(|file| std::fs::read_link(file.path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

/// A held connection with its further work, or none if it was refused.
async fn connect(sort: Sort, address: SocketAddr, made: Arc<Bootstrapped>) -> Option<JoinSet<()>> {
    let socket = TcpSocket::new_v4().ok()?;
    if matches!(sort, Sort::TakesNoAnswer) {
        socket.set_recv_buffer_size(4096).ok()?;
    }
    let mut stream = socket.connect(address).await.ok()?;
    let _ = begin(sort, &mut stream, &made).await;
    if matches!(sort, Sort::Vanishes) {
        // It is reset.
        let _ = stream.set_zero_linger();
        return Some(JoinSet::new());
    }
    let mut rest = JoinSet::new();
    rest.spawn(go_on(sort, stream));
    Some(rest)
}

async fn begin(sort: Sort, stream: &mut TcpStream, made: &Bootstrapped) -> std::io::Result<()> {
    let key = format!("Host: x\r\nAuthorization: Bearer {}\r\n", made.key);
    let list = format!("GET /time-entries?limit=200 HTTP/1.1\r\n{key}\r\n");
    let text = match sort {
        Sort::SaysNothing => return Ok(()),
        Sort::SlowHead => "GET /me HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned(),
        Sort::SlowSecondHead => {
            let first = format!("GET /me HTTP/1.1\r\n{key}\r\n");
            stream.write_all(first.as_bytes()).await?;
            stream.read_exact(&mut [0; 15]).await?;
            "GET /me HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned()
        }
        Sort::SlowBody => {
            let kind = "Content-Type: application/json\r\nContent-Length: 60000";
            format!("POST {} HTTP/1.1\r\n{key}{kind}\r\n\r\n{{", made.path())
        }
        Sort::BodyThatNobodyReads => {
            format!("GET /me HTTP/1.1\r\n{key}Content-Length: 60000\r\n\r\n{{")
        }
        Sort::TakesNoAnswer => list.repeat(20),
        Sort::Vanishes => list,
    };
    stream.write_all(text.as_bytes()).await
}

/// A slow client sends a byte now and then; the others do nothing. The connection is held until the
/// service ends it.
async fn go_on(sort: Sort, mut stream: TcpStream) {
    match sort {
        Sort::SlowHead | Sort::SlowSecondHead | Sort::SlowBody => {
            while stream.write_all(b" ").await.is_ok() {
                pause(Duration::from_millis(500)).await;
            }
        }
        Sort::TakesNoAnswer => std::future::pending().await,
        Sort::SaysNothing | Sort::BodyThatNobodyReads | Sort::Vanishes => {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    }
}
