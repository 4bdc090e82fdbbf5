//! `GET …/time-entries.xlsx`: the whole list as a workbook, read back by another library.

use std::collections::BTreeSet;
use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use reqwest::Method;
use serde_json::{Value, json};
use timelog_domain::Action;

use crate::export_time_entries::COLUMNS;
use crate::support::{Answer, Database, Program, Service, bootstrap, on_every_database};

on_every_database![
    a_workbook_has_the_same_entries_as_the_list,
    texts_are_what_they_were,
    days_that_spreadsheets_do_not_know_are_texts,
    thousands_of_rows_are_one_sheet_with_their_total,
    a_workbook_without_entries_has_a_header_and_a_total,
];

/// The cells of a workbook with one sheet.
pub(crate) fn cells(answer: &Answer) -> Vec<Vec<Data>> {
    let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(&answer.body)).unwrap();
    assert_eq!(workbook.sheet_names(), ["Time entries 1"]);
    let sheet = workbook.worksheet_range("Time entries 1").unwrap();
    let rows: Vec<_> = sheet.rows().map(<[Data]>::to_vec).collect();
    assert_eq!(rows[0], COLUMNS.split(',').map(text).collect::<Vec<_>>());
    rows
}

pub(crate) fn text(text: &str) -> Data {
    Data::String(text.to_owned())
}

/// The place of a column.
pub(crate) fn column(name: &str) -> usize {
    COLUMNS.split(',').position(|column| column == name).unwrap()
}

/// A cell as an answer shows it, where it is a date, in the same way.
fn shown(name: &str, cell: &Data) -> Value {
    match cell {
        Data::Empty => Value::Null,
        Data::String(text) => json!(text),
        Data::Bool(flag) => json!(flag),
        Data::Float(hours) if name == "hours" => json!(hours.to_string()),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is a count of minutes, or a version"
        )]
        Data::Float(number) => json!(*number as i64),
        Data::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
            let day = format!("{year:04}-{month:02}-{day:02}");
            if name == "workDate" {
                assert_eq!((hour, minute, second, milli), (0, 0, 0, 0));
                json!(day)
            } else {
                json!(format!("{day}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"))
            }
        }
        other => panic!("{name}: {other:?}"),
    }
}

async fn a_workbook_has_the_same_entries_as_the_list(database: Database) {
    let service = Service::start(database).await;
    let tenant = &service.tenant;
    let (project, user) = (tenant.project_id, tenant.user_id);
    for (path, body) in [
        (format!("/projects/{project}"), json!({ "name": "Project" })),
        (format!("/projects/{}", tenant.other_project_id), json!({ "name": "Other project" })),
        (format!("/users/{user}"), json!({ "name": "User" })),
        (format!("/projects/{project}/entries/{}", tenant.ticket_id), json!({ "title": "Ticket" })),
        (
            format!("/projects/{project}/releases/{}", tenant.release_id),
            json!({ "name": "Release" }),
        ),
    ] {
        service.api.call(Method::PUT, &path).json(&body).send().await.is(200);
    }
    for number in 0..12 {
        let body = tenant.body_with(&json!({
            "workDate": format!("2025-01-{:02}", 1 + number % 5),
            "minutes": 100 + number,
            "billable": number % 2 == 0 || number % 4 == 3,
            "entryId": (number % 4 == 0).then(|| tenant.ticket_id.to_string()),
            "releaseId": (number % 5 == 0).then(|| tenant.release_id.to_string()),
            "externalRef": { "provider": "p", "externalType": "t", "externalId": number.to_string() },
        }));
        let id = service.log(&body).send().await.is(201).text("id");
        service.apply(&id, &[Action::Submit, Action::Approve, Action::Invoice][..number % 4]).await;
    }
    service.api.post(&tenant.other_path()).json(&tenant.body()).send().await.is(201);
    for (path, query, kept) in [
        ("/time-entries".to_owned(), "sort=-createdAt", 13),
        (tenant.path(), "", 12),
        (tenant.path(), "status=draft&status=invoiced&sort=workDate", 6),
        (tenant.path(), "releaseId=none", 9),
    ] {
        let list = format!("{path}?limit=200&include=externalRef,version&{query}");
        let list = service.api.get(&list).send().await.is(200).json();
        let book = service.api.get(&format!("{path}.xlsx?{query}")).send().await.is(200);
        let rows = cells(&book);
        let (total, rows) = rows[1..].split_last().unwrap();
        let entries = list["data"].as_array().unwrap();
        assert_eq!((rows.len(), entries.len()), (kept, kept), "{path} {query}");
        for (row, entry) in rows.iter().zip(entries) {
            for (name, cell) in COLUMNS.split(',').zip(row) {
                let expected = match name {
                    "projectName" if entry["projectId"] == project.to_string() => json!("Project"),
                    "projectName" => json!("Other project"),
                    "userName" => json!("User"),
                    "entryTitle" => {
                        entry["entryId"].as_str().map_or(Value::Null, |_| json!("Ticket"))
                    }
                    "releaseName" => {
                        entry["releaseId"].as_str().map_or(Value::Null, |_| json!("Release"))
                    }
                    name => name.split('.').fold(entry, |value, part| &value[part]).clone(),
                };
                assert_eq!(shown(name, cell), expected, "{name}");
            }
        }
        let minutes = entries.iter().map(|entry| entry["minutes"].as_u64().unwrap()).sum::<u64>();
        is_total(total, minutes);
    }
}

