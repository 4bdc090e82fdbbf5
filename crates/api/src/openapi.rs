//! The description of the service for programs.

use crate::document;
use crate::routes::table;

/// The OpenAPI document of a server whose paths begin with `base_path`.
///
/// # Errors
///
/// None that is known: everything in it serializes.
pub fn document(base_path: &str) -> serde_json::Result<Vec<u8>> {
    let routes = table().into_iter().map(Into::into).collect();
    serde_json::to_vec(&document::document(base_path, routes))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};
    use timelog_domain::Action;

    use super::*;

    fn parsed() -> Value {
        serde_json::from_slice(&document("").unwrap()).unwrap()
    }

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
        let document = parsed();
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
        let document = parsed();
        let ids = texts("operationId", &document["paths"]);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn every_action_has_a_path_and_no_other_has() {
        let document = parsed();
        let actions: Vec<_> = Action::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(document["components"]["schemas"]["Action"]["enum"], json!(actions));
        let paths = document["paths"].as_object().unwrap().keys();
        let described: Vec<_> = paths
            .filter_map(|path| path.strip_prefix("/time-entries/{timeEntryId}/"))
            .filter(|rest| *rest != "history")
            .collect();
        assert_eq!(described, actions);
    }
}
