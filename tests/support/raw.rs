//! Raw requests, which an HTTP client would not send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::conformance;

/// Sends bytes and returns what comes back until the service closes the connection, which the
/// request must cause.
pub(crate) async fn raw(address: SocketAddr, request: impl Into<Vec<u8>>) -> String {
    let request = request.into();
    let exchange = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).expect("the service listens");
        let mut answer = Vec::new();
        // A service that has read enough may answer and close before it has read all.
        let _ = stream.write_all(&request).and_then(|()| stream.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).into_owned()
    });
    exchange.await.expect("the exchange does not panic")
}

/// A connection on which a test sends any bytes at any time.
pub(crate) struct Connection(BufReader<tokio::net::TcpStream>);

/// An answer as it came over a connection.
#[derive(Debug)]
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    /// The header lines, names in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self(BufReader::new(
            tokio::net::TcpStream::connect(address).await.expect("the service listens"),
        ))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("the service reads");
    }

    /// Waits for an answer, whose head says how long it is.
    pub(crate) async fn answer(&mut self) -> RawAnswer {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = self.0.read_line(&mut line).await.expect("an answer has a head");
            assert_ne!(read, 0, "the connection ended after {lines:?}");
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines
            .remove(0)
            .split(' ')
            .nth(1)
            .and_then(|text| text.parse().ok())
            .expect("it has a status");
        let headers: Vec<_> = lines
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| format!("{}: {value}", name.to_lowercase()))
            .collect();
        let length = headers
            .iter()
            .find_map(|header| header.strip_prefix("content-length: "))
            .unwrap_or("0");
        let mut body = vec![0; length.parse().expect("a length is a number")];
        self.0.read_exact(&mut body).await.expect("the answer is whole");
        RawAnswer { status, headers, body }
    }

    /// Waits until the service has closed the connection without sending more.
    pub(crate) async fn closing(mut self) {
        let mut rest = Vec::new();
        // Sent data that was not read makes it a reset.
        let _ = self.0.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }

    /// Sends no more, but goes on listening.
    pub(crate) async fn close_half(&mut self) {
        self.0.shutdown().await.expect("a connection has two halves");
    }

    /// Sends to a service that may have closed the connection.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Whether there is something to read, now.
    pub(crate) async fn is_readable(&self) -> bool {
        let mut byte = [0];
        let peeked = tokio::time::timeout(Duration::ZERO, self.0.get_ref().peek(&mut byte)).await;
        matches!(peeked, Ok(Ok(_)))
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        self.0.into_inner().set_zero_linger().expect("a connection can be reset");
    }
}

impl RawAnswer {
    /// The answer is a problem with this status and code.
    #[track_caller]
    pub(crate) fn fails_with(self, status: u16, code: &str) -> Self {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!(self.status, status, "{text}");
        let problem: Value =
            serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(conformance::schema_of("/components/schemas/Problem").is_valid(&problem), "{text}");
        assert_eq!(
            (&problem["code"], &problem["status"]),
            (&Value::from(code), &Value::from(status)),
            "{text}"
        );
        self
    }

    /// Whether it is the last on its connection.
    pub(crate) fn is_last(&self) -> bool {
        self.headers.iter().any(|header| header == "connection: close")
    }
}
