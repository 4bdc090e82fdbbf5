//! The pages of a list: their order, their size, and cursors while others write.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::list_time_entries::{fill, link, walk};
use crate::support::{Database, Service, Tenant, on_every_database};

on_every_database![
    every_order_is_total_in_both_directions,
    a_page_has_1_to_200_entries_and_50_by_default,
    a_total_counts_everything_that_matches,
    the_link_header_keeps_the_parameters,
    a_cursor_of_another_list_is_refused,
    a_changed_cursor_is_refused,
    paging_between_changes_shows_each_surviving_entry_once,
    paging_during_writes_shows_each_surviving_entry_once,
];

const ORDERS: [&str; 6] =
    ["-workDate", "workDate", "-createdAt", "createdAt", "-updatedAt", "updatedAt"];

fn ids(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

/// Logs equal entries.
async fn log_many(service: &Service, count: usize) -> Vec<String> {
    let body = json!({ "entries": vec![service.tenant.body(); count] });
    let answer = service
        .api
        .post(&format!("{}/batch", service.tenant.path()))
        .json(&body)
        .send()
        .await
        .is(200)
        .json();
    let results = answer["results"].as_array().unwrap();
    results.iter().map(|result| result["entry"]["id"].as_str().unwrap().to_owned()).collect()
}

async fn every_order_is_total_in_both_directions(database: Database) {
    let service = Service::start(database).await;
    let all = fill(&service).await;
    for order in ORDERS {
        let key = order.trim_start_matches('-');
        let place = |entry: &Value| {
            (entry[key].as_str().unwrap().to_owned(), entry["id"].as_str().unwrap().to_owned())
        };
        let mut expected: Vec<_> = all.iter().map(|(entry, _)| entry.clone()).collect();
        expected.sort_by_key(place);
        let distinct: BTreeSet<_> =
            expected.iter().map(|entry| entry[key].as_str().unwrap()).collect();
        assert!((2..all.len()).contains(&distinct.len()), "there are ties to break");
        if order.starts_with('-') {
            expected.reverse();
        }
        for limit in [1, 7, 30] {
            assert_eq!(
                walk(&service.api, "/time-entries", &format!("sort={order}"), limit).await,
                expected,
                "{order}"
            );
        }
    }
    let unasked = walk(&service.api, "/time-entries", "", 7).await;
    assert_eq!(unasked, walk(&service.api, "/time-entries", "sort=-workDate", 30).await);
}

async fn a_page_has_1_to_200_entries_and_50_by_default(database: Database) {
    let service = Service::start(database).await;
    let logged = log_many(&service, 201).await;
    for path in ["/time-entries".to_owned(), service.tenant.path()] {
        for (query, size) in
            [("", 50), ("?limit=1", 1), ("?limit=50", 50), ("?limit=200", 200), ("?limit=007", 7)]
        {
            let page = service.api.get(&format!("{path}{query}")).send().await.is(200);
            assert_eq!(page.json()["data"].as_array().unwrap().len(), size);
            assert!(page.header("link").is_some());
        }
        for limit in
            ["0", "201", "-1", "%2B5", "1.0", "1e2", "", "%205", "x", "18446744073709551617"]
        {
            let refused = service.api.get(&format!("{path}?limit={limit}")).send().await;
            refused.refuses(&["limit out_of_range"]);
        }
        assert_eq!(walk(&service.api, &path, "", 200).await.len(), 201);
    }
    // A full last page has no next page either.
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
    let get =
        async |query: &str| service.api.get(&format!("/time-entries?{query}")).send().await.is(200);
    for query in ["", "includeTotal=false"] {
        assert_eq!(get(query).await.json().get("total"), None);
    }
    assert_eq!(get("includeTotal=true&limit=1").await.json()["total"], all.len());
    assert_eq!(get("includeTotal=true&status=draft&sort=createdAt").await.json()["total"], drafts);
    assert_eq!(
        get("includeTotal=true&source=ui&status=invoiced&status=locked").await.json()["total"],
        0
    );
    // The total is the same on every page.
    let first = get("limit=20&includeTotal=true").await;
    let second = service.api.get(&link(first.header("link").unwrap())).send().await.is(200).json();
    assert_eq!((&second["total"], second["data"].as_array().unwrap().len()), (&json!(30), 10));
    let cursor = first.text("nextCursor");
    assert_eq!(get(&format!("limit=5&cursor={cursor}")).await.json().get("total"), None);
}

async fn the_link_header_keeps_the_parameters(database: Database) {
    let service =
        Service::start_with(database, |setup| setup.settings.base_path = "/api/v1".into()).await;
    let reference =
        |id: &str| json!({ "provider": "a&b=c d+é%", "externalType": "t", "externalId": id });
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
    let head = service.api.call(Method::HEAD, &format!("{}?{query}", service.tenant.path()));
    let head = head.send().await.is(200);
    assert_eq!((head.header("link"), head.body.as_slice()), (first.header("link"), b"".as_slice()));
}

async fn a_cursor_of_another_list_is_refused(database: Database) {
    let service = Service::start(database).await;
    log_many(&service, 5).await;
    let stranger = Tenant::provision(&service.store).await;
    let theirs = stranger.api(&service.api);
    let path = service.tenant.path();
    let cursor = async |query: &str| {
        let page = service.api.get(&format!("/time-entries?limit=2&{query}")).send().await.is(200);
        page.text("nextCursor")
    };
    let plain = cursor("").await;
    let drafts = cursor("status=draft&billable=true").await;
    let ask =
        async |path: &str, query: &str| service.api.get(&format!("{path}?{query}")).send().await;
    // `limit` and the order of the parameters do not make another list.
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
    theirs
        .get(&format!("/time-entries?cursor={plain}"))
        .send()
        .await
        .refuses(&["cursor invalid_cursor"]);
    // Another key of the organization may continue.
    let other = service.with_key(|_| ()).await;
    other.get(&format!("/time-entries?cursor={plain}")).send().await.is(200);
}

async fn a_changed_cursor_is_refused(database: Database) {
    let service = Service::start(database).await;
    log_many(&service, 3).await;
    for order in ORDERS {
        let page =
            service.api.get(&format!("/time-entries?limit=1&sort={order}")).send().await.is(200);
        let cursor = page.text("nextCursor");
        let (cut, longer, empty) =
            (&cursor[..cursor.len() - 1], format!("{cursor}A"), String::new());
        let flipped =
            format!("{}{}", if cursor.starts_with('A') { 'B' } else { 'A' }, &cursor[1..]);
        let padded = format!("{cursor}=");
        let spaced = format!("%20{cursor}");
        let binary = "%00%ff".to_owned();
        let head = cursor[..32].to_owned();
        for wrong in
            [&empty, &longer, &flipped, &padded, &spaced, &binary, &head, &"x".repeat(5000)]
        {
            let answer = service
                .api
                .get(&format!("/time-entries?limit=1&sort={order}&cursor={wrong}"))
                .send()
                .await;
            answer.refuses(&["cursor invalid_cursor"]);
        }
        // A shortened value may still be an instant; it only must not fail with 5xx.
        let answer = service
            .api
            .get(&format!("/time-entries?limit=1&sort={order}&cursor={cut}"))
            .send()
            .await;
        assert!([200, 400].contains(&answer.status), "{}", answer.describe());
        let twice = service
            .api
            .get(&format!("/time-entries?sort={order}&cursor={cursor}&cursor={cursor}"))
            .send()
            .await;
        twice.refuses(&["cursor repeated"]);
    }
}

/// What paging must show: every entry that was there all the time, once, and no unknown entry.
#[track_caller]
fn is_fair(seen: &[Value], surviving: &BTreeSet<String>, order: &str) {
    let distinct: BTreeSet<_> = ids(seen).into_iter().map(str::to_owned).collect();
    assert_eq!(distinct.len(), seen.len(), "{order}: nothing is seen twice");
    let missed: Vec<_> = surviving.difference(&distinct).collect();
    assert!(missed.is_empty(), "{order}: {missed:?} were missed");
}

async fn paging_between_changes_shows_each_surviving_entry_once(database: Database) {
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
            // The entry of the cursor is deleted, one that was not seen yet is deleted, and new
            // ones are added at both ends.
            let unseen = surviving.iter().find(|id| !ids(&seen).contains(&id.as_str())).cloned();
            for gone in [Some(seen.last().unwrap()["id"].as_str().unwrap().to_owned()), unseen]
                .into_iter()
                .flatten()
            {
                service.api.delete(&format!("/time-entries/{gone}")).send().await;
                surviving.remove(&gone);
            }
            if pages % 3 == 0 {
                service.clock.advance(Duration::from_millis(1));
                for day in ["2025-01-14", "2025-01-15", "2025-01-16"] {
                    service
                        .log(&service.tenant.body_with(&json!({ "workDate": day })))
                        .send()
                        .await
                        .is(201);
                }
            }
        }
        is_fair(&seen, &surviving, order);
    }
}

async fn paging_during_writes_shows_each_surviving_entry_once(database: Database) {
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
