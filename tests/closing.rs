//! `PUT|GET /closing` and `PUT|GET /projects/{projectId}/closing`: what a closed period refuses, on
//! every way to write, and what goes on.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use timelog_domain::{Action, Permission, Status};

use crate::support::{Answer, Api, Call, Database, Service, may, on_every_database, run};

on_every_database! {
    the_books_are_closed_and_opened_and_tell_their_history,
    a_closed_period_refuses_every_way_to_change_work,
    locking_and_invoicing_go_on_in_a_closed_period,
    an_import_obeys_the_closing,
    a_repeat_that_changes_nothing_is_answered_200_in_a_closed_period,
    a_project_is_closed_through_the_later_of_two_days,
    a_bad_closing_is_refused_at_its_place,
    a_key_closes_only_what_is_in_its_scope,
    nothing_is_acknowledged_into_a_period_after_its_close,
}

/// The day that entries of the tests have.
const DAY: &str = "2025-01-15";
const ALL: &str = "/closing";

fn own(service: &Service) -> String {
    format!("/projects/{}/closing", service.tenant.project_id)
}

fn close(api: &Api, path: &str, through: impl Into<Value>) -> Call {
    api.put(path).json(&json!({ "through": through.into() }))
}

async fn open(api: &Api, path: &str) {
    let body = json!({ "through": null, "reason": "late" });
    api.put(path).json(&body).send().await.is(200);
}

async fn the_books_are_closed_and_opened_and_tell_their_history(database: Database) {
    let service = Service::start(database).await;
    let never = json!({
        "through": null, "at": null, "by": null, "reason": null, "history": [],
    });
    for path in [ALL, &own(&service)] {
        assert_eq!(service.api.get(path).send().await.is(200).json(), never);
        // That it is open is no news.
        assert_eq!(close(&service.api, path, Value::Null).send().await.is(200).json(), never);
        let closed = close(&service.api, path, "2025-01-31").send().await.is(200).json();
        assert_eq!((&closed["through"], &closed["reason"]), (&json!("2025-01-31"), &json!(null)));
        let key = service.tenant.key.key.id.to_string();
        assert_eq!(closed["by"], json!({ "keyId": key, "userId": null }));
        let again = close(&service.api, path, "2025-01-31").send().await.is(200).json();
        assert_eq!(again, closed);
        service.clock.advance(Duration::from_secs(1));
        let later = json!({ "through": "2025-02-28", "reason": " \t " });
        service.api.put(path).json(&later).send().await.is(200);
        let earlier = json!({ "through": "2024-12-31", "reason": "Ann was ill" });
        let earlier = service.api.put(path).json(&earlier).send().await.is(200).json();
        assert_eq!(earlier["reason"], "Ann was ill");
        let days: Vec<_> =
            earlier["history"].as_array().unwrap().iter().map(|one| &one["through"]).collect();
        assert_eq!(days, ["2024-12-31", "2025-02-28", "2025-01-31"]);
        assert_eq!(earlier["history"][2]["at"], closed["at"]);
        assert_eq!(service.api.get(path).send().await.is(200).json(), earlier);
        open(&service.api, path).await;
    }
    let history = &service.api.get(&own(&service)).send().await.is(200).json()["history"];
    assert_eq!(history.as_array().unwrap().len(), 4);
}

