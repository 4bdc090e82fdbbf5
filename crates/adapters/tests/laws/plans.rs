//! How the databases read: by an index that leads to what is asked for, so that it costs the same
//! in a table of any size.
//!
//! The statements are those that the program sends. They are recorded, run with small results, and
//! explained afterwards.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use diesel::connection::{InstrumentationEvent, SimpleConnection, set_default_instrumentation};
use diesel::declare_sql_function;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use diesel::sqlite::SqliteConnection;
use timelog_adapters::digest_external_ref_part;
use timelog_domain::*;

use crate::pairs;
use crate::shelf::sorts;
use crate::subject::{self, Subject};
use crate::world::*;

#[declare_sql_function]
extern "SQL" {
    /// PostgreSQL has this function.
    fn external_digest(part: Text) -> Binary;
}

pub(crate) type Statements = Arc<Mutex<Vec<String>>>;

thread_local! {
    /// Where the statements go that are sent from this thread.
    static STATEMENTS: RefCell<Option<Statements>> = const { RefCell::new(None) };
}

/// Every connection of this process tells of its statements, and only the threads of the tests
/// below listen.
fn record(event: &InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        STATEMENTS.with_borrow(|statements| {
            if let Some(statements) = statements {
                statements.lock().unwrap().push(query.to_string());
            }
        });
    }
}

