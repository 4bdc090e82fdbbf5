//! `POST /time-entries/transitions`, `/edits` and `/deletions` by a filter in place of ids.

use futures_util::future::join_all;
use serde_json::{Value, json};
use timelog_domain::Action;
use uuid::Uuid;

use crate::change_many::{call, ids, january, log, outcomes, results};
use crate::support::{Database, Service, Tenant, on_every_database};

on_every_database![
    a_week_of_forty_entries_is_submitted_by_one_request,
    a_filter_reaches_what_meets_every_condition_and_nothing_else,
    a_filter_that_is_wrong_is_refused_and_reaches_nothing,
    a_repeat_of_a_filter_changes_nothing_more,
    a_filter_that_finds_too_many_tells_how_many,
    entries_that_change_while_a_filter_runs_are_changed_once,
];

async fn a_week_of_forty_entries_is_submitted_by_one_request(database: Database) {
    let service = Service::start(database).await;
    let mut week = Vec::new();
    for number in 0..40 {
        let day = format!("2025-01-{:02}", 13 + number % 5);
        week.push((day.clone(), log(&service, &json!({ "workDate": day })).await));
    }
    log(&service, &json!({ "workDate": "2025-01-20" })).await;
    week.sort();
    let user = service.tenant.user_id.to_string();
    let filter = json!({ "userId": user, "status": ["draft", "rejected"], "from": "2025-01-13", "to": "2025-01-19" });
    let body = json!({ "action": "submit", "filter": filter, "atomic": true });
    let answer = call(&service, "transitions?include=version", &body).send().await.is(200);
    assert_eq!(ids(&answer), week.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>());
    for result in results(&answer) {
        let entry = &result["entry"];
        assert_eq!(
            (&result["outcome"], &entry["status"], &entry["version"]),
            (&json!("changed"), &json!("submitted"), &json!(2))
        );
    }
    // Now there is none left.
    let again = call(&service, "transitions", &body).send().await.is(200);
    assert_eq!(again.json(), json!({ "results": [] }));
    let queue =
        service.api.get("/time-entries?status=submitted&limit=200").send().await.is(200).json();
    assert_eq!(queue["data"].as_array().unwrap().len(), 40);
}

async fn a_filter_reaches_what_meets_every_condition_and_nothing_else(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let stranger = Tenant::provision(&service.store).await;
    stranger.log_any(&service.api).send().await.is(201);
    let (ticket, release, other) = (
        tenant.ticket_id.to_string(),
        tenant.release_id.to_string(),
        tenant.other_user_id.to_string(),
    );
    let mut entries = Vec::new();
    for members in [
        json!({}),
        json!({ "entryId": ticket, "billable": false }),
        json!({ "releaseId": release, "userId": other }),
        json!({ "entryId": ticket, "releaseId": release }),
        json!({ "workDate": "2025-02-01" }),
    ] {
        entries.push(log(&service, &members).await);
    }
    service.apply(&entries[3], &[Action::Submit]).await;
    let elsewhere = service.api.post(&tenant.other_path()).json(&tenant.body());
    entries.push(elsewhere.send().await.is(201).text("id"));
    let (project, elsewhere) = (tenant.project_id.to_string(), tenant.other_project_id.to_string());
    for (members, expected) in [
        (json!({}), vec![0, 1, 2, 3, 5]),
        (json!({ "projectId": project }), vec![0, 1, 2, 3]),
        (json!({ "projectId": elsewhere }), vec![5]),
        (json!({ "projectId": Uuid::now_v7().to_string() }), vec![]),
        (json!({ "projectId": stranger.project_id.to_string() }), vec![]),
        (json!({ "userId": other }), vec![2]),
        (json!({ "entryId": ticket }), vec![1, 3]),
        (json!({ "entryId": "none" }), vec![0, 2, 5]),
        (json!({ "releaseId": release }), vec![2, 3]),
        (json!({ "releaseId": "none", "entryId": ticket }), vec![1]),
        (json!({ "status": "submitted" }), vec![3]),
        (json!({ "status": ["draft", "submitted"], "projectId": project }), vec![0, 1, 2, 3]),
        (json!({ "billable": false }), vec![1]),
        (json!({ "from": "2025-02-01", "to": "2025-02-01" }), vec![4]),
        (json!({ "from": "2025-01-15", "to": "2025-01-15" }), vec![0, 1, 2, 3, 5]),
    ] {
        // What no entry can take: all that are found fail, and nothing changes.
        let body = json!({ "action": "unlock", "reason": "r", "filter": january(&members) });
        let answer = call(&service, "transitions", &body).send().await.is(200);
        let mut found: Vec<_> = ids(&answer)
            .iter()
            .map(|id| entries.iter().position(|entry| entry == id).unwrap())
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{members}");
        let unchanged =
            call(&service, "edits", &json!({ "patch": {}, "filter": january(&members) }));
        assert_eq!(outcomes(&unchanged.send().await.is(200)), vec!["unchanged"; expected.len()]);
    }
}

