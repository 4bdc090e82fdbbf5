//! `POST /projects/{projectId}/time-entries`: bodies with invalid members. Each problem names every
//! violation, none is a 5xx, and nothing is stored.

use serde_json::{Value, json};

use crate::support::{Answer, Database, Service, on_every_database};

on_every_database![
    every_violation_is_reported_at_once,
    a_missing_required_member_is_named,
    null_is_refused_where_it_is_not_allowed,
    a_member_of_the_wrong_type_is_named,
    every_spelling_of_a_whole_number_is_accepted,
    a_date_that_is_no_calendar_day_is_refused,
    an_id_that_is_no_hyphenated_uuid_is_refused,
    texts_over_their_length_in_characters_are_refused,
    the_nul_character_is_refused_in_every_text,
    a_hostile_duration_costs_no_more_than_a_short_one,
];

pub(crate) async fn send(service: &Service, body: impl Into<Vec<u8>>) -> Answer {
    service.api.post(&service.tenant.path()).body(body).send().await
}

async fn refuses(service: &Service, members: &Value, expected: &[&str]) {
    service.log(&service.tenant.body_with(members)).send().await.refuses(expected);
}

pub(crate) fn is_empty(service: &Service) {
    assert_eq!(service.database.count("time_entries"), 0);
    assert_eq!(service.database.count("idempotency_keys"), 0);
}

async fn every_violation_is_reported_at_once(database: Database) {
    let service = Service::start(database).await;
    let body = json!({
        "userId": "me",
        "minutes": 0,
        "hours": "2,5",
        "description": "x".repeat(2001),
        "billable": "yes",
        "entryId": 7,
        "releaseId": "",
        "externalRef": { "provider": " ", "externalType": null },
    });
    let answer = service.log(&body).idempotency_key("k").send().await.refuses(&[
        "/userId invalid_id",
        "/workDate required",
        "/minutes out_of_range",
        "/hours invalid_hours",
        "/description too_long",
        "/billable wrong_type",
        "/entryId wrong_type",
        "/releaseId invalid_id",
        "/externalRef/provider blank",
        "/externalRef/externalType wrong_type",
        "/externalRef/externalId required",
    ]);
    let problem = answer.json();
    let message = |pointer: &str| {
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().find(|error| error["pointer"] == pointer).unwrap()["message"]
            .as_str()
            .unwrap()
    };
    // The message names the limit.
    assert!(message("/description").contains("2000"));
    assert!(message("/minutes").contains("1440"));
    is_empty(&service);
}

async fn a_missing_required_member_is_named(database: Database) {
    let service = Service::start(database).await;
    send(&service, "{}").await.refuses(&[
        "/userId required",
        "/workDate required",
        "/minutes required",
    ]);
    for (member, expected) in [
        ("userId", "/userId required"),
        ("workDate", "/workDate required"),
        ("minutes", "/minutes required"),
    ] {
        service.log(&service.tenant.body_without(member)).send().await.refuses(&[expected]);
    }
    let parts = [
        "/externalRef/provider required",
        "/externalRef/externalType required",
        "/externalRef/externalId required",
    ];
    refuses(&service, &json!({ "externalRef": {} }), &parts).await;
    is_empty(&service);
}

async fn null_is_refused_where_it_is_not_allowed(database: Database) {
    let service = Service::start(database).await;
    for member in ["userId", "workDate", "minutes", "hours", "billable", "externalRef"] {
        refuses(&service, &json!({ member: null }), &[&format!("/{member} wrong_type")]).await;
    }
    let reference =
        json!({ "externalRef": { "provider": null, "externalType": null, "externalId": null } });
    let parts = [
        "/externalRef/provider wrong_type",
        "/externalRef/externalType wrong_type",
        "/externalRef/externalId wrong_type",
    ];
    refuses(&service, &reference, &parts).await;
    is_empty(&service);
}

