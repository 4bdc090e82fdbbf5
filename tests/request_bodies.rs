//! Bodies that are too long, arrive too late or are not read: the answer, and what happens to the
//! connection.

use std::time::Duration;

use timelog_domain::{Permission, Status};

use crate::support::{Connection, Database, Service, may, on_every_database};

on_every_database![
    a_content_length_over_the_limit_is_answered_413_before_the_body_arrives,
    a_client_that_keeps_sending_still_gets_the_answer,
    a_late_body_is_answered_408_also_where_no_handler_reads_it,
    a_refused_request_with_a_huge_content_length_is_answered_at_once,
    a_finished_delete_is_answered_204_although_its_body_never_arrives,
    a_body_that_no_handler_reads_leaves_the_connection_usable,
];

/// The head of a request, without the headers for its body.
fn head(line: &str, key: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: \
         application/json\r\n"
    )
}

/// The operations that read a body, and their limits in bytes.
async fn operations(service: &Service) -> Vec<(String, usize)> {
    let tenant = &service.tenant;
    let (project, user, id) =
        (tenant.project_id, tenant.user_id, service.entry_in(Status::Draft).await);
    let (one, many) = (64 * 1024, 4 * 1024 * 1024);
    vec![
        (format!("POST {}", tenant.path()), one),
        (format!("POST {}/batch", tenant.path()), many),
        (format!("PATCH /time-entries/{id}"), one),
        (format!("POST /time-entries/{id}/submit"), one),
        ("POST /time-entries/transitions".to_owned(), many),
        (format!("PUT /projects/{project}"), one),
        (format!("PUT /users/{user}"), one),
        (format!("PUT /projects/{project}/entries/{}", tenant.ticket_id), one),
        (format!("PUT /projects/{project}/releases/{}", tenant.release_id), one),
    ]
}

async fn a_content_length_over_the_limit_is_answered_413_before_the_body_arrives(
    database: Database,
) {
    let service = Service::start(database).await;
    let head = |line: &str| head(line, &service.tenant.key.text);
    let mut connections = Vec::new();
    for (line, limit) in operations(&service).await {
        for length in [limit as u64 + 1, 1 << 40, u64::MAX] {
            let mut connection = Connection::open(service.address).await;
            connection.send(format!("{}Content-Length: {length}\r\n\r\n", head(&line))).await;
            let answer = connection.answer().await.fails_with(413, "payload_too_large");
            assert!(answer.is_last(), "{line}: {:?}", answer.headers);
            connections.push(connection);
        }
    }
    for connection in connections {
        connection.closing().await;
    }
    // The key comes before the size, and so does the media type.
    let mut connection = Connection::open(service.address).await;
    let text =
        head(&format!("POST {}", service.tenant.path())).replace("application/json", "text/plain");
    connection.send(format!("{text}Content-Length: {}\r\n\r\n", 1_u64 << 40)).await;
    connection.answer().await.fails_with(415, "unsupported_media_type");
}

async fn a_client_that_keeps_sending_still_gets_the_answer(database: Database) {
    let service = Service::start(database).await;
    let head = head(&format!("POST {}", service.tenant.path()), &service.tenant.key.text);
    let piece = vec![b' '; 1 << 20];
    let mut connection = Connection::open(service.address).await;
    connection.send(format!("{head}Content-Length: {}\r\n\r\n", 12 * piece.len())).await;
    for _ in 0..12 {
        connection.send(&piece).await;
    }
    connection.answer().await.fails_with(413, "payload_too_large");
    connection.closing().await;
    // Without a `Content-Length` the limit shows once too much has come.
    let mut connection = Connection::open(service.address).await;
    connection.send(format!("{head}Transfer-Encoding: chunked\r\n\r\n")).await;
    for _ in 0..12 {
        connection.send(format!("{:x}\r\n", piece.len())).await;
        connection.send(&piece).await;
        connection.send("\r\n").await;
    }
    connection.send("0\r\n\r\n").await;
    let answer = connection.answer().await.fails_with(413, "payload_too_large");
    assert!(!answer.is_last());
}

