//! Bodies that are no JSON object, or too large. Each is refused as a whole, and nothing is stored.

use crate::refused_bodies::{is_empty, send};
use crate::support::{Database, Service, on_every_database, raw};

on_every_database![
    a_body_that_is_no_object_is_refused,
    text_that_is_not_json_is_malformed,
    a_repeated_known_member_is_malformed,
    text_that_is_not_unicode_is_malformed,
    deep_nesting_does_no_harm,
    a_body_over_64_kib_is_answered_413,
    a_chunked_body_over_64_kib_is_answered_413,
];

async fn a_body_that_is_no_object_is_refused(database: Database) {
    let service = Service::start(database).await;
    for body in ["[]", "null", "true", "1", "\"{}\"", "[{}]", " [1] "] {
        send(&service, body).await.refuses(&[" wrong_type"]);
    }
    is_empty(&service);
}

async fn text_that_is_not_json_is_malformed(database: Database) {
    let service = Service::start(database).await;
    let good = service.tenant.body().to_string();
    let doubled = format!("{good}{good}");
    let trailing = format!("{good} x");
    let comma = good.replace('}', ",}");
    let marked = format!("\u{feff}{good}");
    let single = good.replace('"', "'");
    let comment = format!("{good} // yes");
    let control = good.replace("2025", "20\n25");
    for body in [
        "",
        " ",
        "{",
        "}",
        "{\"userId\"",
        "{\"userId\":}",
        "{userId:1}",
        "nul",
        "tru",
        "[1,]",
        "userId=1",
        "<a/>",
        "\"",
        "{\"userId\":\"\\x\"}",
        "{\"userId\":\"\\u12\"}",
        &doubled,
        &trailing,
        &comma,
        &marked,
        &single,
        &comment,
        &control,
    ] {
        send(&service, body).await.fails_with(400, "malformed_json");
    }
    is_empty(&service);
}

async fn a_repeated_known_member_is_malformed(database: Database) {
    let service = Service::start(database).await;
    let good = service.tenant.body().to_string();
    let reference = "\"provider\":\"p\",\"externalType\":\"t\",\"externalId\":\"i\"";
    for member in [
        "\"minutes\":150",
        "\"minutes\":null",
        "\"min\\u0075tes\":150",
        "\"description\":\"a\",\"description\":\"a\"",
        &format!("\"externalRef\":{{{reference},\"provider\":\"p\"}}"),
        &format!("\"externalRef\":{{{reference}}},\"externalRef\":{{{reference}}}"),
    ] {
        send(&service, format!("{{{member},{}", &good[1..]))
            .await
            .fails_with(400, "malformed_json");
    }
    is_empty(&service);
}

async fn text_that_is_not_unicode_is_malformed(database: Database) {
    let service = Service::start(database).await;
    let good = service.tenant.body().to_string();
    let with = |member: &[u8]| [b"{", member, b",", &good.as_bytes()[1..]].concat();
    for member in [
        &b"\"description\":\"\\ud800\""[..],
        b"\"description\":\"\\udc00\"",
        b"\"description\":\"\\ud83e x\"",
        b"\"description\":\"\\ud83e\\ud83e\"",
        b"\"externalRef\":{\"provider\":\"\\ud800\",\"externalType\":\"t\",\"externalId\":\"i\"}",
        b"\"userId\":\"\\ud800\"",
        b"\"description\":\"\xff\"",
        b"\"description\":\"\xc0\x80\"",
        b"\"description\":\"\xed\xa0\x80\"",
        b"\"x\":\"\xff\"",
        b"\"\xff\":1",
    ] {
        send(&service, with(member)).await.fails_with(400, "malformed_json");
    }
    is_empty(&service);
    // A surrogate pair is one character.
    let body = with(b"\"description\":\"\\ud83e\\udd86\"");
    assert_eq!(send(&service, body).await.is(201).text("description"), "🦆");
}

async fn deep_nesting_does_no_harm(database: Database) {
    let service = Service::start(database).await;
    let good = service.tenant.body().to_string();
    let (open, close) = ("[".repeat(30_000), "]".repeat(30_000));
    send(&service, format!("{{\"x\":{open}{close},{}", &good[1..])).await.is(201);
    send(&service, format!("{{\"minutes\":{open}{close}}}"))
        .await
        .fails_with(400, "validation_error");
    send(&service, format!("{open}{close}")).await.refuses(&[" wrong_type"]);
    send(&service, open).await.fails_with(400, "malformed_json");
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_body_over_64_kib_is_answered_413(database: Database) {
    let service = Service::start(database).await;
    let good = service.tenant.body().to_string();
    let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
    send(&service, padded(64 * 1024)).await.is(201);
    for length in [64 * 1024 + 1, 1024 * 1024, 10_000_000] {
        send(&service, padded(length)).await.fails_with(413, "payload_too_large");
    }
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_chunked_body_over_64_kib_is_answered_413(database: Database) {
    let service = Service::start(database).await;
    let good = service.tenant.body().to_string();
    for (padding, status) in
        [(0, 201), (64 * 1024 - good.len(), 201), (64 * 1024 - good.len() + 1, 413), (200_000, 413)]
    {
        let body = format!("{good}{}", " ".repeat(padding));
        let chunks = body
            .as_bytes()
            .chunks(5000)
            .map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \
             {}\r\nContent-Type: \
             application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
            service.tenant.path(),
            service.tenant.key.text
        );
        let request =
            [head.into_bytes(), chunks.flatten().collect(), b"0\r\n\r\n".to_vec()].concat();
        let answer = raw(service.address, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{padding}: {answer}");
    }
}
