//! `GET /projects/{projectId}/time-entries` and `GET /time-entries`: which entries, in which order, page by page.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use timelog_domain::Action;
use uuid::Uuid;

use crate::support::{Api, Database, Service, Tenant, on_every_database};

on_every_database![
    every_filter_lists_exactly_what_it_says,
    the_list_of_a_project_is_that_of_the_organization_without_the_others,
    every_order_is_total_in_both_directions,
    a_page_has_1_to_200_entries_and_50_unless_asked,
    a_total_counts_everything_that_matches,
    a_link_keeps_what_was_asked_for,
    a_cursor_is_good_for_its_own_list_alone,
    a_cursor_that_was_tampered_with_is_refused,
    what_is_no_parameter_or_no_value_is_named,
    a_project_that_is_not_there_has_no_list,
    who_walks_between_changes_sees_each_surviving_entry_exactly_once,
    who_walks_while_others_write_sees_each_surviving_entry_exactly_once,
];

const ORDERS: [&str; 6] = ["-workDate", "workDate", "-createdAt", "createdAt", "-updatedAt", "updatedAt"];

/// What a filter says of an entry and its reference.
type Meaning = Box<dyn Fn(&Value, Option<&Value>) -> bool>;

/// Logs entries that differ in everything there is to filter by, and returns each with its reference.
async fn fill(service: &Service) -> Vec<(Value, Option<Value>)> {
    let tenant = &service.tenant;
    let days = ["2024-12-31", "2025-01-01", "2025-01-02", "0001-01-01", "9999-12-31"];
    let mut logged = Vec::new();
    for number in 0..30 {
        let every = |nth: usize| number % nth == 0;
        let own = !every(4);
        let ticket = (own && every(3)).then(|| tenant.entry_id.to_string());
        let release = (own && every(5)).then(|| tenant.release_id.to_string());
        let mut body = tenant.body_with(&json!({
            "userId": if every(2) { tenant.user_id } else { tenant.other_user_id }.to_string(),
            "workDate": days[number % days.len()],
            "billable": !every(3),
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
            let call = service.api.post(&format!("{path}/batch")).json(&json!({ "entries": [body] }));
            call.send().await.is(200).json()["results"][0]["entry"]["id"].as_str().unwrap().to_owned()
        } else {
            service.api.post(&path).json(&body).send().await.is(201).text("id")
        };
        // Some are logged at one instant and some change later.
        if every(3) {
            service.clock.advance(Duration::from_millis(1));
        }
        let life = [Action::Submit, Action::Approve, Action::Lock, Action::Invoice];
        service.apply(&id, &life[..(number / 2) % 5]).await;
        if (number / 2) % 5 == 1 && every(2) {
            service.apply(&id, &[Action::Reject]).await;
        }
        logged.push((id, reference));
    }
    let ui = &logged[1].0;
    let id = match &service.database {
        crate::support::TestDatabase::Sqlite(_) => format!("X'{}'", ui.replace('-', "")),
        crate::support::TestDatabase::Postgres(..) => format!("'{ui}'"),
    };
    service.database.execute(&format!("UPDATE time_entries SET source = 'ui' WHERE id = {id}"));
    let mut entries = Vec::new();
    for (id, reference) in logged {
        entries.push((service.read(&id).await.json(), reference));
    }
    entries
}

/// Follows the links of a list to its end, and returns the entries. Every page but the last is full.
async fn walk(api: &Api, path: &str, query: &str, limit: usize) -> Vec<Value> {
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

/// Where a link leads.
fn link(header: &str) -> String {
    header.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned()
}

fn ids(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

async fn every_filter_lists_exactly_what_it_says(database: Database) {
    let service = Service::start(database).await;
    let all = fill(&service).await;
    let tenant = &service.tenant;
    let is = |member: &'static str, value: String| {
        move |entry: &Value, _: Option<&Value>| entry[member].as_str() == Some(value.as_str())
    };
    let of = |member: &'static str, value: &'static str| {
        move |_: &Value, reference: Option<&Value>| reference.is_some_and(|reference| reference[member] == value)
    };
    let day = |entry: &Value| entry["workDate"].as_str().unwrap().to_owned();
    let (user, ticket, release) =
        (tenant.user_id.to_string(), tenant.entry_id.to_string(), tenant.release_id.to_string());
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
            "externalRef.provider=Jira&externalRef.externalType=t%262&externalRef.externalId=2".into(),
            Box::new(of("externalId", "2")),
        ),
        ("externalRef.externalId=1".into(), Box::new(|_, _| false)),
        (
            format!("status=approved&status=submitted&billable=true&from=2025-01-01&userId={user}&source=api"),
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
        assert_eq!(listed.iter().map(Value::to_string).collect::<BTreeSet<_>>(), expected, "{query}");
    }
    let empty =
        filters.iter().filter(|(_, meaning)| !all.iter().any(|(entry, reference)| meaning(entry, reference.as_ref())));
    assert_eq!(empty.count(), 3, "every other filter finds something");
}

async fn the_list_of_a_project_is_that_of_the_organization_without_the_others(database: Database) {
    let service = Service::start(database).await;
    fill(&service).await;
    let stranger = Tenant::provision(&service.store).await;
    service.api.with_key(&stranger.key.text).post(&stranger.path()).json(&stranger.body()).send().await.is(201);
    let own = service.tenant.project_id;
    let limited = service.with_key(move |key| key.project_id = Some(own)).await;
    for query in ["", "status=draft&sort=createdAt", "billable=false&sort=-updatedAt"] {
        let all = walk(&service.api, "/time-entries", query, 200).await;
        for (path, project) in
            [(service.tenant.path(), own), (service.tenant.other_path(), service.tenant.other_project_id)]
        {
            let expected: Vec<_> =
                all.iter().filter(|entry| entry["projectId"] == project.to_string()).cloned().collect();
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

async fn every_order_is_total_in_both_directions(database: Database) {
    let service = Service::start(database).await;
    let all = fill(&service).await;
    for order in ORDERS {
        let key = order.trim_start_matches('-');
        let place = |entry: &Value| (entry[key].as_str().unwrap().to_owned(), entry["id"].as_str().unwrap().to_owned());
        let mut expected: Vec<_> = all.iter().map(|(entry, _)| entry.clone()).collect();
        expected.sort_by_key(place);
        let distinct: BTreeSet<_> = expected.iter().map(|entry| entry[key].as_str().unwrap()).collect();
        assert!((2..all.len()).contains(&distinct.len()), "there are ties to break");
        if order.starts_with('-') {
            expected.reverse();
        }
        for limit in [1, 7, 30] {
            assert_eq!(walk(&service.api, "/time-entries", &format!("sort={order}"), limit).await, expected, "{order}");
        }
    }
    let unasked = walk(&service.api, "/time-entries", "", 7).await;
    assert_eq!(unasked, walk(&service.api, "/time-entries", "sort=-workDate", 30).await);
}

/// Logs entries that are all alike.
async fn log_many(service: &Service, count: usize) -> Vec<String> {
    let body = json!({ "entries": vec![service.tenant.body(); count] });
    let answer = service.api.post(&format!("{}/batch", service.tenant.path())).json(&body).send().await.is(200).json();
    let results = answer["results"].as_array().unwrap();
    results.iter().map(|result| result["entry"]["id"].as_str().unwrap().to_owned()).collect()
}

async fn a_page_has_1_to_200_entries_and_50_unless_asked(database: Database) {
    let service = Service::start(database).await;
    let logged = log_many(&service, 201).await;
    for path in ["/time-entries".to_owned(), service.tenant.path()] {
        for (query, size) in [("", 50), ("?limit=1", 1), ("?limit=50", 50), ("?limit=200", 200), ("?limit=007", 7)] {
            let page = service.api.get(&format!("{path}{query}")).send().await.is(200);
            assert_eq!(page.json()["data"].as_array().unwrap().len(), size);
            assert!(page.header("link").is_some());
        }
        for limit in ["0", "201", "-1", "%2B5", "1.0", "1e2", "", "%205", "x", "18446744073709551617"] {
            let refused = service.api.get(&format!("{path}?limit={limit}")).send().await;
            refused.refuses(&["limit out_of_range"]);
        }
        assert_eq!(walk(&service.api, &path, "", 200).await.len(), 201);
    }
    // A last page that is full is the last all the same.
    for id in &logged[..1] {
        service.api.delete(&format!("/time-entries/{id}")).send().await.is(204);
    }
    let page = service.api.get("/time-entries?limit=200").send().await.is(200);
    assert_eq!((page.header("link"), &page.json()["nextCursor"]), (None, &json!(null)));
}

async fn a_total_counts_everything_that_matches(database: Database) {
    let service = Service::start(database).await;
    let all = fill(&service).await;
    let drafts = all.iter().filter(|(entry, _)| entry["status"] == "draft").count();
    let get = async |query: &str| service.api.get(&format!("/time-entries?{query}")).send().await.is(200);
    for query in ["", "includeTotal=false"] {
        assert_eq!(get(query).await.json().get("total"), None);
    }
    assert_eq!(get("includeTotal=true&limit=1").await.json()["total"], all.len());
    assert_eq!(get("includeTotal=true&status=draft&sort=createdAt").await.json()["total"], drafts);
    assert_eq!(get("includeTotal=true&source=ui&status=invoiced&status=locked").await.json()["total"], 0);
    // It is the same on every page, and may be asked for on any.
    let first = get("limit=20&includeTotal=true").await;
    let second = service.api.get(&link(first.header("link").unwrap())).send().await.is(200).json();
    assert_eq!((&second["total"], second["data"].as_array().unwrap().len()), (&json!(30), 10));
    let cursor = first.text("nextCursor");
    assert_eq!(get(&format!("limit=5&cursor={cursor}")).await.json().get("total"), None);
}

async fn a_link_keeps_what_was_asked_for(database: Database) {
    let service = Service::start_with(database, |setup| setup.settings.base_path = "/api/v1".into()).await;
    let reference = |id: &str| json!({ "provider": "a&b=c d+é%", "externalType": "t", "externalId": id });
    for id in ["1", "2", "3"] {
        let body = service.tenant.body_with(&json!({ "externalRef": reference(id) }));
        service.log(&body).send().await.is(201);
    }
    service.log_any().send().await.is(201);
    let query = "externalRef.provider=a%26b%3Dc+d%2B%C3%A9%25&status=draft&status=approved&limit=2&sort=createdAt";
    let first = service.api.get(&format!("{}?{query}", service.tenant.path())).send().await.is(200);
    let next = link(first.header("link").unwrap());
    let next = next.strip_prefix("/api/v1").unwrap();
    let second = service.api.get(next).send().await.is(200);
    assert_eq!((second.json()["data"].as_array().unwrap().len(), second.header("link")), (1, None));
    let head = service.api.call(reqwest::Method::HEAD, &format!("{}?{query}", service.tenant.path()));
    let head = head.send().await.is(200);
    assert_eq!((head.header("link"), head.body.as_slice()), (first.header("link"), b"".as_slice()));
}

async fn a_cursor_is_good_for_its_own_list_alone(database: Database) {
    let service = Service::start(database).await;
    log_many(&service, 5).await;
    let stranger = Tenant::provision(&service.store).await;
    let theirs = service.api.with_key(&stranger.key.text);
    let path = service.tenant.path();
    let cursor = async |query: &str| {
        let page = service.api.get(&format!("/time-entries?limit=2&{query}")).send().await.is(200);
        page.text("nextCursor")
    };
    let plain = cursor("").await;
    let drafts = cursor("status=draft&billable=true").await;
    let ask = async |path: &str, query: &str| service.api.get(&format!("{path}?{query}")).send().await;
    // How much is on a page and in which order the parameters stand makes no other list.
    ask("/time-entries", &format!("cursor={plain}")).await.is(200);
    ask("/time-entries", &format!("limit=1&cursor={plain}&includeTotal=true")).await.is(200);
    ask("/time-entries", &format!("billable=true&cursor={drafts}&status=draft")).await.is(200);
    let user = service.tenant.user_id;
    for (path, query, cursor) in [
        ("/time-entries", "status=draft&".to_owned(), &plain),
        ("/time-entries", "sort=createdAt&".to_owned(), &plain),
        ("/time-entries", "sort=workDate&".to_owned(), &plain),
        ("/time-entries", format!("userId={user}&"), &plain),
        ("/time-entries", String::new(), &drafts),
        ("/time-entries", "status=draft&".to_owned(), &drafts),
        ("/time-entries", "status=draft&billable=false&".to_owned(), &drafts),
        (&path, String::new(), &plain),
        ("/projects", String::new(), &plain),
        ("/users", String::new(), &plain),
    ] {
        ask(path, &format!("{query}cursor={cursor}")).await.refuses(&["cursor invalid_cursor"]);
    }
    theirs.get(&format!("/time-entries?cursor={plain}")).send().await.refuses(&["cursor invalid_cursor"]);
    // Another key of the organization may go on where one has stopped.
    let other = service.with_key(|_| ()).await;
    other.get(&format!("/time-entries?cursor={plain}")).send().await.is(200);
}

async fn a_cursor_that_was_tampered_with_is_refused(database: Database) {
    let service = Service::start(database).await;
    log_many(&service, 3).await;
    for order in ORDERS {
        let page = service.api.get(&format!("/time-entries?limit=1&sort={order}")).send().await.is(200);
        let cursor = page.text("nextCursor");
        let (cut, longer, empty) = (&cursor[..cursor.len() - 1], format!("{cursor}A"), String::new());
        let flipped = format!("{}{}", if cursor.starts_with('A') { 'B' } else { 'A' }, &cursor[1..]);
        let padded = format!("{cursor}=");
        let spaced = format!("%20{cursor}");
        let binary = "%00%ff".to_owned();
        let head = cursor[..32].to_owned();
        for wrong in [&empty, &longer, &flipped, &padded, &spaced, &binary, &head, &"x".repeat(5000)] {
            let answer = service.api.get(&format!("/time-entries?limit=1&sort={order}&cursor={wrong}")).send().await;
            answer.refuses(&["cursor invalid_cursor"]);
        }
        // A cut value may still be an instant, so all that is asked for is that it is no trouble.
        let answer = service.api.get(&format!("/time-entries?limit=1&sort={order}&cursor={cut}")).send().await;
        assert!([200, 400].contains(&answer.status), "{}", answer.describe());
        let twice =
            service.api.get(&format!("/time-entries?sort={order}&cursor={cursor}&cursor={cursor}")).send().await;
        twice.refuses(&["cursor repeated"]);
    }
}

async fn what_is_no_parameter_or_no_value_is_named(database: Database) {
    let service = Service::start(database).await;
    let id = service.tenant.user_id;
    let long = format!("externalRef.provider={}", "x".repeat(256));
    let same = format!("userId={id}&userId={id}");
    for path in ["/time-entries".to_owned(), service.tenant.path()] {
        for (query, expected) in [
            ("x=1", ["x unknown_parameter"].as_slice()),
            ("UserId=1&status", &["UserId unknown_parameter", "status unknown_value"]),
            ("projectId=x", &["projectId unknown_parameter"]),
            ("groupBy=user", &["groupBy unknown_parameter"]),
            ("=", &[" unknown_parameter"]),
            ("%00=1", &["\u{0} unknown_parameter"]),
            ("userId=1&entryId=&releaseId=x", &["userId invalid_id", "entryId invalid_id", "releaseId invalid_id"]),
            (&same, &["userId repeated"]),
            ("status=draft&status=DRAFT&status=x", &["status unknown_value", "status unknown_value"]),
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
                "externalRef=x&externalRef.type=x",
                &["externalRef unknown_parameter", "externalRef.type unknown_parameter"],
            ),
            ("limit=0&cursor=x&x=1", &["limit out_of_range", "cursor invalid_cursor", "x unknown_parameter"]),
        ] {
            service.api.get(&format!("{path}?{query}")).send().await.refuses(expected);
        }
    }
    service.api.get("/projects/x/time-entries").send().await.refuses(&["projectId invalid_id"]);
    service.api.get("/time-entries?").send().await.is(200);
    service.api.get("/time-entries?&&").send().await.is(200);
}

async fn a_project_that_is_not_there_has_no_list(database: Database) {
    let service = Service::start(database).await;
    let stranger = Tenant::provision(&service.store).await;
    for project in [Uuid::now_v7(), stranger.project_id.uuid()] {
        for rest in ["", "?limit=1", "/summary", ".csv"] {
            let path = format!("/projects/{project}/time-entries{rest}");
            service.api.get(&path).send().await.fails_with(404, "not_found");
        }
        // What is wrong with the request is said before.
        let path = format!("/projects/{project}/time-entries?limit=0");
        service.api.get(&path).send().await.refuses(&["limit out_of_range"]);
    }
}

/// What a walk is to come to: every entry that was there all the time, none twice, and none that never was there.
#[track_caller]
fn is_fair(seen: &[Value], surviving: &BTreeSet<String>, order: &str) {
    let distinct: BTreeSet<_> = ids(seen).into_iter().map(str::to_owned).collect();
    assert_eq!(distinct.len(), seen.len(), "{order}: nothing is seen twice");
    let missed: Vec<_> = surviving.difference(&distinct).collect();
    assert!(missed.is_empty(), "{order}: {missed:?} were missed");
}

async fn who_walks_between_changes_sees_each_surviving_entry_exactly_once(database: Database) {
    let service = Service::start(database).await;
    for order in ORDERS {
        let mut surviving: BTreeSet<_> = log_many(&service, 12).await.into_iter().collect();
        for entry in walk(&service.api, "/time-entries", "", 200).await {
            surviving.insert(entry["id"].as_str().unwrap().to_owned());
        }
        let mut seen: Vec<Value> = Vec::new();
        let mut next = Some(format!("/time-entries?limit=3&sort={order}"));
        let mut pages = 0;
        while let Some(path) = next.take() {
            let page = service.api.get(&path).send().await.is(200);
            next = page.header("link").map(link);
            seen.extend(page.json()["data"].as_array().unwrap().clone());
            pages += 1;
            assert!(pages < 200, "the walk has an end");
            // The entry that the cursor names goes, one that was not seen yet goes, and others come at both ends.
            let unseen = surviving.iter().find(|id| !ids(&seen).contains(&id.as_str())).cloned();
            for gone in [Some(seen.last().unwrap()["id"].as_str().unwrap().to_owned()), unseen].into_iter().flatten() {
                service.api.delete(&format!("/time-entries/{gone}")).send().await;
                surviving.remove(&gone);
            }
            if pages % 3 == 0 {
                service.clock.advance(Duration::from_millis(1));
                for day in ["2025-01-14", "2025-01-15", "2025-01-16"] {
                    service.log(&service.tenant.body_with(&json!({ "workDate": day }))).send().await.is(201);
                }
            }
        }
        is_fair(&seen, &surviving, order);
    }
}

async fn who_walks_while_others_write_sees_each_surviving_entry_exactly_once(database: Database) {
    let service = Service::start(database).await;
    for order in ORDERS {
        let logged = log_many(&service, 60).await;
        let (doomed, surviving): (Vec<_>, Vec<_>) =
            logged.into_iter().enumerate().partition(|(index, _)| index % 3 == 0);
        let surviving: BTreeSet<_> = surviving.into_iter().map(|(_, id)| id).collect();
        let (api, path, body) = (service.api.clone(), service.tenant.path(), service.tenant.body());
        let writer = tokio::spawn(async move {
            for (_, id) in doomed {
                api.post(&path).json(&body).send().await.is(201);
                api.delete(&format!("/time-entries/{id}")).send().await.is(204);
            }
        });
        let seen = walk(&service.api, "/time-entries", &format!("sort={order}"), 4).await;
        writer.await.unwrap();
        is_fair(&seen, &surviving, order);
    }
}
