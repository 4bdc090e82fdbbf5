//! A database of the previous release is upgraded with all its data.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use timelog_adapters::{digest_external_ref_part, digest_key};

use crate::support::{Database, Program, TABLES, TestDatabase, on_every_database, run};

on_every_database![
    references_and_stored_answers_of_the_previous_release_still_work,
    changes_of_the_previous_release_are_numbered_in_their_order,
    what_entries_keep_now_is_taken_from_their_history,
    a_reverted_upgrade_leaves_the_data_of_the_previous_release,
];

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");

/// The first migration that the previous release does not have.
const FIRST_OF_THIS_RELEASE: &str = "20261125000002";

const ORGANIZATION: &str = "00000000-0000-4000-8000-000000000001";
const PROJECT: &str = "00000000-0000-4000-8000-000000000002";
const USER: &str = "00000000-0000-4000-8000-000000000003";
const KEY: &str = "00000000-0000-4000-8000-000000000004";
const SECRET: &str =
    "tlk_0123456789ab_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// References that the rows have, by the last digit of their ids.
const REFERENCES: [(&str, &str, &str); 4] = [
    ("jira", "worklog", "1"),
    ("jira", "worklog", "2"),
    ("jira", "issue", "1"),
    ("\u{e9}", "e\u{301}", "'; --"),
];

/// The day of the entry of each: the first, the last, and others that are easy to miss by one.
const DAYS: [&str; 4] = ["0001-01-01", "9999-12-31", "2024-02-29", "1969-12-31"];

/// The day of the entry of a reference.
fn day_of(reference: (&str, &str, &str)) -> &'static str {
    let number = REFERENCES.iter().position(|known| *known == reference);
    number.map_or("2025-01-15", |number| DAYS[number])
}

/// How values are written in the SQL of a kind of database.
#[derive(Clone, Copy)]
struct Sql(Database);

/// Bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).map(char::from).collect()
}

impl Sql {
    fn folder(self) -> PathBuf {
        PathBuf::from(MIGRATIONS).join(match self.0 {
            Database::Sqlite => "sqlite",
            Database::Postgres => "postgres",
        })
    }

    fn bytes(self, bytes: &[u8]) -> String {
        let hex = hex(bytes);
        match self.0 {
            Database::Sqlite => format!("x'{hex}'"),
            Database::Postgres => format!("'\\x{hex}'::bytea"),
        }
    }

    fn id(self, id: &str) -> String {
        match self.0 {
            Database::Sqlite => format!("x'{}'", id.replace('-', "")),
            Database::Postgres => format!("'{id}'"),
        }
    }

    /// 2026-03-01T09:00:00.000Z.
    fn instant(self) -> &'static str {
        match self.0 {
            Database::Sqlite => "1772355600000",
            Database::Postgres => "to_timestamp(1772355600)",
        }
    }

    fn in_an_hour(self) -> &'static str {
        match self.0 {
            Database::Sqlite => "1000 * unixepoch() + 3600000",
            Database::Postgres => "now() + interval '1 hour'",
        }
    }

    fn no(self) -> &'static str {
        match self.0 {
            Database::Sqlite => "0",
            Database::Postgres => "false",
        }
    }

    fn yes(self) -> &'static str {
        match self.0 {
            Database::Sqlite => "1",
            Database::Postgres => "true",
        }
    }

    /// The names of the migrations, and which of them this release brings.
    fn migrations(self) -> (Vec<String>, Vec<String>) {
        let folders = fs::read_dir(self.folder()).unwrap();
        let mut names: Vec<_> =
            folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names.into_iter().partition(|name| name.as_str() < FIRST_OF_THIS_RELEASE)
    }

    fn read(self, migration: &str, file: &str) -> String {
        fs::read_to_string(self.folder().join(migration).join(file)).unwrap()
    }

    /// An entry as the previous release writes it.
    fn entry(self, id: &str, reference: Option<(&str, &str, &str)>) -> String {
        let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let parts = reference.map_or("NULL, NULL, NULL".to_owned(), |(provider, kind, name)| {
            [provider, kind, name].map(text).join(", ")
        });
        let (organization, project, user) =
            (self.id(ORGANIZATION), self.id(PROJECT), self.id(USER));
        let (id, yes, at) = (self.id(id), self.yes(), self.instant());
        let day = reference.map_or("2025-01-15", day_of);
        format!(
            "INSERT INTO time_entries (organization_id, id, project_id, user_id, work_date, \
             minutes, billable, source, \
             status, external_provider, external_type, external_id, version, created_at, \
             updated_at) VALUES \
             ({organization}, {id}, {project}, {user}, '{day}', 150, {yes}, 'api', 'draft', \
             {parts}, 1, {at}, {at});"
        )
    }
}

