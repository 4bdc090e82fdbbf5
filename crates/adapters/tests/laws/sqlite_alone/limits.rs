//! Reads that may visit many rows are asked on the way whether they are to go on.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use timelog_adapters::{DatabaseOptions, QueueOptions, Store};
use timelog_domain::ports::{PortError, TimeEntryQueries, TimeEntryRepository};
use timelog_domain::*;

use super::outsider;
use crate::shelf::sorts;
use crate::subject::{Subject, TestClock, sqlite};
use crate::world::*;

/// Enough that one of them is asked for.
const ENTRIES: u32 = 2000;

/// A store with entries, in which no read of many may take any time.
async fn hurried(subject: &Subject) -> Store {
    let insertion = format!(
        "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < \
         {ENTRIES}) \
         INSERT INTO time_entries (organization_id, id, project_id, user_id, work_date, minutes, \
         billable, source, \
         status, version, created_at, updated_at) \
         SELECT t.organization_id, randomblob(16), t.project_id, t.user_id, t.work_date + i % 365, 60, \
         true, 'api', 'draft', 1, t.created_at + i, t.updated_at + i FROM numbers, time_entries t"
    );
    done(subject.time_entries.execute(logged(log(1001))).await.unwrap());
    outsider(subject).batch_execute(&insertion).unwrap();
    let options = DatabaseOptions {
        statement_timeout: Duration::ZERO,
        lock_timeout: Duration::from_mins(1),
        ..DatabaseOptions::default()
    };
    let clock = Arc::new(TestClock::default());
    Store::open(&subject.database().url, &options, &QueueOptions::default(), clock).await.unwrap()
}

/// Filters that let many entries through.
fn many() -> Vec<(&'static str, Filter)> {
    let all = Filter::default();
    let project = Filter { project_id: Some(id(PROJECT)), ..all.clone() };
    let from = Some("2020-01-01".parse().unwrap());
    vec![
        ("a project", project.clone()),
        ("a user", Filter { user_id: Some(id(USER)), ..all.clone() }),
        ("a status", Filter { statuses: [Status::Draft].into(), ..all.clone() }),
        ("a status in a project", Filter { statuses: [Status::Draft].into(), ..project.clone() }),
        ("billable or not", Filter { billable: Some(true), ..all.clone() }),
        ("a source", Filter { source: Some(Source::Api), ..project }),
        ("days", Filter { from, ..all.clone() }),
        ("days and billable or not", Filter { from, billable: Some(true), ..all.clone() }),
        ("everything", all),
    ]
}

/// Filters that let nothing through.
fn none() -> Vec<Filter> {
    let all = Filter::default();
    let project = Filter { project_id: Some(id(PROJECT)), ..all.clone() };
    vec![
        Filter { user_id: Some(id(99)), ..all.clone() },
        Filter { statuses: [Status::Locked].into(), ..all.clone() },
        Filter { statuses: [Status::Locked].into(), ..project.clone() },
        Filter { billable: Some(false), ..all.clone() },
        Filter { source: Some(Source::Import), ..project },
        Filter { ticket_id: Some(Some(id(TICKET))), ..all.clone() },
        Filter { release_id: Some(Some(id(RELEASE))), ..all.clone() },
        Filter { from: Some("2999-01-01".parse().unwrap()), ..all },
    ]
}

#[tokio::test]
async fn whatever_visits_many_rows_is_ended_on_the_way() {
    let subject = sqlite().await;
    let store = hurried(&subject).await;
    let organization = id(ORGANIZATION);
    let ended = |result: Result<(), PortError>, name: &str| {
        assert!(
            matches!(&result, Err(PortError::Unavailable(why)) if why.contains("too long")),
            "{name}: {result:?}"
        );
    };
    for (name, filter) in many() {
        for sort in sorts() {
            let page = PageRequest { filter: filter.clone(), sort, after: None, limit: ENTRIES };
            ended(store.list(organization, page).await.map(drop), &format!("{name} by {sort}"));
        }
        ended(
            store.count(organization, filter.clone()).await.map(drop),
            &format!("{name}, counted"),
        );
        for &key in GroupKey::ALL {
            let summary = store.summarize(organization, filter.clone(), GroupBy::one(key)).await;
            ended(summary.map(drop), &format!("{name}, added up by {key}"));
        }
    }
    // What is found at once is answered.
    assert!(TimeEntryRepository::find(&store, organization, id(1001)).await.unwrap().is_some());
    assert_eq!(store.history(organization, id(1001)).await.unwrap().len(), 1);
    for filter in none() {
        assert_eq!(store.count(organization, filter.clone()).await, Ok(0), "{filter:?}");
    }
}
