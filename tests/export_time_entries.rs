//! `GET …/time-entries.csv`: the whole list as one table.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use timelog_domain::Action;
use uuid::Uuid;

use crate::support::{Answer, Database, Service, on_every_database};

on_every_database![
    an_export_is_a_table_with_a_header,
    an_export_has_the_same_entries_as_the_list,
    texts_are_guarded_against_formulas_and_stay_in_their_cells,
    thousands_of_rows_are_exported_without_a_gap,
    an_unknown_parameter_is_named,
];

pub(crate) const COLUMNS: &str = "id,projectId,userId,entryId,releaseId,workDate,hours,minutes,description,billable,source,status,\
                       invoiced,externalRef.provider,externalRef.externalType,externalRef.externalId,version,createdAt,\
                       updatedAt,projectName,userName,entryTitle,releaseName";

/// Reads CSV exactly as RFC 4180 says, with code of its own and not with the library that wrote it.
fn parse(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(letters.next(), Some('\n'), "a line ends in CRLF");
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            letter => cell.push(letter),
        }
    }
    assert!(!quoted && row.is_empty() && cell.is_empty(), "the last line is whole");
    rows
}

/// The rows of an export, each by the names of its columns.
fn rows(answer: &Answer) -> Vec<BTreeMap<String, String>> {
    let mut rows = parse(std::str::from_utf8(&answer.body).unwrap()).into_iter();
    let names = rows.next().unwrap();
    assert_eq!(names.join(","), COLUMNS);
    rows.map(|row| {
        assert_eq!(row.len(), names.len());
        names.iter().cloned().zip(row).collect()
    })
    .collect()
}