async fn a_member_of_the_wrong_type_is_named(database: Database) {
    let service = Service::start(database).await;
    let values = [
        json!(true),
        json!(1),
        json!("x"),
        json!([]),
        json!({}),
        json!([1, "x"]),
        json!({ "x": null }),
    ];
    let is_right = |member: &str, value: &Value| match member {
        "minutes" => value.is_number(),
        "billable" => value.is_boolean(),
        "externalRef" => value.is_object(),
        _ => value.is_string(),
    };
    let members = [
        "userId",
        "workDate",
        "minutes",
        "hours",
        "description",
        "billable",
        "entryId",
        "releaseId",
        "externalRef",
    ];
    for member in members {
        for value in values.iter().filter(|value| !is_right(member, value)) {
            refuses(&service, &json!({ member: value }), &[&format!("/{member} wrong_type")]).await;
        }
    }
    for value in values.iter().filter(|value| !value.is_string()) {
        let reference = json!({ "provider": value, "externalType": "t", "externalId": "i" });
        refuses(
            &service,
            &json!({ "externalRef": reference }),
            &["/externalRef/provider wrong_type"],
        )
        .await;
    }
    is_empty(&service);
}

async fn every_spelling_of_a_whole_number_is_accepted(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let with_minutes = |minutes: &str| {
        format!(
            "{{\"userId\":\"{}\",\"workDate\":\"2025-01-15\",\"minutes\":{minutes}}}",
            tenant.user_id
        )
    };
    for minutes in ["150", "150.0", "1.5e2", "1.5E+2", "1500e-1", "15e1"] {
        assert_eq!(
            send(&service, with_minutes(minutes)).await.is(201).json()["minutes"],
            150,
            "{minutes}"
        );
    }
    for minutes in ["150.5", "1e-1", "0.1"] {
        send(&service, with_minutes(minutes)).await.refuses(&["/minutes wrong_type"]);
    }
    let endless = "9".repeat(60_000);
    for minutes in [
        "0",
        "-0",
        "-1",
        "1441",
        "1e999999999",
        "-1e999999999",
        "9223372036854775808",
        "1e400",
        &endless,
    ] {
        send(&service, with_minutes(minutes)).await.refuses(&["/minutes out_of_range"]);
    }
    for minutes in ["+150", "0150", "150.", ".5", "0x96", "1e", "NaN", "Infinity", "-", "1_000"] {
        send(&service, with_minutes(minutes)).await.fails_with(400, "malformed_json");
    }
}

async fn a_date_that_is_no_calendar_day_is_refused(database: Database) {
    let service = Service::start(database).await;
    for date in ["0001-01-01", "9999-12-31", "2024-02-29", "2000-02-29"] {
        let entry = service
            .log(&service.tenant.body_with(&json!({ "workDate": date })))
            .send()
            .await
            .is(201)
            .json();
        assert_eq!(entry["workDate"], date);
    }
    for date in [
        "",
        "2025-02-30",
        "2025-02-29",
        "1900-02-29",
        "2025-13-01",
        "2025-00-10",
        "2025-01-00",
        "2025-01-32",
        "0000-01-01",
        "10000-01-01",
        "-2025-01-15",
        "+2025-01-15",
        "2025-1-15",
        "25-01-15",
        "20250115",
        "2025/01/15",
        "15.01.2025",
        "2025-W03-3",
        "2025-015",
        " 2025-01-15",
        "2025-01-15 ",
        "2025-01-15Z",
        "2025-01-15T00:00:00Z",
        "2025-01-15T08:00:00.000+02:00",
        "２０２５-01-15",
        "2025‐01‐15",
        "today",
        "2025-01-15\u{0}",
    ] {
        refuses(&service, &json!({ "workDate": date }), &["/workDate invalid_date"]).await;
    }
    assert_eq!(service.database.count("time_entries"), 4);
}

