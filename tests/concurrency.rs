//! Concurrent requests, and clients that disconnect.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use timelog_adapters::QueueOptions;
use timelog_domain::MismatchPolicy;
use tokio::task::JoinSet;

use crate::support::{
    Answer, Api, Call, Connection, Database, PausableClock, Service, on_every_database, until,
};

on_every_database![
    sixty_four_identical_requests_make_one_entry,
    sixty_four_requests_with_two_bodies_under_one_key_make_one_entry,
    with_mismatch_reject_the_first_body_wins_and_the_other_is_answered_422,
    sixty_four_requests_with_one_new_reference_make_one_entry,
    a_concurrent_repeat_waits_for_the_first_and_is_replayed,
    a_full_queue_is_answered_503_at_once,
    a_client_that_disconnects_while_it_waits_gets_its_answer_by_a_repeat,
    a_client_that_disconnects_before_the_answer_is_counted_as_499,
    a_client_that_disconnects_within_its_body_changes_nothing,
];

/// Makes all of the calls at once.
async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
    let mut running = JoinSet::new();
    for call in calls {
        running.spawn(call.send());
    }
    running.join_all().await
}

async fn sixty_four_identical_requests_make_one_entry(database: Database) {
    let service = Service::start(database).await;
    for round in 1..=50 {
        let call = service.log_any().idempotency_key(&format!("key-{round}"));
        let answers = at_once(std::iter::repeat_n(call, 64)).await;
        assert!(
            answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body)
        );
        assert_eq!(answers.iter().filter(|answer| !answer.is_replayed()).count(), 1);
        assert_eq!(service.database.count("time_entries"), round);
    }
    assert_eq!(service.database.count("idempotency_keys"), 50);
}

/// Calls under one key, half of them with another body.
fn of_two_bodies(service: &Service, key: &str) -> Vec<Call> {
    let bodies = [service.tenant.body(), service.tenant.body_with(&json!({ "minutes": 15 }))];
    (0..64).map(|index: usize| service.log(&bodies[index % 2]).idempotency_key(key)).collect()
}

async fn sixty_four_requests_with_two_bodies_under_one_key_make_one_entry(database: Database) {
    let service = Service::start(database).await;
    for round in 1..=10 {
        let answers = at_once(of_two_bodies(&service, &format!("key-{round}"))).await;
        assert!(
            answers.iter().all(|answer| answer.status == 201 && answer.body == answers[0].body)
        );
        assert_eq!(answers.iter().filter(|answer| !answer.is_replayed()).count(), 1);
        assert_eq!(service.database.count("time_entries"), round);
    }
}

async fn with_mismatch_reject_the_first_body_wins_and_the_other_is_answered_422(
    database: Database,
) {
    let service =
        Service::start_with(database, |setup| setup.settings.on_mismatch = MismatchPolicy::Reject)
            .await;
    for round in 1..=10 {
        let answers = at_once(of_two_bodies(&service, &format!("key-{round}"))).await;
        let (done, refused): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!((done.len(), refused.len()), (32, 32));
        assert!(done.iter().all(|answer| answer.body == done[0].body));
        assert_eq!(done.iter().filter(|answer| !answer.is_replayed()).count(), 1);
        for answer in refused {
            answer.fails_with(422, "idempotency_key_reused");
        }
        assert_eq!(service.database.count("time_entries"), round);
    }
}

async fn sixty_four_requests_with_one_new_reference_make_one_entry(database: Database) {
    let service = Service::start(database).await;
    for round in 1..=10 {
        let reference =
            json!({ "provider": "p", "externalType": "t", "externalId": round.to_string() });
        let call = service.log(&service.tenant.body_with(&json!({ "externalRef": reference })));
        let answers = at_once(std::iter::repeat_n(call, 64)).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 63);
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        assert_eq!(service.database.count("time_entries"), round);
    }
}

/// A service whose commits can be paused in the middle of their transaction.
async fn start_pausable(database: Database) -> (Service, Arc<PausableClock>) {
    start_pausable_with_queue(database, QueueOptions::default().capacity).await
}

async fn start_pausable_with_queue(
    database: Database,
    capacity: usize,
) -> (Service, Arc<PausableClock>) {
    let mut clock = None;
    let service = Service::start_with(database, |setup| {
        let made = PausableClock::new(setup.clock.clone());
        setup.time = Some(made.clone());
        setup.queue.capacity = capacity;
        setup.settings.workers = 1;
        clock = Some(made);
    });
    (service.await, clock.unwrap())
}

async fn a_full_queue_is_answered_503_at_once(database: Database) {
    let (service, clock) = start_pausable_with_queue(database, 1).await;
    let pause = clock.pause_next();
    let first = tokio::spawn(service.log_any().send());
    let pause = pause.reached().await;
    // While the first is being committed, one may wait and no more.
    let mut others = JoinSet::new();
    for number in 0..8 {
        others.spawn(service.log_any().idempotency_key(&number.to_string()).send());
    }
    for _ in 0..7 {
        let refused = others.join_next().await.unwrap().unwrap().fails_with(503, "unavailable");
        assert!(refused.header("retry-after").is_some());
    }
    pause.resume();
    first.await.unwrap().is(201);
    others.join_next().await.unwrap().unwrap().is(201);
    assert_eq!(service.database.count("time_entries"), 2);
    assert_eq!(service.database.count("idempotency_keys"), 1);
}

