//! `docs/examples/mirror.py` keeps an exact copy.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use timelog_domain::Action;

use crate::support::example::{EXAMPLES, Running, entries};
use crate::support::{Database, Service, on_every_database, run, until};

on_every_database! {
    the_mirror_has_every_entry_exactly,
    a_mirror_that_runs_follows_every_change,
    a_mirror_of_a_project_has_its_entries_alone,
    a_mirror_begins_again_where_its_feed_was_renewed,
}

fn mirror(service: &Service, copy: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command
        .args([format!("{EXAMPLES}/mirror.py"), format!("http://{}", service.address)])
        .arg(copy)
        .args(arguments)
        .env("TIMELOG_KEY", &service.tenant.key.text)
        .stdin(Stdio::null());
    command
}

/// Mirrors what there is, and returns the copy.
fn mirrored(service: &Service, copy: &Path, arguments: &[&str]) -> BTreeMap<String, Value> {
    let arguments = [&["--once"], arguments].concat();
    let done = mirror(service, copy, &arguments).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    entries(copy)
}

/// What the service has, as the copy should have it.
async fn expected(service: &Service, path: &str) -> BTreeMap<String, Value> {
    let list = service.api.get(&format!("{path}?limit=200")).send().await.is(200).json();
    assert_eq!(list["nextCursor"], Value::Null);
    let mut entries = BTreeMap::new();
    for mut entry in list["data"].as_array().unwrap().clone() {
        let id = entry["id"].as_str().unwrap().to_owned();
        let tag = service.read(&id).await.header("etag").unwrap().trim_matches('"').to_owned();
        entry["version"] = json!(tag.parse::<u64>().unwrap());
        entry["externalRef"] = match entry["description"].as_str() {
            Some(name) => json!({ "provider": "p", "externalType": "t", "externalId": name }),
            None => Value::Null,
        };
        entries.insert(id, entry);
    }
    entries
}

/// Entries of two projects in every status, some with a reference, some changed, some deleted.
async fn some_life(service: &Service, round: u32) {
    let (own, other) = (service.tenant.project_id, service.tenant.other_project_id);
    for (path, elsewhere) in [(service.tenant.path(), other), (service.tenant.other_path(), own)] {
        let to_elsewhere = json!({ "projectId": elsewhere.to_string() });
        for number in 0..20 {
            let name = format!("é\u{1f570} \"{round} {number}\"");
            let reference = json!({ "provider": "p", "externalType": "t", "externalId": name });
            let members = if number % 2 == 0 && path == service.tenant.path() {
                json!({ "description": name, "externalRef": reference })
            } else {
                json!({})
            };
            let body = service.tenant.body_with(&members);
            let id = service.api.post(&path).json(&body).send().await.text("id");
            let entry = format!("/time-entries/{id}");
            match number % 5 {
                0 => drop(service.api.delete(&entry).send().await.is(204)),
                1 => drop(service.api.patch(&entry).json(&json!({ "minutes": 7 })).send().await),
                3 => drop(service.api.patch(&entry).json(&to_elsewhere).send().await.is(200)),
                2 => service.apply(&id, &[Action::Submit, Action::Approve, Action::Invoice]).await,
                _ => {}
            }
        }
    }
}

async fn the_mirror_has_every_entry_exactly(database: Database) {
    let service = Service::start(database).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    assert_eq!(mirrored(&service, &copy, &[]), BTreeMap::new());
    for round in 0..2 {
        some_life(&service, round).await;
        // It goes on where it stopped.
        assert_eq!(mirrored(&service, &copy, &[]), expected(&service, "/time-entries").await);
    }
}

async fn a_mirror_that_runs_follows_every_change(database: Database) {
    let service = Service::start(database).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let _running = Running(mirror(&service, &copy, &[]).spawn().unwrap());
    some_life(&service, 0).await;
    let expected = expected(&service, "/time-entries").await;
    until("the copy is exact", async || entries(&copy) == expected).await;
}

async fn a_mirror_of_a_project_has_its_entries_alone(database: Database) {
    let service = Service::start(database).await;
    let folder = tempfile::tempdir().unwrap();
    some_life(&service, 0).await;
    let project = service.tenant.project_id.to_string();
    let copy = mirrored(&service, &folder.path().join("copy.db"), &["--project", &project]);
    assert_eq!(copy, expected(&service, &service.tenant.path()).await);
}

async fn a_mirror_begins_again_where_its_feed_was_renewed(database: Database) {
    let service = Service::start(database).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    some_life(&service, 0).await;
    mirrored(&service, &copy, &[]);
    // The database is put back to a state without some of the entries.
    service.database.execute("DELETE FROM time_entry_history");
    service.database.execute("DELETE FROM time_entries");
    let renewed = run(&["feed", "renew", "--database-url", &service.database.url()]);
    assert!(renewed.status.success(), "{renewed:?}");
    service.log_any().send().await.is(201);
    let entries = mirrored(&service, &copy, &[]);
    assert_eq!(entries, expected(&service, "/time-entries").await);
    assert_eq!(entries.len(), 1);
}

/// Whoever calls it wrongly is told, and a key that may not read is no reason to try again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_mirror_cannot_do_it_says() {
    let service = Service::start(Database::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let refused = mirror(&service, &copy, &["--once"]).env("TIMELOG_KEY", "none").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("the service refuses: 401"));
    let refused = mirror(&service, &copy, &["--once"]).env_remove("TIMELOG_KEY").output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("set TIMELOG_KEY"));
}
