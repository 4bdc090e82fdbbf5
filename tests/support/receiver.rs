//! A receiver of webhooks, which does what the test says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::conformance::broken_by_event;
use super::service::Setup;

/// What a receiver does with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Answers with that status.
    Status(u16),
    /// Likewise, with one header.
    With(u16, &'static str, &'static str),
    /// Answers with that status after a while.
    After(Duration, u16),
    /// Says nothing, and keeps the connection.
    Nothing,
    /// Begins with the head of an answer, and says no more.
    HalfAHead,
    /// Closes the connection in the middle of the head.
    Closes,
    /// Takes the event, and closes the connection in the middle of the body.
    ClosesInBody,
    /// Takes the event, and sends a gigabyte.
    Gigabyte,
}

/// Something that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: Value,
}

impl Event {
    pub(crate) fn header(&self, name: &str) -> &str {
        &self.headers[name]
    }

    /// The number of its change.
    pub(crate) fn seq(&self) -> i64 {
        self.body["payload"]["seq"].as_i64().unwrap()
    }

    /// Whether one of its signatures was made with that secret.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let sent = self.header("webhook-timestamp").parse().unwrap();
        let verifier = Webhook::new(secret).unwrap();
        let signature = verifier.sign(self.header("webhook-id"), sent, &self.bytes).unwrap();
        self.header("webhook-signature").split(' ').any(|own| own == signature)
    }
}

type Answers = dyn FnMut(&Event) -> Reply + Send;

/// A server that listens on an address of its own.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

struct State {
    received: Mutex<Vec<Event>>,
    /// What the document says against what arrived.
    broken: Mutex<Vec<String>>,
    answers: Mutex<Box<Answers>>,
    /// How many bytes of a gigabyte went out.
    sent: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Receiver {
    /// One that takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            received: Mutex::default(),
            broken: Mutex::default(),
            answers: Mutex::new(Box::new(|_| Reply::Status(204))),
            sent: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let shared = state.clone();
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, state, listening }
    }

    /// Lets webhooks lead to receivers.
    pub(crate) fn allow(setup: &mut Setup) {
        setup.settings.webhook_allow = vec!["127.0.0.1/32".parse().unwrap()];
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// A webhook that gets everything.
    pub(crate) fn webhook(&self) -> Value {
        json!({ "destinationUrl": self.url(), "eventNames": ["*"] })
    }

    /// From now on it answers so.
    pub(crate) fn answer(&self, answers: impl FnMut(&Event) -> Reply + Send + 'static) {
        *self.state.answers.lock().unwrap() = Box::new(answers);
    }

    /// From now on it answers everything so.
    pub(crate) fn always(&self, reply: Reply) {
        self.answer(move |_| reply);
    }

    /// Everything that arrived. All of it must be as the OpenAPI document describes it.
    pub(crate) fn received(&self) -> Vec<Event> {
        let broken = self.state.broken.lock().unwrap();
        assert!(broken.is_empty(), "{broken:?}");
        self.state.received.lock().unwrap().clone()
    }

    /// The numbers of the changes that arrived.
    pub(crate) fn seqs(&self) -> Vec<i64> {
        self.received().iter().map(Event::seq).collect()
    }

    /// How many bytes of a gigabyte went out.
    pub(crate) fn sent(&self) -> usize {
        self.state.sent.load(Ordering::SeqCst)
    }

    /// How many events it had at the same time at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let mut stream = BufReader::new(stream);
    while let Some(event) = read(&mut stream).await {
        let now = state.now.fetch_add(1, Ordering::SeqCst) + 1;
        state.most.fetch_max(now, Ordering::SeqCst);
        state.broken.lock().unwrap().extend(broken_by_event(&event.headers, &event.body));
        let reply = (state.answers.lock().unwrap())(&event);
        state.received.lock().unwrap().push(event);
        let goes_on = answer(stream.get_mut(), reply, &state).await;
        state.now.fetch_sub(1, Ordering::SeqCst);
        if !goes_on {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Event> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    assert!(line.is_empty() || line.starts_with("POST /hook HTTP/1.1"), "{line}");
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut bytes = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut bytes).await.ok()?;
    let body = serde_json::from_slice(&bytes).unwrap();
    Some(Event { headers, bytes, body })
}

/// Whether the connection goes on.
async fn answer(stream: &mut TcpStream, reply: Reply, state: &State) -> bool {
    let empty = |status: u16| format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
    let whole = match reply {
        Reply::Status(status) => empty(status),
        Reply::With(status, name, value) => {
            format!("HTTP/1.1 {status} X\r\n{name}: {value}\r\ncontent-length: 0\r\n\r\n")
        }
        Reply::After(time, status) => {
            tokio::time::sleep(time).await;
            empty(status)
        }
        Reply::Nothing | Reply::HalfAHead => {
            if reply == Reply::HalfAHead {
                drop(stream.write_all(b"HTTP/1.1 200 OK\r\nx-so-far: ").await);
            }
            // Until the other side gives up.
            drop(stream.read(&mut [0]).await);
            return false;
        }
        Reply::Closes => {
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await);
            return false;
        }
        Reply::ClosesInBody => {
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await);
            return false;
        }
        Reply::Gigabyte => {
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n").await);
            let piece = vec![b'x'; 64 << 10];
            for _ in 0..(1 << 14) {
                if stream.write_all(&piece).await.is_err() {
                    return false;
                }
                state.sent.fetch_add(piece.len(), Ordering::SeqCst);
            }
            return true;
        }
    };
    stream.write_all(whole.as_bytes()).await.is_ok()
}
