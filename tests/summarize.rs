//! `GET …/time-entries/summary`: totals of a list.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use timelog_domain::Action;

use crate::support::{Database, Service, Tenant, on_every_database};

on_every_database![
    every_group_adds_up_the_listed_entries,
    hours_are_derived_once_from_the_summed_minutes,
    totals_without_entries_are_zero,
    an_unknown_parameter_or_group_is_named,
    more_groups_than_an_answer_may_have_are_refused,
];

/// Logs entries that differ in every group.
async fn fill(service: &Service) {
    let tenant = &service.tenant;
    let days = [
        "2024-12-29",
        "2024-12-30",
        "2024-12-31",
        "2025-01-01",
        "2025-01-05",
        "2025-01-06",
        "2021-01-03",
    ];
    for number in 0..21 {
        let every = |nth: usize| number % nth == 0;
        let own = !every(5);
        let body = tenant.body_with(&json!({
            "userId": if every(2) { tenant.user_id } else { tenant.other_user_id }.to_string(),
            "workDate": days[number % days.len()],
            "billable": !every(3),
            "entryId": (own && every(2)).then(|| tenant.ticket_id.to_string()),
            "releaseId": (own && every(3)).then(|| tenant.release_id.to_string()),
            "minutes": 10 + number,
        }));
        let path = if own { tenant.path() } else { tenant.other_path() };
        let id = service.api.post(&path).json(&body).send().await.is(201).text("id");
        service.apply(&id, &[Action::Submit, Action::Approve][..number % 3]).await;
    }
    let stranger = Tenant::provision(&service.store).await;
    stranger.log_any(&service.api).send().await.is(201);
}

/// The ISO week of the days that are logged on.
fn week(day: &str) -> &'static str {
    match day {
        "2024-12-29" => "2024-W52",
        "2024-12-30" | "2024-12-31" | "2025-01-01" | "2025-01-05" => "2025-W01",
        "2025-01-06" => "2025-W02",
        "2021-01-03" => "2020-W53",
        other => panic!("no week is known for {other}"),
    }
}

fn group(entry: &Value, key: &str) -> Value {
    let day = entry["workDate"].as_str().unwrap();
    match key {
        "user" => entry["userId"].clone(),
        "entry" => entry["entryId"].clone(),
        "release" => entry["releaseId"].clone(),
        "project" => entry["projectId"].clone(),
        "invoice" => entry["invoiceRef"].clone(),
        "week" => json!(week(day)),
        "month" => json!(day[..7]),
        same => entry[same].clone(),
    }
}

/// The totals of entries.
fn totals<'a>(entries: impl IntoIterator<Item = &'a Value>) -> (u64, u64, u64) {
    entries.into_iter().fold((0, 0, 0), |(count, sum, billable), entry| {
        let minutes = entry["minutes"].as_u64().unwrap();
        (count + 1, sum + minutes, billable + if entry["billable"] == true { minutes } else { 0 })
    })
}

fn told(totals: &Value) -> (u64, u64, u64) {
    let number = |name: &str| totals[name].as_u64().unwrap();
    (number("entries"), number("minutes"), number("billableMinutes"))
}

async fn every_group_adds_up_the_listed_entries(database: Database) {
    let service = Service::start(database).await;
    fill(&service).await;
    let keys = [
        "user", "project", "entry", "release", "workDate", "week", "month", "status", "billable",
        "invoice",
    ];
    let several = [
        "user,month",
        "month,user",
        "status,billable",
        "week,workDate",
        "entry,release",
        "week,month",
        "project,invoice,status",
        "month,user,week",
    ];
    for path in ["/time-entries".to_owned(), service.tenant.path()] {
        for filter in ["", "status=draft&status=submitted", "billable=false&from=2025-01-01"] {
            let list = service
                .api
                .get(&format!("{path}?limit=200&include=invoiceRef&{filter}"))
                .send()
                .await
                .is(200)
                .json();
            let list = list["data"].as_array().unwrap();
            for by in keys.iter().chain(&several) {
                let query = format!("{path}/summary?groupBy={by}&{filter}");
                let summary = service.api.get(&query).send().await.is(200).json();
                let mut expected: BTreeMap<String, (Value, Vec<&Value>)> = BTreeMap::new();
                for entry in list {
                    let names = by.split(',').map(|key| (key.to_owned(), group(entry, key)));
                    let group: Value = names.collect();
                    expected.entry(group.to_string()).or_insert((group, Vec::new())).1.push(entry);
                }
                let rows = summary["data"].as_array().unwrap();
                assert_eq!(rows.len(), expected.len(), "{query}");
                for row in rows {
                    let (group, entries) = &expected[&row["group"].to_string()];
                    assert_eq!(
                        (&row["group"], told(row)),
                        (group, totals(entries.iter().copied())),
                        "{query}"
                    );
                }
                assert_eq!(told(&summary["total"]), totals(list), "{query}");
            }
        }
    }
}

