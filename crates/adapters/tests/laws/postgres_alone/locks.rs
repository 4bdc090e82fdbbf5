//! Other programs in the same database.

use std::sync::Arc;
use std::time::Duration;

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use timelog_adapters::{DatabaseOptions, QueueOptions, Store};
use timelog_domain::ports::{PortError, TimeEntryRepository};
use timelog_domain::{Decision, Details, Filter, LogTimeEntry, Request};

use crate::subject::{Subject, postgres};
use crate::world::*;

/// A store that waits for nobody for long, the time to connect included.
async fn impatient(subject: &Subject) -> Store {
    let options =
        DatabaseOptions { lock_timeout: Duration::from_millis(50), ..DatabaseOptions::default() };
    for _ in 0..1000 {
        let clock = Arc::new(subject.clock.clone());
        match Store::open(&subject.database().url, &options, &QueueOptions::default(), clock).await
        {
            Err(PortError::Unavailable(_)) => {}
            opened => return opened.unwrap(),
        }
    }
    panic!("the server cannot be reached");
}

/// Asks until it is answered, as clients do.
async fn in_the_end(store: &Store, request: Request) -> Decision {
    for _ in 0..1000 {
        match store.execute(request.clone()).await {
            Err(PortError::Unavailable(_)) => {}
            decided => return decided.unwrap(),
        }
    }
    panic!("it is never answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_meets_a_locked_table_may_come_again_whichever_statement_is_heard_of_first()
{
    let subject = postgres().await;
    let store = impatient(&subject).await;
    let mut other =
        AsyncPgConnection::establish(&subject.database().url.to_string()).await.unwrap();
    // It touches every table that is read before a decision, so that one statement's failure is
    // that of others too.
    let everything = |number: u128| {
        let command = log_as(number, &number.to_string());
        let details = Details {
            ticket_id: Some(id(TICKET)),
            release_id: Some(id(RELEASE)),
            ..command.details
        };
        keyed(LogTimeEntry { details, ..command }, &number.to_string())
    };
    let mut number = 1000;
    for table in [
        "idempotency_keys",
        "projects",
        "users",
        "project_entries",
        "project_releases",
        "time_entries",
    ] {
        for _ in 0..8 {
            number += 1;
            // Its statements are prepared then, and the next time all of them are sent at once.
            done(in_the_end(&store, everything(number)).await);
            number += 1;
            other
                .batch_execute(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
                .await
                .unwrap();
            let turned_away = store.execute(everything(number)).await;
            assert!(
                matches!(turned_away, Err(PortError::Unavailable(_))),
                "{table}: {turned_away:?}"
            );
            other.batch_execute("ROLLBACK").await.unwrap();
            done(in_the_end(&store, everything(number)).await);
        }
    }
    assert_eq!(subject.queries.count(id(ORGANIZATION), Filter::default()).await, Ok(96));
}
