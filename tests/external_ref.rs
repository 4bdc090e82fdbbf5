//! `externalRef`: one entry for each reference, without a time limit.

use std::time::Duration;

use serde_json::{Value, json};
use timelog_adapters::digest_external_ref_part;
use timelog_domain::Action;

use crate::support::{Call, Database, Service, Tenant, on_every_database};

on_every_database![
    a_known_reference_with_the_same_body_changes_nothing,
    a_known_reference_with_another_body_updates_the_entry,
    an_absent_member_takes_its_default_again,
    a_rejected_entry_becomes_a_draft_again,
    an_entry_that_is_not_editable_is_answered_409,
    two_idempotency_keys_for_one_reference_each_replay_their_own_answer,
    a_reference_is_still_known_when_the_idempotency_key_has_expired,
    references_are_compared_byte_for_byte,
    the_longest_reference_works_like_any_other,
    an_entry_with_equal_digests_and_other_texts_is_not_matched,
    a_missing_or_blank_part_is_refused,
    organizations_do_not_share_references,
    a_reference_of_another_project_is_answered_409,
    an_invalid_update_leaves_the_entry_unchanged,
];

fn reference(id: &str) -> Value {
    json!({ "provider": "jira", "externalType": "worklog", "externalId": id })
}

/// Logs under the reference `1`.
fn log(service: &Service, members: Value) -> Call {
    let Value::Object(mut members) = members else { panic!("members are an object") };
    members.insert("externalRef".to_owned(), reference("1"));
    service.log(&service.tenant.body_with(&members.into()))
}

async fn a_known_reference_with_the_same_body_changes_nothing(database: Database) {
    let service = Service::start(database).await;
    let first = log(&service, json!({})).send().await.is(201);
    service.clock.advance(Duration::from_mins(1));
    // Another spelling of the duration, explicit defaults and ids in upper case are the same body.
    let mut body = service.tenant.body_without("minutes");
    body["hours"] = json!("2.50");
    body["billable"] = json!(true);
    body["description"] = json!(null);
    body["userId"] = json!(service.tenant.user_id.to_string().to_uppercase());
    body["externalRef"] = reference("1");
    let again = service.log(&body).send().await.is(200);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("etag"), first.header("etag"));
    assert_eq!(again.header("location"), None);
    assert_eq!(service.database.count("time_entries"), 1);
    assert_eq!(service.database.count("time_entry_history"), 1);
}

