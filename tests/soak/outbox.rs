//! Clients that work as an outbox does: each message is sent until it is answered, always with the
//! same key and reference.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::journal::{Journal, JournalRecord};
use crate::support::{Bootstrapped, Random};

/// What clients do when a request failed, or its outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryPolicy {
    /// They send it again with the same key and reference.
    Careful,
    /// They send it again without its idempotency key and its reference.
    DropsKeys,
    /// They note it as a success.
    TakesFailureForSuccess,
}

/// One request. Its name is in every entry that comes of it.
#[derive(Debug, Clone)]
struct Message {
    name: String,
    path: String,
    body: Value,
    /// It has neither key nor reference, so it is sent once, and comes to one entry or to none.
    is_plain: bool,
}

pub(super) struct Outbox {
    http: reqwest::Client,
    address: watch::Receiver<Option<SocketAddr>>,
    made: Arc<Bootstrapped>,
    pub(super) journal: Journal,
    policy: RetryPolicy,
    names: AtomicUsize,
    is_over: AtomicBool,
    pub(super) requests: AtomicUsize,
    pub(super) server_errors: AtomicUsize,
    faults: Mutex<Vec<String>>,
}

/// Clients that send until they are told to finish.
pub(super) struct Load {
    outbox: Arc<Outbox>,
    clients: JoinSet<()>,
}

impl Load {
    /// Sends no new message, and waits until all messages are answered.
    pub(super) async fn finish(mut self) {
        self.outbox.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("a client does not panic");
        }
    }
}

/// How long one message may take with all its repeats: much longer than any disturbance.
const GIVE_UP: Duration = Duration::from_mins(3);

impl Outbox {
    /// Clients with that time-out.
    pub(super) fn new(
        made: &Arc<Bootstrapped>,
        address: watch::Receiver<Option<SocketAddr>>,
        patience: Duration,
        policy: RetryPolicy,
    ) -> Arc<Self> {
        let http =
            crate::support::client().timeout(patience).build().expect("a client can be made");
        Arc::new(Self {
            http,
            address,
            made: made.clone(),
            journal: Journal::new(),
            policy,
            names: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            requests: AtomicUsize::new(0),
            server_errors: AtomicUsize::new(0),
            faults: Mutex::new(Vec::new()),
        })
    }

    /// Has so many clients send one request after the other.
    pub(super) fn begin(self: &Arc<Self>, clients: usize, random: &mut Random) -> Load {
        self.is_over.store(false, Ordering::Relaxed);
        self.run(clients, usize::MAX, random)
    }

    /// Has so many clients send so many requests each.
    pub(super) async fn send(self: &Arc<Self>, clients: usize, each: usize, random: &mut Random) {
        self.is_over.store(false, Ordering::Relaxed);
        let mut running = self.run(clients, each, random).clients;
        while let Some(ended) = running.join_next().await {
            ended.expect("a client does not panic");
        }
    }

    fn run(self: &Arc<Self>, clients: usize, each: usize, random: &mut Random) -> Load {
        let mut running = JoinSet::new();
        for _ in 0..clients {
            running.spawn(self.clone().work(each, random.another()));
        }
        Load { outbox: self.clone(), clients: running }
    }

