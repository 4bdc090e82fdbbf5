//! Counts the instructions of deciding and of rendering, which a busy machine does not change.
//! `make bench-instructions` runs it, and compares with what docs/benchmarks.md says.

#![expect(
    clippy::unwrap_used,
    missing_docs,
    reason = "what is counted here is given, and the macros write items without documentation"
)]

use std::hint::black_box;
use std::str::FromStr;
use std::sync::Arc;

use gungraun::prelude::*;
use timelog_api::rendering;
use timelog_domain::{
    Caller, Claim, Command, Decision, Details, ExternalRef, Fingerprint, IdempotencyRecord,
    IdempotencyScope, Ledger, LogTimeEntry, MismatchPolicy, Project, Record, Request, Source,
    Status, StoredAnswer, TimeEntry, Timestamp, User, Version, WorkDuration, handle,
    hours_of_minutes,
};

const NOW: i64 = 1_764_000_000_000;

fn id<T: FromStr<Err: std::fmt::Debug>>(number: u64) -> T {
    format!("01941a2e-5c00-7000-8000-{number:012x}").parse().unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_unix_millis(NOW).unwrap()
}

fn details(minutes: i64) -> Details {
    let duration = WorkDuration::from_minutes(minutes).unwrap();
    let details = Details::new(id(3), "2025-01-15".parse().unwrap(), duration);
    Details { description: Some("Implemented login flow.".parse().unwrap()), ..details }
}

fn reference() -> ExternalRef {
    let part = |text: &str| text.to_owned().try_into().unwrap();
    ExternalRef { provider: part("jira"), external_type: part("worklog"), external_id: part("1") }
}

fn entry(number: u64) -> TimeEntry {
    TimeEntry::restore(Record {
        id: id(number),
        organization_id: id(1),
        project_id: id(2),
        details: details(150),
        external_ref: Some(reference()),
        source: Source::Api,
        status: Status::Draft,
        reason: None,
        invoice_ref: None,
        version: Version::FIRST,
        created_at: now(),
        updated_at: now(),
    })
}

fn answer() -> StoredAnswer {
    StoredAnswer { status: 201, location: None, etag: None, body: vec![b' '; 467] }
}

fn scope() -> IdempotencyScope {
    IdempotencyScope {
        organization_id: id(1),
        key_id: id(4),
        operation: "POST /projects/01941a2e-5c00-7000-8000-000000000002/time-entries".to_owned(),
        key: "000000000000001".to_owned().try_into().unwrap(),
    }
}

fn ledger() -> Ledger {
    let (organization_id, mut ledger) = (id(1), Ledger::default());
    let name = "Website".parse().unwrap();
    ledger.load_project(Project { organization_id, id: id(2), name, archived: false });
    let name = "Developer".parse().unwrap();
    ledger.load_user(User { organization_id, id: id(3), name, active: true });
    ledger
}

fn request(minutes: i64, external_ref: Option<ExternalRef>, claims: bool) -> Request {
    let caller = Caller::new(id(1), id(4));
    let command = Command::Log(LogTimeEntry {
        id: id(9),
        project_id: id(2),
        details: details(minutes),
        external_ref,
        source: Source::Api,
    });
    let claim = claims.then(|| Claim {
        scope: scope(),
        fingerprint: Fingerprint([7; 16]),
        on_mismatch: MismatchPolicy::Replay,
        render: Arc::new(|_| answer()),
    });
    Request { caller, command, claim }
}

fn new_key() -> (Request, Ledger) {
    (request(150, None, true), ledger())
}

fn replay() -> (Request, Ledger) {
    let mut ledger = ledger();
    let expires_at = Timestamp::from_unix_millis(NOW + 1000).unwrap();
    let fingerprint = Fingerprint([7; 16]);
    ledger.load_answer(scope(), IdempotencyRecord { fingerprint, answer: answer(), expires_at });
    (request(150, None, true), ledger)
}

fn upsert() -> (Request, Ledger) {
    let mut ledger = ledger();
    ledger.load_time_entry(entry(8));
    (request(165, Some(reference()), false), ledger)
}

#[library_benchmark]
#[bench::new_key(new_key())]
#[bench::replay(replay())]
#[bench::upsert_that_changes(upsert())]
fn decide((request, mut ledger): (Request, Ledger)) -> (Decision, Ledger) {
    let decision = handle(black_box(&request), &mut ledger, now());
    assert!(decision.is_ok());
    (decision, ledger)
}

#[library_benchmark]
#[bench::usual("2.5")]
#[bench::long("1.333333333333333333333333333333")]
fn minutes_of_hours(hours: &str) -> WorkDuration {
    WorkDuration::from_hours(black_box(hours)).unwrap()
}

#[library_benchmark]
#[bench::usual(100)]
fn hours(minutes: u64) -> String {
    hours_of_minutes(black_box(minutes))
}

#[library_benchmark]
#[bench::one(entry(8))]
fn render_entry(entry: TimeEntry) -> (Vec<u8>, TimeEntry) {
    (rendering::time_entry(black_box(&entry)), entry)
}

#[library_benchmark]
#[bench::of_fifty((0..50).map(entry).collect())]
fn render_page(entries: Vec<TimeEntry>) -> (Vec<u8>, Vec<TimeEntry>) {
    let cursor = "YFTvbzUTcScBlGkAVsB8Pp0kUfanuMnQMjAyNS0wMS0xNQ".to_owned();
    (rendering::page(black_box(&entries), cursor), entries)
}

library_benchmark_group!(
    name = instructions,
    benchmarks = [decide, minutes_of_hours, hours, render_entry, render_page]
);

gungraun::main!(library_benchmark_groups = instructions);
