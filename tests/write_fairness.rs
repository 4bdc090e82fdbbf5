//! Organizations take turns: changes of one are committed soon, however many changes of another
//! wait.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;
use timelog_domain::ports::{Directory, TimeEntryRepository};
use timelog_domain::{
    Caller, Command, Details, LogMany, LogTimeEntry, Request, Source, TimeEntryId, User, UserId,
    WorkDuration,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::support::{
    Database, PausableClock, Service, Session, Tenant, TestDatabase, on_every_database,
};

on_every_database![
    an_entry_is_committed_before_waiting_batches_of_another_organization,
    a_put_is_committed_before_waiting_puts_of_another_organization,
];

/// How many batches one organization has waiting.
const BATCHES: usize = 60;

/// A batch of 500 entries.
fn batch(tenant: &Tenant) -> Request {
    let work_date = "2025-01-15".parse().unwrap();
    let details = Details::new(tenant.user_id, work_date, WorkDuration::MIN);
    let item = || {
        let id = TimeEntryId::new(Uuid::now_v7());
        let details = details.clone();
        Some(LogTimeEntry {
            id,
            project_id: tenant.project_id,
            details,
            external_ref: None,
            source: Source::Api,
        })
    };
    let items = std::iter::repeat_with(item).take(500).collect();
    let command = Command::LogMany(LogMany { project_id: tenant.project_id, items, atomic: false });
    Request { caller: Caller::from(&tenant.key.key), command, claim: None }
}

async fn an_entry_is_committed_before_waiting_batches_of_another_organization(database: Database) {
    let mut clock = None;
    let service = Service::start_with(database, |setup| {
        let made = PausableClock::new(setup.clock.clone());
        setup.time = Some(made.clone());
        // Both organizations share this lane.
        setup.database.lanes = 1;
        clock = Some(made);
    });
    let (service, clock) = (service.await, clock.unwrap());
    let flood = Tenant::provision(&service.store).await;
    let pause = clock.pause_next();
    let mut batches = JoinSet::new();
    for _ in 0..BATCHES {
        let (store, request) = (Arc::clone(&service.store), batch(&flood));
        let mut waiting = Box::pin(async move { store.execute(request).await });
        // The first poll puts it into the queue.
        assert!(waiting.as_mut().now_or_never().is_none());
        batches.spawn(waiting);
    }
    let pause = pause.reached().await;
    let answers = tokio::spawn(join_all(
        (0..8).map(|number| service.log_any().idempotency_key(&number.to_string()).send()),
    ));
    pause.resume();
    for answer in answers.await.unwrap() {
        answer.is(201);
    }
    let answered = std::iter::from_fn(|| batches.try_join_next()).count();
    assert!(answered < BATCHES / 2, "{answered} of {BATCHES} batches were answered first");
    batches.abort_all();
}

async fn a_put_is_committed_before_waiting_puts_of_another_organization(database: Database) {
    const PUTS: usize = 2000;
    let service = Service::start(database).await;
    let flood = Tenant::provision(&service.store).await;
    // Nothing can be written while one of these is held.
    let (lock, session) = match &service.database {
        TestDatabase::Sqlite(_) => (Some(service.database.lock_against_writing()), None),
        TestDatabase::Postgres(cluster, url) => {
            let mut session = Session::open(cluster, url);
            session.run("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
            (None, Some(session))
        }
    };
    let put = |tenant: &Tenant| {
        let user = User {
            organization_id: tenant.organization_id,
            id: UserId::new(Uuid::now_v7()),
            name: "Name".parse().unwrap(),
            active: true,
        };
        let store = Arc::clone(&service.store);
        let mut waiting = Box::pin(async move { store.put_user(user).await });
        // It waits from the first poll on.
        assert!(waiting.as_mut().now_or_never().is_none());
        waiting
    };
    let mut puts = JoinSet::new();
    for _ in 0..PUTS {
        puts.spawn(put(&flood));
    }
    let ours = tokio::spawn(put(&service.tenant));
    drop((lock, session));
    assert_eq!(ours.await.unwrap(), Ok(true));
    let answered = std::iter::from_fn(|| puts.try_join_next()).count();
    assert!(answered < PUTS / 2, "{answered} of {PUTS} were answered first");
    // All of them are carried out.
    assert!(puts.join_all().await.into_iter().all(|put| put == Ok(true)));
}
