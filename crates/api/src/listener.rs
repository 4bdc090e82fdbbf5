//! Listening, and the limit on open files.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::connections::SURPLUS;
use crate::settings::Settings;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// TCP keepalive: how long a connection is idle before the first probe, the time between two
/// probes, and how many of them may stay unanswered.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;

/// The most bytes that the system buffers for a client, beside those that are sent and not
/// acknowledged.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 * 1024;

/// Listens on that address. Returns the address with the port that it got. Connections inherit the
/// options that are set here.
pub(crate) fn listen(
    address: SocketAddr,
    settings: &Settings,
) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listen = || -> std::io::Result<_> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE_IDLE)
            .with_interval(KEEPALIVE_INTERVAL)
            .with_retries(KEEPALIVE_PROBES);
        socket.set_tcp_keepalive(&keepalive)?;
        #[cfg(target_os = "linux")]
        {
            // Bytes that nobody acknowledges end the connection like an answer that nobody takes.
            socket.set_tcp_user_timeout(Some(settings.answer_timeout))?;
            // The system would buffer megabytes, and tell only after a third of them that the
            // client takes something.
            socket.set_tcp_notsent_lowat(UNSENT)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen().with_context(|| format!("cannot listen on {address}"))
}

/// Open files of the program itself.
const OTHER_FILES: usize = 256;

/// Raises the limit on open files as far as the settings need and the system allows. Returns how
/// many connections from clients it allows then. Many systems give a program no more than 1024
/// files unless it asks.
pub(crate) fn raise_file_limit(settings: &Settings) -> usize {
    // A connection to SQLite has three files open, and a worker four.
    let database = 3 * (settings.read_connections + settings.lanes);
    let others = (OTHER_FILES + database + 4 * settings.workers + SURPLUS) as u64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let needed = others + settings.max_connections as u64;
    let granted = match current {
        Some(current) if current < needed => {
            let asked = maximum.map_or(needed, |maximum| maximum.min(needed)).max(current);
            setrlimit(Resource::Nofile, Rlimit { current: Some(asked), maximum })
                .map_or(current, |()| asked)
        }
        _ => needed,
    };
    usize::try_from(granted.saturating_sub(others))
        .unwrap_or(usize::MAX)
        .clamp(1, settings.max_connections)
}