impl Sql {
    /// A change as the previous release writes it, so many seconds after the beginning.
    fn change(self, id: &str, version: u32, event: &str, seconds: i64) -> String {
        let (organization, project, key) = (self.id(ORGANIZATION), self.id(PROJECT), self.id(KEY));
        let (id, at) = (self.id(id), self.instant());
        let at = match self.0 {
            Database::Sqlite => format!("{at} + {seconds} * 1000"),
            Database::Postgres => format!("{at} + interval '{seconds} seconds'"),
        };
        let to = if event == "delete" { "NULL" } else { "'draft'" };
        format!(
            "INSERT INTO time_entry_history (organization_id, time_entry_id, project_id, version, \
             event, at, key_id, to_status, changes) VALUES \
             ({organization}, {id}, {project}, {version}, '{event}', {at}, {key}, {to}, '[]');"
        )
    }
}

fn entry_id(number: usize) -> String {
    format!("00000000-0000-4000-8000-00000000010{number}")
}

fn body(reference: (&str, &str, &str), minutes: u32) -> Value {
    let (provider, kind, id) = reference;
    let day = day_of(reference);
    let reference = json!({ "provider": provider, "externalType": kind, "externalId": id });
    json!({ "userId": USER, "workDate": day, "minutes": minutes, "externalRef": reference })
}

fn path() -> String {
    format!("/projects/{PROJECT}/time-entries")
}

/// A stored answer that this release would compress.
fn stored_answer() -> Value {
    json!({
        "id": entry_id(9), "organizationId": ORGANIZATION, "projectId": PROJECT, "userId": USER, "entryId": null,
        "releaseId": null, "workDate": "2025-01-15", "hours": "2.5", "minutes": 150, "description": "again ".repeat(300),
        "billable": true, "source": "api", "status": "draft", "invoiced": false,
        "createdAt": "2026-03-01T09:00:00.000Z", "updatedAt": "2026-03-01T09:00:00.000Z",
    })
}

/// A database as the previous release left it.
fn of_the_release_before(kind: Database) -> TestDatabase {
    let (database, sql) = (kind.create(), Sql(kind));
    let (migrations, _) = sql.migrations();
    database.execute(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
         run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    );
    for name in migrations {
        database.execute(&sql.read(&name, "up.sql"));
        let version = name.split('_').next().unwrap();
        database.execute(&format!(
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"
        ));
    }
    let (organization, project, user, key) =
        (sql.id(ORGANIZATION), sql.id(PROJECT), sql.id(USER), sql.id(KEY));
    let (yes, no, at) = (sql.yes(), sql.no(), sql.instant());
    let mut rows = format!(
        "INSERT INTO organizations VALUES ({organization}, 'Organization'); \
         INSERT INTO projects VALUES ({organization}, {project}, 'Project', {no}); \
         INSERT INTO users VALUES ({organization}, {user}, 'User', {yes}); \
         INSERT INTO api_keys VALUES ({organization}, {key}, '0123456789ab', {}, NULL, NULL, \
         'read,write', {at}, NULL); \
         INSERT INTO idempotency_keys VALUES ({organization}, {key}, 'POST {}', 'k', {}, 201, \
         '/time-entries/{}', '\"1\"', \
         {}, {});",
        sql.bytes(&digest_key(SECRET)),
        path(),
        sql.bytes(&[7; 32]),
        entry_id(9),
        sql.bytes(stored_answer().to_string().as_bytes()),
        sql.in_an_hour(),
    );
    for (number, reference) in REFERENCES.into_iter().enumerate() {
        rows += &sql.entry(&entry_id(number), Some(reference));
    }
    rows += &sql.entry(&entry_id(9), None);
    database.execute(&rows);
    database
}

