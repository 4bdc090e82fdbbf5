//! The `Idempotency-Key` header: a repeat has no second effect and gets the first answer.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::json;
use timelog_domain::ports::{ApiKeys, Clock};
use timelog_domain::{Action, MismatchPolicy, Permission, ProjectId};
use uuid::Uuid;

use crate::support::{Answer, Api, Call, Database, Service, Tenant, may, on_every_database, raw};

on_every_database![
    a_repeat_gets_the_first_answer_byte_for_byte,
    without_a_key_every_request_logs_an_entry,
    a_key_does_not_apply_to_another_path_or_method,
    a_repeat_with_another_body_is_replayed,
    a_repeat_with_another_body_is_answered_422_under_mismatch_reject,
    a_key_has_1_to_255_visible_characters_bare_or_quoted,
    control_characters_in_a_key_are_refused,
    a_key_on_two_header_lines_is_refused,
    a_refusal_leaves_the_key_unused,
    a_rate_limited_request_leaves_the_key_unused,
    a_revoked_api_key_gets_no_stored_answer,
    an_api_key_without_write_gets_no_stored_answer,
    an_invalid_repeat_gets_no_stored_answer,
    api_keys_do_not_share_idempotency_keys,
    a_rotated_api_key_keeps_its_idempotency_keys,
    later_changes_of_the_entry_do_not_change_the_stored_answer,
    a_replay_has_its_own_request_id,
];

/// Both answers are equal, except for `Idempotent-Replayed` on the second.
#[track_caller]
fn is_replay_of(repeat: &Answer, first: &Answer) {
    assert!(!first.is_replayed(), "{}", first.describe());
    assert_eq!(repeat.header("idempotent-replayed"), Some("true"), "{}", repeat.describe());
    assert_eq!(repeat.status, first.status);
    assert_eq!(repeat.body, first.body);
    for header in ["location", "etag", "content-type"] {
        assert_eq!(repeat.header(header), first.header(header), "{header}");
    }
}

async fn a_repeat_gets_the_first_answer_byte_for_byte(database: Database) {
    let service = Service::start(database).await;
    let call = service.log_any().idempotency_key("k");
    let first = call.clone().send().await.is(201);
    service.clock.advance(Duration::from_hours(1));
    is_replay_of(&call.send().await, &first);
    assert_eq!(service.database.count("time_entries"), 1);
    assert_eq!(service.database.count("time_entry_history"), 1);
    // An answer of 200 is stored as well, without `Location`, which it does not have.
    let reference = json!({ "provider": "p", "externalType": "t", "externalId": "i" });
    let call = service.log(&service.tenant.body_with(&json!({ "externalRef": reference })));
    call.clone().send().await.is(201);
    let unchanged = call.clone().idempotency_key("l").send().await.is(200);
    is_replay_of(&call.idempotency_key("l").send().await, &unchanged);
}

async fn without_a_key_every_request_logs_an_entry(database: Database) {
    let service = Service::start(database).await;
    let first = service.log_any().send().await.is(201);
    let second = service.log_any().send().await.is(201);
    assert_ne!(first.text("id"), second.text("id"));
    assert!(!first.is_replayed() && !second.is_replayed());
    assert_eq!(service.database.count("time_entries"), 2);
    assert_eq!(service.database.count("idempotency_keys"), 0);
}

async fn a_key_does_not_apply_to_another_path_or_method(database: Database) {
    let service = Service::start(database).await;
    let first = service.log_any().idempotency_key("k").send().await.is(201);
    let elsewhere = service
        .api
        .post(&service.tenant.other_path())
        .json(&service.tenant.body())
        .idempotency_key("k");
    let second = elsewhere.send().await.is(201);
    assert!(!second.is_replayed());
    assert_ne!(first.text("id"), second.text("id"));
    let path = format!("/time-entries/{}", first.text("id"));
    let read = service.api.get(&path).idempotency_key("k").send().await.is(200);
    assert!(!read.is_replayed());
    // The path is compared by its project, not by the spelling of the id.
    let shouted =
        format!("/projects/{}/time-entries", service.tenant.project_id.to_string().to_uppercase());
    let repeat =
        service.api.post(&shouted).json(&service.tenant.body()).idempotency_key("k").send().await;
    is_replay_of(&repeat, &first);
}

