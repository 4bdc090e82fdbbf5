//! Holds every answer that a test sees to the OpenAPI document.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jsonschema::Validator;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::answer::Answer;
use super::rules;

/// Headers with a meaning, which are allowed only where the document has them.
const MEANINGFUL: [&str; 11] = [
    "allow",
    "cache-control",
    "content-disposition",
    "etag",
    "idempotent-replayed",
    "link",
    "location",
    "preference-applied",
    "retry-after",
    "vary",
    "www-authenticate",
];

/// The document of a service without a base path.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let document = timelog_api::openapi::document("").expect("the parts fit together");
        serde_json::from_slice(&document).expect("the document is JSON")
    })
}

/// A schema of the document, given by its JSON pointer, made once.
pub(crate) fn schema_of(pointer: &str) -> Arc<Validator> {
    static MADE: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = made.entry(pointer.to_owned()).or_insert_with(|| {
        let schema =
            document().pointer(pointer).unwrap_or_else(|| panic!("the document has no {pointer}"));
        // References inside a schema begin at the root of the document.
        let schema = json!({ "allOf": [schema], "components": document()["components"] });
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        Arc::new(
            options
                .build(&schema)
                .unwrap_or_else(|error| panic!("{pointer} is no schema: {error}")),
        )
    });
    validator.clone()
}

/// Panics if the document does not describe the answer, or if a header of every answer is missing.
pub(super) fn check(answer: &Answer, sent: &HeaderMap, body: Option<&[u8]>) {
    assert_ne!(answer.status, 500, "{}", answer.describe());
    check_request_id(answer, sent);
    let path = answer.path.split('?').next().unwrap_or_default();
    let Some(template) = template_of(path) else {
        let of_the_docs = path.starts_with("/docs") && answer.status == 200;
        let known = [404, 405, 429].contains(&answer.status) || of_the_docs;
        assert!(known, "an answer on an unknown path: {}", answer.describe());
        check_caching(
            answer,
            if of_the_docs { ("public, max-age=300", None) } else { FOR_WHO_ASKS },
        );
        return check_problem(answer);
    };
    let method = if answer.method == Method::HEAD {
        "get".to_owned()
    } else {
        answer.method.as_str().to_lowercase()
    };
    let operation = format!("/paths/{}/{method}", escape(template));
    if document().pointer(&operation).is_none() {
        assert!([405, 429].contains(&answer.status), "an unknown operation: {}", answer.describe());
        assert!(answer.header("allow").is_some() || answer.status == 429, "{}", answer.describe());
        check_caching(answer, FOR_WHO_ASKS);
        return check_problem(answer);
    }
    // Deeper JSON than serde_json reads is not checked.
    if let Some(Ok(body)) = body.map(serde_json::from_slice)
        && (200..300).contains(&answer.status)
        && let Some(body) = taken(body, answer)
    {
        let request = resolve(format!("{operation}/requestBody"), answer);
        check_against(&format!("{request}/content/application~1json/schema"), &body, answer);
        let broken = rules::broken_by_request(template, &body);
        assert!(broken.is_empty(), "{broken:?}: {}", answer.describe());
    }
    let response = resolve(format!("{operation}/responses/{}", answer.status), answer);
    check_headers(&response, answer);
    if answer.method != Method::HEAD {
        check_content(&response, answer);
    }
}

/// The accepted part of a body: of a batch, the items that did not fail. None if nothing was
/// accepted.
fn taken(mut body: Value, answer: &Answer) -> Option<Value> {
    if let Some(entries) = body.get_mut("entries").and_then(Value::as_array_mut) {
        let results = answer.json();
        let mut results = results["results"].as_array()?.iter();
        entries.retain(|_| results.next().is_some_and(|result| result["outcome"] != "failed"));
        return (!entries.is_empty()).then_some(body);
    }
    Some(body)
}

fn check_request_id(answer: &Answer, sent: &HeaderMap) {
    let id = answer
        .header("x-request-id")
        .unwrap_or_else(|| panic!("no request id: {}", answer.describe()));
    let usable =
        |value: &&[u8]| (1..=128).contains(&value.len()) && value.iter().all(u8::is_ascii_graphic);
    let mut values = sent.get_all("x-request-id").iter();
    if let (Some(value), None) =
        (values.next().map(HeaderValue::as_bytes).filter(usable), values.next())
    {
        assert_eq!(id.as_bytes(), value, "{}", answer.describe());
    }
    if answer.header("content-type") == Some("application/problem+json") && !answer.body.is_empty()
    {
        assert_eq!(answer.text("requestId"), id, "{}", answer.describe());
    }
}

/// `Cache-Control` and `Vary` of every answer that depends on the caller.
pub(crate) const FOR_WHO_ASKS: (&str, Option<&str>) =
    ("private, no-cache", Some("Authorization, X-API-Key, Cookie"));