/// Every way to change work on [`DAY`], on entries of their own, asked of this instance. `number`
/// is in their references.
async fn changes(service: &Service, api: &Api, number: usize) -> Vec<(&'static str, Call)> {
    let tenant = &service.tenant;
    let log = |body: &Value| api.post(&tenant.path()).json(body);
    let entry = async |status| format!("/time-entries/{}", service.entry_in(status).await);
    let reference =
        json!({ "provider": "p", "externalType": "t", "externalId": number.to_string() });
    let referred = tenant.body_with(&json!({ "externalRef": reference }));
    service.log(&referred).send().await.is(201);
    let longer = tenant.body_with(&json!({ "externalRef": reference, "minutes": 7 }));
    let edited = entry(Status::Draft).await;
    let moved = json!({ "projectId": tenant.other_project_id.to_string(), "entryId": null });
    let mut changes = vec![
        ("log", log(&tenant.body())),
        ("upsert", log(&longer)),
        ("edit", api.patch(&edited).json(&json!({ "minutes": 7 }))),
        (
            "edit of a rejected one",
            api.patch(&entry(Status::Rejected).await).json(&json!({ "minutes": 7 })),
        ),
        ("edit away", api.patch(&edited).json(&json!({ "workDate": "2031-01-15" }))),
        ("move", api.patch(&entry(Status::Draft).await).json(&moved)),
        ("delete", api.delete(&entry(Status::Draft).await)),
    ];
    for (action, status) in [
        (Action::Submit, Status::Draft),
        (Action::Recall, Status::Submitted),
        (Action::Approve, Status::Submitted),
        (Action::Reject, Status::Submitted),
        (Action::Reopen, Status::Approved),
    ] {
        let path = format!("{}/{action}", entry(status).await);
        changes.push((action.as_str(), api.post(&path).json(&json!({ "reason": "because" }))));
    }
    changes
}

fn is_closed(answer: &Answer, what: &str) {
    let answer = answer.clone().fails_with(409, "period_closed");
    let detail = answer.text("detail");
    assert!(detail.contains("2025-01-31") && detail.contains(DAY), "{what}: {detail}");
}

async fn a_closed_period_refuses_every_way_to_change_work(database: Database) {
    let service = Service::start(database).await;
    for (number, path) in [ALL.to_owned(), own(&service)].iter().enumerate() {
        let changes = changes(&service, &service.api, number).await;
        let draft = service.entry_in(Status::Draft).await;
        close(&service.api, path, "2025-01-31").send().await.is(200);
        let before = service.database.counts();
        for (what, call) in &changes {
            is_closed(&call.clone().send().await, what);
        }
        // Many at once: each item by itself, or none.
        let outside = service.tenant.body_with(&json!({ "workDate": "2025-02-01" }));
        let entries = json!({ "entries": [service.tenant.body(), outside], "atomic": true });
        let batch = service.api.post(&format!("{}/batch", service.tenant.path())).json(&entries);
        let results = batch.send().await.fails_with(409, "batch_failed").json();
        assert_eq!(results["results"][0]["problem"]["code"], "period_closed");
        assert_eq!(results["results"][1]["outcome"], "not_applied");
        let ids = json!({ "action": "submit", "ids": [draft] });
        let many = service.api.post("/time-entries/transitions").json(&ids);
        let results = many.clone().send().await.is(200).json();
        assert_eq!(results["results"][0]["problem"]["code"], "period_closed");
        let project_id = service.tenant.project_id.to_string();
        let found = json!({ "projectId": project_id, "from": DAY, "to": DAY, "status": ["draft"] });
        for (path, body) in [
            ("transitions", json!({ "action": "submit", "filter": found })),
            ("edits", json!({ "patch": { "minutes": 8 }, "filter": found })),
            ("edits", json!({ "patch": { "workDate": "2031-01-15" }, "filter": found })),
            ("deletions", json!({ "filter": found })),
        ] {
            let path = format!("/time-entries/{path}");
            let results = service.api.post(&path).json(&body).send().await.is(200).json();
            let results = results["results"].as_array().unwrap();
            assert!(!results.is_empty());
            for result in results {
                assert_eq!(result["problem"]["code"], "period_closed", "{path}: {result}");
            }
        }
        // A refusal is not kept for the key.
        let keyed = service.log_any().idempotency_key(&format!("k{number}"));
        is_closed(&keyed.clone().send().await, "log with a key");
        assert_eq!(service.database.counts(), before);
        open(&service.api, path).await;
        for (what, call) in changes {
            // The edits of one entry do not go together.
            let done = call.send().await;
            assert!([200, 201, 204].contains(&done.status), "{what}: {}", done.describe());
        }
        keyed.send().await.is(201);
        many.send().await.is(200);
    }
}

