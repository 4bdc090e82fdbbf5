//! Requests that no client would send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Sends bytes as they are and returns what comes back until the service closes the connection, which the request must ask for
/// or deserve.
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