/// The row has the sum of the minutes, and the hours that this is.
fn is_total(row: &[Data], minutes: u64) {
    assert_eq!(row[0], text("Total"));
    // Half a hundredth is rounded up.
    let hundredths = (minutes * 100 + 30) / 60;
    let hours = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    for (place, cell) in row.iter().enumerate().skip(1) {
        let expected = if place == column("minutes") {
            minutes.to_string()
        } else if place == column("hours") {
            hours.clone()
        } else {
            assert_eq!(*cell, Data::Empty);
            continue;
        };
        let Data::Float(number) = cell else { panic!("{cell:?}") };
        let number =
            if place == column("hours") { format!("{number:.2}") } else { number.to_string() };
        assert_eq!(number, expected);
    }
}

async fn texts_are_what_they_were(database: Database) {
    let service = Service::start(database).await;
    let texts = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "'=1",
        "{=1}",
        "1",
        "0012",
        "1e5",
        "2025-01-15",
        "TRUE",
        "http://x.example/",
        "mailto:ann@x.example",
        " a  b ",
        "a\tb\nc",
        "a<b>&amp;\"c\"]]>",
        "_x0041_",
        "Zażółć 🦆",
        "-",
    ];
    for text in texts {
        let reference = json!({ "provider": text, "externalType": "t", "externalId": text });
        let body = json!({ "description": text, "externalRef": reference });
        let body = service.tenant.body_with(&body);
        service.log(&body).send().await.is(201);
    }
    let book = service.api.get("/time-entries.xlsx").send().await.is(200);
    let rows = cells(&book);
    for name in ["description", "externalRef.provider", "externalRef.externalId"] {
        let found = rows[1..rows.len() - 1].iter().map(|row| match &row[column(name)] {
            Data::String(text) => text.as_str(),
            other => panic!("{name}: {other:?}"),
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), BTreeSet::from(texts), "{name}");
    }
    let mut workbook: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(book.body)).unwrap();
    let formulas = workbook.worksheet_formula("Time entries 1").unwrap();
    let formulas: Vec<_> = formulas.used_cells().map(|(_, _, formula)| formula.as_str()).collect();
    let minutes = "SUM('Time entries 1'!H2:H20)";
    assert_eq!(formulas, [format!("ROUND({minutes}/60,2)"), minutes.to_owned()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_for_a_workbook_csv_is_still_exported() {
    let database = Database::Sqlite.create();
    let made = bootstrap(&database.url());
    let nowhere = [("TMPDIR", "/nowhere".to_owned())];
    let mut program = Program::begin_with(&database.url(), &[], &nowhere).serving();
    let api = program.api.with_key(&made.key);
    let refused = api.get("/time-entries.xlsx").send().await.fails_with(503, "unavailable");
    assert!(refused.text("detail").starts_with("There is no room to make a workbook."));
    program.wait_for_log(|line| line["message"] == "a workbook cannot be written");
    api.get("/time-entries.csv").send().await.is(200);
}

async fn days_that_spreadsheets_do_not_know_are_texts(database: Database) {
    let service = Service::start(database).await;
    for day in ["0001-01-01", "1900-02-28", "1900-03-01", "9999-12-31"] {
        let body = service.tenant.body_with(&json!({ "workDate": day, "description": "" }));
        service.log(&body).send().await.is(201);
    }
    let rows = cells(&service.api.get("/time-entries.xlsx?sort=workDate").send().await.is(200));
    let days: Vec<_> = rows[1..5].iter().map(|row| &row[column("workDate")]).collect();
    assert_eq!(days[..2], [&text("0001-01-01"), &text("1900-02-28")]);
    assert_eq!(shown("workDate", days[2]), "1900-03-01");
    assert_eq!(shown("workDate", days[3]), "9999-12-31");
}

async fn thousands_of_rows_are_one_sheet_with_their_total(database: Database) {
    let service = Service::start(database).await;
    for _ in 0..3 {
        let body = |minutes| service.tenant.body_with(&json!({ "minutes": minutes }));
        let body = json!({ "entries": (1..=500).map(body).collect::<Vec<_>>() });
        service
            .api
            .post(&format!("{}/batch", service.tenant.path()))
            .json(&body)
            .send()
            .await
            .is(200);
    }
    let rows = cells(&service.api.get("/time-entries.xlsx").send().await.is(200));
    assert_eq!(rows.len(), 1502);
    is_total(&rows[1501], 3 * 500 * 501 / 2);
}

async fn a_workbook_without_entries_has_a_header_and_a_total(database: Database) {
    let service = Service::start(database).await;
    for path in ["/time-entries.xlsx".to_owned(), format!("{}.xlsx", service.tenant.path())] {
        let empty = service.api.get(&path).send().await.is(200);
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        assert_eq!(empty.header("content-type"), Some(kind));
        let disposition = "attachment; filename=\"time-entries.xlsx\"";
        assert_eq!(empty.header("content-disposition"), Some(disposition));
        let rows = cells(&empty);
        assert_eq!(rows.len(), 2);
        is_total(&rows[1], 0);
        let head = service.api.call(Method::HEAD, &path).send().await.is(200);
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-type"), Some(kind));
    }
}
