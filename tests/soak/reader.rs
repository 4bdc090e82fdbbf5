//! A reader of the feed, who follows it through one instance and keeps a copy.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::trial::pause;
use crate::support::Bootstrapped;

type Address = watch::Receiver<Option<SocketAddr>>;

/// Calls an instance, while it runs.
pub(super) struct Client {
    pub(super) http: reqwest::Client,
    pub(super) made: Arc<Bootstrapped>,
    address: Address,
}

impl Client {
    pub(super) fn new(made: &Arc<Bootstrapped>, address: Address, patience: Duration) -> Self {
        let http = crate::support::client().timeout(patience).build();
        Self { http: http.expect("a client can be made"), made: made.clone(), address }
    }

    pub(super) async fn url(&self, path: &str) -> String {
        let address = self.address.clone().wait_for(Option::is_some).await.ok().and_then(|it| *it);
        address.map_or_else(|| "http://127.0.0.1:1".to_owned(), |it| format!("http://{it}{path}"))
    }

    /// What a path answers; the status where it is another one, and 0 without an answer.
    pub(super) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, u16> {
        let call = self.http.get(self.url(path).await).bearer_auth(&self.made.key);
        let answer = call.send().await.map_err(|_| 0_u16)?;
        match answer.status().as_u16() {
            200 => answer.json().await.map_err(|_| 0),
            status => Err(status),
        }
    }
}

/// Follows the feed through one instance, from the cursor that it has, until it is dropped.
pub(super) struct Reader {
    pub(super) seen: Mutex<Seen>,
    following: Mutex<Option<tokio::task::AbortHandle>>,
}

#[derive(Default)]
pub(super) struct Seen {
    /// The last number.
    pub(super) last: i64,
    cursor: Option<String>,
    pub(super) copy: BTreeMap<String, String>,
    pub(super) pages: usize,
    pub(super) changes: usize,
    pub(super) gaps: usize,
    pub(super) repeats: usize,
    pub(super) faults: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChangePage {
    data: Vec<Change>,
    next_cursor: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    seq: i64,
    time_entry_id: String,
    entry: Option<Box<RawValue>>,
}

impl Reader {
    pub(super) fn start(made: &Arc<Bootstrapped>, address: Address) -> Arc<Self> {
        let reader = Arc::new(Self { seen: Mutex::default(), following: Mutex::default() });
        let client = Client::new(made, address, Duration::from_mins(1));
        let following = Arc::downgrade(&reader);
        let following = tokio::spawn(async move {
            loop {
                let cursor = match following.upgrade() {
                    Some(reader) => reader.seen.lock().unwrap().cursor.clone(),
                    None => return,
                };
                let after = cursor.map(|cursor| format!("&after={cursor}")).unwrap_or_default();
                let path = format!("/changes?wait=30s&limit=500{after}");
                let page = client.read::<ChangePage>(&path).await;
                let Some(reader) = following.upgrade() else { return };
                match page {
                    Ok(page) => reader.seen.lock().unwrap().apply(page),
                    // The instance is gone, or its database is.
                    Err(0 | 503) => pause(Duration::from_millis(5)).await,
                    Err(status) => {
                        let fault = format!("a reader was answered {status}");
                        reader.seen.lock().unwrap().faults.push(fault);
                        return;
                    }
                }
            }
        });
        *reader.following.lock().unwrap() = Some(following.abort_handle());
        reader
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(following) = self.following.lock().unwrap().take() {
            following.abort();
        }
    }
}

impl Seen {
    fn apply(&mut self, page: ChangePage) {
        self.pages += 1;
        self.cursor = Some(page.next_cursor);
        for change in page.data {
            self.changes += 1;
            if change.seq > self.last + 1 {
                self.gaps += 1;
                self.faults.push(format!("{} comes after {}", change.seq, self.last));
            } else if change.seq <= self.last {
                self.repeats += 1;
                self.faults.push(format!("{} comes after {}", change.seq, self.last));
            }
            self.last = self.last.max(change.seq);
            match change.entry {
                None => drop(self.copy.remove(&change.time_entry_id)),
                Some(entry) => {
                    // What a list does not show comes last.
                    let shown = entry.get().rsplit_once(",\"externalRef\":").map(|(it, _)| it);
                    let shown = format!("{}}}", shown.expect("the feed has references"));
                    self.copy.insert(change.time_entry_id, shown);
                }
            }
        }
    }
}