/// Runs a test whose statements are recorded, on whichever of its threads they are sent.
pub(crate) fn recording<F: Future<Output = ()>>(test: impl FnOnce(Statements) -> F) {
    set_default_instrumentation(|| {
        Some(Box::new(|event: InstrumentationEvent<'_>| record(&event)))
    })
    .unwrap();
    let statements = Statements::default();
    let threads = statements.clone();
    STATEMENTS.set(Some(statements.clone()));
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().on_thread_start(move || STATEMENTS.set(Some(threads.clone())));
    runtime.build().unwrap().block_on(test(statements));
}

pub(crate) const ENTRIES: u32 = 20_000;
const PROJECTS: u128 = 8;
const USERS: u128 = 25;

/// A directory for the entries that the SQL below makes.
pub(crate) async fn put_directory(subject: &Subject) {
    for number in 100..100 + PROJECTS {
        subject.directory.put_project(project(number, false)).await.unwrap();
        let project_id = id(number);
        let ticket = Ticket { project_id, ..ticket(number + 200) };
        subject.directory.put_ticket(ticket).await.unwrap();
        let release = Release { project_id, ..release(number + 300) };
        subject.directory.put_release(release).await.unwrap();
    }
    for number in 200..200 + USERS {
        subject.directory.put_user(user(number, true)).await.unwrap();
    }
}

/// Entries of two years, evenly spread. Only the spelling of values differs between the databases.
pub(crate) fn insertion(
    id: &str,
    number: fn(&str) -> String,
    day: &str,
    instant: fn(&str) -> String,
) -> String {
    let (organization, project, user) =
        (number("1"), number("100 + i % 8"), number("200 + i / 8 % 25"));
    let (ticket, release) = (number("300 + i % 8"), number("400 + i % 8"));
    let (created, updated) = (instant("i"), instant("i + i * 7919 % 20000"));
    format!(
        "WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < \
         {ENTRIES} - 1) \
         INSERT INTO time_entries (organization_id, id, project_id, user_id, entry_id, release_id, \
         work_date, minutes, billable, source, status, external_provider, external_type, external_id, version, created_at, \
         updated_at, \
         external_provider_digest, external_type_digest, external_id_digest, invoice_ref, invoice_digest) \
         SELECT {organization}, {id}, {project}, {user}, \
         CASE WHEN i % 50 = 0 THEN {ticket} END, CASE WHEN i % 100 = 0 THEN {release} END, \
         {day}, 60, i % 7 > 0, CASE WHEN i % 5 = 0 THEN 'import' ELSE 'api' END, \
         CASE WHEN i % 400 = 0 THEN 'submitted' ELSE 'draft' END, \
         'p' || (i % 5), 't' || (i % 3), CAST(i AS text), 1, {created}, {updated}, \
         external_digest('p' || (i % 5)), external_digest('t' || (i % 3)), \
         external_digest(CAST(i AS text)), CASE WHEN i % 150 = 0 THEN 'i' || (i % 4) END, \
         CASE WHEN i % 150 = 0 THEN external_digest('i' || (i % 4)) END \
         FROM numbers"
    )
}

/// A record of each.
pub(crate) const RECORDS: &str = "INSERT INTO time_entry_history (organization_id, seq, \
    time_entry_id, project_id, version, event, at, key_id, to_status, changes) \
    SELECT organization_id, row_number() OVER (ORDER BY created_at, id), id, project_id, 1, 'log', \
    created_at, id, 'draft', '[]' FROM time_entries \
    WHERE organization_id NOT IN (SELECT organization_id FROM time_entry_history)";

/// What is read, and what the index must lead to.
pub(crate) struct Read {
    pub(crate) name: String,
    /// The columns that the index is entered by.
    by: Vec<&'static str>,
    /// Whether the index must also give the order, and everything else.
    pub(crate) ordered: bool,
    pub(crate) statement: String,
}

impl Read {
    /// The statement on time entries that was just sent, after those that looked for a way.
    fn of_last(statements: &Statements, name: &str, by: &[&'static str], ordered: bool) -> Self {
        let statement = on_entries(statements).pop().unwrap();
        Self { name: name.to_owned(), by: by.to_vec(), ordered, statement }
    }
}

/// The statements on time entries that were just sent.
pub(crate) fn on_entries(statements: &Statements) -> Vec<String> {
    let sent = std::mem::take(&mut *statements.lock().unwrap());
    sent.into_iter().filter(|statement| statement.contains("time_entr")).collect()
}

/// Carries each read out and returns its statement.
pub(crate) async fn reads(subject: &Subject, statements: &Statements) -> Vec<Read> {
    let organization = id(ORGANIZATION);
    let mut reads = Vec::new();
    let mut add = |name: &str, by: &[&'static str], ordered| {
        reads.push(Read::of_last(statements, name, by, ordered));
    };
    statements.lock().unwrap().clear();
    let project_id = Some(id(101));
    let january = Filter {
        from: Some("2024-01-01".parse().unwrap()),
        to: Some("2024-01-31".parse().unwrap()),
        ..Filter::default()
    };
    let list = async |filter: &Filter, sort, after| {
        let page = PageRequest { filter: filter.clone(), sort, after, limit: 50 };
        let page = subject.queries.list(organization, page).await.unwrap();
        assert_eq!(page.items.len(), 50);
        page.next
    };
    for sort in sorts() {
        let columns = match sort.key {
            SortKey::WorkDate => &["work_date", "id"][..],
            SortKey::CreatedAt => &["id"],
            SortKey::UpdatedAt => &["updated_at", "id"],
        };
        let of_project = Filter { project_id, ..Filter::default() };
        for (filter, by) in [
            (Filter::default(), &["organization_id"][..]),
            (of_project, &["organization_id", "project_id"]),
        ] {
            // No index has the entries of a project in the order of creation.
            if (by.len(), sort.key) == (2, SortKey::CreatedAt) {
                continue;
            }
            let next = list(&filter, sort, None).await;
            add(&format!("the first page by {sort}"), by, true);
            list(&filter, sort, next).await;
            add(&format!("a page by {sort}"), &[by, columns].concat(), true);
        }
    }
    let of_user = Filter { user_id: Some(id(203)), ..Filter::default() };
    let days = Filter {
        from: Some("2023-02-01".parse().unwrap()),
        user_id: of_user.user_id,
        ..january.clone()
    };
    let next = list(&days, Sort::default(), None).await;
    add("a user's days", &["organization_id", "user_id", "work_date"], true);
    list(&days, Sort::default(), next).await;
    add("more of a user's days", &["organization_id", "user_id", "work_date"], true);
    let by = GroupBy::one(GroupKey::User);
    let month = Filter { project_id, ..january };
    let summary =
        subject.queries.summarize(organization, month.clone(), by).await.unwrap().unwrap();
    assert!((50..200).contains(&summary.total.entries), "{summary:?}");
    add("a month of a project, added up", &["organization_id", "project_id", "work_date"], false);
    subject.queries.count(organization, month).await.unwrap();
    add("a month of a project, counted", &["organization_id", "project_id", "work_date"], false);
    let named = Filter {
        external_provider: Some(text("p1")),
        external_type: Some(text("t1")),
        external_id: Some(text("4711")),
        ..Filter::default()
    };
    let parts = [
        "organization_id",
        "external_provider_digest",
        "external_type_digest",
        "external_id_digest",
    ];
    let of_type = Filter { external_id: None, ..named.clone() };
    let of_provider = Filter { external_type: None, ..of_type.clone() };
    let of_id = Filter { external_type: None, ..named.clone() };
    for (name, filter, by) in [
        ("the entries of a provider, counted", of_provider, &parts[..2]),
        ("the entries of a provider and a type, counted", of_type, &parts[..3]),
        ("the entries of a provider and an id, counted", of_id, &parts),
    ] {
        assert!(subject.queries.count(organization, filter).await.unwrap() > 0);
        add(name, by, false);
    }
    let page = PageRequest { filter: named, sort: Sort::default(), after: None, limit: 50 };
    let found = subject.queries.list(organization, page).await.unwrap().items;
    assert_eq!(found.len(), 1);
    add("the entry of a reference", &parts, false);
    let named = LogTimeEntry {
        project_id: found[0].project_id(),
        details: found[0].details().clone(),
        ..log(1001)
    };
    let named = LogTimeEntry { external_ref: found[0].external_ref().cloned(), ..named };
    done(subject.time_entries.execute(logged(named)).await.unwrap());
    add("the entry of a reference that is logged again", &parts, false);
    subject.time_entries.find(organization, found[0].id()).await.unwrap();
    add("one entry", &["organization_id", "id"], false);
    subject.queries.history(organization, found[0].id()).await.unwrap();
    add("a history", &["organization_id", "time_entry_id"], true);
    reads.extend(reads_of_feeds(subject, statements).await);
    reads
}

/// Reads the feed of the organization, and of a project.
async fn reads_of_feeds(subject: &Subject, statements: &Statements) -> Vec<Read> {
    let mut reads = Vec::new();
    for (project_id, ordered) in [(None, true), (Some(id(101)), false)] {
        let request = FeedRequest { project_id, user_id: None, after: Seq::new(700), limit: 50 };
        statements.lock().unwrap().clear();
        let page = subject.feed.changes(id(ORGANIZATION), request).await.unwrap();
        assert_eq!(page.changes.len(), 50);
        for (statement, (name, by, ordered)) in on_entries(statements).into_iter().zip([
            ("the end of a feed", &["organization_id"][..], true),
            ("changes of a feed", &["organization_id", "seq"], ordered),
            ("the entries of a feed", &["organization_id", "id"], false),
        ]) {
            reads.push(Read { name: name.to_owned(), by: by.to_vec(), ordered, statement });
        }
    }
    assert_eq!(reads.len(), 6);
    reads
}

/// Holds a plan to what is promised of it. `marks` are how the database says that it reads a whole
/// table and that it sorts, and how it begins the line that says by which columns it enters an
/// index.
pub(crate) fn check(read: &Read, plan: &str, [whole, sorting, entering]: [&str; 3]) {
    let name = &read.name;
    assert!(!plan.contains(whole), "{name} reads everything: {plan}\n{}", read.statement);
    assert!(
        !read.ordered || !plan.contains(sorting),
        "{name} is sorted: {plan}\n{}",
        read.statement
    );
    let entered: Vec<_> =
        plan.lines().filter(|line| line.trim_start().starts_with(entering)).collect();
    let fits = |line: &&&str| read.by.iter().all(|column| words(line).any(|word| word == *column));
    assert!(entered.iter().any(|line| fits(&line)), "{name} is not found by {:?}: {plan}", read.by);
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

#[test]
fn sqlite_reads_by_an_index() {
    recording(|statements| async move {
        let subject = subject::sqlite().await;
        put_directory(&subject).await;
        let path = subject.database().url.to_string();
        let mut conn = SqliteConnection::establish(path.strip_prefix("sqlite:").unwrap()).unwrap();
        external_digest_utils::register_impl(&mut conn, |part: String| {
            digest_external_ref_part(&part).to_vec()
        })
        .unwrap();
        let insertion = insertion(
            "randomblob(16)",
            |number| format!("unhex(printf('%032x', {number}))"),
            "19358 + i * 7919 % 730",
            |seconds| format!("1700000000000 + 1000 * ({seconds})"),
        );
        conn.batch_execute(&insertion).unwrap();
        conn.batch_execute(RECORDS).unwrap();
        is_wanted_utils::register_nondeterministic_impl(&conn, || true).unwrap();
        let mut endable = 0;
        for read in reads(&subject, &statements).await {
            let (statement, _) = read.statement.split_once(" -- binds").unwrap();
            let explained = plan(&mut conn, statement);
            check(&read, &explained, ["SCAN time_entries", "FOR ORDER BY", "SEARCH "]);
            if statement.contains(ENDABLE) {
                endable += 1;
                let plain = plan(&mut conn, &statement.replace(ENDABLE, "true"));
                assert_eq!(
                    explained, plain,
                    "{}: what makes it endable changes how it is read",
                    read.name
                );
            }
        }
        assert_eq!(endable, 28, "every list, count and total can be ended");
        for statement in pairs::read(&subject, &statements).await {
            check_sqlite(&mut conn, statement.split_once(" -- binds").unwrap().0);
        }
    });
}

/// Holds every look at time entries to an index, and what reads many to the order of that.
fn check_sqlite(conn: &mut SqliteConnection, statement: &str) {
    let steps: Vec<Step> =
        diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn).unwrap();
    let said = || steps.iter().map(|step| step.detail.as_str()).collect::<Vec<_>>().join("\n");
    for step in steps.iter().filter(|step| step.detail.contains(" time_entries")) {
        let is_found = step.detail.starts_with("SEARCH time_entries USING ")
            && step.detail.contains("(organization_id=?");
        let is_one = step.detail.ends_with("(organization_id=? AND id=?)");
        let is_sorted = steps.iter().any(|other| {
            other.parent == step.parent && other.detail.starts_with("USE TEMP B-TREE")
        });
        assert!(is_found && (is_one || !is_sorted), "{}\n{statement}\n{}", step.detail, said());
    }
}

/// By which reads of SQLite can be ended.
const ENDABLE: &str = "(time_entries.rowid % 1009 <> 0 OR is_wanted())";

diesel::define_sql_function! {
    /// The program's own, to be known to whoever else explains its statements.
    fn is_wanted() -> Bool;
}

/// How SQLite carries a statement out.
fn plan(conn: &mut SqliteConnection, statement: &str) -> String {
    let rows: Vec<Step> =
        diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn).unwrap();
    let steps: Vec<_> = rows.into_iter().map(|row| row.detail).collect();
    steps.join("\n")
}

/// One step of a plan of SQLite's.
#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Integer)]
    parent: i32,
    #[diesel(sql_type = Text)]
    detail: String,
}