/// How many entries have the digests of that reference.
fn digested(sql: Sql, database: &TestDatabase, (provider, kind, id): (&str, &str, &str)) -> i64 {
    let is = |column: &str, part: &str| {
        format!("external_{column}_digest = {}", sql.bytes(&digest_external_ref_part(part)))
    };
    let conditions = [is("provider", provider), is("type", kind), is("id", id)];
    database.count(&format!("time_entries WHERE {}", conditions.join(" AND ")))
}

async fn references_and_stored_answers_of_the_previous_release_still_work(kind: Database) {
    let (database, sql) = (of_the_release_before(kind), Sql(kind));
    let program = Program::serve(&database.url(), &[]);
    let api = program.api.with_key(SECRET);
    // The digests that the migration made are those that the program looks for.
    assert!(REFERENCES.iter().all(|reference| digested(sql, &database, *reference) == 1));
    for (number, reference) in REFERENCES.into_iter().enumerate() {
        let same = api.post(&path()).json(&body(reference, 150)).send().await.is(200);
        assert_eq!((same.text("id"), same.header("etag")), (entry_id(number), Some("\"1\"")));
        let changed = api.post(&path()).json(&body(reference, 151)).send().await.is(200);
        assert_eq!((changed.text("id"), changed.header("etag")), (entry_id(number), Some("\"2\"")));
    }
    let page = api
        .get("/time-entries?externalRef.provider=jira&externalRef.externalType=worklog")
        .send()
        .await
        .is(200);
    assert_eq!(page.json()["data"].as_array().unwrap().len(), 2);
    let repeat =
        api.post(&path()).json(&body(REFERENCES[0], 150)).idempotency_key("k").send().await.is(201);
    assert!(repeat.is_replayed());
    assert_eq!(repeat.body, stored_answer().to_string().into_bytes());
    assert_eq!(database.count("idempotency_keys WHERE size = 16 + length(answer)"), 1);
    if let Database::Postgres = kind {
        // An instance of the previous release still runs, and writes no digests.
        let reference = ("jira", "worklog", "late");
        database.execute(&sql.entry(&entry_id(8), Some(reference)));
        assert_eq!(digested(sql, &database, reference), 1);
        assert_eq!(
            api.post(&path()).json(&body(reference, 150)).send().await.is(200).text("id"),
            entry_id(8)
        );
    }
    assert!(program.stop().status.success());
}

async fn changes_of_the_previous_release_are_numbered_in_their_order(kind: Database) {
    let (database, sql) = (of_the_release_before(kind), Sql(kind));
    // In no order; the clock was set back before the second version of the first entry.
    let happened = [
        (2, 1, "log", 30),
        (1, 2, "delete", 20),
        (0, 3, "edit", 11),
        (0, 1, "log", 40),
        (0, 2, "edit", -60),
        (1, 1, "log", 10),
        (3, 1, "log", 10),
    ];
    for (entry, version, event, seconds) in happened {
        database.execute(&sql.change(&entry_id(entry), version, event, seconds));
    }
    let program = Program::serve(&database.url(), &[]);
    let api = program.api.with_key(SECRET);
    let page = api.get("/changes").send().await.is(200).json();
    let changes = page["data"].as_array().unwrap();
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change["timeEntryId"].clone(), change["version"].clone()))
        .collect();
    let expected = [(1, 1), (3, 1), (1, 2), (2, 1), (0, 1), (0, 2), (0, 3)];
    let expected: Vec<_> =
        expected.iter().map(|(entry, version)| (json!(entry_id(*entry)), json!(version))).collect();
    assert_eq!(told, expected);
    assert!(changes.iter().map(|change| change["seq"].as_u64().unwrap()).eq(1..=7));
    let new = json!({ "userId": USER, "workDate": "2025-01-15", "minutes": 7 });
    api.post(&path()).json(&new).send().await.is(201);
    let after = format!("/changes?after={}", page["nextCursor"].as_str().unwrap());
    let page = api.get(&after).send().await.is(200).json();
    assert_eq!(page["data"][0]["seq"], 8);
    let nil = "00000000-0000-0000-0000-000000000000";
    assert_eq!(database.count(&format!("organizations WHERE feed_epoch = {}", sql.id(nil))), 0);
}

