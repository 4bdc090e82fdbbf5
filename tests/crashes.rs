//! Killed programs and power cuts: answered changes are there, once.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::sync::{Arc, Mutex};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::postgres::Cluster;
use crate::support::{
    Answer, Api, Database, LossyDisk, Program, Random, TestDatabase, on_every_database, run_with,
};

on_every_database![a_program_killed_again_and_again_loses_and_doubles_nothing,];

/// Where the database is, and what can fail.
enum Place {
    LossyDisk(LossyDisk),
    Server(Arc<Cluster>, String),
}

impl Place {
    fn new(database: Database) -> Self {
        match database {
            Database::Sqlite => Self::LossyDisk(LossyDisk::new()),
            Database::Postgres => {
                let cluster =
                    Arc::new(Cluster::start(&[("fsync", "on"), ("synchronous_commit", "on")]));
                let url = cluster.url_of_new_database();
                Self::Server(cluster, url)
            }
        }
    }

    fn url(&self) -> String {
        match self {
            Self::LossyDisk(disk) => disk.url(),
            Self::Server(_, url) => url.clone(),
        }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::LossyDisk(disk) => disk.variables(),
            Self::Server(..) => Vec::new(),
        }
    }

    fn serve(&self) -> Program {
        Program::begin_with(&self.url(), &[], &self.variables()).serving()
    }

    fn bootstrap(&self) -> Value {
        let variables = self.variables();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let made = run_with(&["bootstrap", "--json", "--database-url", &self.url()], &variables);
        serde_json::from_slice(&made.stdout).unwrap_or_else(|error| panic!("{error}: {made:?}"))
    }
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

/// A request that logs an entry under a key.
async fn log(api: &Api, made: &Value, key: &str) -> Result<Answer, reqwest::Error> {
    let body = json!({ "userId": made["userId"], "workDate": "2025-01-15", "minutes": 150, "description": key });
    let path = format!("/projects/{}/time-entries", text(made, "projectId"));
    api.post(&path).json(&body).idempotency_key(key).try_send().await
}

/// What the clients know: the answers they got, and the keys that got no answer.
#[derive(Default)]
struct Known {
    answered: BTreeMap<String, Vec<u8>>,
    unknown: Vec<String>,
    keys: usize,
}

/// Logs with four clients until the program is gone. Each first repeats what got no answer.
async fn log_until_it_is_gone(
    program: &Program,
    made: &Value,
    known: &Arc<Mutex<Known>>,
    enough: Arc<tokio::sync::Notify>,
    at: usize,
) {
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        let (api, made) = (program.api.with_key(text(made, "apiKey")), made.clone());
        let (known, enough) = (known.clone(), enough.clone());
        clients.spawn(async move {
            loop {
                let key = {
                    let mut known = known.lock().unwrap();
                    let key = known.unknown.pop();
                    key.unwrap_or_else(|| {
                        known.keys += 1;
                        format!("key-{}", known.keys)
                    })
                };
                let answer = log(&api, &made, &key).await;
                let mut known = known.lock().unwrap();
                match answer {
                    Ok(answer) if answer.status == 201 => {
                        known.answered.insert(key, answer.body);
                        if known.answered.len() >= at {
                            enough.notify_one();
                        }
                    }
                    Ok(answer) => {
                        answer.fails_with(503, "unavailable");
                        known.unknown.push(key);
                    }
                    Err(_) => return known.unknown.push(key),
                }
            }
        });
    }
    while clients.join_next().await.is_some() {}
}