fn check_caching(answer: &Answer, expected: (&str, Option<&str>)) {
    let told = (answer.header("cache-control"), answer.header("vary"));
    assert_eq!(told, (Some(expected.0), expected.1), "{}", answer.describe());
}

fn check_problem(answer: &Answer) {
    if answer.status >= 400 && answer.method != Method::HEAD {
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{}",
            answer.describe()
        );
        check_against("/components/schemas/Problem", &answer.json(), answer);
        assert_eq!(answer.json()["status"], answer.status, "{}", answer.describe());
    }
}

fn check_headers(response: &str, answer: &Answer) {
    let headers = document().pointer(&format!("{response}/headers")).and_then(Value::as_object);
    let documented: BTreeMap<_, _> =
        headers.into_iter().flatten().map(|(name, _)| (name.to_lowercase(), name)).collect();
    for name in MEANINGFUL {
        let known = documented.contains_key(name) || answer.header(name).is_none();
        assert!(known, "the header {name} is not documented: {}", answer.describe());
    }
    for name in documented.values() {
        let header = resolve(format!("{response}/headers/{name}"), answer);
        let Some(value) = answer.header(name) else {
            let required = document().pointer(&format!("{header}/required")) == Some(&json!(true));
            assert!(!required, "the header {name} is missing: {}", answer.describe());
            continue;
        };
        let is_number =
            document().pointer(&format!("{header}/schema/type")) == Some(&json!("integer"));
        let value = if is_number {
            value.parse::<u64>().map_or(json!(value), |number| json!(number))
        } else {
            json!(value)
        };
        check_against(&format!("{header}/schema"), &value, answer);
    }
}

fn check_content(response: &str, answer: &Answer) {
    let Some(content) =
        document().pointer(&format!("{response}/content")).and_then(Value::as_object)
    else {
        assert!(answer.body.is_empty(), "a body that is not documented: {}", answer.describe());
        return;
    };
    let media_type = answer.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    assert!(
        content.contains_key(media_type),
        "the media type is not documented: {}",
        answer.describe()
    );
    if media_type.ends_with("json") {
        check_against(
            &format!("{response}/content/{}/schema", escape(media_type)),
            &answer.json(),
            answer,
        );
        let broken = rules::broken_by_answer(&answer.json());
        assert!(broken.is_empty(), "{broken:?}: {}", answer.describe());
    }
    if answer.status >= 400 {
        assert_eq!(answer.json()["status"], answer.status, "{}", answer.describe());
        let codes = document().pointer(&format!("{response}/x-codes")).and_then(Value::as_array);
        let codes = codes.unwrap_or_else(|| panic!("{response} has no codes"));
        assert!(
            codes.contains(&answer.json()["code"]),
            "the code is not documented: {}",
            answer.describe()
        );
    }
}

/// What is wrong with an event that a webhook got, by the document.
pub(crate) fn broken_by_event(headers: &BTreeMap<String, String>, body: &Value) -> Vec<String> {
    let is_ping = body["eventName"] == "webhook.ping";
    let name = if is_ping { "webhookTested" } else { "timeEntryChanged" };
    let request = format!("/webhooks/{name}/post");
    let schema = format!("{request}/requestBody/content/application~1json/schema");
    let mut broken = problems(&schema, body);
    let parameters = document().pointer(&format!("{request}/parameters")).unwrap();
    for (index, parameter) in parameters.as_array().unwrap().iter().enumerate() {
        let value = headers.get(parameter["name"].as_str().unwrap());
        broken.extend(problems(&format!("{request}/parameters/{index}/schema"), &json!(value)));
    }
    broken
}

fn problems(schema: &str, value: &Value) -> Vec<String> {
    let schema = schema_of(schema);
    let errors = schema.iter_errors(value);
    errors.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn check_against(schema: &str, value: &Value, answer: &Answer) {
    let problems = problems(schema, value);
    assert!(
        problems.is_empty(),
        "{schema} is broken: {problems:?}\n{value}\n{}",
        answer.describe()
    );
}

/// The path template of a request's path; of several, the most literal one.
fn template_of(path: &str) -> Option<&'static str> {
    let paths = document()["paths"].as_object().expect("the document has paths");
    let fits = |template: &&str| {
        let (mut want, mut have) = (template.split('/'), path.split('/'));
        loop {
            match (want.next(), have.next()) {
                (None, None) => return true,
                (Some(want), Some(have))
                    if want == have || (want.starts_with('{') && !have.is_empty()) => {}
                _ => return false,
            }
        }
    };
    paths
        .keys()
        .map(String::as_str)
        .filter(fits)
        .min_by_key(|template| template.matches('{').count())
}

/// Follows a reference, if there is one at the pointer.
fn resolve(pointer: String, answer: &Answer) -> String {
    let found = document().pointer(&pointer);
    let found =
        found.unwrap_or_else(|| panic!("the document has no {pointer}: {}", answer.describe()));
    match found["$ref"].as_str() {
        Some(reference) => reference.trim_start_matches('#').to_owned(),
        None => pointer,
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