async fn what_entries_keep_now_is_taken_from_their_history(kind: Database) {
    let (database, sql) = (of_the_release_before(kind), Sql(kind));
    let lives = [
        (
            "invoiced",
            vec![
                ("invoice", "'early'", "'2025-1'"),
                ("release-invoice", "'wrong'", "NULL"),
                ("invoice", "NULL", "'2025-2 é'"),
            ],
        ),
        ("draft", vec![("reject", "'Wrong ticket'", "NULL"), ("edit", "NULL", "NULL")]),
        (
            "locked",
            vec![("invoice", "NULL", "'2025-3'"), ("release-invoice", "'twice'", "'2025-3'")],
        ),
        ("submitted", vec![("reject", "'late'", "NULL"), ("submit", "NULL", "'2025-4'")]),
    ];
    for (number, (status, life)) in lives.iter().enumerate() {
        let entry = sql.id(&entry_id(number));
        database.execute(&sql.change(&entry_id(number), 1, "log", 0));
        for (version, (event, reason, invoice)) in (2..).zip(life) {
            database.execute(&sql.change(&entry_id(number), version, event, 0));
            database.execute(&format!(
                "UPDATE time_entry_history SET reason = {reason}, invoice_ref = {invoice} \
                 WHERE time_entry_id = {entry} AND version = {version}"
            ));
        }
        let version = life.len() + 1;
        database.execute(&format!(
            "UPDATE time_entries SET status = '{status}', version = {version} WHERE id = {entry}"
        ));
    }
    // Somebody else's entry was given to the user.
    let given = format!("[{{\"field\": \"userId\", \"old\": \"{KEY}\", \"new\": \"{USER}\"}}]");
    let second = sql.id(&entry_id(1));
    database.execute(&format!(
        "UPDATE time_entry_history SET changes = '{given}' WHERE time_entry_id = {second} AND \
         event = 'edit'"
    ));
    let program = Program::serve(&database.url(), &[]);
    let api = program.api.with_key(SECRET);
    for (number, (reason, invoice)) in [
        (json!(null), json!("2025-2 é")),
        (json!("Wrong ticket"), json!(null)),
        (json!("twice"), json!(null)),
        (json!(null), json!(null)),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/time-entries/{}?include=reason,invoiceRef", entry_id(number));
        let entry = api.get(&path).send().await.is(200).json();
        assert_eq!((&entry["reason"], &entry["invoiceRef"]), (&reason, &invoice), "{number}");
    }
    let on_it = api.get("/time-entries?invoiceRef=2025-2%20%C3%A9").send().await.is(200).json();
    assert_eq!(on_it["data"][0]["id"], entry_id(0));
    let lost = format!("time_entry_history WHERE left_user_id = {} AND version = 3", sql.id(KEY));
    assert_eq!(database.count(&lost), 1);
    assert_eq!(database.count("time_entry_history WHERE left_user_id IS NOT NULL"), 1);
    assert!(program.stop().status.success());
}

async fn a_reverted_upgrade_leaves_the_data_of_the_previous_release(kind: Database) {
    let (database, sql) = (of_the_release_before(kind), Sql(kind));
    let new = ["closings", "webhooks", "webhook_failures"];
    let known = TABLES.iter().filter(|table| !new.contains(table));
    let counts = || known.clone().map(|table| (*table, database.count(table))).collect();
    let before: BTreeMap<&str, i64> = counts();
    let days =
        || database.texts("SELECT CAST(work_date AS text) AS text FROM time_entries ORDER BY id");
    let days_before = days();
    let migrate = || {
        let migrated = run(&["migrate", "--database-url", &database.url()]);
        assert!(migrated.status.success(), "{migrated:?}");
    };
    migrate();
    let (_, new) = sql.migrations();
    assert!(new.len() > 1);
    for name in new.iter().rev() {
        database.execute(&sql.read(name, "down.sql"));
        let version = name.split('_').next().unwrap();
        database.execute(&format!(
            "DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"
        ));
    }
    // The keys of the stored answers cannot be had back from their digests.
    let left: BTreeMap<_, _> = before.into_iter().chain([("idempotency_keys", 0)]).collect();
    assert_eq!((days(), counts()), (days_before, left));
    // The previous release logs more, and the next upgrade finds it.
    let reference = ("jira", "worklog", "meanwhile");
    database.execute(&sql.entry(&entry_id(8), Some(reference)));
    migrate();
    assert!(
        REFERENCES
            .iter()
            .chain([&reference])
            .all(|reference| digested(sql, &database, *reference) == 1)
    );
}
