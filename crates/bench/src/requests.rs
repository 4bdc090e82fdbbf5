//! Requests as they are sent.

use serde_json::{Value, json};

use crate::columns::{PROVIDER, TYPE};
use crate::filled::Filled;
use crate::site::Site;

/// In its place the load generator puts a number that no other request has, of as many digits.
pub(crate) const UNIQUE: &str = "@unique-number@";

/// Logs an entry under a new idempotency key.
pub(crate) fn log(site: &Site) -> String {
    log_under(site, UNIQUE)
}

/// Logs an entry under that idempotency key.
pub(crate) fn log_under(site: &Site, key: &str) -> String {
    post(site, &site.project, Some(key), &body(site))
}

/// Changes the entry of an external reference, each time to something else.
pub(crate) fn upsert(site: &Site, filled: &Filled, number: u64) -> String {
    let mut body = body(site);
    body["description"] = json!(format!("Changed to {UNIQUE}."));
    body["externalRef"] = json!({
        "provider": PROVIDER,
        "externalType": TYPE,
        "externalId": filled.reference(number),
    });
    post(site, &filled.project_of(number), None, &body)
}

/// Reads something.
pub(crate) fn get(site: &Site, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", site.key)
}

/// Asks whether the process runs, which needs no key.
pub(crate) fn live() -> String {
    "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()
}

fn body(site: &Site) -> Value {
    json!({
        "userId": site.user,
        "workDate": "2025-01-15",
        "minutes": 150,
        "description": "Implemented login flow.",
    })
}

fn post(site: &Site, project: &str, key: Option<&str>, body: &Value) -> String {
    let body = body.to_string();
    let key = key.map(|key| format!("Idempotency-Key: {key}\r\n")).unwrap_or_default();
    format!(
        "POST /projects/{project}/time-entries HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {}\r\nContent-Type: application/json\r\n{key}\
         Content-Length: {}\r\n\r\n{body}",
        site.key,
        body.len()
    )
}