async fn a_late_body_is_answered_408_also_where_no_handler_reads_it(database: Database) {
    let timeout = Duration::from_millis(300);
    let service =
        Service::start_with(database, |setup| setup.settings.request_timeout = timeout).await;
    let reader = service.key(may(&[Permission::Read])).await;
    let mut heads: Vec<_> = operations(&service)
        .await
        .into_iter()
        .map(|(line, _)| head(&line, &service.tenant.key.text))
        .collect();
    let log = format!("POST {}", service.tenant.path());
    heads.push(head(&log, "tlk_nobody"));
    heads.push(head(&log, &reader.text));
    heads.push(head(&log, &service.tenant.key.text).replace("application/json", "text/plain"));
    heads.push(head("POST /projects/x/time-entries", &service.tenant.key.text));
    for line in
        ["POST /nothing", "PUT /me", "GET /me", "GET /time-entries", "GET /health/live", "BREW /"]
    {
        heads.push(head(line, &service.tenant.key.text));
    }
    let before = service.database.counts();
    let mut connections = Vec::new();
    for head in &heads {
        let too_long =
            format!("Transfer-Encoding: chunked\r\n\r\n11000\r\n{}", " ".repeat(0x11000));
        for rest in [
            "Content-Length: 9\r\n\r\n{}",
            "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            &too_long,
        ] {
            let mut connection = Connection::open(service.address).await;
            connection.send(format!("{head}{rest}")).await;
            connections.push((head, connection));
        }
    }
    for (head, connection) in &mut connections {
        let answer = connection.answer().await.fails_with(408, "request_timeout");
        assert!(answer.is_last(), "{head}");
        assert!(String::from_utf8_lossy(&answer.body).contains("300ms"));
    }
    for (_, connection) in connections {
        connection.closing().await;
    }
    assert_eq!(service.database.counts(), before);
}

async fn a_refused_request_with_a_huge_content_length_is_answered_at_once(database: Database) {
    let service = Service::start(database).await;
    let log = format!("POST {}", service.tenant.path());
    for (line, key, status, code) in [
        (log.as_str(), "tlk_nobody", 401, "unauthorized"),
        ("POST /nothing", &service.tenant.key.text, 404, "not_found"),
        ("PUT /me", &service.tenant.key.text, 405, "method_not_allowed"),
    ] {
        let mut connection = Connection::open(service.address).await;
        connection
            .send(format!("{}Content-Length: {}\r\n\r\n", head(line, key), 1_u64 << 40))
            .await;
        let answer = connection.answer().await.fails_with(status, code);
        assert!(answer.is_last(), "{line}");
        connection.closing().await;
    }
}

async fn a_finished_delete_is_answered_204_although_its_body_never_arrives(database: Database) {
    let timeout = Duration::from_millis(300);
    let service =
        Service::start_with(database, |setup| setup.settings.request_timeout = timeout).await;
    for rest in ["Content-Length: 9\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"] {
        let id = service.entry_in(Status::Draft).await;
        let mut connection = Connection::open(service.address).await;
        let head = head(&format!("DELETE /time-entries/{id}"), &service.tenant.key.text);
        connection.send(format!("{head}{rest}")).await;
        let answer = connection.answer().await;
        assert_eq!(answer.status, 204, "{answer:?}");
        assert!(answer.is_last());
        connection.closing().await;
        service.api.get(&format!("/time-entries/{id}")).send().await.is(404);
    }
}

async fn a_body_that_no_handler_reads_leaves_the_connection_usable(database: Database) {
    let service = Service::start(database).await;
    let key = service.tenant.key.text.as_str();
    let body = service.tenant.body().to_string();
    let blanks = " ".repeat(1 << 20);
    let log = format!("POST {}", service.tenant.path());
    let mut connection = Connection::open(service.address).await;
    for body in [body.as_str(), &blanks] {
        let id = service.entry_in(Status::Draft).await;
        let (delete, get) =
            (format!("DELETE /time-entries/{id}"), format!("GET {}", service.tenant.path()));
        for (line, key, status) in [
            ("GET /health/live", key, 200),
            ("GET /me", key, 200),
            (&get, key, 200),
            (&delete, key, 204),
            (&delete, key, 404),
            ("POST /nothing", key, 404),
            ("PUT /me", key, 405),
            ("BREW /me", key, 405),
            (&log, "tlk_nobody", 401),
        ] {
            let head = head(line, key);
            for request in [
                format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()),
                format!(
                    "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                    body.len()
                ),
            ] {
                connection.send(request).await;
                let answer = connection.answer().await;
                let again = if status == 204 { 404 } else { status };
                assert!([status, again].contains(&answer.status), "{line}: {answer:?}");
                assert!(!answer.is_last(), "{line}");
            }
        }
    }
    // The connection can be used as before.
    connection
        .send(format!("{}Content-Length: {}\r\n\r\n{body}", head(&log, key), body.len()))
        .await;
    assert_eq!(connection.answer().await.status, 201);
}
