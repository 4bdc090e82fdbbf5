//! `GET /changes` and `GET /projects/{projectId}/changes`.

use serde_json::{Value, json};
use timelog_domain::Action;

use crate::support::feed::{changes, cursor, project_path, read, seqs};
use crate::support::{Database, Program, Service, Tenant, bootstrap, on_every_database, run};

on_every_database! {
    every_change_is_there_once_and_in_order,
    pages_follow_each_other_to_the_end_and_go_on_from_there,
    a_project_has_its_own_changes,
    organizations_have_their_own_changes,
    a_cursor_of_another_feed_or_beyond_the_end_is_gone,
    what_is_no_cursor_or_out_of_range_is_refused,
    a_renewed_feed_is_read_again_from_the_start,
    a_copy_keeps_the_cursors,
}

async fn every_change_is_there_once_and_in_order(database: Database) {
    let service = Service::start(database).await;
    let reference = json!({ "provider": "jira", "externalType": "worklog", "externalId": "7" });
    let body = service.tenant.body_with(&json!({ "externalRef": reference }));
    let id = service.log(&body).send().await.is(201).text("id");
    let path = format!("/time-entries/{id}");
    service.api.patch(&path).json(&json!({ "minutes": 7 })).send().await.is(200);
    service.api.patch(&path).json(&json!({ "minutes": 7 })).send().await.is(200);
    let every_action = [
        Action::Submit,
        Action::Recall,
        Action::Submit,
        Action::Reject,
        Action::Submit,
        Action::Approve,
        Action::Reopen,
        Action::Submit,
        Action::Approve,
        Action::Lock,
        Action::Unlock,
        Action::Invoice,
        Action::ReleaseInvoice,
        Action::Unlock,
        Action::Reopen,
    ];
    service.apply(&id, &every_action).await;
    let mut entry = service.read(&id).await.json();
    entry["externalRef"] = reference.clone();
    entry["version"] = json!(17);
    let page = read(&service.api, "/changes").await;
    let names: Vec<_> =
        changes(&page).iter().map(|change| change["event"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "time.logged",
            "time.updated",
            "time.submitted",
            "time.recalled",
            "time.submitted",
            "time.rejected",
            "time.submitted",
            "time.approved",
            "time.reopened",
            "time.submitted",
            "time.approved",
            "time.locked",
            "time.unlocked",
            "time.invoiced",
            "time.invoice_released",
            "time.unlocked",
            "time.reopened",
        ]
    );
    assert_eq!(seqs(&page), (1..=17).collect::<Vec<_>>());
    // The entry is as it stands now, beside each of its changes.
    assert!(changes(&page).iter().all(|change| change["entry"] == entry), "{page}");
    let history = service.history(&id).await;
    for (change, record) in changes(&page).iter().zip(&history) {
        for member in ["at", "by", "version", "from", "to", "reason", "invoiceRef", "changes"] {
            assert_eq!(change[member], record[member], "{member}");
        }
        assert_eq!(change["timeEntryId"], id.as_str());
        assert_eq!(change["projectId"], service.tenant.project_id.to_string());
    }
    service.api.delete(&path).send().await.is(204);
    let page = read(&service.api, "/changes").await;
    assert!(changes(&page).iter().all(|change| change["entry"].is_null()));
    let last = &changes(&page)[17];
    assert_eq!((&last["event"], &last["to"]), (&json!("time.deleted"), &Value::Null));
    assert_eq!(last["changes"]["minutes"], json!({ "old": 7, "new": null }));
    assert_eq!(page["hasMore"], false);
}

