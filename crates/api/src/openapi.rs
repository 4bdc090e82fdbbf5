//! The description of the service for programs. It is written by hand; the tests hold every answer
//! to it.

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The document in parts, each about one thing. Together they are one document: their members are
/// put together, in this order.
const PARTS: &[&str] = &[
    include_str!("../openapi/openapi.json"),
    include_str!("../openapi/log_time_entry.json"),
    include_str!("../openapi/log_many.json"),
    include_str!("../openapi/read_time_entry.json"),
    include_str!("../openapi/change_time_entry.json"),
    include_str!("../openapi/transition_many.json"),
    include_str!("../openapi/list_time_entries.json"),
    include_str!("../openapi/summarize.json"),
    include_str!("../openapi/export_time_entries.json"),
    include_str!("../openapi/directory/projects.json"),
    include_str!("../openapi/directory/entries.json"),
    include_str!("../openapi/directory/releases.json"),
    include_str!("../openapi/directory/users.json"),
    include_str!("../openapi/me.json"),
    include_str!("../openapi/operations.json"),
    include_str!("../openapi/time_entry.json"),
    include_str!("../openapi/values.json"),
    include_str!("../openapi/problems/problem.json"),
    include_str!("../openapi/problems/bad_requests.json"),
    include_str!("../openapi/problems/refusals.json"),
    include_str!("../openapi/problems/failures.json"),
];

/// What the paths of all actions have in common, and what each has of its own.
const TRANSITIONS: &str = include_str!("../openapi/transitions.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transitions {
    every_action: Value,
    actions: Map<String, Value>,
}

/// The description of a server whose paths begin with `base_path`.
///
/// # Errors
///
/// Where the parts do not fit together, which the tests rule out.
pub fn document(base_path: &str) -> anyhow::Result<Vec<u8>> {
    let root = if base_path.is_empty() { "/" } else { base_path };
    let mut document = assemble()?;
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    document["servers"] = json!([{ "url": root }]);
    Ok(serde_json::to_vec(&document)?)
}

fn assemble() -> anyhow::Result<Value> {
    let mut document = Value::Null;
    for part in PARTS {
        let part =
            serde_json::from_str(part).context("a part of the OpenAPI document is not JSON")?;
        add(&mut document, part)?;
    }
    let Transitions { every_action, actions } = serde_json::from_str(TRANSITIONS)?;
    for (action, operation) in actions {
        let mut path = every_action.clone();
        add(&mut path["post"], operation)?;
        add(&mut document["paths"][format!("/time-entries/{{timeEntryId}}/{action}")], path)?;
    }
    describe_caching(&mut document);
    Ok(document)
}

/// Says of every response that says nothing of caches what the service answers where a route says
/// nothing of them.
fn describe_caching(at: &mut Value) {
    let Value::Object(members) = at else { return };
    for (name, member) in members.iter_mut() {
        if name != "responses" {
            describe_caching(member);
            continue;
        }
        let responses = member.as_object_mut().into_iter().flatten();
        for headers in
            responses.filter_map(|(_, response)| response.get_mut("headers")?.as_object_mut())
        {
            if !headers.contains_key("Cache-Control") {
                for (name, header) in [("Cache-Control", "CacheControl"), ("Vary", "Vary")] {
                    headers.insert(
                        name.to_owned(),
                        json!({ "$ref": format!("#/components/headers/{header}") }),
                    );
                }
            }
        }
    }
}

/// Adds the members of one value to another. No two may say the same thing.
fn add(document: &mut Value, part: Value) -> anyhow::Result<()> {
    match (document, part) {
        (Value::Object(members), Value::Object(more)) => {
            for (name, value) in more {
                let member = members.entry(name.as_str()).or_insert(Value::Null);
                add(member, value).with_context(|| format!("in {name}"))?;
            }
        }
        (value @ Value::Null, part) => *value = part,
        (_, part) => anyhow::bail!("two parts of the OpenAPI document say {part}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use timelog_domain::Action;

    use super::*;

    /// Every value of a member with this name, wherever it is.
    fn members<'a>(name: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get(name));
                object.values().for_each(|value| members(name, value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| members(name, item, found)),
            _ => {}
        }
    }

    fn texts(name: &str, document: &Value) -> Vec<String> {
        let mut found = Vec::new();
        members(name, document, &mut found);
        found.into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    #[test]
    fn every_reference_leads_to_a_component_and_every_component_is_referred_to() {
        let document = assemble().unwrap();
        let referred: BTreeSet<_> = texts("$ref", &document).into_iter().collect();
        let mut components = BTreeSet::new();
        for (kind, named) in document["components"].as_object().unwrap() {
            components.extend(
                named.as_object().unwrap().keys().map(|name| format!("#/components/{kind}/{name}")),
            );
        }
        let schemes = components.extract_if("#/components/securitySchemes/".to_owned().., |name| {
            name.starts_with("#/components/securitySchemes/")
        });
        assert_eq!(schemes.count(), 2);
        assert_eq!(referred, components);
    }

    #[test]
    fn every_operation_has_an_id_of_its_own() {
        let document = assemble().unwrap();
        let ids = texts("operationId", &document["paths"]);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn every_action_has_a_path_and_no_other_has() {
        let document = assemble().unwrap();
        let actions: Vec<_> = Action::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(document["components"]["schemas"]["Action"]["enum"], json!(actions));
        let paths = document["paths"].as_object().unwrap().keys();
        let described: Vec<_> = paths
            .filter_map(|path| path.strip_prefix("/time-entries/{timeEntryId}/"))
            .filter(|rest| *rest != "history")
            .collect();
        assert_eq!(described, actions);
    }

    #[test]
    fn two_parts_that_say_the_same_thing_are_refused() {
        let mut document = json!({ "a": { "b": 1 } });
        add(&mut document, json!({ "a": { "c": 2 } })).unwrap();
        assert_eq!(document, json!({ "a": { "b": 1, "c": 2 } }));
        assert!(add(&mut document, json!({ "a": { "c": 2 } })).is_err());
    }
}
