//! `timelog key`: API keys as operators make, list, rotate and revoke them.

use serde_json::{Value, json};

use crate::program::{body, complaint, on, path, printed, printed_json, serve, text};
use crate::support::{Database, on_every_database};

on_every_database![
    keys_are_created_listed_and_revoked,
    a_rotated_key_has_a_new_secret_and_the_same_id,
    a_key_for_unknown_ids_or_permissions_is_refused,
];

async fn keys_are_created_listed_and_revoked(database: Database) {
    let database = database.create();
    let (program, made, api) = serve(&database, &["--key-memory", "0s"]);
    let organization = text(&made, "organizationId");
    let create = ["key", "create", "--organization", organization, "--json", "--permissions"];
    let key = printed_json(&on(&database, &[&create[..], &["write,read"]].concat()));
    assert_eq!(key.as_object().unwrap().len(), 2);
    let limits = ["write", "--project", text(&made, "projectId"), "--user", text(&made, "userId")];
    let narrow = printed_json(&on(&database, &[&create[..], &limits].concat()));
    let me = program.api.with_key(text(&narrow, "apiKey")).get("/me").send().await.is(200).json();
    assert_eq!((&me["projectId"], &me["userId"]), (&made["projectId"], &made["userId"]));
    assert_eq!((&me["keyId"], &me["permissions"]), (&narrow["keyId"], &json!(["write"])));

    let list = ["key", "list", "--organization", organization];
    let listed = printed_json(&on(&database, &[&list[..], &["--json"]].concat()));
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|key| text(key, "keyId")).collect();
    assert_eq!(ids, [text(&made, "keyId"), text(&key, "keyId"), text(&narrow, "keyId")]);
    assert_eq!(listed[1]["permissions"], json!(["read", "write"]));
    assert_eq!(listed[1]["revokedAt"], Value::Null);
    let lines = printed(&on(&database, &list));
    assert_eq!(lines.lines().count(), 3, "{lines}");
    for shown in [lines, listed.to_string()] {
        for key in [&made, &key, &narrow] {
            let (_, secret) = text(key, "apiKey").rsplit_once('_').unwrap();
            assert!(shown.contains(text(key, "keyId")) && !shown.contains(secret), "{shown}");
        }
    }

    printed(&on(&database, &["key", "revoke", text(&key, "keyId")]));
    program
        .api
        .with_key(text(&key, "apiKey"))
        .get("/me")
        .send()
        .await
        .fails_with(401, "key_revoked");
    api.get("/me").send().await.is(200);
    let listed = printed_json(&on(&database, &[&list[..], &["--json"]].concat()));
    assert!(listed[1]["revokedAt"].is_string() && listed[0]["revokedAt"].is_null());
    assert!(complaint(&on(&database, &["key", "revoke", organization])).contains("no key"));
    program.stop();
}

async fn a_rotated_key_has_a_new_secret_and_the_same_id(database: Database) {
    let database = database.create();
    let (program, made, api) = serve(&database, &["--key-memory", "0s"]);
    let id = text(&made, "keyId");
    let first = api.post(&path(&made)).json(&body(&made)).idempotency_key("k").send().await.is(201);
    let rotated = printed_json(&on(&database, &["key", "rotate", id, "--grace", "24h", "--json"]));
    assert_eq!(rotated.as_object().unwrap().len(), 2);
    assert_eq!(text(&rotated, "keyId"), id);
    let latest = printed_json(&on(&database, &["key", "rotate", id, "--grace", "1h", "--json"]));
    for key in [&made, &rotated, &latest] {
        let api = program.api.with_key(text(key, "apiKey"));
        let repeat =
            api.post(&path(&made)).json(&body(&made)).idempotency_key("k").send().await.is(201);
        assert!(repeat.is_replayed() && repeat.body == first.body, "{}", repeat.describe());
    }
    // Without a grace the previous secret is refused at once; an older grace stays.
    let lines = printed(&on(&database, &["key", "rotate", id]));
    assert!(
        lines.contains(id) && lines.contains("tlk_") && lines.contains("only this once"),
        "{lines}"
    );
    let me = |key: &Value| program.api.with_key(text(key, "apiKey")).get("/me").send();
    me(&latest).await.fails_with(401, "unauthorized");
    assert_eq!(me(&rotated).await.is(200).json()["keyId"], made["keyId"]);
    for (arguments, expected) in [
        (&["key", "rotate", text(&made, "userId")][..], "there is no key"),
        (&["key", "rotate", id, "--grace", "91d"], "must be 0s to 2160h"),
        (&["key", "rotate", id, "--grace", "1"], "must be 0s to 2160h"),
    ] {
        assert!(complaint(&on(&database, arguments)).contains(expected), "{arguments:?}");
    }
    printed(&on(&database, &["key", "revoke", id]));
    me(&rotated).await.fails_with(401, "key_revoked");
    assert!(complaint(&on(&database, &["key", "rotate", id])).contains("was revoked"));
    program.stop();
}

async fn a_key_for_unknown_ids_or_permissions_is_refused(database: Database) {
    let database = database.create();
    let made = printed_json(&on(&database, &["bootstrap", "--json"]));
    let other = printed_json(&on(&database, &["bootstrap", "--json"]));
    let refused = |permissions: &str, arguments: &[&str], expected: &str| {
        let create = ["key", "create", "--permissions", permissions, "--organization"];
        let complaint = complaint(&on(&database, &[&create[..], arguments].concat()));
        assert!(complaint.contains(expected), "{arguments:?}: {complaint}");
    };
    let organization = text(&made, "organizationId");
    let unknown = "there is no such organization, or it has no such project or user";
    refused("read", &[text(&made, "userId")], unknown);
    refused("read", &[organization, "--project", text(&other, "projectId")], unknown);
    refused("read", &[organization, "--user", text(&other, "userId")], unknown);
    refused(
        "read,root",
        &[organization],
        "must be one of read, read-own, write, approve, bill, admin",
    );
    refused("", &[organization], "must be one of read, read-own, write, approve, bill, admin");
    refused("read", &["acme"], "hyphenated UUID");
    let list = on(&database, &["key", "list", "--organization", text(&made, "userId")]);
    assert!(complaint(&list).contains("the database has no organization"));
    assert_eq!(database.count("api_keys"), 2);
}