async fn pages_follow_each_other_to_the_end_and_go_on_from_there(database: Database) {
    let service = Service::start(database).await;
    let many: Vec<_> = (0..110).map(|_| service.tenant.body()).collect();
    let path = format!("{}/batch", service.tenant.path());
    service.api.post(&path).json(&json!({ "entries": many })).send().await.is(200);
    // A hundred where nothing is said.
    let page = read(&service.api, "/changes").await;
    assert_eq!((seqs(&page).len(), &page["hasMore"]), (100, &json!(true)));
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = read(&service.api, &format!("/changes?limit=25{after}")).await;
        seen.extend(seqs(&page));
        after = format!("&after={}", cursor(&page));
        if page["hasMore"] == false {
            break;
        }
        assert_eq!(seqs(&page).len(), 25);
    }
    assert!(seen.iter().copied().eq(1..=110));
    let page = read(&service.api, &format!("/changes?limit=500{after}")).await;
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![], &json!(false)));
    assert_eq!(format!("&after={}", cursor(&page)), after);
    service.log_any().send().await.is(201);
    let page = read(&service.api, &format!("/changes?limit=500{after}")).await;
    assert_eq!(seqs(&page), [111]);
}

async fn a_project_has_its_own_changes(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    for path in [tenant.path(), tenant.other_path(), tenant.other_path(), tenant.path()] {
        service.api.post(&path).json(&tenant.body()).send().await.is(201);
    }
    let other = tenant.other_project_id;
    let own = service.with_key(|key| key.project_id = Some(tenant.project_id)).await;
    let page = read(&own, &project_path(tenant)).await;
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![1, 4], &json!(false)));
    let page = read(&service.api, &format!("/projects/{other}/changes?limit=1")).await;
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![2], &json!(true)));
    let after = cursor(&page);
    let page = read(&service.api, &format!("/projects/{other}/changes?after={after}")).await;
    assert_eq!((seqs(&page), &page["hasMore"]), (vec![3], &json!(false)));
    own.get("/changes").send().await.fails_with(403, "scope_violation");
    own.get(&format!("/projects/{other}/changes")).send().await.fails_with(403, "scope_violation");
    let unknown = "/projects/01946900-56c0-7c3e-9d24-51f6a7b8c9d0/changes";
    service.api.get(unknown).send().await.fails_with(404, "not_found");
    let waiting = format!("{unknown}?wait=30s");
    service.api.get(&waiting).send().await.fails_with(404, "not_found");
}

async fn organizations_have_their_own_changes(database: Database) {
    let service = Service::start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    service.log_any().send().await.is(201);
    stranger.log_any(&service.api).send().await.is(201);
    service.log_any().send().await.is(201);
    let theirs = read(&stranger.api(&service.api), "/changes").await;
    assert_eq!(seqs(&theirs), [1]);
    assert_eq!(changes(&theirs)[0]["projectId"], stranger.project_id.to_string());
    assert_eq!(seqs(&read(&service.api, "/changes").await), [1, 2]);
    let path = project_path(&service.tenant);
    stranger.api(&service.api).get(&path).send().await.fails_with(404, "not_found");
}

async fn a_cursor_of_another_feed_or_beyond_the_end_is_gone(database: Database) {
    let service = Service::start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    service.log_any().send().await.is(201);
    stranger.log_any(&service.api).send().await.is(201);
    let theirs = read(&stranger.api(&service.api), "/changes").await;
    let of_project = read(&service.api, &project_path(&service.tenant)).await;
    let own = read(&service.api, "/changes").await;
    for foreign in [&theirs, &of_project] {
        let path = format!("/changes?wait=30s&after={}", cursor(foreign));
        service.api.get(&path).send().await.fails_with(410, "cursor_gone");
    }
    let path = format!("{}?after={}", project_path(&service.tenant), cursor(&own));
    service.api.get(&path).send().await.fails_with(410, "cursor_gone");
    // The database was put back to an earlier state, by means that renew nothing.
    let path = format!("/changes?after={}", cursor(&own));
    assert_eq!(seqs(&read(&service.api, &path).await), [0; 0]);
    service.database.execute("DELETE FROM time_entry_history");
    service.api.get(&path).send().await.fails_with(410, "cursor_gone");
    service.api.get("/changes").send().await.is(200);
}

