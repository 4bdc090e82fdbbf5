//! `GET /projects/{projectId}/time-entries` and `GET /time-entries`: which entries a list has.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use timelog_domain::Action;
use uuid::Uuid;

use crate::support::{Api, Database, Service, Tenant, TestDatabase, on_every_database};

on_every_database![
    every_filter_lists_exactly_the_matching_entries,
    the_list_of_a_project_has_only_its_entries,
    an_unknown_parameter_or_invalid_value_is_named,
    the_list_of_an_unknown_project_is_answered_404,
];

/// Whether a filter matches an entry and its reference.
type Meaning = Box<dyn Fn(&Value, Option<&Value>) -> bool>;

const LIFE: [Action; 4] = [Action::Submit, Action::Approve, Action::Lock, Action::Invoice];

/// Logs entries that differ in every filter, and returns each with its reference.
pub(crate) async fn fill(service: &Service) -> Vec<(Value, Option<Value>)> {
    let tenant = &service.tenant;
    let days = ["2024-12-31", "2025-01-01", "2025-01-02", "0001-01-01", "9999-12-31"];
    let mut logged = Vec::new();
    for number in 0..30 {
        let every = |nth: usize| number % nth == 0;
        let steps = (number / 2) % (LIFE.len() + 1);
        let own = !every(4);
        let ticket = (own && every(3)).then(|| tenant.ticket_id.to_string());
        let release = (own && every(5)).then(|| tenant.release_id.to_string());
        let mut body = tenant.body_with(&json!({
            "userId": if every(2) { tenant.user_id } else { tenant.other_user_id }.to_string(),
            "workDate": days[number % days.len()],
            // An entry that is not billable cannot be invoiced.
            "billable": !every(3) || steps == LIFE.len(),
            "entryId": ticket,
            "releaseId": release,
            "minutes": 1 + number,
        }));
        let reference = every(2).then(|| {
            let provider = if every(4) { "jira" } else { "Jira" };
            json!({ "provider": provider, "externalType": format!("t&{}", number % 3), "externalId": number.to_string() })
        });
        if let Some(reference) = &reference {
            body["externalRef"] = reference.clone();
        }
        let path = if own { tenant.path() } else { tenant.other_path() };
        let id = if every(7) {
            let call =
                service.api.post(&format!("{path}/batch")).json(&json!({ "entries": [body] }));
            call.send().await.is(200).json()["results"][0]["entry"]["id"]
                .as_str()
                .unwrap()
                .to_owned()
        } else {
            service.api.post(&path).json(&body).send().await.is(201).text("id")
        };
        // Some are logged at the same instant, and some change later.
        if every(3) {
            service.clock.advance(Duration::from_millis(1));
        }
        service.apply(&id, &LIFE[..steps]).await;
        if steps == 1 && every(2) {
            service.apply(&id, &[Action::Reject]).await;
        }
        logged.push((id, reference));
    }
    let ui = &logged[1].0;
    let id = match &service.database {
        TestDatabase::Sqlite(_) => format!("X'{}'", ui.replace('-', "")),
        TestDatabase::Postgres(..) => format!("'{ui}'"),
    };
    service.database.execute(&format!("UPDATE time_entries SET source = 'ui' WHERE id = {id}"));
    let mut entries = Vec::new();
    for (id, reference) in logged {
        entries.push((service.read(&id).await.json(), reference));
    }
    entries
}

/// Follows the links of a list to its end, and returns the entries. Every page but the last is
/// full.
pub(crate) async fn walk(api: &Api, path: &str, query: &str, limit: usize) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut next = Some(format!("{path}?limit={limit}&{query}"));
    while let Some(path) = next.take() {
        let page = api.get(&path).send().await.is(200);
        let data = page.json()["data"].as_array().unwrap().clone();
        assert!(data.len() <= limit);
        next = page.header("link").map(link);
        assert_eq!(next.is_some(), !page.json()["nextCursor"].is_null());
        assert!(next.is_none() || data.len() == limit, "a page that is not the last is full");
        entries.extend(data);
        assert!(entries.len() < 2000, "the walk has an end");
    }
    entries
}

/// The target of a `Link` header.
pub(crate) fn link(header: &str) -> String {
    header.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned()
}