async fn a_program_killed_again_and_again_loses_and_doubles_nothing(database: Database) {
    let mut random = Random::new();
    let place = Place::new(database);
    let made = place.bootstrap();
    let known = Arc::new(Mutex::new(Known::default()));
    for _ in 0..6 {
        let program = place.serve();
        let at = known.lock().unwrap().answered.len() + 1 + random.below(30);
        let enough = Arc::new(tokio::sync::Notify::new());
        let way = random.below(2);
        let kill = async {
            enough.notified().await;
            match (&place, way) {
                (Place::LossyDisk(disk), 0) => disk.kill_before_next_sync(),
                (Place::Server(cluster, _), 0) => {
                    cluster.stop();
                    program.signal("KILL");
                }
                _ => program.signal("KILL"),
            }
        };
        tokio::join!(log_until_it_is_gone(&program, &made, &known, enough.clone(), at), kill);
        assert_eq!(program.end().status.signal(), Some(9));
        match (&place, way) {
            (Place::LossyDisk(disk), _) if random.below(2) == 0 => disk.lose_power(),
            (Place::Server(cluster, _), 0) => cluster.start_again(),
            _ => {}
        }
    }
    let program = place.serve();
    let api = program.api.with_key(text(&made, "apiKey"));
    let unknown = std::mem::take(&mut known.lock().unwrap().unknown);
    for key in unknown {
        let answer = log(&api, &made, &key).await.unwrap().is(201);
        known.lock().unwrap().answered.insert(key, answer.body);
    }
    let answered = std::mem::take(&mut known.lock().unwrap().answered);
    for (key, body) in &answered {
        let repeat = log(&api, &made, key).await.unwrap().is(201);
        assert!(
            repeat.is_replayed() && repeat.body == *body,
            "{key} was lost: {}",
            repeat.describe()
        );
    }
    let list = api.get("/time-entries?includeTotal=true&limit=1").send().await.is(200);
    assert_eq!(list.json()["total"], answered.len(), "every key has one entry");
    assert!(program.stop().status.success());
    if let Place::LossyDisk(disk) = &place {
        assert_eq!(integrity(disk), "ok");
    }
}

fn integrity(disk: &LossyDisk) -> String {
    let mut conn = SqliteConnection::establish(disk.path().to_str().unwrap()).unwrap();
    let check =
        diesel::dsl::sql::<diesel::sql_types::Text>("integrity_check FROM pragma_integrity_check");
    diesel::select(check).get_result(&mut conn).unwrap()
}

