//! The memory for bodies and answers is shared: one organization leaves some for the others.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connections::narrow;
use crate::support::{Connection, Database, Service, Tenant, on_every_database, until};

on_every_database![
    bodies_of_one_organization_leave_memory_for_others,
    answers_to_one_organization_leave_memory_for_others,
];

async fn bodies_of_one_organization_leave_memory_for_others(database: Database) {
    let service =
        Service::start_with(database, |setup| setup.settings.in_flight_mib = 1.try_into().unwrap())
            .await;
    let other = Tenant::provision(&service.store).await;
    let head = |tenant: &Tenant, length: usize| {
        format!(
            "POST {}/batch HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: \
             application/json\r\nContent-Length: {length}\r\n\r\n ",
            tenant.path(),
            tenant.key.text
        )
    };
    // The second of the two is refused, and from outside it cannot be seen which one that is. So it
    // is repeated until it is the one with the smaller body.
    let mut first = None;
    for _ in 0..200 {
        let mut connection = Connection::open(service.address).await;
        connection.send(head(&service.tenant, 600_000)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        let mut second = Connection::open(service.address).await;
        second.send(head(&service.tenant, 400_000)).await;
        second.send(" ".repeat(399_998) + "1").await;
        let answer = second.answer().await;
        if answer.status == 503 {
            answer.fails_with(503, "unavailable");
            first = Some(connection);
            break;
        }
        answer.fails_with(400, "validation_error");
        connection.reset();
    }
    let first = first.expect("the second is refused");
    let api = other.api(&service.api);
    let batch = json!({ "entries": [other.body()], "padding": " ".repeat(400_000) });
    api.post(&format!("{}/batch", other.path())).json(&batch).send().await.is(200);
    // The memory is given back.
    first.reset();
    let batch = json!({ "entries": [service.tenant.body()], "padding": " ".repeat(600_000) });
    let call = service.api.post(&format!("{}/batch", service.tenant.path())).json(&batch);
    until("free memory", async || call.clone().send().await.status == 200).await;
}

async fn answers_to_one_organization_leave_memory_for_others(database: Database) {
    let service = Service::start_with(database, |setup| {
        setup.settings.in_flight_mib = 8.try_into().unwrap();
        setup.settings.answer_timeout = Duration::from_hours(1);
    });
    let service = service.await;
    let other = Tenant::provision(&service.store).await;
    let other_api = other.api(&service.api);
    for (tenant, api) in [(&service.tenant, &service.api), (&other, &other_api)] {
        let body = tenant.body_with(&json!({ "description": "\u{1f552}".repeat(2000) }));
        let batch = json!({ "entries": vec![body; 200] });
        api.post(&format!("{}/batch", tenant.path())).json(&batch).send().await.is(200);
    }
    // Each answer has 1.7 MB, and these clients read nothing of it but its status.
    let page = "/time-entries?limit=200";
    let mut stalled = Vec::new();
    for _ in 0..3 {
        let mut stream = narrow(service.address).await;
        let key = &service.tenant.key.text;
        let request = format!("GET {page} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stalled.push(stream);
    }
    let mut starts = Vec::new();
    for stream in &mut stalled {
        let mut start = [0; "HTTP/1.1 200".len()];
        stream.read_exact(&mut start).await.unwrap();
        starts.push(String::from_utf8(start.to_vec()).unwrap());
    }
    starts.sort();
    assert_eq!(starts, ["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 503"]);
    service.api.get(page).send().await.fails_with(503, "unavailable");
    service.api.get("/time-entries?limit=1").send().await.is(200);
    other_api.get(page).send().await.is(200);
    drop(stalled);
    until("free memory", async || service.api.get(page).send().await.status == 200).await;
}