async fn every_filter_lists_exactly_the_matching_entries(database: Database) {
    let service = Service::start(database).await;
    let all = fill(&service).await;
    let tenant = &service.tenant;
    let is = |member: &'static str, value: String| {
        move |entry: &Value, _: Option<&Value>| entry[member].as_str() == Some(value.as_str())
    };
    let of = |member: &'static str, value: &'static str| {
        move |_: &Value, reference: Option<&Value>| {
            reference.is_some_and(|reference| reference[member] == value)
        }
    };
    let day = |entry: &Value| entry["workDate"].as_str().unwrap().to_owned();
    let (user, ticket, release) =
        (tenant.user_id.to_string(), tenant.ticket_id.to_string(), tenant.release_id.to_string());
    let middle = all[14].0["updatedAt"].as_str().unwrap().to_owned();
    let nobody = "00000000-0000-4000-8000-000000000000";
    let filters: Vec<(String, Meaning)> = vec![
        (String::new(), Box::new(|_, _| true)),
        (format!("userId={user}"), Box::new(is("userId", user.clone()))),
        (format!("userId={}", user.to_uppercase()), Box::new(is("userId", user.clone()))),
        (format!("entryId={ticket}"), Box::new(is("entryId", ticket.clone()))),
        (format!("releaseId={release}"), Box::new(is("releaseId", release.clone()))),
        (format!("userId={nobody}"), Box::new(|_, _| false)),
        ("status=draft".into(), Box::new(is("status", "draft".into()))),
        ("status=submitted".into(), Box::new(is("status", "submitted".into()))),
        ("status=approved".into(), Box::new(is("status", "approved".into()))),
        ("status=rejected".into(), Box::new(is("status", "rejected".into()))),
        ("status=locked".into(), Box::new(is("status", "locked".into()))),
        ("status=invoiced".into(), Box::new(|entry, _| entry["invoiced"] == true)),
        (
            "status=draft&status=rejected&status=draft".into(),
            Box::new(|entry, _| entry["status"] == "draft" || entry["status"] == "rejected"),
        ),
        ("billable=true".into(), Box::new(|entry, _| entry["billable"] == true)),
        ("billable=false".into(), Box::new(|entry, _| entry["billable"] == false)),
        ("source=api".into(), Box::new(is("source", "api".into()))),
        ("source=ui".into(), Box::new(is("source", "ui".into()))),
        ("source=import".into(), Box::new(is("source", "import".into()))),
        ("from=2025-01-01".into(), Box::new(move |entry, _| day(entry).as_str() >= "2025-01-01")),
        ("to=2025-01-01".into(), Box::new(move |entry, _| day(entry).as_str() <= "2025-01-01")),
        ("from=2025-01-01&to=2025-01-01".into(), Box::new(is("workDate", "2025-01-01".into()))),
        ("from=0001-01-01&to=9999-12-31".into(), Box::new(|_, _| true)),
        (format!("updatedSince={middle}"), {
            let middle = middle.clone();
            Box::new(move |entry, _| entry["updatedAt"].as_str().unwrap() >= middle.as_str())
        }),
        (format!("updatedSince={}", middle.replace('Z', "%2B00:00")), {
            Box::new(move |entry, _| entry["updatedAt"].as_str().unwrap() >= middle.as_str())
        }),
        ("updatedSince=2030-01-01T00:00:00Z".into(), Box::new(|_, _| false)),
        ("externalRef.provider=jira".into(), Box::new(of("provider", "jira"))),
        ("externalRef.externalType=t%261".into(), Box::new(of("externalType", "t&1"))),
        ("externalRef.externalId=10".into(), Box::new(of("externalId", "10"))),
        (
            "externalRef.provider=Jira&externalRef.externalType=t%262&externalRef.externalId=2"
                .into(),
            Box::new(of("externalId", "2")),
        ),
        ("externalRef.externalId=1".into(), Box::new(|_, _| false)),
        (
            format!(
                "status=approved&status=submitted&billable=true&from=2025-01-01&userId={user}&source=api"
            ),
            Box::new(move |entry, _| {
                ["approved", "submitted"].contains(&entry["status"].as_str().unwrap())
                    && entry["billable"] == true
                    && day(entry).as_str() >= "2025-01-01"
                    && entry["userId"] == user.as_str()
                    && entry["source"] == "api"
            }),
        ),
    ];
    for (query, meaning) in &filters {
        let expected = all.iter().filter(|(entry, reference)| meaning(entry, reference.as_ref()));
        let expected: BTreeSet<String> = expected.map(|(entry, _)| entry.to_string()).collect();
        let listed = walk(&service.api, "/time-entries", query, 7).await;
        assert_eq!(listed.len(), expected.len(), "{query}");
        assert_eq!(
            listed.iter().map(Value::to_string).collect::<BTreeSet<_>>(),
            expected,
            "{query}"
        );
    }
    let empty = filters.iter().filter(|(_, meaning)| {
        !all.iter().any(|(entry, reference)| meaning(entry, reference.as_ref()))
    });
    assert_eq!(empty.count(), 3, "every other filter finds something");
}

