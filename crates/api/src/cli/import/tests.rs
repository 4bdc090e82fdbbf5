//! Whole files, imported into a store in memory.

use proptest::prelude::*;
use timelog_domain::memory::{ManualClock, MemoryStore};
use timelog_domain::{
    Command, LogTimeEntry, PageRequest, Project, Request, Sort, TimeEntry, TimeEntryId, User,
};

use super::*;
use crate::cli::export;

const ORGANIZATION: Uuid = Uuid::from_u128(1);
const ELSEWHERE: Uuid = Uuid::from_u128(2);
const PROJECT: Uuid = Uuid::from_u128(3);
const ANN: Uuid = Uuid::from_u128(4);
const BOB: Uuid = Uuid::from_u128(5);
const LEFT: Uuid = Uuid::from_u128(6);

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A store with two organizations that have the same project and users. One user is inactive.
fn store() -> MemoryStore {
    let store = MemoryStore::new(ManualClock::default());
    for organization in [ORGANIZATION, ELSEWHERE] {
        let organization_id = OrganizationId::new(organization);
        run(store.put_organization(organization_id, "O".parse().unwrap())).unwrap();
        let project = ProjectId::new(PROJECT);
        let project =
            Project { organization_id, id: project, name: "P".parse().unwrap(), archived: false };
        run(store.put_project(project)).unwrap();
        for (id, active) in [(ANN, true), (BOB, true), (LEFT, false)] {
            let user =
                User { organization_id, id: UserId::new(id), name: "U".parse().unwrap(), active };
            run(store.put_user(user)).unwrap();
        }
    }
    store
}

/// An import of a file with options.
struct Case {
    name: &'static str,
    text: String,
    organization: Uuid,
    map: Vec<Mapping>,
    conditions: Vec<Condition>,
    dates: Option<DateFormat>,
    users: Users,
    dry_run: bool,
}

fn import(name: &'static str, text: impl Into<String>) -> Case {
    let users = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(users.path(), format!("ann@x.org,{ANN}\nBob,{BOB}\nleft@x.org,{LEFT}\n"))
        .unwrap();
    Case {
        name,
        text: text.into(),
        organization: ORGANIZATION,
        map: Vec::new(),
        conditions: Vec::new(),
        dates: None,
        users: Users::read(users.path()).unwrap(),
        dry_run: false,
    }
}

impl Case {
    /// Imports the file. Returns the counts (created, updated, unchanged, refused, skipped) and the
    /// report of refused rows.
    fn try_load(&self, store: &MemoryStore) -> anyhow::Result<([u64; 5], Vec<String>)> {
        let folder = tempfile::tempdir().unwrap();
        let (path, refused) = (folder.path().join(self.name), folder.path().join("refused.csv"));
        std::fs::write(&path, &self.text).unwrap();
        let source = Source {
            path,
            format: Format::Auto,
            map: self.map.clone(),
            conditions: self.conditions.clone(),
            dates: self.dates.clone(),
            delimiter: b',',
        };
        let bar = ProgressBar::hidden();
        let file =
            Target::new(refused.clone(), "--refused", false, Kept::default()).open().unwrap();
        let mut report = RefusedRows::to(Some(file), &bar).unwrap();
        let job = Job {
            organization: OrganizationId::new(self.organization),
            project: ProjectId::new(PROJECT),
            users: &self.users,
            dry_run: self.dry_run,
            bar: &bar,
        };
        let Counts { created, updated, unchanged, refused: count, skipped } =
            run(job.run(store, &source, &mut report))?;
        report.finish().unwrap();
        let report: Vec<_> = csv::Reader::from_path(&refused)
            .unwrap()
            .records()
            .map(|row| row.unwrap().iter().collect::<Vec<_>>().join(" | "))
            .collect();
        Ok(([created, updated, unchanged, count, skipped], report))
    }

    fn load(&self, store: &MemoryStore) -> ([u64; 5], Vec<String>) {
        self.try_load(store).unwrap()
    }
}

/// Every entry of an organization, oldest day first.
fn entries(store: &MemoryStore, organization: Uuid) -> Vec<TimeEntry> {
    let sort: Sort = "workDate".parse().unwrap();
    let request = PageRequest {
        filter: timelog_domain::Filter::default(),
        sort,
        after: None,
        limit: 100_000,
    };
    run(store.list(OrganizationId::new(organization), request)).unwrap().items
}

