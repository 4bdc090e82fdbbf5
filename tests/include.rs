//! `include`: what answers show of entries beside their sixteen members, wherever they show one.

use serde_json::{Value, json};
use timelog_domain::{Action, Status};

use crate::support::{Database, Service, on_every_database};

on_every_database! {
    every_answer_with_an_entry_shows_what_is_asked_for,
    the_reason_and_the_invoice_are_those_that_hold_now,
    what_cannot_be_included_is_refused,
    the_last_page_needs_not_include_what_the_first_did,
    a_repeat_shows_what_the_first_request_asked_for,
    entries_are_filtered_by_invoice_and_by_having_no_ticket_or_release,
}

const ALL: &str = "include=externalRef,invoiceRef,reason,version";
const NAMES: [&str; 4] = ["externalRef", "invoiceRef", "reason", "version"];

fn reference(id: &str) -> Value {
    json!({ "provider": "p", "externalType": "t", "externalId": id })
}

/// The members that an entry has beside the sixteen.
fn more(entry: &Value) -> Vec<&str> {
    let members = entry.as_object().unwrap().keys().map(String::as_str);
    let more: Vec<_> = members.clone().filter(|name| NAMES.contains(name)).collect();
    assert_eq!(members.count(), 16 + more.len(), "{entry}");
    more
}

async fn every_answer_with_an_entry_shows_what_is_asked_for(database: Database) {
    let service = Service::start(database).await;
    let (api, tenant) = (&service.api, &service.tenant);
    let body = |id: &str| tenant.body_with(&json!({ "externalRef": reference(id) }));
    let id = service.log(&body("1")).send().await.is(201).text("id");
    let entry = format!("/time-entries/{id}");
    for (query, shown) in [
        ("", vec![]),
        ("include=version", vec!["version"]),
        ("include=reason,externalRef", vec!["externalRef", "reason"]),
        (ALL, NAMES.to_vec()),
    ] {
        let many = json!({ "action": "submit", "ids": [id] });
        let calls = [
            (api.post(&format!("{}?{query}", tenant.path())).json(&body("1")), "/"),
            (
                api.post(&format!("{}?{query}", tenant.path())).json(&body(&format!("?{query}"))),
                "/",
            ),
            (api.get(&format!("{entry}?{query}")), "/"),
            (api.patch(&format!("{entry}?{query}")).json(&json!({ "minutes": 7 })), "/"),
            (
                api.post(&format!("{}/batch?{query}", tenant.path()))
                    .json(&json!({ "entries": [body("1")] })),
                "/results/0/entry",
            ),
            (api.get(&format!("/time-entries?{query}")), "/data/0"),
            (api.get(&format!("{}?{query}", tenant.path())), "/data/0"),
            (
                api.post(&format!("/time-entries/transitions?{query}")).json(&many),
                "/results/0/entry",
            ),
            (api.post(&format!("{entry}/recall?{query}")), "/"),
        ];
        for (call, place) in calls {
            let answer = call.send().await;
            assert!([200, 201].contains(&answer.status), "{query}: {}", answer.describe());
            let answer = answer.json();
            let shows = more(if place == "/" { &answer } else { answer.pointer(place).unwrap() });
            assert_eq!(shows, shown, "{query} at {place}");
        }
        // The feed always has what a copy needs.
        for path in ["/changes".to_owned(), format!("/projects/{}/changes", tenant.project_id)] {
            let page = api.get(&format!("{path}?{query}")).send().await.is(200).json();
            let mut needed = shown.clone();
            needed.extend(["externalRef", "version"]);
            needed.sort_unstable();
            needed.dedup();
            assert_eq!(more(&page["data"][0]["entry"]), needed, "{query}");
        }
    }
    let shown = api.get(&format!("{entry}?{ALL}")).send().await.is(200);
    assert_eq!(shown.json()["externalRef"], reference("1"));
    assert_eq!(shown.header("etag").unwrap(), format!("\"{}\"", shown.json()["version"]));
    let none = service.log_any().send().await.is(201).text("id");
    let none = api.get(&format!("/time-entries/{none}?{ALL}")).send().await.is(200).json();
    assert_eq!(
        NAMES.map(|name| none[name].clone()),
        [json!(null), json!(null), json!(null), json!(1)]
    );
}

async fn the_reason_and_the_invoice_are_those_that_hold_now(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Submitted).await;
    let act = async |action: Action, body: Value| {
        let call = service.api.post(&format!("/time-entries/{id}/{action}?{ALL}")).json(&body);
        let entry = call.send().await.is(200).json();
        let read = service.api.get(&format!("/time-entries/{id}?{ALL}")).send().await.is(200);
        assert_eq!(read.json(), entry);
        (entry["reason"].clone(), entry["invoiceRef"].clone())
    };
    let reason = |text: &str| json!({ "reason": text });
    assert_eq!(
        act(Action::Reject, reason("Wrong ticket")).await,
        (json!("Wrong ticket"), json!(null))
    );
    let edit =
        service.api.patch(&format!("/time-entries/{id}?{ALL}")).json(&json!({ "minutes": 7 }));
    assert_eq!(edit.send().await.is(200).json()["reason"], "Wrong ticket");
    assert_eq!(act(Action::Submit, json!({})).await, (json!(null), json!(null)));
    assert_eq!(act(Action::Approve, reason("fine")).await, (json!("fine"), json!(null)));
    let invoice = json!({ "invoiceRef": "2025-0042" });
    assert_eq!(act(Action::Invoice, invoice).await, (json!(null), json!("2025-0042")));
    let released =
        act(Action::ReleaseInvoice, json!({ "reason": "twice", "invoiceRef": "x" })).await;
    assert_eq!(released, (json!("twice"), json!(null)));
}

