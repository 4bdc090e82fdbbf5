//! A proxy before a PostgreSQL server that cuts connections at a COMMIT.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::Random;

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cut {
    /// The server does not get the COMMIT.
    BeforeItIsForwarded,
    /// The server gets it, and the client is cut off at once.
    AfterItIsForwarded,
    /// The server has answered it, and the answer is dropped.
    BeforeItsAnswer,
}

impl Cut {
    pub(crate) const ALL: [Self; 3] =
        [Self::BeforeItIsForwarded, Self::AfterItIsForwarded, Self::BeforeItsAnswer];
}

/// Dropping it ends it, with all connections through it.
pub(crate) struct Proxy {
    port: u16,
    plan: Arc<Mutex<Plan>>,
    task: tokio::task::JoinHandle<()>,
}

struct Plan {
    random: Random,
    /// One COMMIT of this many is cut; none while it is 0.
    one_of: usize,
    cuts: BTreeMap<Cut, usize>,
}

impl Proxy {
    pub(crate) async fn before(port: u16, random: Random) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let own = listener.local_addr().expect("it is bound").port();
        let plan = Arc::new(Mutex::new(Plan { random, one_of: 0, cuts: BTreeMap::new() }));
        let task =
            tokio::spawn(accept(listener, SocketAddr::from(([127, 0, 0, 1], port)), plan.clone()));
        Self { port: own, plan, task }
    }

    /// The URL of a database by way of the proxy.
    pub(crate) fn url(&self, url: &str, port: u16) -> String {
        url.replace(&format!(":{port}/"), &format!(":{}/", self.port))
    }

    /// Cuts one COMMIT of so many from now on, or none.
    pub(crate) fn cut_one_of(&self, commits: usize) {
        self.plan.lock().unwrap().one_of = commits;
    }

    /// How often it has cut in each way.
    pub(crate) fn cuts(&self) -> BTreeMap<Cut, usize> {
        self.plan.lock().unwrap().cuts.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Plan {
    fn next(&mut self) -> Option<Cut> {
        if self.one_of == 0 || self.random.below(self.one_of) != 0 {
            return None;
        }
        let cut = Cut::ALL[self.random.below(Cut::ALL.len())];
        *self.cuts.entry(cut).or_default() += 1;
        Some(cut)
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, plan: Arc<Mutex<Plan>>) {
    // They end with this task.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let plan = plan.clone();
                connections.spawn(async move {
                    // An unavailable server is shown by closing the connection.
                    if let Ok(server) = TcpStream::connect(server).await {
                        let _ = pass_between(client, server, &plan).await;
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn pass_between(
    client: TcpStream,
    server: TcpStream,
    plan: &Mutex<Plan>,
) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    // Notified once a COMMIT was forwarded whose answer is to be dropped.
    let thrown_away = Notify::new();
    tokio::select! {
        ended = pass_questions(from_client, to_server, plan, &thrown_away) => ended,
        ended = pass_answers(from_server, to_client, &thrown_away) => ended,
    }
}

async fn pass_questions(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    plan: &Mutex<Plan>,
    thrown_away: &Notify,
) -> std::io::Result<()> {
    // Messages before the start of a session have no type: a request for encryption, which is
    // refused, and the startup message.
    loop {
        let message = read(&mut from, 0).await?;
        to.write_all(&message).await?;
        if message[4..8] == [0, 3, 0, 0] {
            break;
        }
    }
    loop {
        let message = read(&mut from, 1).await?;
        let cut = if is_commit(&message) { plan.lock().unwrap().next() } else { None };
        match cut {
            None => to.write_all(&message).await?,
            Some(Cut::BeforeItIsForwarded) => return Ok(()),
            Some(Cut::AfterItIsForwarded) => return to.write_all(&message).await,
            Some(Cut::BeforeItsAnswer) => {
                thrown_away.notify_one();
                to.write_all(&message).await?;
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Whether a message is a simple query that commits.
fn is_commit(message: &[u8]) -> bool {
    message[0] == b'Q' && message[5..].starts_with(b"COMMIT")
}

/// Reads a message: the bytes before its length, its length, and its content.
async fn read(from: &mut OwnedReadHalf, before: usize) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; before + 4];
    from.read_exact(&mut message).await?;
    let length =
        message[before..].iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
    message.resize(before + length.max(4), 0);
    from.read_exact(&mut message[before + 4..]).await?;
    Ok(message)
}

async fn pass_answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    thrown_away: &Notify,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let (length, is_thrown_away) = tokio::select! {
            biased;
            () = thrown_away.notified() => (from.read(&mut buffer).await?, true),
            length = from.read(&mut buffer) => (length?, false),
        };
        if length == 0 || is_thrown_away {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}