    /// Answers that clients must not get.
    pub(super) fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut self.faults.lock().unwrap())
    }

    fn fault(&self, fault: String) {
        self.faults.lock().unwrap().push(fault);
    }

    async fn work(self: Arc<Self>, each: usize, mut random: Random) {
        // The entry that was logged last, which can be submitted.
        let mut last = None;
        for _ in 0..each {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let message = self.write(&mut random, last.take());
            let Some(answer) = self.deliver(&message, &mut random).await else { continue };
            last = answer["id"].as_str().filter(|_| answer["status"] == "draft").map(str::to_owned);
            if random.below(8) == 0 {
                self.deliver_again(&message, &answer, &mut random).await;
            }
        }
    }

    /// The next message of a client. Some entries have a key and a reference, some only a key, some
    /// are in a batch, some have neither, and some are submitted.
    fn write(&self, random: &mut Random, last: Option<String>) -> Message {
        let choice = random.below(10);
        let is_plain = choice == 9;
        let kind = if is_plain { "plain" } else { "named" };
        let name = format!("{kind}{}", self.names.fetch_add(1, Ordering::Relaxed));
        let mut entry = |name: &str, has_reference: bool| {
            let mut body = self.made.body();
            body["description"] = json!(name);
            body["minutes"] = json!(1 + random.below(1440));
            if has_reference {
                body["externalRef"] =
                    json!({ "provider": "p", "externalType": "t", "externalId": name });
            }
            body
        };
        let log = self.made.path();
        let (path, body) = match (choice, last) {
            (0..2, Some(id)) => (format!("/time-entries/{id}/submit"), json!({})),
            (0..4, _) => {
                let entries: Vec<_> =
                    (0..3).map(|item| entry(&format!("{name}.{item}"), item % 2 == 0)).collect();
                (format!("{log}/batch"), json!({ "entries": entries }))
            }
            (4..7, _) => (log, entry(&name, true)),
            _ => (log, entry(&name, false)),
        };
        Message { name, path, body, is_plain }
    }

    /// Sends a message until it is answered, and notes that.
    async fn deliver(&self, message: &Message, random: &mut Random) -> Option<Value> {
        self.journal
            .sends(&message.name, &json!({ "path": message.path, "body": message.body }))
            .await;
        let begun = tokio::time::Instant::now();
        let mut is_first = true;
        while begun.elapsed() < GIVE_UP {
            let has_keys = !message.is_plain && (is_first || self.policy != RetryPolicy::DropsKeys);
            match self.call(message, has_keys).await {
                Some((200 | 201, body)) => {
                    self.journal.is_answered(&message.name, &body).await;
                    return serde_json::from_str(&body).ok();
                }
                None | Some((503, _)) if self.policy == RetryPolicy::TakesFailureForSuccess => {
                    self.journal.is_answered(&message.name, "").await;
                    return None;
                }
                // Without key and reference it is not safe to repeat.
                None | Some((503, _)) if message.is_plain => return None,
                None | Some((503, _)) => {}
                Some((status, body)) => {
                    self.fault(format!("{} was answered {status}: {body}", message.path));
                    return None;
                }
            }
            is_first = false;
            tokio::time::sleep(Duration::from_millis(10 + random.below(40) as u64)).await;
        }
        self.fault(format!("{} was not carried out in {GIVE_UP:?}", message.name));
        None
    }

    /// Repeats an answered message, as a client does that could not note the answer.
    async fn deliver_again(&self, message: &Message, answer: &Value, random: &mut Random) {
        if self.policy != RetryPolicy::Careful || message.is_plain {
            return;
        }
        for _ in 0..200 {
            match self.call(message, true).await {
                None | Some((503, _)) => {}
                Some((200 | 201, body))
                    if serde_json::from_str::<Value>(&body).ok().as_ref() == Some(answer) =>
                {
                    return;
                }
                Some((status, body)) => {
                    return self.fault(format!(
                        "{} was answered {answer} and then {status} {body}",
                        message.name
                    ));
                }
            }
            tokio::time::sleep(Duration::from_millis(10 + random.below(40) as u64)).await;
        }
    }

    /// Repeats a request to another address; the answer must be the known one. Plain requests are
    /// not sent.
    pub(super) async fn repeat(
        &self,
        address: SocketAddr,
        page: &JournalRecord,
    ) -> Result<(), String> {
        if page.name.starts_with("plain") {
            return Ok(());
        }
        let path = page.request["path"].as_str().unwrap_or_default();
        let call = self.http.post(format!("http://{address}{path}")).bearer_auth(&self.made.key);
        let call = call.header("idempotency-key", &page.name).json(&page.request["body"]);
        let answer = call.send().await.map_err(|error| error.to_string())?;
        let (status, is_replayed) =
            (answer.status(), answer.headers().contains_key("idempotent-replayed"));
        let body = answer.text().await.map_err(|error| error.to_string())?;
        if is_replayed && serde_json::from_str(&body).ok() == page.answer {
            Ok(())
        } else {
            Err(format!("{status} {body}"))
        }
    }

    /// Reads a path, once nothing disturbs the service.
    pub(super) async fn read(&self, path: &str) -> Option<Value> {
        for _ in 0..100 {
            let address = (*self.address.clone().wait_for(Option::is_some).await.ok()?)?;
            let call = self.http.get(format!("http://{address}{path}")).bearer_auth(&self.made.key);
            if let Ok(answer) = call.send().await
                && answer.status() == 200
            {
                return answer.json().await.ok();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// One attempt: the status and the body, or nothing if no answer came.
    async fn call(&self, message: &Message, has_keys: bool) -> Option<(u16, String)> {
        let address = (*self.address.clone().wait_for(Option::is_some).await.ok()?)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut call =
            self.http.post(format!("http://{address}{}", message.path)).bearer_auth(&self.made.key);
        let mut body = message.body.clone();
        if has_keys {
            call = call.header("idempotency-key", &message.name);
        } else {
            drop_references(&mut body);
        }
        let answer = call.json(&body).send().await.ok()?;
        let status = answer.status().as_u16();
        let waits = answer.headers().contains_key("retry-after");
        let body = answer.text().await.ok()?;
        if status >= 500 {
            self.server_errors.fetch_add(1, Ordering::Relaxed);
            if status == 503 && !waits {
                self.fault(format!("503 without a Retry-After: {body}"));
            }
        }
        Some((status, body))
    }
}

fn drop_references(body: &mut Value) {
    if let Some(body) = body.as_object_mut() {
        body.remove("externalRef");
    }
    for entry in body.get_mut("entries").and_then(Value::as_array_mut).into_iter().flatten() {
        drop_references(entry);
    }
}
