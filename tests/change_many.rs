//! `POST /time-entries/edits` and `/deletions`: many entries, each by itself or all or none.

use serde_json::{Value, json};
use timelog_domain::{Action, Permission, Status};
use uuid::Uuid;

use crate::support::{Answer, Call, Database, Service, may, on_every_database};

on_every_database![
    many_are_edited_each_by_itself_or_none,
    many_are_deleted_each_by_itself_or_none,
    what_is_wrong_with_a_patch_is_told_under_it,
    half_of_what_is_found_may_not_be_allowed,
];

const JANUARY: [&str; 2] = ["2025-01-01", "2025-01-31"];

pub(crate) fn call(service: &Service, what: &str, body: &Value) -> Call {
    service.api.post(&format!("/time-entries/{what}")).json(body)
}

/// The filter of January, with these members.
pub(crate) fn january(members: &Value) -> Value {
    let mut filter = json!({ "from": JANUARY[0], "to": JANUARY[1] });
    let members = members.as_object().unwrap().clone();
    filter.as_object_mut().unwrap().extend(members);
    filter
}

pub(crate) fn results(answer: &Answer) -> Vec<Value> {
    answer.json()["results"].as_array().unwrap().clone()
}

/// Each result as its outcome and, if it failed, its code.
pub(crate) fn outcomes(answer: &Answer) -> Vec<String> {
    let outcome = |result: &Value| match result["problem"]["code"].as_str() {
        Some(code) => format!("{} {code}", result["outcome"].as_str().unwrap()),
        None => result["outcome"].as_str().unwrap().to_owned(),
    };
    results(answer).iter().map(outcome).collect()
}

pub(crate) fn ids(answer: &Answer) -> Vec<String> {
    results(answer).iter().map(|result| result["id"].as_str().unwrap().to_owned()).collect()
}

pub(crate) async fn log(service: &Service, members: &Value) -> String {
    service.log(&service.tenant.body_with(members)).send().await.is(201).text("id")
}

async fn many_are_edited_each_by_itself_or_none(database: Database) {
    let service = Service::start(database).await;
    let first = log(&service, &json!({})).await;
    let rejected = service.entry_in(Status::Rejected).await;
    let approved = service.entry_in(Status::Approved).await;
    let short = log(&service, &json!({ "minutes": 7 })).await;
    let unknown = Uuid::now_v7().to_string();
    let all = json!([first, rejected, approved, unknown, short]);
    let body = |atomic: bool| json!({ "ids": all, "patch": { "minutes": 7 }, "atomic": atomic });
    let counts = service.database.counts();
    let refused = call(&service, "edits", &body(true)).send().await.fails_with(409, "batch_failed");
    let expected = [
        "not_applied",
        "not_applied",
        "failed entry_not_editable",
        "failed not_found",
        "not_applied",
    ];
    assert_eq!(outcomes(&refused), expected);
    assert_eq!(service.database.counts(), counts);
    let answer = call(&service, "edits", &body(false)).send().await.is(200);
    let expected =
        ["changed", "changed", "failed entry_not_editable", "failed not_found", "unchanged"];
    assert_eq!(outcomes(&answer), expected);
    for (result, id) in results(&answer).iter().zip(all.as_array().unwrap()) {
        assert_eq!(&result["id"], id);
        if result.get("entry").is_some() {
            assert_eq!(result["entry"], service.read(id.as_str().unwrap()).await.json());
        }
    }
    assert_eq!(service.read(&rejected).await.text("status"), "draft");
    assert_eq!(service.history(&short).await.len(), 1);
    // Moving by filter, with a ticket that the other project does not have.
    let ticket = service.tenant.ticket_id.to_string();
    let ticketed = log(&service, &json!({ "entryId": ticket })).await;
    let other = service.tenant.other_project_id.to_string();
    let filter = january(&json!({ "status": "draft" }));
    let moved = json!({ "filter": filter, "patch": { "projectId": other } });
    let answer = call(&service, "edits", &moved).send().await.is(200);
    let failed: Vec<_> =
        results(&answer).into_iter().filter(|result| result["outcome"] == "failed").collect();
    assert_eq!((failed.len(), &failed[0]["id"]), (1, &json!(ticketed)));
    assert_eq!(failed[0]["problem"]["errors"][0]["pointer"], "/entryId");
    assert_eq!(service.read(&first).await.text("projectId"), other);
}

async fn many_are_deleted_each_by_itself_or_none(database: Database) {
    let service = Service::start(database).await;
    let draft = log(&service, &json!({})).await;
    let submitted = service.entry_in(Status::Submitted).await;
    let body = |atomic: bool| json!({ "ids": [draft, submitted, draft], "atomic": atomic });
    let refused =
        call(&service, "deletions", &body(true)).send().await.fails_with(409, "batch_failed");
    assert_eq!(
        outcomes(&refused),
        ["not_applied", "failed entry_not_editable", "failed not_found"]
    );
    service.read(&draft).await.is(200);
    let answer = call(&service, "deletions", &body(false)).send().await.is(200);
    assert_eq!(outcomes(&answer), ["deleted", "failed entry_not_editable", "failed not_found"]);
    assert_eq!(results(&answer)[0], json!({ "id": draft, "outcome": "deleted" }));
    service.api.get(&format!("/time-entries/{draft}")).send().await.is(404);
    assert_eq!(service.history(&draft).await.pop().unwrap()["action"], "delete");
    service.apply(&submitted, &[Action::Recall]).await;
    let filter = json!({ "filter": january(&json!({})), "atomic": true });
    let answer = call(&service, "deletions", &filter).send().await.is(200);
    assert_eq!((ids(&answer), outcomes(&answer)), (vec![submitted], vec!["deleted".to_owned()]));
    assert_eq!(service.database.count("time_entries"), 0);
}