async fn the_list_of_a_project_has_only_its_entries(database: Database) {
    let service = Service::start(database).await;
    fill(&service).await;
    let stranger = Tenant::provision(&service.store).await;
    stranger.log_any(&service.api).send().await.is(201);
    let own = service.tenant.project_id;
    let limited = service.with_key(move |key| key.project_id = Some(own)).await;
    for query in ["", "status=draft&sort=createdAt", "billable=false&sort=-updatedAt"] {
        let all = walk(&service.api, "/time-entries", query, 200).await;
        for (path, project) in [
            (service.tenant.path(), own),
            (service.tenant.other_path(), service.tenant.other_project_id),
        ] {
            let expected: Vec<_> = all
                .iter()
                .filter(|entry| entry["projectId"] == project.to_string())
                .cloned()
                .collect();
            assert!(!expected.is_empty() && expected.len() < all.len());
            assert_eq!(walk(&service.api, &path, query, 3).await, expected);
        }
        let seen = walk(&limited, &service.tenant.path(), query, 3).await;
        assert_eq!(seen, walk(&service.api, &service.tenant.path(), query, 200).await);
    }
    let archived = walk(&service.api, &service.tenant.path(), "", 200).await;
    service.archive(own, true).await;
    assert_eq!(walk(&service.api, &service.tenant.path(), "", 200).await, archived);
}

async fn an_unknown_parameter_or_invalid_value_is_named(database: Database) {
    let service = Service::start(database).await;
    let id = service.tenant.user_id;
    let long = format!("externalRef.provider={}", "x".repeat(256));
    let same = format!("userId={id}&userId={id}");
    for path in ["/time-entries".to_owned(), service.tenant.path()] {
        for (query, expected) in [
            ("x=1", ["x unknown_parameter"].as_slice()),
            ("UserId=1&status", &["UserId unknown_parameter", "status unknown_value"]),
            ("projectId=x", &["projectId unknown_parameter"]),
            (
                "b=1&a=2&b=3&a=4&c=5&b=6",
                &["b unknown_parameter", "a unknown_parameter", "c unknown_parameter"],
            ),
            ("sort=x&sort=y", &["sort repeated"]),
            ("groupBy=user", &["groupBy unknown_parameter"]),
            ("=", &[" unknown_parameter"]),
            ("%00=1", &["\u{0} unknown_parameter"]),
            (
                "userId=1&entryId=&releaseId=x",
                &["userId invalid_id", "entryId invalid_id", "releaseId invalid_id"],
            ),
            (&same, &["userId repeated"]),
            (
                "status=draft&status=DRAFT&status=x",
                &["status unknown_value", "status unknown_value"],
            ),
            ("status=draft,approved", &["status unknown_value"]),
            ("billable=1", &["billable wrong_type"]),
            ("billable=TRUE&includeTotal=yes", &["billable wrong_type", "includeTotal wrong_type"]),
            ("billable=true&billable=true", &["billable repeated"]),
            ("source=API&sort=minutes", &["source unknown_value", "sort unknown_value"]),
            ("sort=--workDate", &["sort unknown_value"]),
            ("sort=%2BworkDate", &["sort unknown_value"]),
            ("sort=workDate&sort=-workDate", &["sort repeated"]),
            ("from=2025-02-30&to=2025-1-1", &["from invalid_date", "to invalid_date"]),
            ("from=2025-01-01T00:00:00Z", &["from invalid_date"]),
            ("from=2025-01-02&to=2025-01-01", &["from out_of_range"]),
            ("updatedSince=2025-01-01", &["updatedSince invalid_instant"]),
            ("updatedSince=2025-01-01T00:00:00", &["updatedSince invalid_instant"]),
            ("updatedSince=2025-01-01T25:00:00Z", &["updatedSince invalid_instant"]),
            (
                "externalRef.provider=&externalRef.externalId=%00",
                &["externalRef.provider blank", "externalRef.externalId invalid_character"],
            ),
            (&long, &["externalRef.provider too_long"]),
            (
                "externalRef.provider=a%ff&invoiceRef=%C3",
                &["externalRef.provider invalid_character", "invoiceRef invalid_character"],
            ),
            (
                "externalRef=x&externalRef.type=x",
                &["externalRef unknown_parameter", "externalRef.type unknown_parameter"],
            ),
            (
                "limit=0&cursor=x&x=1",
                &["limit out_of_range", "cursor invalid_cursor", "x unknown_parameter"],
            ),
        ] {
            service.api.get(&format!("{path}?{query}")).send().await.refuses(expected);
        }
    }
    service.api.get("/projects/x/time-entries").send().await.refuses(&["projectId invalid_id"]);
    service.api.get("/time-entries?").send().await.is(200);
    service.api.get("/time-entries?&&").send().await.is(200);
}

async fn the_list_of_an_unknown_project_is_answered_404(database: Database) {
    let service = Service::start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    for project in [Uuid::now_v7(), stranger.project_id.uuid()] {
        for rest in ["", "?limit=1", "/summary", ".csv"] {
            let path = format!("/projects/{project}/time-entries{rest}");
            service.api.get(&path).send().await.fails_with(404, "not_found");
        }
        // 400 comes before 404.
        let path = format!("/projects/{project}/time-entries?limit=0");
        service.api.get(&path).send().await.refuses(&["limit out_of_range"]);
    }
}