async fn a_filter_that_is_wrong_is_refused_and_reaches_nothing(database: Database) {
    let service = Service::start(database).await;
    let id = log(&service, &json!({})).await;
    for (what, envelope) in [
        ("transitions", json!({ "action": "submit" })),
        ("edits", json!({ "patch": { "minutes": 7 } })),
        ("deletions", json!({})),
    ] {
        let with = |member: &str, value: Value| {
            let mut body = envelope.clone();
            body[member] = value;
            body
        };
        for (body, refused) in [
            (envelope.clone(), vec!["/ids required"]),
            (with("filter", json!({})), vec!["/filter/from required", "/filter/to required"]),
            (with("filter", json!([])), vec!["/filter wrong_type"]),
            (with("filter", json!(null)), vec!["/filter wrong_type"]),
            (
                with("filter", json!({ "from": "2025-02-01", "to": "2025-01-31" })),
                vec!["/filter/from out_of_range"],
            ),
            (
                with("filter", january(&json!({ "userID": "x" }))),
                vec!["/filter/userID unknown_member"],
            ),
            (
                with("filter", january(&json!({ "source": "api", "limit": 7 }))),
                vec!["/filter/source unknown_member", "/filter/limit unknown_member"],
            ),
            (
                with("filter", january(&json!({ "projectId": null }))),
                vec!["/filter/projectId wrong_type"],
            ),
            (
                with("filter", january(&json!({ "userId": "none" }))),
                vec!["/filter/userId invalid_id"],
            ),
            (
                with("filter", january(&json!({ "entryId": "None" }))),
                vec!["/filter/entryId invalid_id"],
            ),
            (
                with("filter", january(&json!({ "status": [] }))),
                vec!["/filter/status out_of_range"],
            ),
            (
                with("filter", january(&json!({ "status": ["draft", "x"] }))),
                vec!["/filter/status/1 unknown_value"],
            ),
            (
                with("filter", january(&json!({ "billable": "true" }))),
                vec!["/filter/billable wrong_type"],
            ),
            (with("ids", json!([])), vec!["/ids out_of_range"]),
            (with("ids", json!(vec![id.clone(); 501])), vec!["/ids out_of_range"]),
        ] {
            // Also where unknown members are otherwise ignored.
            call(&service, what, &body).send().await.refuses(&refused);
            call(&service, what, &body)
                .header("prefer", "handling=lenient")
                .send()
                .await
                .refuses(&refused);
        }
        let mut both = with("ids", json!([id]));
        both["filter"] = january(&json!({}));
        call(&service, what, &both).send().await.refuses(&["/filter disagrees"]);
    }
    let twice = r#"{"filter":{"from":"2025-01-01","from":"2025-01-01","to":"2025-01-31"}}"#;
    let deletions = service.api.post("/time-entries/deletions").body(twice);
    deletions.send().await.fails_with(400, "malformed_json");
    assert_eq!(service.read(&id).await.header("etag"), Some("\"1\""));
}