/// Each entry in short.
fn summaries(store: &MemoryStore, organization: Uuid) -> Vec<String> {
    let summary = |entry: &TimeEntry| {
        let details = entry.details();
        let who = if details.user_id.uuid() == ANN { "ann" } else { "bob" };
        let text = details.description.as_ref().map(timelog_domain::Description::as_str);
        let (minutes, billable) = (details.duration.minutes(), details.billable);
        format!("{who} {} {minutes} {billable} {text:?}", details.work_date)
    };
    entries(store, organization).iter().map(summary).collect()
}

const TOGGL: &str = "\
User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End \
time,Duration,Tags,Amount (USD)\r\n\
Ann,ann@x.org,C,Web,,Login,Yes,2025-01-15,09:00:00,2025-01-15,11:30:29,02:30:29,dev,10.00\r\n\
Bob,bob@x.org,C,Web,,\"Two\r\nlines\",No,2025-01-16,23:30:00,2025-01-17,00:30:30,01:00:30,,\r\n\
Ann,ann@x.org,C,App,,,No,2025-01-17,09:00:00,2025-01-17,09:15:00,00:15:00,,\r\n\
Ann,ann@x.org,C,App,,,No,2025-01-17,09:00:00,2025-01-17,09:15:00,00:15:00,,\r\n";

#[test]
fn importing_a_report_of_toggl_track_again_adds_nothing() {
    let (store, file) = (store(), import("toggl.csv", format!("\u{feff}{TOGGL}")));
    assert_eq!(file.load(&store), ([4, 0, 0, 0, 0], vec![]));
    let found = summaries(&store, ORGANIZATION);
    assert_eq!(found[0], "ann 2025-01-15 150 true Some(\"Login\")");
    assert_eq!(found[1], "bob 2025-01-16 61 false Some(\"Two\\r\\nlines\")");
    assert_eq!(found[2..], ["ann 2025-01-17 15 false None"; 2]);
    assert!(
        entries(&store, ORGANIZATION)
            .iter()
            .all(|entry| entry.source() == timelog_domain::Source::Import)
    );
    assert_eq!(file.load(&store), ([0, 0, 4, 0, 0], vec![]));
    assert_eq!(entries(&store, ORGANIZATION).len(), 4);
}

#[test]
fn a_row_has_the_same_reference_in_every_version() {
    let json = format!(
        "{{\"userId\":\"{ANN}\",\"workDate\":\"2025-01-15\",\"minutes\":90,\"description\":\"Löten\"}}\n"
    );
    let own = format!("userId,workDate,hours,note\n{ANN},2025-01-15,1.5,Löten\n");
    for (name, text, expected) in [
        ("toggl.csv", TOGGL.to_owned(), "ea6c8ca04d89cded8089212c5f73c94d-1"),
        ("own.csv", own, "95dc0ba3b056f43ef022d8c89821db84-1"),
        ("rows.ndjson", json, "94b75c7053cd79f9063050306d1ebdbd-1"),
    ] {
        let store = store();
        import(name, text).load(&store);
        let reference =
            entries(&store, ORGANIZATION)[0].external_ref().unwrap().external_id.to_string();
        assert_eq!(reference, expected, "{name}");
    }
}

#[test]
fn a_later_report_that_overlaps_adds_only_new_rows() {
    let store = store();
    import("a.csv", TOGGL).load(&store);
    // In another order, with times of 12 hours, other tags, clients and amounts, and one more row.
    let (header, rows) = TOGGL.split_once("\r\n").unwrap();
    let later = rows
        .replace("09:00:00,", "9:00 AM,")
        .replace(",dev,10.00", ",dev old,99.00")
        .replace(",C,", ",Client,")
        .replace("ann@x.org", "Ann@X.org");
    let (first, rest) = later.split_once("\r\n").unwrap();
    let more = "Ann,ann@x.org,C,App,,,No,2025-01-17,09:00:00,2025-01-17,09:15:00,00:15:00,,\r\n";
    let later = import("b.csv", format!("{header}\r\n{rest}{first}\r\n{more}"));
    assert_eq!(later.load(&store), ([1, 0, 4, 0, 0], vec![]));
}

#[test]
fn a_row_that_was_edited_elsewhere_is_a_new_entry() {
    let store = store();
    import("a.csv", TOGGL).load(&store);
    assert_eq!(import("a.csv", TOGGL.replace("Login", "Logout")).load(&store).0, [1, 0, 3, 0, 0]);
}

