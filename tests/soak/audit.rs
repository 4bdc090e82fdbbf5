//! Compares what clients were told with the database.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde_json::Value;

use super::deployment::Deployment;
use super::journal::JournalRecord;
use super::outbox::Outbox;
use super::results::Results;
use crate::support::TestDatabase;

/// An entry as the database has it.
#[derive(Debug)]
struct Row {
    id: String,
    description: String,
    version: String,
    status: String,
    minutes: i64,
    /// How many changes its history has, the version of the last, how many submitted it, and the
    /// status it led to.
    history: [String; 4],
}

/// The entries of the organization whose clients keep the journal.
fn rows(deployment: &Deployment) -> Vec<Row> {
    let organization = deployment.made.id("organizationId");
    let (id, organization) = match &deployment.database {
        TestDatabase::Sqlite(_) => {
            ("lower(hex(e.id))", format!("x'{}'", organization.replace('-', "")))
        }
        TestDatabase::Postgres(..) => {
            ("replace(CAST(e.id AS text), '-', '')", format!("'{organization}'"))
        }
    };
    let history = "FROM time_entry_history h WHERE h.organization_id = e.organization_id AND \
        h.time_entry_id = e.id";
    let sql = format!(
        "SELECT {id} || '|' || coalesce(e.description, '') || '|' || e.version || '|' || e.status \
         || '|' || e.minutes \
         || '|' || (SELECT count(*) || '|' || coalesce(max(h.version), 0) || '|' \
         || coalesce(sum(CASE WHEN h.event = 'submit' THEN 1 ELSE 0 END), 0) {history}) \
         || '|' || coalesce((SELECT h.to_status {history} ORDER BY h.version DESC LIMIT 1), '') \
         AS text \
         FROM time_entries e WHERE e.organization_id = {organization}"
    );
    deployment.database.texts(&sql).iter().map(|line| Row::parse(line)).collect()
}

impl Row {
    fn parse(line: &str) -> Self {
        let fields: Vec<_> = line.split('|').map(str::to_owned).collect();
        let [id, description, version, status, minutes, changes, last, submitted, led_to] =
            fields.try_into().unwrap_or_else(|fields| panic!("{fields:?}"));
        let minutes = minutes.parse().expect("minutes are a number");
        Self {
            id,
            description,
            version,
            status,
            minutes,
            history: [changes, last, submitted, led_to],
        }
    }

    /// Whether the entry and its history disagree.
    fn disagrees(&self) -> bool {
        let [changes, last, submitted, led_to] = &self.history;
        let is_submitted = if self.status == "submitted" { "1" } else { "0" };
        *changes != self.version
            || last != changes
            || submitted != is_submitted
            || *led_to != self.status
    }

    fn is(&self, entry: &Value) -> bool {
        id(entry) == Some(self.id.clone())
            && entry["minutes"] == self.minutes
            && entry["status"] == self.status.as_str()
    }
}

fn id(entry: &Value) -> Option<String> {
    Some(entry["id"].as_str()?.replace('-', ""))
}

/// What must be there by the journal: by description, the entry as a client was last told.
#[derive(Default)]
struct Expected {
    /// None if no client was told the entry.
    entries: BTreeMap<String, Option<Value>>,
    acknowledged: usize,
    /// What was acknowledged without an entry in the answer.
    silent: Vec<String>,
}

impl Expected {
    fn of(pages: &[JournalRecord]) -> Self {
        let mut expected = Self::default();
        let mut of_id = BTreeMap::new();
        for page in pages {
            expected.acknowledged += usize::from(page.answer.is_some());
            let told: Vec<_> = page.answer.iter().flat_map(told).collect();
            for description in descriptions(&page.request["body"]) {
                let entry = told.iter().find(|entry| entry["description"] == description.as_str());
                if let Some(id) = entry.and_then(id) {
                    of_id.insert(id, description.clone());
                } else if page.answer.is_some() {
                    expected.silent.push(description.clone());
                }
                expected.entries.insert(description, entry.cloned());
            }
        }
        // An entry is submitted after it was logged.
        let submits = pages.iter().filter(|page| {
            page.request["path"].as_str().is_some_and(|path| path.ends_with("/submit"))
        });
        for page in submits {
            let Some(answer) = &page.answer else { continue };
            match id(answer).and_then(|id| of_id.get(&id)) {
                Some(description) => {
                    drop(expected.entries.insert(description.clone(), Some(answer.clone())));
                }
                None => expected.silent.push(page.name.clone()),
            }
        }
        expected
    }
}

/// The entries that an answer tells.
fn told(answer: &Value) -> Vec<Value> {
    match answer["results"].as_array() {
        Some(results) => results.iter().map(|result| result["entry"].clone()).collect(),
        None => vec![answer.clone()],
    }
}

/// The descriptions that a request gives entries.
fn descriptions(body: &Value) -> Vec<String> {
    let entries = body["entries"].as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
    entries.iter().filter_map(|entry| Some(entry["description"].as_str()?.to_owned())).collect()
}

/// Compares the journal with the database and the list. No request may be running.
pub(super) async fn audit(results: &mut Results, outbox: &Outbox, deployment: &Deployment) {
    for fault in outbox.take_faults() {
        results.fault(fault);
    }
    results.requests = outbox.requests.load(Ordering::Relaxed);
    results.server_errors = outbox.server_errors.load(Ordering::Relaxed);
    let expected = Expected::of(&outbox.journal.read());
    let rows = rows(deployment);
    let mut found: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        found.entry(&row.description).or_default().push(row);
        if row.disagrees() {
            results.fault(format!("entry and history disagree: {row:?}"));
        }
        if !expected.entries.contains_key(&row.description) {
            results.fault(format!("nobody sent {row:?}"));
        }
    }
    results.acknowledged = expected.acknowledged;
    results.doubled = rows.len() - found.len();
    let is_there = |description: &str| found.contains_key(description);
    results.lost = expected.silent.iter().filter(|description| !is_there(description)).count();
    for (description, entry) in &expected.entries {
        match (entry, found.get(description.as_str())) {
            (Some(_), None) => results.lost += 1,
            (Some(entry), Some(rows)) if !rows.iter().any(|row| row.is(entry)) => {
                results.fault(format!("{rows:?} was told as {entry}"));
            }
            _ => {}
        }
    }
    compare_list(results, &expected, rows.len(), outbox).await;
}

/// Reads the list over HTTP: each entry is as a client was last told.
async fn compare_list(results: &mut Results, expected: &Expected, rows: usize, outbox: &Outbox) {
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page = outbox.read(&format!("/time-entries?limit=200&sort=createdAt{cursor}")).await;
        let Some(page) = page else { return results.fault("the list is not told".to_owned()) };
        for entry in page["data"].as_array().into_iter().flatten() {
            seen += 1;
            let description = entry["description"].as_str().unwrap_or_default();
            if let Some(Some(told)) = expected.entries.get(description)
                && id(told) == id(entry)
                && told != entry
            {
                results.fault(format!("{entry} was told as {told}"));
            }
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    if seen != rows {
        results.fault(format!("the list has {seen} entries, the table {rows}"));
    }
}
