//! The permission `read-own`: a key that sees the entries of its user alone, on every path that
//! reads. What it may not see is as if it did not exist.

use serde_json::{Value, json};
use timelog_domain::{Action, Permission, Status};

use crate::export_workbook::{cells, column, text};
use crate::support::{Answer, Api, Call, Database, Service, may, on_every_database, run};

on_every_database! {
    single_reads_and_histories_are_of_own_entries_alone,
    lists_totals_and_exports_are_of_own_entries_alone,
    pages_have_each_own_entry_once,
    changes_are_those_of_own_entries_and_those_by_which_they_cease_to_be,
    what_is_written_is_found_only_where_it_is_seen,
    a_repeat_shows_what_the_key_itself_did,
    the_directory_and_the_closings_are_read,
    no_key_reads_in_both_ways_or_for_nobody,
}

/// A key that reads its user's entries alone, and may do everything else.
async fn own(service: &Service) -> Api {
    let user = service.tenant.user_id;
    let all = [
        Permission::ReadOwn,
        Permission::Write,
        Permission::Approve,
        Permission::Bill,
        Permission::Admin,
    ];
    let permissions = all.into_iter().collect();
    let key =
        service.with_key(move |key| (key.user_id, key.permissions) = (Some(user), permissions));
    key.await
}

fn log(service: &Service, members: &Value) -> Call {
    service.log(&service.tenant.body_with(members))
}

/// An entry of the other user.
async fn theirs(service: &Service, status: Status) -> String {
    let other = service.tenant.other_user_id.to_string();
    let id = log(service, &json!({ "userId": other })).send().await.is(201).text("id");
    service.apply(&id, way_to(status)).await;
    id
}

const fn way_to(status: Status) -> &'static [Action] {
    match status {
        Status::Draft | Status::Rejected => &[],
        Status::Submitted => &[Action::Submit],
        Status::Approved => &[Action::Submit, Action::Approve],
        Status::Locked => &[Action::Submit, Action::Approve, Action::Lock],
        Status::Invoiced => &[Action::Submit, Action::Approve, Action::Invoice],
    }
}

fn is_missing(answer: Answer) {
    answer.fails_with(404, "not_found");
}

async fn single_reads_and_histories_are_of_own_entries_alone(database: Database) {
    let service = Service::start(database).await;
    let key = own(&service).await;
    let (mine, theirs) =
        (service.entry_in(Status::Submitted).await, theirs(&service, Status::Draft).await);
    let entry = |id: &str| format!("/time-entries/{id}");
    let history = |id: &str| format!("/time-entries/{id}/history");
    assert_eq!(key.get(&entry(&mine)).send().await.is(200).body, service.read(&mine).await.body);
    key.get(&history(&mine)).send().await.is(200);
    let unknown = "01946a11-7c00-7b52-8e1f-3c4d5e6f7081";
    for path in [entry(&theirs), history(&theirs), entry(unknown), history(unknown)] {
        let answer = key.get(&path).send().await.fails_with(404, "not_found");
        // Nothing tells the two apart.
        let same = key.get(&path.replace(&theirs, unknown)).send().await.is(404);
        assert_eq!(answer.text("detail"), same.text("detail"));
        is_missing(key.get(&path).header("if-none-match", "*").send().await);
    }
    // The entry changes hands: from then on it is seen, with all that happened, and then no more.
    let give =
        |id: &str, user: String| service.api.patch(&entry(id)).json(&json!({ "userId": user }));
    let (user, other) =
        (service.tenant.user_id.to_string(), service.tenant.other_user_id.to_string());
    give(&theirs, user).send().await.is(200);
    key.get(&entry(&theirs)).send().await.is(200);
    let records = key.get(&history(&theirs)).send().await.is(200).json();
    assert_eq!(records["data"].as_array().unwrap().len(), 2);
    give(&theirs, other).send().await.is(200);
    is_missing(key.get(&history(&theirs)).send().await);
    // The history of what was deleted belongs to who lost it.
    service.api.delete(&entry(&theirs)).send().await.is(204);
    is_missing(key.get(&history(&theirs)).send().await);
    service.apply(&mine, &[Action::Recall]).await;
    service.api.delete(&entry(&mine)).send().await.is(204);
    is_missing(key.get(&entry(&mine)).send().await);
    let records = key.get(&history(&mine)).send().await.is(200).json();
    assert_eq!(records["data"][3]["action"], "delete");
}