/// A commit was written and not synced when its program died. The next program answers for it, and
/// then the power goes: it is still there.
async fn is_there_after_a_repeat(by_reference: bool, beside_a_reader: bool) {
    let mut random = Random::new();
    let place = Place::new(Database::Sqlite);
    let Place::LossyDisk(disk) = &place else { unreachable!("it is a disk") };
    let made = place.bootstrap();
    let program = place.serve();
    let api = program.api.with_key(text(&made, "apiKey"));
    // The first commit of a log syncs its header too, before the commit is written.
    for number in 0..=random.below(20) {
        log(&api, &made, &number.to_string()).await.unwrap().is(201);
    }
    let path = format!("/projects/{}/time-entries", text(&made, "projectId"));
    let reference = json!({ "provider": "p", "externalType": "t", "externalId": "i" });
    let mut body = json!({ "userId": made["userId"], "workDate": "2025-01-15", "minutes": 150 });
    if by_reference {
        body["externalRef"] = reference;
    }
    let call = |api: &Api| {
        let call = api.post(&path).json(&body);
        if by_reference { call } else { call.idempotency_key("k") }
    };
    disk.kill_before_next_sync();
    assert!(call(&api).try_send().await.is_err(), "the program died before it could answer");
    assert_eq!(program.end().status.signal(), Some(9));

    // Another process may have opened the database first and be reading it still.
    let reader = beside_a_reader.then(|| {
        let mut reader = SqliteConnection::establish(disk.path().to_str().unwrap()).unwrap();
        reader.batch_execute("BEGIN; SELECT * FROM time_entries").unwrap();
        reader
    });
    let program = place.serve();
    let answer = call(&program.api.with_key(text(&made, "apiKey"))).send().await;
    // Otherwise the case did not occur.
    assert!(
        if by_reference { answer.status == 200 } else { answer.is_replayed() },
        "{}",
        answer.describe()
    );
    program.signal("KILL");
    program.end();
    drop(reader);
    disk.lose_power();

    let program = place.serve();
    let api = program.api.with_key(text(&made, "apiKey"));
    let read = api.get(&format!("/time-entries/{}", answer.text("id"))).send().await.is(200);
    assert_eq!(read.body, answer.body);
    assert_eq!(call(&api).send().await.body, answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsynced_commit_of_a_killed_program_is_synced_before_a_repeat_by_key_is_answered() {
    is_there_after_a_repeat(false, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsynced_commit_of_a_killed_program_is_synced_before_a_repeat_by_reference_is_answered()
{
    is_there_after_a_repeat(true, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsynced_commit_of_a_killed_program_is_synced_although_another_process_reads_the_file()
{
    is_there_after_a_repeat(false, true).await;
    is_there_after_a_repeat(true, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wal_file_that_a_reader_keeps_from_a_checkpoint_is_synced_in_place() {
    let place = Place::new(Database::Sqlite);
    let Place::LossyDisk(disk) = &place else { unreachable!("it is a disk") };
    let made = place.bootstrap();
    let mut reader = SqliteConnection::establish(disk.path().to_str().unwrap()).unwrap();
    reader.batch_execute("BEGIN; SELECT * FROM time_entries").unwrap();
    let program = place.serve();
    let answer =
        log(&program.api.with_key(text(&made, "apiKey")), &made, "k").await.unwrap().is(201);
    program.signal("KILL");
    program.end();
    let mut program = Program::begin_with(&place.url(), &[], &place.variables());
    // The reader may read for hours, so the start does not wait for it.
    program.wait_for_log(|line| {
        line["message"].as_str().unwrap_or_default().contains("its log is synced as it is")
    });
    let program = program.serving();
    let repeat =
        log(&program.api.with_key(text(&made, "apiKey")), &made, "k").await.unwrap().is(201);
    assert!(repeat.is_replayed() && repeat.body == answer.body, "{}", repeat.describe());
    program.signal("KILL");
    program.end();
    drop(reader);
    disk.lose_power();
    let program = place.serve();
    let repeat =
        log(&program.api.with_key(text(&made, "apiKey")), &made, "k").await.unwrap().is(201);
    assert!(repeat.is_replayed() && repeat.body == answer.body, "{}", repeat.describe());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_one_complete_file_after_a_stop_under_load() {
    let mut random = Random::new();
    let database = Database::Sqlite.create();
    let folder = database.path().parent().unwrap().to_owned();
    let made = run_with(&["bootstrap", "--json", "--database-url", &database.url()], &[]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let files = || {
        let files = std::fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap());
        files.collect::<Vec<_>>()
    };
    assert_eq!(files(), ["timelog.db"], "a command leaves one file too");
    let known = Arc::new(Mutex::new(Known::default()));
    for _ in 0..8 {
        let program = Program::serve(&database.url(), &[]);
        let at = known.lock().unwrap().answered.len() + 1 + random.below(40);
        let enough = Arc::new(tokio::sync::Notify::new());
        let stop = async {
            enough.notified().await;
            program.signal("TERM");
        };
        tokio::join!(log_until_it_is_gone(&program, &made, &known, enough.clone(), at), stop);
        assert!(program.end().status.success());
        assert_eq!(files(), ["timelog.db"]);
        // Only that one file is copied.
        let TestDatabase::Sqlite(elsewhere) = Database::Sqlite.create() else {
            unreachable!("it is a folder")
        };
        let copy = elsewhere.path().join("timelog.db");
        std::fs::copy(database.path(), &copy).unwrap();
        let stored = TestDatabase::Sqlite(elsewhere).count("time_entries");
        let answered = i64::try_from(known.lock().unwrap().answered.len()).unwrap();
        let unknown = i64::try_from(known.lock().unwrap().unknown.len()).unwrap();
        assert!(
            (answered..=answered + unknown).contains(&stored),
            "{stored} of {answered} and {unknown}"
        );
    }
}