#[test]
fn other_users_or_columns_update_the_entries_and_add_none() {
    let store = store();
    import("a.csv", TOGGL).load(&store);
    let everybody = Case { users: Users::one(UserId::new(BOB)), ..import("a.csv", TOGGL) };
    assert_eq!(everybody.load(&store).0, [0, 3, 1, 0, 0]);
    let mapped =
        Case { map: vec!["description=Project".parse().unwrap()], ..import("a.csv", TOGGL) };
    assert_eq!(mapped.load(&store).0, [0, 4, 0, 0, 0]);
    assert_eq!(summaries(&store, ORGANIZATION)[0], "ann 2025-01-15 150 true Some(\"Web\")");
}

#[test]
fn rows_can_be_left_out_and_the_others_keep_their_references() {
    let store = store();
    let apps = Case { conditions: vec!["Project=App".parse().unwrap()], ..import("a.csv", TOGGL) };
    assert_eq!(apps.load(&store).0, [2, 0, 0, 0, 2]);
    assert_eq!(import("a.csv", TOGGL).load(&store).0, [2, 0, 2, 0, 0]);
    // Rows that differ only in a column that does not identify them. The second keeps its number
    // where the first is left out.
    let row = "Ann,ann@x.org,C,Web,,,No,2025-02-01,09:00:00,2025-02-01,09:15:00,00:15:00,";
    let text = format!("{}\r\n{row}first,\r\n{row}second,\r\n", TOGGL.lines().next().unwrap());
    let both = Case { map: vec!["description=Tags".parse().unwrap()], ..import("b.csv", text) };
    let second = Case {
        conditions: vec!["Tags=second".parse().unwrap()],
        map: both.map.clone(),
        ..import("b.csv", both.text.clone())
    };
    assert_eq!(second.load(&store).0, [1, 0, 0, 0, 1]);
    assert_eq!(both.load(&store).0, [1, 0, 1, 0, 0]);
}

const CLOCKIFY: &str = "\
Project,Client,Description,Task,User,Group,Email,Tags,Billable,Start Date,Start Time,End Date,End \
Time,Duration (h),\
Duration (decimal),Billable Rate (USD),Billable Amount (USD)
Web,C,Logo,,Ann,,ann@x.org,,Yes,03/04/2025,02:00 PM,03/04/2025,03:40 PM,01:40:00,1.67,0,0
";

#[test]
fn an_ambiguous_day_is_refused_until_its_format_is_given() {
    let store = store();
    let (counts, report) = import("c.csv", CLOCKIFY).load(&store);
    assert_eq!(counts, [0, 0, 0, 1, 0]);
    assert!(
        report[0].starts_with("2 | workDate | “03/04/2025”") && report[0].contains("--date-format"),
        "{report:?}"
    );
    let european = Case { dates: "DD/MM/YYYY".parse().ok(), ..import("c.csv", CLOCKIFY) };
    assert_eq!(european.load(&store).0, [1, 0, 0, 0, 0]);
    assert_eq!(summaries(&store, ORGANIZATION), ["ann 2025-04-03 100 true Some(\"Logo\")"]);
    // The same report with another format of days.
    let iso = CLOCKIFY.replace("03/04/2025", "2025-04-03").replace("02:00 PM", "14:00");
    assert_eq!(
        import("c.csv", iso.replace("03:40 PM", "15:40:00")).load(&store).0,
        [0, 0, 1, 0, 0]
    );
}

#[test]
fn refused_rows_are_reported_with_their_lines_and_faults_and_the_others_imported() {
    let store = store();
    let text = format!(
        "userId,workDate,minutes,description,billable,entryId\r\n\
         {ANN},2025-01-01,60,\"two\r\nlines\",true,\r\n\
         \r\n\
         {ANN},2025-02-30,1441,,maybe,7\r\n\
         nobody,2025-01-01,60,,,\r\n\
         {LEFT},2025-01-01,60,,,\r\n\
         {ANN},2025-01-01,60,,,{PROJECT}\r\n\
         {ANN},2025-01-01\r\n\
         {ANN},2025-01-02,60,last,,\r\n"
    );
    let (counts, report) = import("t.csv", text).load(&store);
    assert_eq!(counts, [2, 0, 0, 5, 0]);
    let expected = [
        "5 | workDate | “2025-02-30” is no day",
        "5 | minutes | must be a whole number of minutes from 1 to 1440",
        "5 | billable | “maybe” is neither",
        "5 | entryId | must be a hyphenated UUID",
        "6 | userId | “nobody” is no id of a user",
        "7 | userId | must name an active user",
        "8 | entryId | must name an entry of this project",
        "9 |  | the row has 2 cells and the header 6",
    ];
    assert_eq!(report.len(), expected.len(), "{report:#?}");
    for (report, expected) in report.iter().zip(expected) {
        assert!(report.starts_with(expected), "{report} is not {expected}");
    }
}

