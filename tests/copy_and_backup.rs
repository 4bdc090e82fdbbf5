//! Copies between databases of any kind, and backups of a database in use.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{
    Answer, Database, Program, TABLES, TestDatabase, bootstrap, on_every_database, run,
};

on_every_database! {
    a_copy_in_the_other_database_serves_the_same_data,
    an_interrupted_copy_continues_where_it_stopped,
    a_copy_into_a_database_with_other_rows_is_refused_before_any_write,
}

fn other_kind(database: Database) -> TestDatabase {
    match database {
        Database::Sqlite => Database::Postgres.create(),
        Database::Postgres => Database::Sqlite.create(),
    }
}

fn copy(from: &TestDatabase, to: &TestDatabase) -> Output {
    run(&["copy", "--from", &from.url(), "--to", &to.url()])
}

/// Entries of every kind of content, with history, and the answers of the service about them.
struct Original {
    database: TestDatabase,
    key: String,
    answers: Vec<Answer>,
    repeated: Answer,
    many: Answer,
}

/// A batch whose answer is large enough to be compressed.
fn many() -> Value {
    json!({ "entries": vec![json!({}); 100] })
}

impl Original {
    async fn create(database: Database) -> Self {
        let database = database.create();
        let made = bootstrap(&database.url());
        let program = Program::serve(&database.url(), &[]);
        let api = program.api.with_key(&made.key);
        let mut answers = Vec::new();
        for number in 0..40 {
            let mut body = made.body();
            body["description"] = json!(format!("nothing \u{e9} is \"lost\" \n {number}"));
            body["externalRef"] = json!({"provider": "p", "externalType": "t", "externalId": format!("{}", number % 30)});
            body["minutes"] = json!(1 + number);
            api.post(&made.path()).json(&body).send().await;
        }
        let long = "\u{10ffff}".repeat(255);
        let mut body = made.body();
        body["externalRef"] = json!({ "provider": long, "externalType": long, "externalId": long });
        api.post(&made.path()).json(&body).send().await.is(201);
        let list = api.get("/time-entries?limit=200&sort=createdAt").send().await.is(200);
        for entry in list.json()["data"].as_array().unwrap() {
            let path = format!("/time-entries/{}", entry["id"].as_str().unwrap());
            answers.push(api.get(&path).send().await.is(200));
            answers.push(api.get(&format!("{path}/history")).send().await.is(200));
        }
        answers.push(list);
        let repeated =
            api.post(&made.path()).json(&made.body()).idempotency_key("again").send().await.is(201);
        let many = api
            .post(&format!("{}/batch", made.path()))
            .json(&many())
            .idempotency_key("many")
            .send()
            .await
            .is(200);
        assert!(program.stop().status.success());
        Self { database, key: made.key, answers, repeated, many }
    }

    /// The copy gives the same answers as the original, also to a repeat.
    async fn is_served_by(&self, copy: &TestDatabase) {
        let program = Program::serve(&copy.url(), &[]);
        let api = program.api.with_key(&self.key);
        for answer in &self.answers {
            let now = api.get(&answer.path).send().await;
            let new = self.repeated.text("id");
            // The list has one entry more than when it was read.
            if !answer.path.contains("limit") {
                assert_eq!(
                    (&now.body, now.header("etag")),
                    (&answer.body, answer.header("etag")),
                    "{new}"
                );
            }
        }
        let body = json!({ "userId": self.repeated.text("userId"), "workDate": "2025-01-15", "minutes": 150 });
        let repeat =
            api.post(&self.repeated.path).json(&body).idempotency_key("again").send().await;
        assert!(repeat.is_replayed() && repeat.body == self.repeated.body, "{}", repeat.describe());
        let repeat = api.post(&self.many.path).json(&many()).idempotency_key("many").send().await;
        assert!(repeat.is_replayed() && repeat.body == self.many.body, "{}", repeat.describe());
        // The longest reference still finds its entry.
        let long = "\u{10ffff}".repeat(255);
        let reference = json!({ "provider": long, "externalType": long, "externalId": long });
        let mut body = body;
        body["externalRef"] = reference;
        api.post(&self.repeated.path).json(&body).send().await.is(200);
    }
}

async fn a_copy_in_the_other_database_serves_the_same_data(database: Database) {
    let original = Original::create(database).await;
    let target = other_kind(database);
    let copied = copy(&original.database, &target);
    assert!(copied.status.success(), "{copied:?}");
    let printed = String::from_utf8(copied.stdout).unwrap();
    for table in TABLES {
        let rows = original.database.count(table);
        assert_eq!(target.count(table), rows);
        let line = printed.lines().find(|line| line.starts_with(&format!("{table} "))).unwrap();
        assert!(line.contains(&format!(" {rows} rows")), "{line}");
    }
    original.is_served_by(&target).await;
}

