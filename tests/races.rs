//! Two conflicting requests at the same time, each through its own instance: one succeeds.

use reqwest::Method;
use serde_json::{Value, json};
use timelog_domain::Status;

use crate::support::{Answer, Call, Database, Service, on_every_database};

on_every_database![
    of_concurrent_approve_and_recall_one_succeeds,
    of_concurrent_edit_and_submit_one_succeeds_or_the_edit_comes_first,
    of_concurrent_delete_and_submit_one_succeeds,
    of_concurrent_delete_and_approve_one_succeeds,
    of_many_edits_with_the_same_if_match_one_succeeds,
    concurrent_changes_leave_a_history_without_gaps,
];

const ROUNDS: usize = 40;

/// Makes two calls at once; which of them begins first alternates.
async fn both(round: usize, one: Call, other: Call) -> (Answer, Answer) {
    if round.is_multiple_of(2) {
        tokio::join!(one.send(), other.send())
    } else {
        let (other, one) = tokio::join!(other.send(), one.send());
        (one, other)
    }
}

/// The actions that the history of an entry tells, one version after the other, the last of which
/// is the entry's.
async fn actions(service: &Service, id: &str) -> Vec<String> {
    let history = service.history(id).await;
    let versions: Vec<_> =
        history.iter().map(|record| record["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, (1..).take(history.len()).collect::<Vec<_>>());
    let steps = history.windows(2);
    assert!(steps.into_iter().all(|step| step[0]["to"] == step[1]["from"]), "{history:?}");
    history.iter().map(|record| record["action"].as_str().unwrap().to_owned()).collect()
}

fn act(service: &Service, id: &str, action: &str) -> Call {
    service.api.post(&format!("/time-entries/{id}/{action}"))
}

fn edit(service: &Service, id: &str, minutes: usize) -> Call {
    service.api.patch(&format!("/time-entries/{id}")).json(&json!({ "minutes": minutes }))
}

async fn of_concurrent_approve_and_recall_one_succeeds(database: Database) {
    let service = Service::start(database).await;
    let other = service.beside(|_| ()).await;
    for round in 0..ROUNDS {
        let id = service.entry_in(Status::Submitted).await;
        let (approve, recall) =
            both(round, act(&service, &id, "approve"), act(&other, &id, "recall")).await;
        let (won, lost, action) = if approve.status == 200 {
            (approve, recall, "approve")
        } else {
            (recall, approve, "recall")
        };
        let won = won.is(200);
        lost.fails_with(409, "invalid_transition");
        assert_eq!(service.read(&id).await.body, won.body);
        assert_eq!(actions(&service, &id).await, ["log", "submit", action]);
    }
}

async fn of_concurrent_edit_and_submit_one_succeeds_or_the_edit_comes_first(database: Database) {
    let service = Service::start(database).await;
    let other = service.beside(|_| ()).await;
    for round in 0..ROUNDS {
        let id = service.entry_in(Status::Draft).await;
        // Both send `If-Match`, so the second of them is refused.
        let conditional = round % 4 < 2;
        let condition =
            |call: Call| if conditional { call.header("if-match", "\"1\"") } else { call };
        let (edit, submit) =
            (condition(edit(&service, &id, 5)), condition(act(&other, &id, "submit")));
        let (edit, submit) = both(round, edit, submit).await;
        let told = actions(&service, &id).await;
        let now = service.read(&id).await;
        match (edit.status, submit.status) {
            (200, 200) => {
                assert!(!conditional);
                assert_eq!(told, ["log", "edit", "submit"]);
                assert_eq!(
                    (&now.json()["minutes"], now.text("status").as_str()),
                    (&json!(5), "submitted")
                );
            }
            (200, _) => {
                assert!(conditional);
                submit.fails_with(412, "precondition_failed");
                assert_eq!(
                    (told, now.body),
                    (vec!["log".to_owned(), "edit".to_owned()], edit.body)
                );
            }
            _ => {
                let (status, code) = if conditional {
                    (412, "precondition_failed")
                } else {
                    (409, "entry_not_editable")
                };
                edit.fails_with(status, code);
                assert_eq!(
                    (told, now.body),
                    (vec!["log".to_owned(), "submit".to_owned()], submit.is(200).body)
                );
            }
        }
    }
}

async fn of_concurrent_delete_and_submit_one_succeeds(database: Database) {
    let service = Service::start(database).await;
    let other = service.beside(|_| ()).await;
    for round in 0..ROUNDS {
        let id = service.entry_in(Status::Draft).await;
        let path = format!("/time-entries/{id}");
        let (delete, submit) =
            both(round, service.api.delete(&path), act(&other, &id, "submit")).await;
        if delete.status == 204 {
            submit.fails_with(404, "not_found");
            service.api.get(&path).send().await.fails_with(404, "not_found");
            assert_eq!(actions(&service, &id).await, ["log", "delete"]);
        } else {
            delete.fails_with(409, "entry_not_editable");
            assert_eq!(service.read(&id).await.body, submit.is(200).body);
            assert_eq!(actions(&service, &id).await, ["log", "submit"]);
        }
    }
}

async fn of_concurrent_delete_and_approve_one_succeeds(database: Database) {
    let service = Service::start(database).await;
    let other = service.beside(|_| ()).await;
    for round in 0..ROUNDS {
        // Only a recalled entry can be deleted, so a third request has to come in between.
        let id = service.entry_in(Status::Submitted).await;
        let delete = service.api.delete(&format!("/time-entries/{id}"));
        let (recall, approve) = (act(&service, &id, "recall"), act(&other, &id, "approve"));
        let ((delete, approve), recall) = tokio::join!(both(round, delete, approve), recall.send());
        let told = actions(&service, &id).await;
        match (delete.status, approve.status) {
            (204, 404 | 409) => {
                recall.is(200);
                assert_eq!(told, ["log", "submit", "recall", "delete"]);
            }
            (409, 200) => {
                recall.fails_with(409, "invalid_transition");
                assert_eq!(told, ["log", "submit", "approve"]);
            }
            _ => {
                delete.fails_with(409, "entry_not_editable");
                approve.fails_with(409, "invalid_transition");
                recall.is(200);
                assert_eq!(told, ["log", "submit", "recall"]);
            }
        }
    }
}

async fn of_many_edits_with_the_same_if_match_one_succeeds(database: Database) {
    let service = Service::start(database).await;
    let other = service.beside(|_| ()).await;
    for _ in 0..10 {
        let id = service.entry_in(Status::Draft).await;
        let mut running = tokio::task::JoinSet::new();
        for minutes in 1..=16 {
            let instance = if minutes % 2 == 0 { &service } else { &other };
            running.spawn(edit(instance, &id, minutes).header("if-match", "\"1\"").send());
        }
        let (won, lost): (Vec<_>, Vec<_>) =
            running.join_all().await.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 15));
        for answer in lost {
            answer.fails_with(412, "precondition_failed");
        }
        assert_eq!(service.read(&id).await.body, won[0].body);
        assert_eq!(actions(&service, &id).await, ["log", "edit"]);
    }
}