async fn an_id_that_is_no_hyphenated_uuid_is_refused(database: Database) {
    let service = Service::start(database).await;
    for id in [
        "",
        " ",
        "1",
        "null",
        "9a8b7c6d00000000000000000000000000000002",
        "9a8b7c6d000000000000000000000002",
        "{9a8b7c6d-0000-0000-0000-000000000002}",
        "urn:uuid:9a8b7c6d-0000-0000-0000-000000000002",
        "9a8b7c6d-0000-0000-0000-00000000000g",
        "9a8b7c6d-0000-0000-0000-0000000000020",
        " 9a8b7c6d-0000-0000-0000-000000000002",
        "9a8b7c6d_0000_0000_0000_000000000002",
        "9a8b7c6d-0000-0000-0000-00000000000\u{0}",
        "９a8b7c6d-0000-0000-0000-000000000002",
        "9a8b7c6d-0000-0000-0000-000000000002' OR 1=1 --",
    ] {
        let members = json!({ "userId": id, "entryId": id, "releaseId": id });
        refuses(
            &service,
            &members,
            &["/userId invalid_id", "/entryId invalid_id", "/releaseId invalid_id"],
        )
        .await;
    }
    is_empty(&service);
}

async fn texts_over_their_length_in_characters_are_refused(database: Database) {
    let service = Service::start(database).await;
    for letter in ["x", "é", "🦆", "\u{1}", "\n"] {
        let longest = letter.repeat(2000);
        let body = service.tenant.body_with(&json!({ "description": longest }));
        assert_eq!(service.log(&body).send().await.is(201).json()["description"], longest);
        refuses(
            &service,
            &json!({ "description": letter.repeat(2001) }),
            &["/description too_long"],
        )
        .await;
    }
    for description in ["", " ", "\u{3000}"] {
        let body = service.tenant.body_with(&json!({ "description": description }));
        assert_eq!(service.log(&body).send().await.is(201).json()["description"], description);
    }
    for letter in ["x", "é", "🦆"] {
        let (longest, longer) = (letter.repeat(255), letter.repeat(256));
        let reference =
            json!({ "provider": longest, "externalType": longest, "externalId": longest });
        service
            .log(&service.tenant.body_with(&json!({ "externalRef": reference })))
            .send()
            .await
            .is(201);
        let reference = json!({ "provider": longer, "externalType": longer, "externalId": longer });
        let expected = [
            "/externalRef/provider too_long",
            "/externalRef/externalType too_long",
            "/externalRef/externalId too_long",
        ];
        refuses(&service, &json!({ "externalRef": reference }), &expected).await;
    }
}

async fn the_nul_character_is_refused_in_every_text(database: Database) {
    let service = Service::start(database).await;
    let members = json!({
        "description": "a\u{0}b",
        "externalRef": { "provider": "\u{0}", "externalType": "t\u{0}", "externalId": "\u{0}i" },
    });
    let expected = [
        "/description invalid_character",
        "/externalRef/provider invalid_character",
        "/externalRef/externalType invalid_character",
        "/externalRef/externalId invalid_character",
    ];
    refuses(&service, &members, &expected).await;
    is_empty(&service);
}

async fn a_hostile_duration_costs_no_more_than_a_short_one(database: Database) {
    let service = Service::start(database).await;
    let long = "9".repeat(50_000);
    let precise = format!("1.{}", "0".repeat(50_000));
    for hours in [
        "1e999999999",
        "1E9",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1,5",
        ".5",
        "1.",
        "١",
        &format!("1.{}1", "0".repeat(30)),
        "00001",
        &long,
        &precise,
    ] {
        let mut body = service.tenant.body_without("minutes");
        body["hours"] = json!(hours);
        service.log(&body).send().await.refuses(&["/hours invalid_hours"]);
        // Minutes win, but hours must be well formed.
        refuses(&service, &json!({ "hours": hours }), &["/hours invalid_hours"]).await;
    }
    let entry = service
        .log(&service.tenant.body_with(&json!({ "hours": "9999" })))
        .send()
        .await
        .is(201)
        .json();
    assert_eq!(entry["minutes"], 150);
}