async fn lists_totals_and_exports_are_of_own_entries_alone(database: Database) {
    let service = Service::start(database).await;
    let key = own(&service).await;
    let mut mine = Vec::new();
    for minutes in [10, 20, 30] {
        mine.push(log(&service, &json!({ "minutes": minutes })).send().await.is(201).text("id"));
        theirs(&service, Status::Draft).await;
    }
    let (user, other) = (service.tenant.user_id, service.tenant.other_user_id);
    for path in ["/time-entries".to_owned(), service.tenant.path()] {
        for (query, expected) in [
            (String::new(), 3),
            (format!("userId={user}"), 3),
            (format!("userId={other}"), 0),
            ("status=draft&billable=true".to_owned(), 3),
            ("from=2025-01-15&to=2025-01-15&entryId=none".to_owned(), 3),
        ] {
            let list =
                key.get(&format!("{path}?includeTotal=true&{query}")).send().await.is(200).json();
            assert_eq!(
                (list["data"].as_array().unwrap().len(), &list["total"]),
                (expected, &json!(expected)),
                "{query}"
            );
            let total = key
                .get(&format!("{path}/summary?groupBy=user&{query}"))
                .send()
                .await
                .is(200)
                .json();
            assert_eq!(total["total"]["minutes"], if expected == 3 { 60 } else { 0 }, "{query}");
            assert!(
                total["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|row| row["group"]["user"] == user.to_string())
            );
            let csv = key.get(&format!("{path}.csv?{query}")).send().await.is(200);
            let csv = String::from_utf8(csv.body).unwrap();
            assert_eq!(csv.lines().count(), expected + 1, "{csv}");
            assert!(!csv.contains(&other.to_string()));
            let book = key.get(&format!("{path}.xlsx?{query}")).send().await.is(200);
            let rows = cells(&book);
            let users = rows[1..=expected].iter().map(|row| &row[column("userId")]);
            assert!(users.eq(vec![&text(&user.to_string()); expected]));
            assert_eq!(rows.len(), expected + 2);
        }
    }
    // In its project alone, where it is limited to one.
    let project = service.tenant.other_project_id;
    let permissions = [Permission::ReadOwn].into_iter().collect();
    let narrow = service.with_key(move |key| {
        (key.user_id, key.project_id, key.permissions) = (Some(user), Some(project), permissions);
    });
    let narrow = narrow.await;
    narrow.get("/time-entries").send().await.fails_with(403, "scope_violation");
    let empty = narrow.get(&service.tenant.other_path()).send().await.is(200).json();
    assert_eq!(empty["data"], json!([]));
}

async fn pages_have_each_own_entry_once(database: Database) {
    let service = Service::start(database).await;
    let key = own(&service).await;
    let mut mine = Vec::new();
    for day in 1..=9 {
        let day = format!("2025-01-{day:02}");
        mine.push(log(&service, &json!({ "workDate": day })).send().await.is(201).text("id"));
        theirs(&service, Status::Draft).await;
    }
    for sort in ["workDate", "createdAt", "updatedAt"] {
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..9 {
            let next = cursor.take().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page = key
                .get(&format!("/time-entries?limit=2&sort={sort}{next}"))
                .send()
                .await
                .is(200)
                .json();
            seen.extend(
                page["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|entry| entry["id"].as_str().unwrap().to_owned()),
            );
            cursor = page["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        let mut expected = mine.clone();
        if sort != "workDate" {
            expected.sort();
            seen.sort();
        }
        assert_eq!(seen, expected, "{sort}");
    }
    // A cursor of somebody who sees everything leads to nothing more.
    let all = service.api.get("/time-entries?limit=1").send().await.is(200).text("nextCursor");
    let page = key.get(&format!("/time-entries?limit=1&cursor={all}")).send().await.is(200).json();
    assert!(mine.iter().any(|id| page["data"][0]["id"] == **id));
}

async fn changes_are_those_of_own_entries_and_those_by_which_they_cease_to_be(database: Database) {
    let service = Service::start(database).await;
    let key = own(&service).await;
    let read = async |path: &str| {
        let page = key.get(path).send().await.is(200).json();
        let told = page["data"].as_array().unwrap().iter().map(|change| {
            let entry = &change["entry"];
            (
                change["seq"].as_i64().unwrap(),
                change["event"].as_str().unwrap().to_owned(),
                !entry.is_null(),
            )
        });
        (
            told.collect::<Vec<_>>(),
            page["nextCursor"].as_str().unwrap().to_owned(),
            page["hasMore"].clone(),
        )
    };
    let mine = service.log_any().send().await.is(201).text("id");
    let other = theirs(&service, Status::Draft).await;
    let (first, cursor, has_more) = read("/changes").await;
    assert_eq!((first, has_more), (vec![(1, "time.logged".to_owned(), true)], json!(false)));
    let path = |id: &str| format!("/time-entries/{id}");
    let (user, someone) =
        (service.tenant.user_id.to_string(), service.tenant.other_user_id.to_string());
    service.api.patch(&path(&other)).json(&json!({ "minutes": 7 })).send().await.is(200);
    service.api.patch(&path(&other)).json(&json!({ "userId": user })).send().await.is(200);
    service.api.patch(&path(&mine)).json(&json!({ "userId": someone })).send().await.is(200);
    service.api.delete(&path(&mine)).send().await.is(204);
    service.api.delete(&path(&other)).send().await.is(204);
    let project = format!("/projects/{}/changes", service.tenant.project_id);
    let (all, ..) = read(&project).await;
    let ends = vec![(5, "time.updated".to_owned(), false), (7, "time.deleted".to_owned(), false)];
    assert_eq!(all, ends);
    let (rest, ..) = read(&format!("/changes?after={cursor}")).await;
    assert_eq!(rest, ends);
    // What it gets while it waits is its own too.
    let (_, end, _) = read("/changes").await;
    let wait = format!("/changes?wait=20s&after={end}");
    let waiting = key.get(&wait).send();
    let others = async {
        theirs(&service, Status::Draft).await;
        service.log_any().send().await.is(201);
    };
    let (page, ()) = tokio::join!(waiting, others);
    let page = page.is(200).json();
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    assert_eq!(page["data"][0]["entry"]["userId"], service.tenant.user_id.to_string());
}

async fn what_is_written_is_found_only_where_it_is_seen(database: Database) {
    let service = Service::start(database).await;
    let key = own(&service).await;
    let counts = async |status| {
        let id = theirs(&service, status).await;
        (format!("/time-entries/{id}"), id)
    };
    let (entry, id) = counts(Status::Draft).await;
    let before = service.read(&id).await.body;
    is_missing(key.patch(&entry).json(&json!({ "minutes": 7 })).send().await);
    is_missing(key.patch(&entry).json(&json!({})).send().await);
    is_missing(key.delete(&entry).send().await);
    is_missing(key.delete(&entry).header("if-match", "\"7\"").send().await);
    for action in Action::ALL {
        let body = json!({ "reason": "because", "invoiceRef": "2026-1" });
        is_missing(key.post(&format!("{entry}/{action}")).json(&body).send().await);
    }
    let mine = service.log_any().send().await.is(201).text("id");
    for (what, body) in [
        ("transitions", json!({ "action": "submit" })),
        ("edits", json!({ "patch": { "billable": true } })),
        ("deletions", json!({})),
    ] {
        let mut by_ids = body.clone();
        by_ids["ids"] = json!([id]);
        let answer =
            key.post(&format!("/time-entries/{what}")).json(&by_ids).send().await.is(200).json();
        assert_eq!(answer["results"][0]["problem"]["code"], "not_found");
        let mut by_filter = body;
        by_filter["filter"] =
            json!({ "from": "2025-01-01", "to": "2025-01-31", "status": "draft" });
        let answer =
            key.post(&format!("/time-entries/{what}")).json(&by_filter).send().await.is(200).json();
        let seen: Vec<_> =
            answer["results"].as_array().unwrap().iter().map(|result| &result["id"]).collect();
        assert_eq!(seen, [&json!(mine)], "{what}");
        if what == "transitions" {
            service.apply(&mine, &[Action::Recall]).await;
        }
    }
    assert_eq!(service.read(&id).await.body, before);
    // Too many of others are not told.
    for number in [500, 500, 500, 500, 1] {
        let body = service
            .tenant
            .body_with(&json!({ "userId": service.tenant.other_user_id.to_string() }));
        let batch = service.api.post(&format!("{}/batch", service.tenant.path()));
        batch.json(&json!({ "entries": vec![body; number] })).send().await.is(200);
    }
    let filter = json!({ "from": "2025-01-01", "to": "2025-01-31" });
    let answer =
        key.post("/time-entries/deletions").json(&json!({ "filter": filter })).send().await;
    assert_eq!(answer.is(200).json(), json!({ "results": [] }));
}

async fn a_repeat_shows_what_the_key_itself_did(database: Database) {
    let service = Service::start(database).await;
    let key = own(&service).await;
    let call =
        || key.post(&service.tenant.path()).json(&service.tenant.body()).idempotency_key("k");
    let first = call().send().await.is(201);
    // Another key's answer under the same idempotency key is another's.
    let other =
        service.tenant.body_with(&json!({ "userId": service.tenant.other_user_id.to_string() }));
    let theirs = service.log(&other).idempotency_key("l").send().await.is(201);
    let again = call().send().await.is(201);
    assert!(again.is_replayed());
    assert_eq!(again.body, first.body);
    let own = key.post(&service.tenant.path()).json(&service.tenant.body()).idempotency_key("l");
    let own = own.send().await.is(201);
    assert!(!own.is_replayed() && own.text("id") != theirs.text("id"));
    // The entry is somebody else's by now; what was answered then is no news.
    let given = json!({ "userId": service.tenant.other_user_id.to_string() });
    let entry = format!("/time-entries/{}", first.text("id"));
    service.api.patch(&entry).json(&given).send().await.is(200);
    assert_eq!(call().send().await.is(201).body, first.body);
    is_missing(key.get(&entry).send().await);
}

async fn the_directory_and_the_closings_are_read(database: Database) {
    let service = Service::start(database).await;
    let key = own(&service).await;
    let entry = service.entry_in(Status::Draft).await;
    for path in service.tenant.reads(&entry) {
        assert!((200..300).contains(&key.get(&path).send().await.status), "{path}");
    }
    let me = key.get("/me").send().await.is(200).json();
    assert_eq!(me["permissions"], json!(["read-own", "write", "approve", "bill", "admin"]));
    // A webhook would tell of everybody's entries.
    let webhook = json!({ "destinationUrl": "https://example.com/", "eventNames": ["*"] });
    key.post("/webhooks").json(&webhook).send().await.fails_with(403, "forbidden");
    key.get("/webhooks").send().await.fails_with(403, "forbidden");
    let write = service.with_key(may(&[Permission::Write])).await;
    write.get("/time-entries").send().await.fails_with(403, "forbidden");
}

async fn no_key_reads_in_both_ways_or_for_nobody(database: Database) {
    let service = Service::start(database).await;
    let url = service.database.url();
    let (organization, user) =
        (service.tenant.organization_id.to_string(), service.tenant.user_id.to_string());
    let create = |permissions: &str, user: Option<&str>| {
        let mut arguments = vec![
            "key",
            "create",
            "--database-url",
            &url,
            "--organization",
            &organization,
            "--permissions",
            permissions,
            "--json",
        ];
        arguments.extend(user.into_iter().flat_map(|user| ["--user", user]));
        run(&arguments)
    };
    for (permissions, bound, why) in [
        ("read-own,read", Some(&*user), "one of read and read-own"),
        ("write,read-own", None, "read-own needs a user"),
    ] {
        let made = create(permissions, bound);
        assert_eq!(made.status.code(), Some(1));
        let told = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(told.contains(why), "{told}");
        assert!(made.stdout.is_empty());
    }
    let made = create("read-own,write", Some(&user));
    assert!(made.status.success());
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let key = service.api.with_key(made["apiKey"].as_str().unwrap());
    theirs(&service, Status::Draft).await;
    assert_eq!(key.get("/time-entries").send().await.is(200).json()["data"], json!([]));
}