async fn concurrent_changes_leave_a_history_without_gaps(database: Database) {
    let service = Service::start(database).await;
    let other = service.beside(|_| ()).await;
    let id = service.entry_in(Status::Draft).await;
    let body = json!({ "reason": "because", "invoiceRef": "2026-0001" });
    let mut running = tokio::task::JoinSet::new();
    for round in 1..=12 {
        let instance = if round % 2 == 0 { &service } else { &other };
        for action in ["submit", "recall", "approve", "reject", "reopen"] {
            running.spawn(act(instance, &id, action).json(&body).send());
        }
        running.spawn(edit(instance, &id, round).send());
    }
    let answers = running.join_all().await;
    let done: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)));
    let told = actions(&service, &id).await;
    assert_eq!(told.len(), 1 + done.len());
    // Each answer has the version of its change, and no two have the same.
    let mut shown: Vec<_> = done.iter().map(|answer| (version(answer), action(answer))).collect();
    shown.sort();
    let expected: Vec<_> = (2..).zip(told.into_iter().skip(1)).collect();
    assert_eq!(shown, expected);
    let last: Option<&&Answer> = done.iter().max_by_key(|answer| version(answer));
    assert_eq!(service.read(&id).await.body, last.unwrap().body);
    let statuses: Vec<Value> =
        service.history(&id).await.iter().map(|record| record["to"].clone()).collect();
    assert_eq!(statuses.last(), Some(&service.read(&id).await.json()["status"]));
}

fn version(answer: &Answer) -> u64 {
    answer.header("etag").unwrap().trim_matches('"').parse().unwrap()
}

fn action(answer: &Answer) -> String {
    let last = if answer.method == Method::PATCH {
        "edit"
    } else {
        answer.path.rsplit('/').next().unwrap()
    };
    last.to_owned()
}