async fn an_export_is_a_table_with_a_header(database: Database) {
    let service = Service::start(database).await;
    for path in ["/time-entries.csv".to_owned(), format!("{}.csv", service.tenant.path())] {
        let empty = service.api.get(&path).send().await.is(200);
        assert_eq!(empty.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
        assert_eq!(
            empty.header("content-disposition"),
            Some("attachment; filename=\"time-entries.csv\"")
        );
        assert_eq!(String::from_utf8(empty.body).unwrap(), format!("{COLUMNS}\r\n"));
        let head = service.api.call(Method::HEAD, &path).send().await.is(200);
        assert!(head.body.is_empty());
    }
}

async fn an_export_has_the_same_entries_as_the_list(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    for number in 0..12 {
        let body = tenant.body_with(&json!({
            "workDate": format!("2025-01-{:02}", 1 + number % 5),
            "minutes": 100 + number,
            "billable": number % 2 == 0 || number % 4 == 3,
            "description": (number % 3 == 0).then_some("Zażółć, \"quoted\""),
            "entryId": (number % 4 == 0).then(|| tenant.ticket_id.to_string()),
            "releaseId": (number % 5 == 0).then(|| tenant.release_id.to_string()),
            "externalRef": { "provider": "p", "externalType": "t", "externalId": number.to_string() },
        }));
        let id = service.log(&body).send().await.is(201).text("id");
        service.apply(&id, &[Action::Submit, Action::Approve, Action::Invoice][..number % 4]).await;
    }
    service.api.post(&tenant.other_path()).json(&tenant.body()).send().await.is(201);
    for (path, query) in [
        ("/time-entries".to_owned(), ""),
        (tenant.path(), ""),
        (tenant.path(), "sort=createdAt"),
        (tenant.path(), "status=draft&status=invoiced&sort=workDate"),
        ("/time-entries".to_owned(), "billable=false&from=2025-01-02&to=2025-01-03"),
        (
            "/time-entries".to_owned(),
            "externalRef.provider=p&externalRef.externalType=t&externalRef.externalId=7",
        ),
        (tenant.path(), "externalRef.provider=x"),
    ] {
        let list =
            service.api.get(&format!("{path}?limit=200&{query}")).send().await.is(200).json();
        let exported = rows(&service.api.get(&format!("{path}.csv?{query}")).send().await.is(200));
        let listed = list["data"].as_array().unwrap();
        assert_eq!(exported.len(), listed.len(), "{path} {query}");
        for (row, entry) in exported.iter().zip(listed) {
            for (name, value) in
                entry.as_object().unwrap().iter().filter(|(name, _)| *name != "organizationId")
            {
                let shown = match value {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(row[name], shown, "{name}");
            }
            let tag = service.read(&row["id"]).await;
            assert_eq!(tag.header("etag"), Some(format!("\"{}\"", row["version"]).as_str()));
        }
        let numbered =
            exported.iter().filter(|row| row["projectId"] == tenant.project_id.to_string());
        for row in numbered {
            let number = row["minutes"].parse::<usize>().unwrap() - 100;
            let reference = ["provider", "externalType", "externalId"]
                .map(|part| &row[&format!("externalRef.{part}")]);
            assert_eq!(reference, ["p", "t", &number.to_string()]);
        }
    }
}

async fn texts_are_guarded_against_formulas_and_stay_in_their_cells(database: Database) {
    let service = Service::start(database).await;
    // Without a guard the last two would look like a guarded text and like no text.
    let guarded = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t1",
        "\r1",
        "\n1",
        "＝1",
        "=HYPERLINK(\"http://x\",\"y\")",
        "'=1",
        "",
    ];
    let harmless =
        ["1+1", " =1", "a,b", "a\"b", "a\r\nb", "\"", ",", "'a", "é 🦆", "a; b", "a - b"];
    // A program that splits the text further gets no formula either.
    let inside = [
        ("a;=1", "a;'=1"),
        ("a\t=1", "a\t'=1"),
        ("a\r\n=1", "a\r\n'=1"),
        ("a\n-b\n-c", "a\n'-b\n'-c"),
        ("a,+1;'@x", "a,'+1;''@x"),
        ("a\"=1", "a\"'=1"),
        ("\t=1", "'\t'=1"),
    ];
    let mut expected = BTreeMap::new();
    let guarded = guarded.iter().map(|text| (*text, format!("'{text}")));
    let others = harmless.iter().map(|text| (*text, (*text).to_owned()));
    let inside = inside.iter().map(|(text, shown)| (*text, (*shown).to_owned()));
    for (number, (text, shown)) in guarded.chain(others).chain(inside).enumerate() {
        // A part of a reference cannot be empty.
        let (part, shown_part) =
            if text.is_empty() { ("x", "x".to_owned()) } else { (text, shown.clone()) };
        let reference = json!({ "provider": part, "externalType": part, "externalId": format!("{part}{number}") });
        let body =
            service.tenant.body_with(&json!({ "description": text, "externalRef": reference }));
        let id = service.log(&body).send().await.is(201).text("id");
        expected.insert(id, (shown, shown_part));
    }
    let exported = rows(&service.api.get("/time-entries.csv").send().await.is(200));
    assert_eq!(exported.len(), expected.len());
    for row in exported {
        let (text, part) = &expected[&row["id"]];
        assert_eq!(&row["description"], text);
        assert_eq!((&row["externalRef.provider"], &row["externalRef.externalType"]), (part, part));
        assert!(row["externalRef.externalId"].starts_with(part));
    }
}

async fn thousands_of_rows_are_exported_without_a_gap(database: Database) {
    let service = Service::start(database).await;
    let mut ids = Vec::new();
    for batch in 0..5 {
        let body = |number| {
            service
                .tenant
                .body_with(&json!({ "minutes": 1 + number, "description": "x".repeat(50) }))
        };
        let body = json!({ "entries": (0..500).map(body).collect::<Vec<_>>() });
        let path = format!("{}/batch", service.tenant.path());
        let answer = service.api.post(&path).json(&body).send().await.is(200).json();
        let results = answer["results"].as_array().unwrap();
        ids.extend(results.iter().map(|result| result["entry"]["id"].as_str().unwrap().to_owned()));
        assert_eq!(ids.len(), 500 * (batch + 1));
    }
    ids.sort();
    let exported = service.api.get("/time-entries.csv?sort=workDate").send().await.is(200);
    // Its length is not known at the start.
    assert_eq!(exported.header("content-length"), None);
    let exported: Vec<_> = rows(&exported).iter().map(|row| row["id"].clone()).collect();
    assert_eq!(exported, ids);
}

async fn an_unknown_parameter_is_named(database: Database) {
    let service = Service::start(database).await;
    let own = format!("{}.csv", service.tenant.path());
    let others = own.replace(".csv", ".xlsx");
    for path in ["/time-entries.csv", &own, "/time-entries.xlsx", &others] {
        for (query, violations) in [
            ("limit=5", ["limit unknown_parameter"].as_slice()),
            (
                "cursor=x&includeTotal=true",
                &["cursor unknown_parameter", "includeTotal unknown_parameter"],
            ),
            (
                "status=x&sort=x&from=x",
                &["status unknown_value", "sort unknown_value", "from invalid_date"],
            ),
            ("from=2025-01-02&to=2025-01-01", &["from out_of_range"]),
            ("billable=true&billable=true", &["billable repeated"]),
        ] {
            service.api.get(&format!("{path}?{query}")).send().await.refuses(violations);
        }
    }
    let project = service.tenant.project_id;
    let limited = service.with_key(move |key| key.project_id = Some(project)).await;
    for kind in ["csv", "xlsx"] {
        let missing = format!("/projects/{}/time-entries.{kind}", Uuid::now_v7());
        service.api.get(&missing).send().await.fails_with(404, "not_found");
        let none = format!("/projects/x/time-entries.{kind}");
        service.api.get(&none).send().await.refuses(&["projectId invalid_id"]);
        let own = format!("{}.{kind}", service.tenant.path());
        limited.get(&own).send().await.is(200);
        let all = format!("/time-entries.{kind}");
        limited.get(&all).send().await.fails_with(403, "scope_violation");
        let theirs = format!("{}.{kind}", service.tenant.other_path());
        limited.get(&theirs).send().await.fails_with(403, "scope_violation");
        service.api.without_key().get(&own).send().await.fails_with(401, "unauthorized");
    }
}
