//! `PATCH /time-entries/{timeEntryId}` with `projectId`: moving an entry to another project.

use serde_json::{Value, json};
use timelog_domain::Action;

use crate::support::{Api, Call, Database, Service, Tenant, on_every_database};

on_every_database! {
    an_entry_moves_to_another_project,
    a_move_that_is_not_possible_is_refused_at_its_place,
}

fn patch(api: &Api, id: &str, body: &Value) -> Call {
    api.patch(&format!("/time-entries/{id}")).json(body)
}

async fn an_entry_moves_to_another_project(database: Database) {
    let service = Service::start(database).await;
    let reference = json!({ "provider": "jira", "externalType": "worklog", "externalId": "7" });
    let ticket = service.tenant.ticket_id.to_string();
    let body = service.tenant.body_with(&json!({ "externalRef": reference, "entryId": ticket }));
    let logged = service.log(&body).send().await.is(201);
    let id = logged.text("id");
    let other = service.tenant.other_project_id.to_string();
    let here = json!({ "projectId": logged.text("projectId") });
    let stays = patch(&service.api, &id, &here).send().await.is(200);
    assert_eq!(stays.body, logged.body);
    let there = json!({ "projectId": other, "entryId": null, "minutes": 7 });
    let moved = patch(&service.api, &id, &there).send().await.is(200);
    let mut expected = logged.json();
    (expected["projectId"], expected["entryId"]) = (json!(other), json!(null));
    (expected["minutes"], expected["hours"]) = (json!(7), json!("0.12"));
    assert_eq!((moved.json(), moved.header("etag")), (expected.clone(), Some("\"2\"")));
    assert_eq!(service.read(&id).await.json(), expected);
    for (list, entries) in [(service.tenant.path(), 0), (service.tenant.other_path(), 1)] {
        let page = service.api.get(&list).send().await.is(200).json();
        assert_eq!(page["data"].as_array().unwrap().len(), entries);
    }
    let record = &service.history(&id).await[1];
    let own = logged.text("projectId");
    assert_eq!((&record["action"], &record["version"]), (&json!("move"), &json!(2)));
    assert_eq!(
        record["changes"],
        json!({
            "projectId": { "old": own, "new": other },
            "entryId": { "old": ticket, "new": null },
            "minutes": { "old": 150, "new": 7 },
        })
    );
    // Who sees one project alone sees it leave, or come.
    for (project, sees) in [(&own, false), (&other, true)] {
        let feed = format!("/projects/{project}/changes");
        let page = service.api.get(&feed).send().await.is(200).json();
        let change = page["data"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&change["event"], &change["seq"]), (&json!("time.moved"), &json!(2)));
        assert_eq!(change["entry"].is_null(), !sees, "{change}");
        let of_project = service.with_key({
            let project = project.parse().unwrap();
            move |key| key.project_id = Some(project)
        });
        let history = of_project.await.get(&format!("/time-entries/{id}/history")).send().await;
        if sees {
            history.is(200)
        } else {
            history.fails_with(403, "scope_violation")
        };
    }
    service.log(&body).send().await.fails_with(409, "external_ref_conflict");
}

async fn a_move_that_is_not_possible_is_refused_at_its_place(database: Database) {
    let service = Service::start(database).await;
    let (own, other) = (service.tenant.project_id, service.tenant.other_project_id);
    let ticket = service.tenant.ticket_id.to_string();
    let body = service.tenant.body_with(&json!({ "entryId": ticket }));
    let id = service.log(&body).send().await.is(201).text("id");
    let to = json!({ "projectId": other.to_string(), "entryId": null });
    for (body, violation) in [
        (json!({ "projectId": null }), "/projectId wrong_type"),
        (json!({ "projectId": "7" }), "/projectId invalid_id"),
        (json!({ "projectId": ticket }), "/projectId unknown_reference"),
        (json!({ "projectId": other.to_string() }), "/entryId unknown_reference"),
    ] {
        patch(&service.api, &id, &body).send().await.refuses(&[violation]);
    }
    let stranger = Tenant::provision(&service.store).await;
    let theirs = json!({ "projectId": stranger.project_id.to_string(), "entryId": null });
    patch(&service.api, &id, &theirs).send().await.refuses(&["/projectId unknown_reference"]);
    for project in [own, other] {
        let narrow = service.with_key(move |key| key.project_id = Some(project)).await;
        patch(&narrow, &id, &to).send().await.fails_with(403, "scope_violation");
        service.archive(project, true).await;
        patch(&service.api, &id, &to).send().await.fails_with(409, "project_archived");
        service.archive(project, false).await;
    }
    service.apply(&id, &[Action::Submit]).await;
    patch(&service.api, &id, &to).send().await.fails_with(409, "entry_not_editable");
    assert_eq!(service.read(&id).await.header("etag"), Some("\"2\""));
}