#[test]
fn a_dry_run_reports_the_results_and_stores_nothing() {
    let store = store();
    let row = |id: &str, minutes: u16| {
        format!(
            r#"{{"userId":"{ANN}","workDate":"2025-01-15","minutes":{minutes},"externalRef":{{"provider":"p","externalType":"t","externalId":"{id}"}}}}"#
        )
    };
    import("a.ndjson", [row("1", 10), row("2", 20)].join("\n")).load(&store);
    let history = store.all_history().len();
    let left = row("4", 40).replace(&ANN.to_string(), &LEFT.to_string());
    let text = [row("1", 10), row("2", 25), row("3", 30), left].join("\n");
    let rehearsed = Case { dry_run: true, ..import("b.ndjson", text.clone()) }.load(&store);
    assert_eq!(
        rehearsed,
        ([1, 1, 1, 1, 0], vec!["4 | userId | must name an active user".to_owned()])
    );
    assert_eq!((entries(&store, ORGANIZATION).len(), store.all_history().len()), (2, history));
    assert_eq!(import("b.ndjson", text).load(&store), rehearsed);
}

#[test]
fn a_line_of_json_is_parsed_like_the_body_of_a_request() {
    let store = store();
    let text = format!(
        "\u{feff}{{\"userId\":\"{ANN}\",\"workDate\":\"2025-01-15\",\"hours\":\"2.5\",\"description\":\"=a\"}}\r\n\n\
         {{\"userId\":\"ann@x.org\",\"workDate\":\"2025-01-15\",\"hours\":\"2.5\"}}\n\
         {{\"userId\":\"{ANN}\"\n\
         [1]\n\
         {{\"userId\":\"{ANN}\",\"workDate\":\"2025-01-15\",\"hours\":\"2.5\",\"description\":\"=a\"}}"
    );
    let file = import("a.ndjson", text);
    let (counts, report) = file.load(&store);
    assert_eq!(counts, [2, 0, 0, 3, 0]);
    assert!(report[0].starts_with("3 | userId | must be a hyphenated UUID"), "{report:?}");
    assert!(report[1].starts_with("4 |  | The body cannot be read"), "{report:?}");
    assert!(report[2].starts_with("5 |  | must be an object"), "{report:?}");
    assert_eq!(summaries(&store, ORGANIZATION), ["ann 2025-01-15 150 true Some(\"=a\")"; 2]);
    assert_eq!(file.load(&store).0, [0, 0, 2, 3, 0]);
}

#[test]
fn a_protecting_apostrophe_is_removed_only_in_exported_columns() {
    let store = store();
    import("a.csv", TOGGL.replace("Login", "'=1+1")).load(&store);
    assert_eq!(summaries(&store, ORGANIZATION)[0], "ann 2025-01-15 150 true Some(\"'=1+1\")");
    let own = format!("userId,workDate,minutes,description,note\n{ANN},2024-01-01,60,'=1,'=2\n");
    import("b.csv", own.clone()).load(&store);
    assert_eq!(summaries(&store, ORGANIZATION)[0], "ann 2024-01-01 60 true Some(\"=1\")");
    Case { map: vec!["description=note".parse().unwrap()], ..import("b.csv", own) }.load(&store);
    assert_eq!(summaries(&store, ORGANIZATION)[0], "ann 2024-01-01 60 true Some(\"'=2\")");
}

#[test]
fn files_longer_than_a_batch_are_imported_whole() {
    let store = store();
    let rows = (0..1_203).map(|n| format!("{ANN},2025-01-{:02},{},\n", 1 + n % 28, 1 + n % 100));
    let file = import(
        "a.csv",
        format!("userId,workDate,minutes,description\n{}", rows.collect::<String>()),
    );
    assert_eq!(file.load(&store).0, [1_203, 0, 0, 0, 0]);
    assert_eq!(file.load(&store).0, [0, 0, 1_203, 0, 0]);
}