async fn locking_and_invoicing_go_on_in_a_closed_period(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Approved).await;
    close(&service.api, ALL, "2025-01-31").send().await.is(200);
    let life = [
        Action::Lock,
        Action::Unlock,
        Action::Lock,
        Action::Invoice,
        Action::ReleaseInvoice,
        Action::Invoice,
    ];
    service.apply(&id, &life).await;
    assert_eq!(service.read(&id).await.text("status"), "invoiced");
}

async fn an_import_obeys_the_closing(database: Database) {
    let service = Service::start(database).await;
    close(&service.api, ALL, "2025-01-31").send().await.is(200);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    let user = service.tenant.user_id;
    let rows = format!("userId,workDate,minutes\n{user},{DAY},60\n{user},2025-02-01,60\n");
    std::fs::write(&file, rows).unwrap();
    let (url, project) = (service.database.url(), service.tenant.project_id.to_string());
    let organization = service.tenant.organization_id.to_string();
    let import = ["import", file.to_str().unwrap(), "--database-url", &url, "--json"];
    let into = ["--organization", &organization, "--project", &project];
    let imported = run(&[&import[..], &into].concat());
    let summary: Value = serde_json::from_slice(&imported.stdout).unwrap();
    assert_eq!((&summary["created"], &summary["refused"]), (&json!(1), &json!(1)));
    let told = String::from_utf8_lossy(&imported.stderr);
    assert!(told.contains("line 2") && told.contains("closed through 2025-01-31"), "{told}");
}

async fn a_repeat_that_changes_nothing_is_answered_200_in_a_closed_period(database: Database) {
    let service = Service::start(database).await;
    let reference = json!({ "provider": "p", "externalType": "t", "externalId": "1" });
    let body = service.tenant.body_with(&json!({ "externalRef": reference }));
    let keyed = service.log(&body).idempotency_key("k");
    let logged = keyed.clone().send().await.is(201);
    close(&service.api, ALL, "2025-01-31").send().await.is(200);
    assert_eq!(service.log(&body).send().await.is(200).json(), logged.json());
    assert!(keyed.send().await.is(201).is_replayed());
    let entry = format!("/time-entries/{}", logged.text("id"));
    let same = json!({ "minutes": 150, "workDate": DAY, "projectId": logged.text("projectId") });
    assert_eq!(service.api.patch(&entry).json(&same).send().await.is(200).body, logged.body);
}

async fn a_project_is_closed_through_the_later_of_two_days(database: Database) {
    let service = Service::start(database).await;
    let own = own(&service);
    let on = |day: &str| service.log(&service.tenant.body_with(&json!({ "workDate": day })));
    for (all, project) in [("2025-01-10", "2025-01-20"), ("2025-01-20", "2025-01-10")] {
        close(&service.api, ALL, all).send().await.is(200);
        close(&service.api, &own, project).send().await.is(200);
        on("2025-01-20").send().await.fails_with(409, "period_closed");
        on("2025-01-21").send().await.is(201);
        let other = service.tenant.body_with(&json!({ "workDate": "2025-01-11" }));
        let other = service.api.post(&service.tenant.other_path()).json(&other).send().await;
        assert_eq!(other.status, if all == "2025-01-10" { 201 } else { 409 });
        open(&service.api, &own).await;
        open(&service.api, ALL).await;
    }
}

