//! The journal of the clients: what they send and what they are told, on the disk before they go
//! on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};

/// An append-only file. Each note is on the disk before its writer goes on.
pub(super) struct Journal {
    folder: TempDir,
    notes: mpsc::UnboundedSender<(String, oneshot::Sender<()>)>,
}

impl Journal {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = File::create(folder.path().join("journal")).expect("the journal can be made");
        let (notes, coming) = mpsc::unbounded_channel();
        std::thread::spawn(move || write(file, coming));
        Self { folder, notes }
    }

    async fn note(&self, note: &Value) {
        let (done, is_done) = oneshot::channel();
        self.notes.send((format!("{note}\n"), done)).expect("the journal is open");
        is_done.await.expect("the note is on the disk");
    }

    /// A request is about to be sent.
    pub(super) async fn sends(&self, name: &str, request: &Value) {
        self.note(&json!({ "sends": name, "request": request })).await;
    }

    /// It was answered so, and is never sent again.
    pub(super) async fn is_answered(&self, name: &str, body: &str) {
        self.note(&json!({ "isAnswered": name, "body": body })).await;
    }

    /// What the file says, in the order in which things were sent.
    pub(super) fn read(&self) -> Vec<JournalRecord> {
        let text = std::fs::read_to_string(self.path()).expect("the journal can be read");
        let (mut pages, mut places) = (Vec::<JournalRecord>::new(), BTreeMap::new());
        for line in text.lines() {
            let note: Value = serde_json::from_str(line).expect("a note is JSON");
            if let Some(name) = note["sends"].as_str() {
                if !places.contains_key(name) {
                    places.insert(name.to_owned(), pages.len());
                    pages.push(JournalRecord {
                        name: name.to_owned(),
                        request: note["request"].clone(),
                        answer: None,
                    });
                }
            } else {
                let name = note["isAnswered"].as_str().expect("it is one of the two");
                let body = note["body"].as_str().expect("a body is text");
                pages[places[name]].answer =
                    Some(serde_json::from_str(body).unwrap_or(Value::Null));
            }
        }
        pages
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal")
    }
}

/// What the journal knows of one request.
pub(super) struct JournalRecord {
    pub(super) name: String,
    pub(super) request: Value,
    /// None while it was not answered.
    pub(super) answer: Option<Value>,
}

/// Writes what has come, syncs once for all of it, and tells those who wait.
fn write(mut file: File, mut coming: mpsc::UnboundedReceiver<(String, oneshot::Sender<()>)>) {
    while let Some((mut text, first)) = coming.blocking_recv() {
        let mut waiting = vec![first];
        while let Ok((next, done)) = coming.try_recv() {
            text.push_str(&next);
            waiting.push(done);
        }
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_data())
            .expect("the journal can be written");
        for done in waiting {
            // The writer of the note may have gone.
            let _ = done.send(());
        }
    }
}