async fn what_is_no_cursor_or_out_of_range_is_refused(database: Database) {
    let service = Service::start(database).await;
    let own = read(&service.api, "/changes").await;
    let list = service.log_any().send().await.is(201);
    drop(list);
    let mut refused = vec![
        ("after=".to_owned(), "after invalid_cursor"),
        ("after=x".to_owned(), "after invalid_cursor"),
        (format!("after={}A", cursor(&own)), "after invalid_cursor"),
        ("cursor=x".to_owned(), "cursor unknown_parameter"),
    ];
    for limit in ["0", "501", "-1", "1.5", "x", ""] {
        refused.push((format!("limit={limit}"), "limit out_of_range"));
    }
    for wait in ["31s", "31", "30001ms", "-1s", "1.5s", "1m", "s", "", "30S", "%2B3s"] {
        refused.push((format!("wait={wait}"), "wait out_of_range"));
    }
    for (query, expected) in refused {
        let path = format!("/changes?{query}");
        let answer = service.api.get(&path).send().await.refuses(&[expected]);
        if expected.starts_with("wait") {
            assert!(answer.describe().contains("0 to 30 seconds"), "{}", answer.describe());
        }
    }
    for wait in ["0", "0s", "0ms", "30", "30s", "30000ms"] {
        read(&service.api, &format!("/changes?wait={wait}")).await;
    }
}

async fn a_renewed_feed_is_read_again_from_the_start(database: Database) {
    let service = Service::start(database).await;
    service.log_any().send().await.is(201);
    let own = read(&service.api, "/changes").await;
    let path = format!("/changes?after={}", cursor(&own));
    let renewed = run(&["feed", "renew", "--database-url", &service.database.url()]);
    assert!(renewed.status.success(), "{renewed:?}");
    let printed = String::from_utf8(renewed.stdout).unwrap();
    assert_eq!(printed, "Renewed 1 feed. Readers begin again.\n");
    service.api.get(&path).send().await.fails_with(410, "cursor_gone");
    let again = read(&service.api, "/changes").await;
    assert_eq!(again["data"], own["data"]);
    assert_ne!(cursor(&again), cursor(&own));
}

async fn a_copy_keeps_the_cursors(database: Database) {
    let (original, copy) = (database.create(), database.create());
    let made = bootstrap(&original.url());
    let path = {
        let program = Program::serve(&original.url(), &[]);
        let api = program.api.with_key(&made.key);
        api.post(&made.path()).json(&made.body()).send().await.is(201);
        let page = read(&api, "/changes").await;
        assert!(program.stop().status.success());
        format!("/changes?after={}", cursor(&page))
    };
    let copied = run(&["copy", "--from", &original.url(), "--to", &copy.url()]);
    assert!(copied.status.success(), "{copied:?}");
    let program = Program::serve(&copy.url(), &[]);
    let api = program.api.with_key(&made.key);
    api.post(&made.path()).json(&made.body()).send().await.is(201);
    assert_eq!(seqs(&read(&api, &path).await), [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_has_a_feed_of_its_own() {
    let database = Database::Sqlite.create();
    let made = bootstrap(&database.url());
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.db");
    let (own, path) = {
        let program = Program::serve(&database.url(), &[]);
        let api = program.api.with_key(&made.key);
        api.post(&made.path()).json(&made.body()).send().await.is(201);
        let done = run(&["backup", backup.to_str().unwrap(), "--database-url", &database.url()]);
        assert!(done.status.success(), "{done:?}");
        let own = read(&api, "/changes").await;
        let path = format!("/changes?after={}", cursor(&own));
        // The service's own feed goes on.
        assert_eq!(seqs(&read(&api, &path).await), [0; 0]);
        (own, path)
    };
    let program = Program::serve(&format!("sqlite:{}", backup.display()), &[]);
    let api = program.api.with_key(&made.key);
    api.get(&path).send().await.fails_with(410, "cursor_gone");
    assert_eq!(read(&api, "/changes").await["data"], own["data"]);
}