async fn a_repeat_with_another_body_is_replayed(database: Database) {
    let service = Service::start(database).await;
    let first = service.log_any().idempotency_key("k").send().await.is(201);
    let other = service.tenant.body_with(&json!({ "minutes": 15 }));
    is_replay_of(&service.log(&other).idempotency_key("k").send().await, &first);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_repeat_with_another_body_is_answered_422_under_mismatch_reject(database: Database) {
    let service =
        Service::start_with(database, |setup| setup.settings.on_mismatch = MismatchPolicy::Reject)
            .await;
    let call = service.log_any().idempotency_key("k");
    let first = call.clone().send().await.is(201);
    let other = service.tenant.body_with(&json!({ "minutes": 15 }));
    let refused = service
        .log(&other)
        .idempotency_key("k")
        .send()
        .await
        .fails_with(422, "idempotency_key_reused");
    assert!(!refused.is_replayed());
    // The bytes are compared, not their meaning.
    let spaced = call.clone().body(format!(" {}", service.tenant.body()));
    spaced.send().await.fails_with(422, "idempotency_key_reused");
    is_replay_of(&call.send().await, &first);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_key_has_1_to_255_visible_characters_bare_or_quoted(database: Database) {
    let service = Service::start(database).await;
    let call = |key: &[u8]| service.log_any().header("idempotency-key", key);
    let (longest, longer) = ("k".repeat(255), "k".repeat(256));
    // Each line is one key in all its spellings.
    let same: [&[&str]; 7] = [
        &["k", "\"k\""],
        &[&longest, &format!("\"{longest}\"")],
        &["a\"b", "\"a\\\"b\""],
        &["a\\b", "\"a\\\\b\""],
        &["\"a b\""],
        &["K"],
        &["!#$%&'()*+,-./:;<=>?@[]^_`{|}~", "\"!#$%&'()*+,-./:;<=>?@[]^_`{|}~\""],
    ];
    for spellings in same {
        let first = call(spellings[0].as_bytes()).send().await.is(201);
        assert!(!first.is_replayed(), "{spellings:?}");
        for spelling in spellings {
            is_replay_of(&call(spelling.as_bytes()).send().await, &first);
        }
    }
    assert_eq!(service.database.count("time_entries"), 7);
    let quoted = format!("\"{longer}\"");
    let refused: [&[u8]; 15] = [
        b"",
        b"\"",
        b"\"\"",
        b"\"k",
        b"\"k\\\"",
        b"\"k\"x",
        b"\"k\";p=1",
        b"\"k\", \"l\"",
        b"\"\\k\"",
        b"a b",
        b"a\tb",
        "é".as_bytes(),
        b"\"\xff\"",
        longer.as_bytes(),
        quoted.as_bytes(),
    ];
    for key in refused {
        let answer = call(key).send().await.fails_with(400, "invalid_idempotency_key");
        assert_eq!(answer.violations(), ["Idempotency-Key invalid_header"], "{key:?}");
    }
    assert_eq!(service.database.count("time_entries"), 7);
}

async fn control_characters_in_a_key_are_refused(database: Database) {
    let service = Service::start(database).await;
    let body = service.tenant.body().to_string();
    for control in ["\u{0}", "\u{1}", "\u{1b}", "\u{7f}"] {
        let request = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \
             {}\r\nContent-Type: \
             application/json\r\nContent-Length: {}\r\nIdempotency-Key: a{control}b\r\n\r\n{body}",
            service.tenant.path(),
            service.tenant.key.text,
            body.len()
        );
        let answer = raw(service.address, request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{control:?}: {answer}");
    }
    assert_eq!(service.database.count("time_entries"), 0);
}

async fn a_key_on_two_header_lines_is_refused(database: Database) {
    let service = Service::start(database).await;
    for second in ["k", "l", "\"k\""] {
        let call = service.log_any().idempotency_key("k").another_header("idempotency-key", second);
        let answer = call.send().await.fails_with(400, "invalid_idempotency_key");
        assert_eq!(answer.violations(), ["Idempotency-Key invalid_header"]);
    }
    assert_eq!(service.database.count("time_entries"), 0);
}

/// The call is refused, and the same key can be used afterwards.
async fn is_forgotten(refused: Call, status: u16, code: &str, service: &Service) {
    refused.send().await.fails_with(status, code);
    assert_eq!(service.database.count("idempotency_keys"), 0, "{code}");
    assert_eq!(service.database.count("time_entries"), 0, "{code}");
}

async fn a_refusal_leaves_the_key_unused(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let call = service.log_any().idempotency_key("k");
    is_forgotten(call.clone().body("{"), 400, "malformed_json", &service).await;
    is_forgotten(call.clone().body("{}"), 400, "validation_error", &service).await;
    let unknown = tenant.body_with(&json!({ "userId": Uuid::now_v7().to_string() }));
    is_forgotten(call.clone().json(&unknown), 400, "validation_error", &service).await;
    is_forgotten(call.clone().without_header("authorization"), 401, "unauthorized", &service).await;
    is_forgotten(
        call.clone().header("content-type", "text/plain"),
        415,
        "unsupported_media_type",
        &service,
    )
    .await;
    is_forgotten(call.clone().body(" ".repeat(70_000)), 413, "payload_too_large", &service).await;
    let reader = service.key(may(&[Permission::Read])).await.text;
    let as_reader = call.clone().header("authorization", format!("Bearer {reader}"));
    is_forgotten(as_reader, 403, "forbidden", &service).await;
    service.archive(tenant.project_id, true).await;
    is_forgotten(call.clone(), 409, "project_archived", &service).await;
    service.archive(tenant.project_id, false).await;
    let answer = call.send().await.is(201);
    assert!(!answer.is_replayed());

    let late = ProjectId::new(Uuid::now_v7());
    let call = service
        .api
        .post(&format!("/projects/{late}/time-entries"))
        .json(&tenant.body())
        .idempotency_key("k");
    call.clone().send().await.fails_with(404, "not_found");
    service.archive(late, false).await;
    assert!(!call.send().await.is(201).is_replayed());
}

async fn a_rate_limited_request_leaves_the_key_unused(database: Database) {
    let service =
        Service::start_with(database, |setup| setup.settings.rate_limit = NonZeroU32::new(1)).await;
    let call = service.log_any().idempotency_key("k");
    service.api.get("/me").send().await.is(200);
    // A second may pass at any time, so several are sent.
    let mut answer = call.clone().body("{}").send().await;
    for _ in 0..100 {
        if answer.status == 429 {
            break;
        }
        answer = call.clone().body("{}").send().await;
    }
    let refused = answer.fails_with(429, "rate_limited");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    let another = service.key(|_| ()).await.text;
    let answer = call.header("authorization", format!("Bearer {another}")).send().await.is(201);
    assert!(!answer.is_replayed());
}

async fn a_revoked_api_key_gets_no_stored_answer(database: Database) {
    let service = Service::start(database).await;
    let key = service.key(|_| ()).await;
    let call = service.api.with_key(&key.text).post(&service.tenant.path());
    let call = call.json(&service.tenant.body()).idempotency_key("k");
    call.clone().send().await.is(201);
    assert!(service.store.revoke(key.key.id, service.tenant.key.key.created_at).await.unwrap());
    let answer = call.send().await.fails_with(401, "key_revoked");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert!(!answer.is_replayed());
}

async fn an_api_key_without_write_gets_no_stored_answer(database: Database) {
    let service = Service::start(database).await;
    let call = service.log_any().idempotency_key("k");
    call.clone().send().await.is(201);
    let as_key = |key: String| call.clone().header("authorization", format!("Bearer {key}"));
    let reader = service.key(may(&[Permission::Read, Permission::Admin])).await.text;
    as_key(reader).send().await.fails_with(403, "forbidden");
    let other_project = service.tenant.other_project_id;
    let elsewhere = service.key(|key| key.project_id = Some(other_project)).await.text;
    as_key(elsewhere).send().await.fails_with(403, "scope_violation");
}

async fn an_invalid_repeat_gets_no_stored_answer(database: Database) {
    let service = Service::start(database).await;
    let call = service.log_any().idempotency_key("k");
    call.clone().send().await.is(201);
    call.clone().body("{").send().await.fails_with(400, "malformed_json");
    call.clone().body("{}").send().await.fails_with(400, "validation_error");
    // Checks that need the database come after the stored answer.
    service.archive(service.tenant.project_id, true).await;
    let unknown = service.tenant.body_with(&json!({ "userId": Uuid::now_v7().to_string() }));
    assert!(call.json(&unknown).send().await.is(201).is_replayed());
}

async fn api_keys_do_not_share_idempotency_keys(database: Database) {
    let service = Service::start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    let (user, project) = (service.tenant.user_id, service.tenant.project_id);
    let path = service.tenant.path();
    let call = |api: &Api| api.post(&path).json(&service.tenant.body());
    // Two programs of one organization with different keys may both number their requests from 1.
    let calls = [
        service.log_any(),
        call(&service.with_key(|_| ()).await),
        call(&service.with_key(|key| key.user_id = Some(user)).await),
        call(&service.with_key(|key| key.user_id = Some(user)).await),
        call(&service.with_key(|key| key.project_id = Some(project)).await),
        stranger.log_any(&service.api),
    ];
    let mut firsts = Vec::new();
    for call in &calls {
        let first = call.clone().idempotency_key("1").send().await.is(201);
        assert!(!first.is_replayed(), "{}", first.describe());
        firsts.push(first);
    }
    for (call, first) in calls.iter().zip(&firsts) {
        is_replay_of(&call.clone().idempotency_key("1").send().await, first);
    }
    assert_eq!(service.database.count("time_entries"), i64::try_from(calls.len()).unwrap());
    // Naming the project of another caller does not give their answer either.
    let theirs =
        service.api.post(&stranger.path()).json(&service.tenant.body()).idempotency_key("1");
    theirs.send().await.fails_with(404, "not_found");
}

async fn a_rotated_api_key_keeps_its_idempotency_keys(database: Database) {
    let service = Service::start(database).await;
    let key = service.key(|_| ()).await;
    let call = |text: &str| {
        service.log_any().header("authorization", format!("Bearer {text}")).idempotency_key("k")
    };
    let first = call(&key.text).send().await.is(201);
    let now = service.clock.now();
    let until = now.saturating_add(Duration::from_hours(1));
    let rotated = service.store.rotate(key.key.id, now, until).await.unwrap().unwrap();
    for text in [&key.text, &rotated.text] {
        is_replay_of(&call(text).send().await, &first);
    }
    service.clock.set(until);
    call(&key.text).send().await.fails_with(401, "unauthorized");
    is_replay_of(&call(&rotated.text).send().await, &first);
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn later_changes_of_the_entry_do_not_change_the_stored_answer(database: Database) {
    let service = Service::start(database).await;
    let with = |minutes: u32| {
        let reference = json!({ "provider": "p", "externalType": "t", "externalId": "i" });
        service.log(
            &service.tenant.body_with(&json!({ "minutes": minutes, "externalRef": reference })),
        )
    };
    let call = with(10).idempotency_key("k");
    let first = call.clone().send().await.is(201);
    service.clock.advance(Duration::from_mins(1));
    let edited = with(20).send().await.is(200);
    assert_eq!(edited.text("id"), first.text("id"));
    is_replay_of(&call.clone().send().await, &first);
    for action in [Action::Submit, Action::Approve, Action::Lock, Action::Invoice] {
        service.apply(&first.text("id"), &[action]).await;
        is_replay_of(&call.clone().send().await, &first);
    }
    let now =
        service.api.get(&format!("/time-entries/{}", first.text("id"))).send().await.is(200).json();
    assert_eq!((&now["minutes"], &now["status"]), (&json!(20), &json!("invoiced")));
}

async fn a_replay_has_its_own_request_id(database: Database) {
    let service = Service::start(database).await;
    let call = service.log_any().idempotency_key("k");
    let first = call
        .clone()
        .header("x-request-id", "one")
        .header("accept-encoding", "identity")
        .send()
        .await
        .is(201);
    assert_eq!(first.header("x-request-id"), Some("one"));
    for encoding in ["gzip", "br, gzip;q=0.5", "*", "zstd"] {
        let call = call.clone().header("x-request-id", "two").header("accept-encoding", encoding);
        let repeat = call.send().await;
        assert_eq!(repeat.header("content-encoding"), None);
        is_replay_of(&repeat, &first);
        assert_eq!(repeat.header("x-request-id"), Some("two"));
    }
    // Nothing of the request itself was stored.
    let minted = call.send().await;
    assert!(!["one", "two"].contains(&minted.header("x-request-id").unwrap()));
}
