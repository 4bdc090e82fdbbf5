//! Rules that the OpenAPI document states in words. Schemas could state them too, but client
//! generators would then drop members.

use serde_json::Value;
use timelog_domain::Action;

/// The rules that an answer, or an example of an answer, breaks.
pub(crate) fn broken_by_answer(value: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    visit(value, &mut |value| {
        // The document itself is an answer, and its schemas have members of the same names.
        let has = |member: &str| value.get(member).is_some();
        let says = |member: &str| value[member].is_string();
        let mut must = |holds: bool, rule: &str| {
            if !holds {
                broken.push(format!("{rule}: {value}"));
            }
        };
        if value["invoiced"].is_boolean() {
            must(
                value["invoiced"] == (value["status"] == "invoiced"),
                "invoiced says what the status says",
            );
        }
        if let Some(outcome) = value["outcome"].as_str() {
            must(
                has("problem") == (outcome == "failed"),
                "what failed has a problem, and nothing else has",
            );
            let is_there = !["failed", "not_applied", "deleted"].contains(&outcome);
            must(has("entry") == is_there, "what is there has an entry, and nothing else has");
        }
        if says("code") && says("title") {
            let code = value["code"].as_str().unwrap_or_default();
            must(
                value["type"] == format!("urn:timelog:problem:{code}"),
                "the type is that of the code",
            );
            must(
                has("errors") || code != "validation_error",
                "a validation error says what is wrong",
            );
            must(
                has("results") == (code == "batch_failed"),
                "a failed batch has results, and nothing else has",
            );
        } else if says("code") && says("message") {
            must(has("pointer") != has("parameter"), "a violation has one place");
        }
    });
    broken
}

/// The rules that an accepted request, or an example of a request, breaks.
pub(crate) fn broken_by_request(path: &str, body: &Value) -> Vec<String> {
    let said = |member: &str| body[member].as_str().is_some_and(|text| !text.trim().is_empty());
    let mut broken = Vec::new();
    let mut must = |holds: bool, rule: &str| {
        if !holds {
            broken.push(format!("{rule}: {body}"));
        }
    };
    let lasts = |entry: &Value| entry.get("minutes").is_some() || entry.get("hours").is_some();
    if path.ends_with("/time-entries") {
        must(lasts(body), "an entry has a duration");
    } else if path.ends_with("/batch") {
        let mut entries = body["entries"].as_array().into_iter().flatten();
        must(entries.all(lasts), "every entry has a duration");
    }
    if ["/transitions", "/edits", "/deletions"].iter().any(|end| path.ends_with(end)) {
        let (ids, filter) = (body.get("ids"), body.get("filter"));
        must(ids.is_some() != filter.is_some(), "there are ids, or a filter");
    }
    if path.ends_with("/transitions") {
        let action = body["action"].as_str().and_then(|action| action.parse::<Action>().ok());
        must(
            action.is_some_and(|action| !action.needs_reason() || said("reason")),
            "a needed reason is there",
        );
        must(
            action.is_some_and(|action| !action.needs_invoice_ref() || said("invoiceRef")),
            "a needed invoice is there",
        );
    }
    broken
}

fn visit(value: &Value, look: &mut impl FnMut(&Value)) {
    look(value);
    match value {
        Value::Object(members) => members.values().for_each(|member| visit(member, look)),
        Value::Array(items) => items.iter().for_each(|item| visit(item, look)),
        _ => {}
    }
}