async fn what_cannot_be_included_is_refused(database: Database) {
    let service = Service::start(database).await;
    let id = service.entry_in(Status::Draft).await;
    let (api, entry) = (&service.api, format!("/time-entries/{id}"));
    let calls = |query: &str| {
        let body = json!({ "minutes": 7 });
        [
            api.get(&format!("{entry}?{query}")),
            api.get(&format!("/time-entries?{query}")),
            api.get(&format!("/changes?{query}")),
            api.patch(&format!("{entry}?{query}")).json(&body),
            api.post(&format!("{}?{query}", service.tenant.path())).json(&service.tenant.body()),
            api.post(&format!("{entry}/submit?{query}")),
            api.post(&format!("/time-entries/transitions?{query}"))
                .json(&json!({ "action": "submit", "ids": [id] })),
        ]
    };
    for (query, refused) in [
        ("include=", "include unknown_value"),
        ("include=externalref", "include unknown_value"),
        ("include=reason,,version", "include unknown_value"),
        ("include=reason&include=version", "include repeated"),
        ("inlcude=reason", "inlcude unknown_parameter"),
    ] {
        for call in calls(query) {
            call.send().await.refuses(&[refused]);
        }
    }
    assert_eq!(service.read(&id).await.header("etag"), Some("\"1\""));
}

async fn the_last_page_needs_not_include_what_the_first_did(database: Database) {
    let service = Service::start(database).await;
    for _ in 0..3 {
        service.log_any().send().await.is(201);
    }
    let first = service.api.get("/time-entries?limit=2&include=version").send().await.is(200);
    let cursor = first.text("nextCursor");
    let link = first.header("link").unwrap();
    assert!(link.contains("include=version"), "{link}");
    let next = format!("/time-entries?limit=2&include=reason&cursor={cursor}");
    let next = service.api.get(&next).send().await.is(200).json();
    assert_eq!(more(&next["data"][0]), ["reason"]);
}

async fn a_repeat_shows_what_the_first_request_asked_for(database: Database) {
    let service = Service::start(database).await;
    let log = |query: &str| {
        let call = service.api.post(&format!("{}?{query}", service.tenant.path()));
        call.json(&service.tenant.body()).idempotency_key("k")
    };
    let first = log("include=version").send().await.is(201);
    assert_eq!(first.json()["version"], 1);
    for query in ["", ALL] {
        let again = log(query).send().await.is(201);
        assert!(again.is_replayed());
        assert_eq!(again.body, first.body);
    }
}

async fn entries_are_filtered_by_invoice_and_by_having_no_ticket_or_release(database: Database) {
    let service = Service::start(database).await;
    let (ticket, release) =
        (service.tenant.ticket_id.to_string(), service.tenant.release_id.to_string());
    let mut ids = Vec::new();
    for (body, invoice) in [
        (json!({}), Some("2025-1")),
        (json!({ "entryId": ticket }), Some("2025-1")),
        (json!({ "releaseId": release }), Some("2025-2 é")),
        (json!({ "entryId": ticket, "releaseId": release }), None),
    ] {
        let id = service.log(&service.tenant.body_with(&body)).send().await.is(201).text("id");
        service.apply(&id, &[Action::Submit, Action::Approve]).await;
        if let Some(invoice) = invoice {
            let call = service.api.post(&format!("/time-entries/{id}/invoice"));
            call.json(&json!({ "invoiceRef": invoice })).send().await.is(200);
        }
        ids.push(id);
    }
    let find = async |query: &str| {
        let page = service.api.get(&format!("/time-entries?{query}")).send().await.is(200).json();
        let found = page["data"].as_array().unwrap().iter();
        let found = found.map(|entry| ids.iter().position(|id| entry["id"] == **id).unwrap());
        let mut found: Vec<_> = found.collect();
        found.sort_unstable();
        let total =
            service.api.get(&format!("/time-entries/summary?{query}")).send().await.is(200).json();
        assert_eq!(total["total"]["entries"], found.len(), "{query}");
        found
    };
    assert_eq!(find("invoiceRef=2025-1").await, [0, 1]);
    assert_eq!(find("invoiceRef=2025-2%20%C3%A9").await, [2]);
    assert_eq!(find("invoiceRef=2025-").await, [0; 0]);
    assert_eq!(find("invoiceRef=2025-1&entryId=none").await, [0]);
    assert_eq!(find("entryId=none").await, [0, 2]);
    assert_eq!(find("releaseId=none").await, [0, 1]);
    assert_eq!(find("releaseId=none&entryId=none").await, [0]);
    assert_eq!(find(&format!("releaseId=none&entryId={ticket}")).await, [1]);
    for (query, refused) in [
        ("entryId=None", "entryId invalid_id"),
        ("releaseId=", "releaseId invalid_id"),
        ("userId=none", "userId invalid_id"),
        ("invoiceRef=%20", "invoiceRef blank"),
        (&format!("invoiceRef={}", "x".repeat(2001)), "invoiceRef too_long"),
    ] {
        service.api.get(&format!("/time-entries?{query}")).send().await.refuses(&[refused]);
    }
    let by = service
        .api
        .get("/time-entries/summary?groupBy=invoice,project")
        .send()
        .await
        .is(200)
        .json();
    let groups: Vec<_> = by["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["group"]["invoice"].clone(), row["entries"].clone()))
        .collect();
    assert_eq!(
        groups,
        [(json!(null), json!(1)), (json!("2025-1"), json!(2)), (json!("2025-2 é"), json!(1))]
    );
}