async fn a_concurrent_repeat_waits_for_the_first_and_is_replayed(database: Database) {
    let (service, clock) = start_pausable(database).await;
    let call = service.log_any().idempotency_key("k");
    let pause = clock.pause_next();
    let first = tokio::spawn(call.clone().send());
    let pause = pause.reached().await;
    let repeats = at_once(std::iter::repeat_n(call, 8));
    let (repeats, first) = tokio::join!(repeats, async {
        pause.resume();
        first.await.unwrap()
    });
    let first = first.is(201);
    assert!(!first.is_replayed());
    assert!(repeats.iter().all(|repeat| repeat.is_replayed() && repeat.body == first.body));
    assert_eq!(service.database.count("time_entries"), 1);
}

/// The bytes of the request that [`Service::log_any`] makes.
fn request(service: &Service, key: &str) -> (String, String) {
    let body = service.tenant.body().to_string();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: \
         application/json\r\n\
         Content-Length: {}\r\nIdempotency-Key: {key}\r\n\r\n",
        service.tenant.path(),
        service.tenant.key.text,
        body.len()
    );
    (head, body)
}

async fn a_client_that_disconnects_while_it_waits_gets_its_answer_by_a_repeat(database: Database) {
    let (service, clock) = start_pausable(database).await;
    for resets in [false, true] {
        let pause = clock.pause_next();
        let (head, body) = request(&service, &format!("key-{resets}"));
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        stream.write_all((head + &body).as_bytes()).unwrap();
        // The transaction is open when the client goes.
        let pause = pause.reached().await;
        hang_up(stream, resets).await;
        // The only worker thread has noticed it once it has served a later request.
        for _ in 0..3 {
            Api::new(service.address, "").get("/health/live").send().await.is(200);
        }
        pause.resume();
        let repeat =
            service.log_any().idempotency_key(&format!("key-{resets}")).send().await.is(201);
        assert!(repeat.is_replayed());
    }
    assert_eq!(service.database.count("time_entries"), 2);
}

/// Closes a connection after its first answer came. Unread data would make it a reset.
async fn hang_up(mut stream: TcpStream, resets: bool) {
    let waited = tokio::task::spawn_blocking(move || {
        if resets {
            stream.peek(&mut [0]).unwrap();
        } else {
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                read.extend(byte);
            }
        }
    });
    waited.await.unwrap();
}

/// How many requests to log time got no answer.
async fn unanswered(service: &Service) -> u64 {
    let labels = "{method=\"POST\",route=\"/projects/{projectId}/time-entries\",status=\"499\"}";
    service.api.metric(&format!("timelog_http_requests_total{labels}")).await.unwrap_or(0)
}

async fn a_client_that_disconnects_before_the_answer_is_counted_as_499(database: Database) {
    let (service, clock) = start_pausable(database).await;
    let before = unanswered(&service).await;
    let pause = clock.pause_next();
    let (head, body) = request(&service, "k");
    let mut connection = Connection::open(service.address).await;
    connection.send(head + &body).await;
    // The transaction is open when the client goes.
    let pause = pause.reached().await;
    connection.reset();
    // Other tests disconnect as well, so the metric may be larger.
    until("a 499", async || unanswered(&service).await > before).await;
    pause.resume();
    let repeat = service.log_any().idempotency_key("k").send().await.is(201);
    assert!(repeat.is_replayed());
    assert_eq!(service.database.count("time_entries"), 1);
}

async fn a_client_that_disconnects_within_its_body_changes_nothing(database: Database) {
    let service = Service::start(database).await;
    let (head, body) = request(&service, "k");
    for sent in [0, 1, body.len() / 2, body.len() - 1] {
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.write_all((head.clone() + &body[..sent]).as_bytes()).unwrap();
    }
    let answer = service.log_any().idempotency_key("k").send().await.is(201);
    assert!(!answer.is_replayed());
    assert_eq!(service.database.count("time_entries"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_sqlite_database_is_answered_503_and_nothing_is_stored() {
    let lock_timeout = Duration::from_millis(100);
    let service =
        Service::start_with(Database::Sqlite, |setup| setup.database.lock_timeout = lock_timeout)
            .await;
    let stored = service.log_any().idempotency_key("before").send().await.is(201);
    let call = service.log_any().idempotency_key("k");
    let lock = service.database.lock_against_writing();
    let refused = call.clone().send().await.fails_with(503, "unavailable");
    assert!(refused.header("retry-after").is_some());
    // Reads go on, and a repeat only reads.
    service.api.get(&format!("/time-entries/{}", stored.text("id"))).send().await.is(200);
    let repeat = service.log_any().idempotency_key("before").send().await.is(201);
    assert!(repeat.is_replayed());
    assert_eq!(repeat.body, stored.body);
    drop(lock);
    assert_eq!(service.database.count("time_entries"), 1);
    assert_eq!(service.database.count("idempotency_keys"), 1);
    assert!(!call.send().await.is(201).is_replayed());
    assert_eq!(service.database.count("time_entries"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_after_a_rollback_is_carried_out() {
    let service = Service::start_with(Database::Sqlite, |setup| {
        setup.database.lock_timeout = Duration::from_secs(1);
        // One after the other, so that the repeat is not in the batch that is rolled back.
        setup.queue.batch_size = Some(1);
    });
    let service = service.await;
    let call = service.log_any().idempotency_key("k");
    let lock = service.database.lock_against_writing();
    let mut both = JoinSet::new();
    both.spawn(call.clone().send());
    both.spawn(call.send());
    both.join_next().await.unwrap().unwrap().fails_with(503, "unavailable");
    drop(lock);
    let second = both.join_next().await.unwrap().unwrap().is(201);
    assert!(!second.is_replayed());
    assert_eq!(service.database.count("time_entries"), 1);
}