async fn a_bad_closing_is_refused_at_its_place(database: Database) {
    let service = Service::start(database).await;
    for path in [ALL, &own(&service)] {
        let put = |body: Value| service.api.put(path).json(&body);
        put(json!({})).send().await.refuses(&["/through required"]);
        put(json!({ "through": "2025-02-30" })).send().await.refuses(&["/through invalid_date"]);
        put(json!({ "through": "2025-01-31T00:00:00Z" }))
            .send()
            .await
            .refuses(&["/through invalid_date"]);
        let long = "x".repeat(2001);
        put(json!({ "through": 7, "reason": long }))
            .send()
            .await
            .refuses(&["/through wrong_type", "/reason too_long"]);
        put(json!({ "through": DAY, "reason": null }))
            .send()
            .await
            .refuses(&["/reason wrong_type"]);
        put(json!({ "through": DAY })).send().await.is(200);
        for through in [json!("2025-01-14"), json!(null)] {
            put(json!({ "through": through })).send().await.refuses(&["/reason required"]);
            put(json!({ "through": through, "reason": " " }))
                .send()
                .await
                .refuses(&["/reason required"]);
        }
        let seen = service.api.get(path).send().await.is(200).json();
        assert_eq!((&seen["through"], seen["history"].as_array().unwrap().len()), (&json!(DAY), 1));
    }
    let unknown = "/projects/01946a11-7c00-7b52-8e1f-3c4d5e6f7081/closing";
    close(&service.api, unknown, DAY).send().await.fails_with(404, "not_found");
    service.api.get(unknown).send().await.fails_with(404, "not_found");
}

async fn a_key_closes_only_what_is_in_its_scope(database: Database) {
    let service = Service::start(database).await;
    let project = service.tenant.project_id;
    let narrow = service.with_key(move |key| key.project_id = Some(project)).await;
    let other = format!("/projects/{}/closing", service.tenant.other_project_id);
    for path in [ALL, &other] {
        close(&narrow, path, DAY).send().await.fails_with(403, "scope_violation");
        narrow.get(path).send().await.fails_with(403, "scope_violation");
    }
    close(&narrow, &own(&service), DAY).send().await.is(200);
    narrow.get(&own(&service)).send().await.is(200);
    let permissions = [Permission::Read, Permission::Write, Permission::Approve, Permission::Bill];
    let clerk = service.with_key(may(&permissions)).await;
    close(&clerk, ALL, DAY).send().await.fails_with(403, "forbidden");
    clerk.get(ALL).send().await.is(200);
}

/// A moment of each round, at which one of the requests begins.
async fn moment(number: usize) {
    tokio::time::sleep(Duration::from_millis(number as u64 % 12)).await;
}

/// Two instances take changes while one of them closes the period. What is there when the closing
/// is answered stays as it is.
async fn nothing_is_acknowledged_into_a_period_after_its_close(database: Database) {
    let one = Service::start(database).await;
    let other = one.beside(|_| ()).await;
    let (mut carried_out, mut refused) = (0, 0);
    for round in 0..25_usize {
        let path = if round % 2 == 0 { ALL.to_owned() } else { own(&one) };
        let mut calls = Vec::new();
        for (number, instance) in [&one, &other].into_iter().enumerate() {
            calls.extend(changes(&one, &instance.api, 2 * round + number).await);
        }
        let calls = calls.into_iter().enumerate().map(async |(place, (what, call))| {
            moment(round * 7 + place).await;
            (what, call.send().await)
        });
        let list = format!("{}?to=2025-01-31&limit=200&sort=createdAt", one.tenant.path());
        let closing = async {
            moment(round * 5).await;
            close(&other.api, &path, "2025-01-31").send().await.is(200);
            other.api.get(&list).send().await.is(200).json()
        };
        let (answers, at_closing) = tokio::join!(join_all(calls), closing);
        for (what, answer) in answers {
            if answer.status == 409 {
                is_closed(&answer, what);
                refused += 1;
            } else {
                assert!([200, 201, 204].contains(&answer.status), "{}", answer.describe());
                carried_out += 1;
            }
        }
        assert_eq!(one.api.get(&list).send().await.is(200).json(), at_closing, "round {round}");
        open(&one.api, &path).await;
        one.database.execute("DELETE FROM time_entries");
    }
    assert!(carried_out > 20 && refused > 20, "{carried_out} {refused}");
}