async fn what_is_wrong_with_a_patch_is_told_under_it(database: Database) {
    let service = Service::start(database).await;
    let id = log(&service, &json!({})).await;
    let nobody = Uuid::now_v7().to_string();
    for (patch, refused) in [
        (json!({ "minutes": 0 }), vec!["/patch/minutes out_of_range"]),
        (json!({ "minutes": 60, "hours": "2" }), vec!["/patch/hours disagrees"]),
        (
            json!({ "userId": null, "workDate": "2025-02-30" }),
            vec!["/patch/userId wrong_type", "/patch/workDate invalid_date"],
        ),
        (json!([]), vec!["/patch wrong_type"]),
        (
            json!({ "userId": nobody, "projectId": nobody }),
            vec!["/patch/projectId unknown_reference", "/patch/userId unknown_reference"],
        ),
    ] {
        for selection in [
            json!({ "ids": [id] }),
            json!({ "filter": january(&json!({})) }),
            json!({ "filter": january(&json!({ "status": "locked" })) }),
        ] {
            let mut body = selection;
            body["patch"] = patch.clone();
            call(&service, "edits", &body).send().await.refuses(&refused);
        }
    }
    call(&service, "edits", &json!({ "ids": [id] })).send().await.refuses(&["/patch required"]);
    let strange = json!({ "ids": [id], "patch": { "minuts": 7 } });
    assert_eq!(outcomes(&call(&service, "edits", &strange).send().await.is(200)), ["unchanged"]);
    let strict = call(&service, "edits", &strange).header("prefer", "handling=strict");
    strict.send().await.refuses(&["/patch/minuts unknown_member"]);
    // A ticket that the entry's project does not have is wrong for that entry.
    let unknown = json!({ "ids": [id], "patch": { "entryId": nobody } });
    let answer = call(&service, "edits", &unknown).send().await.is(200);
    assert_eq!(results(&answer)[0]["problem"]["errors"][0]["pointer"], "/entryId");
    assert_eq!(service.read(&id).await.header("etag"), Some("\"1\""));
}

async fn half_of_what_is_found_may_not_be_allowed(database: Database) {
    let service = Service::start(database).await;
    let (user, other) = (service.tenant.user_id, service.tenant.other_user_id.to_string());
    let own = log(&service, &json!({})).await;
    let theirs = log(&service, &json!({ "userId": other })).await;
    let bound = service.with_key(move |key| key.user_id = Some(user)).await;
    let filter = january(&json!({}));
    for (what, body) in [
        ("transitions", json!({ "action": "submit", "filter": filter })),
        ("edits", json!({ "patch": { "minutes": 7 }, "filter": filter })),
        ("deletions", json!({ "filter": filter })),
    ] {
        let mut atomic = body.clone();
        atomic["atomic"] = json!(true);
        let refused = bound.post(&format!("/time-entries/{what}")).json(&atomic).send().await;
        let mut seen = outcomes(&refused.fails_with(409, "batch_failed"));
        seen.sort();
        assert_eq!(seen, ["failed forbidden", "not_applied"]);
    }
    let body = json!({ "action": "submit", "filter": filter });
    let answer = bound.post("/time-entries/transitions").json(&body).send().await.is(200);
    let told: Vec<_> = ids(&answer).into_iter().zip(outcomes(&answer)).collect();
    assert!(told.contains(&(own.clone(), "changed".to_owned())));
    assert!(told.contains(&(theirs.clone(), "failed forbidden".to_owned())));
    assert_eq!(service.read(&theirs).await.text("status"), "draft");
    // A key of a project has to name it.
    let project = service.tenant.project_id;
    let narrow = service.with_key(move |key| key.project_id = Some(project)).await;
    for (members, code) in [
        (json!({}), "scope_violation"),
        (json!({ "projectId": service.tenant.other_project_id.to_string() }), "scope_violation"),
    ] {
        let body = json!({ "filter": january(&members) });
        narrow.post("/time-entries/deletions").json(&body).send().await.fails_with(403, code);
    }
    let body =
        json!({ "filter": january(&json!({ "projectId": project.to_string(), "userId": other })) });
    let answer = narrow.post("/time-entries/deletions").json(&body).send().await.is(200);
    assert_eq!(outcomes(&answer), ["deleted"]);
    for (what, permission) in [("edits", Permission::Read), ("deletions", Permission::Approve)] {
        let key = service.with_key(may(&[permission])).await;
        key.post(&format!("/time-entries/{what}"))
            .json(&json!({}))
            .send()
            .await
            .fails_with(403, "forbidden");
    }
}
