//! Listening, and how many files that takes.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::connections::SURPLUS;
use crate::settings::Settings;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// How long a connection is silent before its client is asked for a sign of life, how often it is
/// asked again, and how often in vain until it counts as gone.
const SILENCE: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_secs(10);
const IN_VAIN: u32 = 3;

/// The most bytes that the system puts by for a client, beside what is on its way.
#[cfg(target_os = "linux")]
const PUT_BY: u32 = 64 * 1024;

/// A listener on that address, and the address with the port that it got. Connections inherit what
/// is set here.
pub(crate) fn listen(
    address: SocketAddr,
    settings: &Settings,
) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listen = || -> std::io::Result<_> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        let keepalive =
            TcpKeepalive::new().with_time(SILENCE).with_interval(AGAIN).with_retries(IN_VAIN);
        socket.set_tcp_keepalive(&keepalive)?;
        #[cfg(target_os = "linux")]
        {
            // What was sent and reached nobody ends the connection like an answer that nobody
            // takes.
            socket.set_tcp_user_timeout(Some(settings.answer_timeout))?;
            // The system would put by megabytes, and say only after a third of them that the client
            // takes something.
            socket.set_tcp_notsent_lowat(PUT_BY)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen().with_context(|| format!("cannot listen on {address}"))
}

/// Files that are open beside connections: the program's own, the database's, and four for each
/// thread.
const OTHER_FILES: usize = 256;

/// Raises the limit on open files as far as the settings need and the system allows. Returns how
/// many connections from clients it allows then. Many systems give a program no more than 1024 files
/// unless it asks.
pub(crate) fn raise_file_limit(settings: &Settings) -> usize {
    // An SQLite connection has three files open.
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