#[test]
fn an_impossible_import_fails_before_the_first_row() {
    let store = store();
    let fails = |case: Case| case.try_load(&store).unwrap_err().to_string();
    let no_users = || Users::default();
    assert!(fails(Case { users: no_users(), ..import("a.csv", TOGGL) }).contains("--users"));
    assert!(
        fails(Case { users: no_users(), ..import("a.csv", "workDate,hours\n") }).contains("--user")
    );
    assert!(
        fails(Case { organization: BOB, ..import("a.csv", TOGGL) }).contains("no such project")
    );
    assert!(fails(import("a.csv", "")).contains("is empty"));
    assert!(
        fails(Case { conditions: vec!["a=b".parse().unwrap()], ..import("a.ndjson", "") })
            .contains("--where")
    );
    let twice = ["hours=Duration", "hours=Amount"].map(|mapping| mapping.parse().unwrap()).into();
    assert!(
        fails(Case { map: twice, ..import("a.csv", TOGGL) })
            .contains("--map is given twice for hours")
    );
    let organization_id = OrganizationId::new(ORGANIZATION);
    let archived = Project {
        organization_id,
        id: ProjectId::new(PROJECT),
        name: "P".parse().unwrap(),
        archived: true,
    };
    run(store.put_project(archived)).unwrap();
    assert!(fails(import("a.csv", TOGGL)).contains("archived"));
    assert!(entries(&store, ORGANIZATION).is_empty());
}

/// Logs entries without references.
fn log(store: &MemoryStore, texts: &[Option<String>]) {
    for (n, text) in (0_u32..).zip(texts) {
        let user_id = UserId::new(if n % 2 == 0 { ANN } else { BOB });
        let duration = timelog_domain::WorkDuration::from_minutes(1 + i64::from(n)).unwrap();
        let work_date = "2025-01-15".parse().unwrap();
        let details = timelog_domain::Details {
            description: text.clone().map(|text| text.try_into().unwrap()),
            billable: n % 3 == 0,
            ..timelog_domain::Details::new(user_id, work_date, duration)
        };
        let id = TimeEntryId::new(Uuid::from_u128(100 + u128::from(n)));
        let log = LogTimeEntry {
            id,
            project_id: ProjectId::new(PROJECT),
            details,
            external_ref: None,
            source: timelog_domain::Source::Api,
        };
        let caller = Caller::new(OrganizationId::new(ORGANIZATION), KeyId::new(Uuid::nil()));
        run(store.execute(Request { caller, command: Command::Log(log), claim: None }))
            .unwrap()
            .unwrap();
    }
}

fn exported(store: &MemoryStore, format: export::Format) -> String {
    let mut text = Vec::new();
    let (organization, filter) =
        (OrganizationId::new(ORGANIZATION), timelog_domain::Filter::default());
    run(export::write(store, organization, filter, Sort::default(), format, &mut text, |_| ()))
        .unwrap();
    String::from_utf8(text).unwrap()
}

const EXPORTS: [(export::Format, &str); 2] =
    [(export::Format::Csv, "a.csv"), (export::Format::Ndjson, "a.ndjson")];

#[test]
fn an_export_is_not_imported_into_its_own_organization() {
    let store = store();
    log(&store, &[None, Some("a".to_owned())]);
    for (format, name) in EXPORTS {
        let text = exported(&store, format);
        assert_eq!(import(name, text.clone()).load(&store), ([0, 0, 2, 0, 0], vec![]));
        let (counts, report) = import(name, text.replace("2025-01-15", "2025-01-16")).load(&store);
        assert_eq!(counts, [0, 0, 0, 2, 0]);
        assert!(
            report[0].contains("| id | is the id of an entry of this organization"),
            "{report:?}"
        );
    }
    assert_eq!(entries(&store, ORGANIZATION).len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_export_is_imported_unchanged_into_another_organization(
        texts in prop::collection::vec(prop::option::of(prop_oneof![
            "[^\0]{0,40}",
            "['\"=+@,;\r\n\t -]{0,12}",
        ]), 1..12),
    ) {
        let store = store();
        log(&store, &texts);
        // The second format finds what the first imported: both have the ids of the entries.
        for (expected, (format, name)) in [texts.len() as u64, 0].into_iter().zip(EXPORTS) {
            let elsewhere = Case { organization: ELSEWHERE, ..import(name, exported(&store, format)) };
            let (counts, report) = elsewhere.load(&store);
            prop_assert_eq!((counts[0], counts[1], counts[3]), (expected, 0, 0), "{:?}", report);
            let mut here = summaries(&store, ORGANIZATION);
            let mut there = summaries(&store, ELSEWHERE);
            here.sort();
            there.sort();
            prop_assert_eq!(here, there);
        }
    }
}