async fn a_repeat_of_a_filter_changes_nothing_more(database: Database) {
    let service = Service::start(database).await;
    let first = log(&service, &json!({})).await;
    let body = json!({ "filter": january(&json!({})) });
    let keyed = || call(&service, "deletions", &body).idempotency_key("k");
    let answer = keyed().send().await.is(200);
    assert_eq!(ids(&answer), [first]);
    log(&service, &json!({})).await;
    let again = keyed().send().await.is(200);
    assert!(again.is_replayed());
    assert_eq!(again.body, answer.body);
    assert_eq!(service.database.count("time_entries"), 1);
    // A refusal leaves no trace, and the same key may be used for another of the three.
    let submit = json!({ "action": "submit", "filter": january(&json!({})) });
    let submitted =
        call(&service, "transitions", &submit).idempotency_key("k").send().await.is(200);
    assert!(!submitted.is_replayed());
    assert_eq!(outcomes(&submitted), ["changed"]);
    let atomic = json!({ "filter": january(&json!({})), "atomic": true });
    let refused = || call(&service, "deletions", &atomic).idempotency_key("l");
    refused().send().await.fails_with(409, "batch_failed");
    assert_eq!(service.database.count("idempotency_keys"), 2);
}

async fn a_filter_that_finds_too_many_tells_how_many(database: Database) {
    let service = Service::start(database).await;
    for number in [500, 500, 500, 500, 1] {
        let entries = vec![service.tenant.body(); number];
        let batch = service.api.post(&format!("{}/batch", service.tenant.path()));
        batch.json(&json!({ "entries": entries })).send().await.is(200);
    }
    let submit = json!({ "action": "submit", "filter": january(&json!({})), "atomic": true });
    let refused = call(&service, "transitions", &submit).send().await;
    let refused = refused.refuses(&["/filter out_of_range"]);
    let message = refused.json()["errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("2001") && message.contains("2000"), "{message}");
    assert_eq!(service.database.count("time_entries WHERE status = 'draft'"), 2001);
    log(&service, &json!({ "workDate": "2025-02-01" })).await;
    let one = service.api.get("/time-entries?limit=1&to=2025-01-31").send().await.is(200).json();
    let one = one["data"][0]["id"].as_str().unwrap().to_owned();
    service.api.delete(&format!("/time-entries/{one}")).send().await.is(204);
    let answer = call(&service, "transitions", &submit).send().await.is(200);
    assert_eq!(outcomes(&answer), vec!["changed"; 2000]);
    assert_eq!(service.database.count("time_entries WHERE status = 'submitted'"), 2000);
}

/// Filters run on two instances while entries come, change and go. Each entry is changed by one of
/// them, or not at all, and its history has every change once.
async fn entries_that_change_while_a_filter_runs_are_changed_once(database: Database) {
    let one = Service::start(database).await;
    let other = one.beside(|_| ()).await;
    for round in 0..12 {
        let mut entries = Vec::new();
        for _ in 0..6 {
            entries.push(log(&one, &json!({})).await);
        }
        let submit =
            json!({ "action": "submit", "filter": january(&json!({ "status": "draft" })) });
        let filters =
            [&one, &other, &one].map(|service| call(service, "transitions", &submit).send());
        let singles = entries.iter().enumerate().map(|(place, id)| {
            let api = if place % 2 == 0 { &one.api } else { &other.api };
            let entry = format!("/time-entries/{id}");
            let call = match place % 3 {
                0 => api.patch(&entry).json(&json!({ "minutes": 7 })),
                1 => api.delete(&entry),
                _ => api.post(&format!("{entry}/submit")),
            };
            call.send()
        });
        let (found, singles) = tokio::join!(join_all(filters), join_all(singles));
        let mut submitted = Vec::new();
        for answer in found {
            let answer = answer.is(200);
            // A filter takes drafts alone, so whatever it finds it submits.
            assert!(outcomes(&answer).iter().all(|outcome| outcome == "changed"), "{round}");
            submitted.extend(ids(&answer));
        }
        for (answer, id) in singles.iter().zip(&entries) {
            assert!([200, 204, 404, 409].contains(&answer.status), "{}", answer.describe());
            let history = one.history(id).await;
            let submissions = history.iter().filter(|record| record["action"] == "submit").count();
            let by_filter = submitted.iter().filter(|other| *other == id).count();
            let by_itself = usize::from(answer.path.ends_with("/submit") && answer.status == 200);
            assert_eq!(submissions, by_filter + by_itself, "{round}: {history:?}");
            assert!(submissions <= 1, "{round}: {history:?}");
        }
        one.database.execute("DELETE FROM time_entries");
    }
}