async fn an_interrupted_copy_continues_where_it_stopped(database: Database) {
    let original = Original::create(database).await;
    let target = other_kind(database);
    assert!(copy(&original.database, &target).status.success());
    // An interrupted copy leaves tables in their order, and rows in the order of their keys.
    target.execute("DELETE FROM idempotency_keys");
    target.execute("DELETE FROM time_entry_history");
    target.execute(
        "DELETE FROM time_entries WHERE id > (SELECT id FROM time_entries ORDER BY id \
        LIMIT 1 OFFSET 10)",
    );
    assert_eq!(target.count("time_entries"), 11);
    assert!(copy(&original.database, &target).status.success());
    for table in TABLES {
        assert_eq!(target.count(table), original.database.count(table), "{table}");
    }
    original.is_served_by(&target).await;
}

async fn a_copy_into_a_database_with_other_rows_is_refused_before_any_write(database: Database) {
    let original = Original::create(database).await;
    let refuses = |target: &TestDatabase, expected: &str| {
        let before = target.counts();
        let copied = copy(&original.database, target);
        assert_eq!(copied.status.code(), Some(1));
        let complaint = String::from_utf8(copied.stderr).unwrap();
        assert!(
            complaint.contains(expected) && complaint.contains("nothing was written"),
            "{complaint}"
        );
        assert_eq!(target.counts(), before);
    };
    let target = other_kind(database);
    bootstrap(&target.url());
    refuses(&target, "the target has an organization that the source does not have");
    // The organization is the same, but has changed since.
    let target = other_kind(database);
    assert!(copy(&original.database, &target).status.success());
    target.execute("DELETE FROM idempotency_keys");
    original.database.execute("DELETE FROM time_entry_history");
    refuses(&target, "time_entry_history has 0 rows at the source and ");
}

#[test]
fn a_copy_onto_itself_is_refused_under_any_name() {
    let database = Database::Sqlite.create();
    bootstrap(&database.url());
    let path = database.url().strip_prefix("sqlite:").unwrap().to_owned();
    let beside =
        |name: &str| std::path::Path::new(&path).with_file_name(name).display().to_string();
    std::os::unix::fs::symlink("timelog.db", beside("link")).unwrap();
    std::fs::hard_link(&path, beside("hard")).unwrap();
    let before = database.counts();
    for name in
        ["timelog.db", "link", "hard", "./timelog.db", "timelog.db-wal", "timelog.db-journal"]
    {
        let (one, other) = (database.url(), format!("sqlite:{}", beside(name)));
        for (from, to) in [(&one, &other), (&other, &one)] {
            let copied = run(&["copy", "--from", from, "--to", to]);
            let complaint = String::from_utf8_lossy(&copied.stderr);
            assert_eq!(copied.status.code(), Some(1), "{name}: {complaint}");
            assert!(
                complaint.contains("--from and --to name the same database"),
                "{name}: {complaint}"
            );
        }
        assert!(!std::path::Path::new(&beside("timelog.db-journal")).exists());
    }
    assert_eq!(database.counts(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_under_load_is_consistent() {
    let database = Database::Sqlite.create();
    let made = bootstrap(&database.url());
    let program = Program::serve(&database.url(), &[]);
    let api = program.api.with_key(&made.key);
    let first = api.post(&made.path()).json(&made.body()).send().await.is(201);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db").display().to_string();
    let logging = tokio::spawn({
        let (api, path, body) = (api.clone(), made.path(), made.body());
        async move {
            for _ in 0..50 {
                api.post(&path).json(&body).send().await.is(201);
            }
        }
    });
    let url = database.url();
    let backup = {
        let (path, url) = (path.clone(), url.clone());
        tokio::task::spawn_blocking(move || run(&["backup", &path, "--database-url", &url]))
            .await
            .unwrap()
    };
    logging.await.unwrap();
    assert!(backup.status.success(), "{backup:?}");
    // An existing file is never replaced, and no partial file is left.
    let again = run(&["backup", &path, "--database-url", &url]);
    assert!(
        !again.status.success()
            && String::from_utf8_lossy(&again.stderr).contains("exists already"),
        "{again:?}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let restored = Program::serve(&format!("sqlite:{path}"), &[]);
    let read = restored
        .api
        .with_key(&made.key)
        .get(&format!("/time-entries/{}", first.text("id")))
        .send()
        .await;
    assert_eq!(read.is(200).body, first.body);
}

#[test]
fn a_missing_database_is_neither_copied_nor_backed_up_nor_created() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("sqlite:{}", folder.path().join("missing.db").display());
    let target = format!("sqlite:{}", folder.path().join("target.db").display());
    for arguments in [
        &["copy", "--from", &missing, "--to", &target][..],
        &["backup", folder.path().join("backup.db").to_str().unwrap(), "--database-url", &missing]
            [..],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("there is no database"),
            "{output:?}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