async fn a_known_reference_with_another_body_updates_the_entry(database: Database) {
    let service = Service::start(database).await;
    let first = log(&service, json!({})).send().await.is(201).json();
    service.clock.advance(Duration::from_mins(1));
    let members = json!({
        "userId": service.tenant.other_user_id.to_string(),
        "workDate": "2025-01-16",
        "minutes": 30,
        "description": "more",
        "billable": false,
        "entryId": service.tenant.ticket_id.to_string(),
        "releaseId": service.tenant.release_id.to_string(),
    });
    let changed = log(&service, members.clone()).send().await.is(200);
    assert_eq!(changed.header("etag"), Some("\"2\""));
    let mut expected = first.clone();
    for (member, value) in members.as_object().unwrap() {
        expected[member] = value.clone();
    }
    expected["hours"] = json!("0.5");
    expected["updatedAt"] = json!("2026-03-01T09:01:00.000Z");
    assert_eq!(changed.json(), expected);
    let read =
        service.api.get(&format!("/time-entries/{}", changed.text("id"))).send().await.is(200);
    assert_eq!(read.body, changed.body);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn an_absent_member_takes_its_default_again(database: Database) {
    let service = Service::start(database).await;
    let full = json!({
        "description": "text",
        "billable": false,
        "entryId": service.tenant.ticket_id.to_string(),
        "releaseId": service.tenant.release_id.to_string(),
    });
    log(&service, full).send().await.is(201);
    let bare = log(&service, json!({})).send().await.is(200).json();
    for (member, default) in [
        ("description", json!(null)),
        ("billable", json!(true)),
        ("entryId", json!(null)),
        ("releaseId", json!(null)),
    ] {
        assert_eq!(bare[member], default, "{member}");
    }
}

async fn a_rejected_entry_becomes_a_draft_again(database: Database) {
    let service = Service::start(database).await;
    let id = log(&service, json!({})).send().await.is(201).text("id");
    service.apply(&id, &[Action::Submit, Action::Reject]).await;
    let same = log(&service, json!({})).send().await.is(200);
    assert_eq!(same.text("status"), "rejected");
    let other = log(&service, json!({ "minutes": 5 })).send().await.is(200);
    assert_eq!(other.text("status"), "draft");
    assert_eq!(other.text("id"), id);
}

async fn an_entry_that_is_not_editable_is_answered_409(database: Database) {
    let service = Service::start(database).await;
    let id = log(&service, json!({})).send().await.is(201).text("id");
    let path = format!("/time-entries/{id}");
    let steps = [
        (Action::Submit, "submitted"),
        (Action::Approve, "approved"),
        (Action::Lock, "locked"),
        (Action::Invoice, "invoiced"),
    ];
    for (action, status) in steps {
        service.clock.advance(Duration::from_mins(1));
        service.apply(&id, &[action]).await;
        let before = service.api.get(&path).send().await.is(200);
        assert_eq!(before.text("status"), status);
        assert_eq!(before.json()["invoiced"], json!(status == "invoiced"));
        service.clock.advance(Duration::from_mins(1));
        let same = log(&service, json!({})).send().await.is(200);
        assert_eq!(same.body, before.body);
        log(&service, json!({ "minutes": 5 })).send().await.fails_with(409, "entry_not_editable");
        log(&service, json!({ "description": "x" })).idempotency_key(status).send().await.is(409);
        let after = service.api.get(&path).send().await.is(200);
        assert_eq!(
            (after.body.as_slice(), after.header("etag")),
            (before.body.as_slice(), before.header("etag"))
        );
    }
    assert_eq!(service.database.count("idempotency_keys"), 0);
}

async fn two_idempotency_keys_for_one_reference_each_replay_their_own_answer(database: Database) {
    let service = Service::start(database).await;
    let one = log(&service, json!({ "minutes": 1 })).idempotency_key("one");
    let two = log(&service, json!({ "minutes": 2 })).idempotency_key("two");
    let first = one.clone().send().await.is(201);
    let second = two.clone().send().await.is(200);
    assert_eq!(first.text("id"), second.text("id"));
    assert_eq!(second.json()["minutes"], 2);
    for (call, answer) in [(one, first), (two, second)] {
        let repeat = call.send().await.is(answer.status);
        assert!(repeat.is_replayed());
        assert_eq!(repeat.body, answer.body);
    }
    // The entry has the values of the last request.
    assert_eq!(
        log(&service, json!({ "minutes": 2 })).send().await.is(200).header("etag"),
        Some("\"2\"")
    );
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_reference_is_still_known_when_the_idempotency_key_has_expired(database: Database) {
    let service = Service::start(database).await;
    let call = log(&service, json!({})).idempotency_key("k");
    let first = call.clone().send().await.is(201);
    service.clock.advance(Duration::from_hours(24 * 365));
    let late = call.send().await.is(200);
    assert!(!late.is_replayed());
    assert_eq!(late.body, first.body);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn references_are_compared_byte_for_byte(database: Database) {
    let service = Service::start(database).await;
    let parts = [
        "a",
        "A",
        "a ",
        " a",
        "é",
        "e\u{301}",
        "ａ",
        "ß",
        "ss",
        "ı",
        "i",
        "İ",
        "1",
        "01",
        "a\u{200b}",
        "%",
        "_",
        "a'",
    ];
    let mut known = 0;
    for part in parts {
        for (provider, kind, id) in [(part, "x", "x"), ("x", part, "x"), ("x", "x", part)] {
            let reference = json!({ "provider": provider, "externalType": kind, "externalId": id });
            let call = service.log(&service.tenant.body_with(&json!({ "externalRef": reference })));
            call.clone().send().await.is(201);
            call.send().await.is(200);
            known += 1;
        }
    }
    // Parts that are equal only when joined are different parts.
    for (provider, kind) in [("ab", "c"), ("a", "bc"), ("a/b", "c"), ("a", "b/c")] {
        let reference = json!({ "provider": provider, "externalType": kind, "externalId": "x" });
        service
            .log(&service.tenant.body_with(&json!({ "externalRef": reference })))
            .send()
            .await
            .is(201);
        known += 1;
    }
    assert_eq!(service.database.count("time_entries"), known);
}

async fn the_longest_reference_works_like_any_other(database: Database) {
    let service = Service::start(database).await;
    // 255 characters each, of four bytes each.
    let part = |last: char| "\u{10ffff}".repeat(254) + &last.to_string();
    let reference = |last| json!({ "provider": part('a'), "externalType": part('b'), "externalId": part(last) });
    let body = |last| service.tenant.body_with(&json!({ "externalRef": reference(last) }));
    let first = service.log(&body('1')).idempotency_key("k").send().await.is(201);
    assert_eq!(service.log(&body('1')).send().await.is(200).body, first.body);
    // It does not make its neighbours in a batch fail.
    let entries = json!({ "entries": [service.tenant.body(), body('2'), body('1'), body('3')] });
    let batch = service
        .api
        .post(&format!("{}/batch", service.tenant.path()))
        .json(&entries)
        .send()
        .await
        .is(200);
    let results = batch.json()["results"].as_array().unwrap().clone();
    let outcomes: Vec<_> =
        results.iter().map(|result| result["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["created", "created", "unchanged", "created"]);
    let find = async |filter: &[(&str, String)]| {
        let pairs: Vec<_> = filter
            .iter()
            .map(|(name, value)| format!("externalRef.{name}={}", encoded(value)))
            .collect();
        let page =
            service.api.get(&format!("/time-entries?{}", pairs.join("&"))).send().await.is(200);
        page.json()["data"].as_array().unwrap().len()
    };
    let provider = ("provider", part('a'));
    let kind = ("externalType", part('b'));
    assert_eq!(find(&[provider.clone(), kind.clone(), ("externalId", part('2'))]).await, 1);
    assert_eq!(find(&[provider.clone(), kind.clone()]).await, 3);
    assert_eq!(find(&[provider.clone(), ("externalId", part('2'))]).await, 1);
    assert_eq!(find(&[kind]).await, 3);
    assert_eq!(find(&[provider]).await, 3);
    let id = first.text("id");
    service.api.delete(&format!("/time-entries/{id}")).send().await.is(204);
    assert_ne!(service.log(&body('1')).send().await.is(201).text("id"), id);
    assert_eq!(service.database.count("time_entries"), 4);
}

/// A text as it is written in a query.
fn encoded(text: &str) -> String {
    text.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).map(char::from).collect()
}

async fn an_entry_with_equal_digests_and_other_texts_is_not_matched(database: Database) {
    let service = Service::start(database).await;
    let body = |id: &str, minutes: u32| {
        service.tenant.body_with(&json!({ "externalRef": reference(id), "minutes": minutes }))
    };
    let one = service.log(&body("1", 1)).send().await.is(201);
    // As after a collision of digests.
    let digest = format!("{:032x}", u128::from_be_bytes(digest_external_ref_part("2")));
    let digest = match database {
        Database::Sqlite => format!("x'{digest}'"),
        Database::Postgres => format!("'\\x{digest}'::bytea"),
    };
    service.database.execute(&format!("UPDATE time_entries SET external_id_digest = {digest}"));
    service.log(&body("2", 2)).send().await.fails_with(503, "unavailable");
    assert_eq!(service.read(&one.text("id")).await.body, one.body);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_missing_or_blank_part_is_refused(database: Database) {
    let service = Service::start(database).await;
    for part in ["provider", "externalType", "externalId"] {
        let pointer = format!("/externalRef/{part}");
        let refuses = async |value: Option<Value>, code: &str| {
            let mut reference = reference("1");
            match value {
                Some(value) => reference[part] = value,
                None => drop(reference.as_object_mut().unwrap().remove(part)),
            }
            let call = service.log(&service.tenant.body_with(&json!({ "externalRef": reference })));
            call.send().await.refuses(&[&format!("{pointer} {code}")]);
        };
        refuses(None, "required").await;
        refuses(Some(json!(null)), "wrong_type").await;
        refuses(Some(json!(1)), "wrong_type").await;
        for blank in ["", " ", "\t\r\n", "\u{a0}", "\u{3000}", "\u{2003}\u{2028}"] {
            refuses(Some(json!(blank)), "blank").await;
        }
        refuses(Some(json!("x".repeat(256))), "too_long").await;
        refuses(Some(json!("x\u{0}")), "invalid_character").await;
    }
    assert_eq!(service.database.count("time_entries"), 0);
}

async fn organizations_do_not_share_references(database: Database) {
    let service = Service::start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    let ours = log(&service, json!({})).send().await.is(201);
    let body = stranger.body_with(&json!({ "externalRef": reference("1"), "minutes": 5 }));
    let theirs = stranger.api(&service.api).post(&stranger.path()).json(&body).send().await.is(201);
    assert_ne!(ours.text("id"), theirs.text("id"));
    assert_eq!(log(&service, json!({})).send().await.is(200).body, ours.body);
}

async fn a_reference_of_another_project_is_answered_409(database: Database) {
    let service = Service::start(database).await;
    let first = log(&service, json!({})).send().await.is(201);
    for minutes in [150, 5] {
        let body =
            service.tenant.body_with(&json!({ "externalRef": reference("1"), "minutes": minutes }));
        let call = service.api.post(&service.tenant.other_path()).json(&body).idempotency_key("k");
        call.send().await.fails_with(409, "external_ref_conflict");
    }
    assert_eq!(log(&service, json!({})).send().await.is(200).body, first.body);
    assert_eq!(service.database.count("time_entries"), 1);
    assert_eq!(service.database.count("idempotency_keys"), 0);
}

async fn an_invalid_update_leaves_the_entry_unchanged(database: Database) {
    let service = Service::start(database).await;
    let first = log(&service, json!({})).send().await.is(201);
    log(&service, json!({ "minutes": 0 })).send().await.refuses(&["/minutes out_of_range"]);
    let nobody = "00000000-0000-4000-8000-000000000000";
    log(&service, json!({ "userId": nobody })).send().await.refuses(&["/userId unknown_reference"]);
    log(&service, json!({ "entryId": nobody }))
        .send()
        .await
        .refuses(&["/entryId unknown_reference"]);
    service.archive(service.tenant.project_id, true).await;
    log(&service, json!({ "minutes": 5 })).send().await.fails_with(409, "project_archived");
    // A request that changes nothing succeeds even so.
    assert_eq!(log(&service, json!({})).send().await.is(200).body, first.body);
    assert_eq!(service.database.count("time_entry_history"), 1);
}