async fn hours_are_derived_once_from_the_summed_minutes(database: Database) {
    let service = Service::start(database).await;
    // Three times 20 minutes are one hour, though 20 minutes alone are 0.33.
    for _ in 0..3 {
        service.log(&service.tenant.body_with(&json!({ "minutes": 20 }))).send().await.is(201);
    }
    let summary = service.api.get("/time-entries/summary?groupBy=user").send().await.is(200).json();
    let expected = json!({ "entries": 3, "minutes": 60, "hours": "1", "billableMinutes": 60 });
    assert_eq!(summary["total"], expected);
    assert_eq!(summary["data"][0]["hours"], "1");
    let body =
        json!({ "entries": vec![service.tenant.body_with(&json!({ "minutes": 1439 })); 100] });
    service.api.post(&format!("{}/batch", service.tenant.path())).json(&body).send().await.is(200);
    let summary = service.api.get("/time-entries/summary").send().await.is(200).json();
    assert_eq!(
        (&summary["total"]["minutes"], &summary["total"]["hours"]),
        (&json!(143_960), &json!("2399.33"))
    );
}

async fn totals_without_entries_are_zero(database: Database) {
    let service = Service::start(database).await;
    let nothing = json!({ "entries": 0, "minutes": 0, "hours": "0", "billableMinutes": 0 });
    service.log_any().send().await.is(201);
    for query in ["status=locked", "status=locked&groupBy=month"] {
        let summary =
            service.api.get(&format!("/time-entries/summary?{query}")).send().await.is(200).json();
        assert_eq!(summary, json!({ "data": [], "total": nothing }));
    }
    let all =
        service.api.get(&format!("{}/summary", service.tenant.path())).send().await.is(200).json();
    assert_eq!((&all["data"], &all["total"]["entries"]), (&json!([]), &json!(1)));
}

async fn an_unknown_parameter_or_group_is_named(database: Database) {
    let service = Service::start(database).await;
    for (query, violations) in [
        ("groupBy=", ["groupBy unknown_value"].as_slice()),
        ("groupBy=person", &["groupBy unknown_value"]),
        ("groupBy=User", &["groupBy unknown_value"]),
        ("groupBy=user,", &["groupBy unknown_value"]),
        ("groupBy=user,user", &["groupBy unknown_value"]),
        ("groupBy=user,month,status,project", &["groupBy unknown_value"]),
        ("groupBy=user,month,user", &["groupBy unknown_value"]),
        ("groupBy=user&groupBy=month", &["groupBy repeated"]),
        ("limit=5&sort=workDate", &["limit unknown_parameter", "sort unknown_parameter"]),
        ("from=2025-01-02&to=2025-01-01&status=x", &["from out_of_range", "status unknown_value"]),
    ] {
        for path in ["/time-entries".to_owned(), service.tenant.path()] {
            service.api.get(&format!("{path}/summary?{query}")).send().await.refuses(violations);
        }
    }
}

async fn more_groups_than_an_answer_may_have_are_refused(database: Database) {
    let service = Service::start(database).await;
    service.log_any().send().await.is(201);
    let (numbers, id, day, yes) = match database {
        Database::Sqlite => (
            "WITH RECURSIVE numbers (number) AS (SELECT 0 UNION ALL SELECT number + 1 FROM numbers \
             LIMIT 100000)",
            "randomblob(16)",
            "number - 719162",
            "1",
        ),
        Database::Postgres => (
            "WITH numbers (number) AS (SELECT generate_series(0, 99999))",
            "gen_random_uuid()",
            "date '0001-01-01' + number",
            "true",
        ),
    };
    service.database.execute(&format!(
        "{numbers} INSERT INTO time_entries (organization_id, id, project_id, user_id, work_date, \
         minutes, billable, source, status, version, created_at, updated_at) \
         SELECT organization_id, {id}, project_id, user_id, {day}, 1, {yes}, source, status, 1, \
         created_at, updated_at FROM time_entries CROSS JOIN numbers"
    ));
    for by in ["workDate", "user,workDate,status", "week,workDate"] {
        let path = format!("/time-entries/summary?groupBy={by}");
        let refused = service.api.get(&path).send().await.refuses(&["groupBy out_of_range"]);
        let message = refused.json()["errors"][0]["message"].clone();
        let expected = "makes more than 100000 groups; name a shorter time, or group by less";
        assert_eq!(message, expected, "{by}");
    }
    let path = "/time-entries/summary?groupBy=workDate&to=2000-01-01";
    let most = service.api.get(path).send().await.is(200).json();
    assert_eq!(most["data"].as_array().unwrap().len(), 100_000);
    assert_eq!(most["total"]["entries"], 100_000);
    // Weeks and months are fewer.
    for by in ["week", "month", "week,month"] {
        let path = format!("/time-entries/summary?groupBy={by}");
        let all = service.api.get(&path).send().await.is(200).json();
        assert_eq!(all["total"]["entries"], 100_001, "{by}");
    }
}
