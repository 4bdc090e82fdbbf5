//! The connections of a listener: their number, and the deadlines of their clients.

mod connection;
mod stream;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::rt::net::TcpStream;

pub(crate) use self::connection::{Connection, Stage};
pub(crate) use self::stream::Stream;

/// How many connections there may be over the limit. They are answered 503, or get the answer of a
/// health check.
pub(crate) const SURPLUS: usize = 64;

/// How long the service waits for a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// For another request.
    pub(crate) idle: Duration,
    /// For the rest of a head, once it has begun.
    pub(crate) head: Duration,
    /// For reading each piece of an answer.
    pub(crate) answer: Duration,
}

/// The connections of a listener. Clones are the same.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    limit: usize,
    deadlines: Deadlines,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    gauge: metrics::Gauge,
}

impl Connections {
    /// At most `limit` at a time. The label names the listener in the metrics.
    pub(crate) fn new(limit: usize, deadlines: Deadlines, label: &'static str) -> Self {
        let gauge = metrics::gauge!("timelog_connections", "listener" => label);
        Self(Arc::new(Inner {
            limit,
            deadlines,
            next: AtomicU64::new(0),
            open: Mutex::default(),
            gauge,
        }))
    }

    /// Admits a connection. If the limit is reached, it replaces the one that has kept the service
    /// waiting longest. If there is none such, the new one is surplus: there are a few places for
    /// these, with the same rule.
    pub(crate) fn admit(&self, stream: TcpStream) -> Option<Stream> {
        let mut open = self.open();
        let is_surplus = !has_room(&open, false, self.0.limit);
        if is_surplus && !has_room(&open, true, SURPLUS) {
            drop(open);
            ended("refused");
            return None;
        }
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(is_surplus));
        open.insert(id, connection.clone());
        self.0.gauge.set(count(open.len()));
        drop(open);
        Some(Stream::new(
            stream,
            Place { connections: self.clone(), id, connection },
            self.0.deadlines,
        ))
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there is room for one more, or can be made by ending the one that has waited longest for
/// its client.
fn has_room(open: &HashMap<u64, Arc<Connection>>, is_surplus: bool, limit: usize) -> bool {
    if open.len() < limit {
        return true;
    }
    // Ended connections are still listed until their streams have noticed it.
    let others =
        || open.values().filter(|other| other.is_surplus == is_surplus && !other.is_ended());
    if others().count() < limit {
        return true;
    }
    let waiting = others().filter_map(|connection| Some((connection.waits_since()?, connection)));
    let Some((_, longest)) = waiting.min_by_key(|(since, _)| *since) else { return false };
    longest.end();
    ended("crowded_out");
    true
}

/// Counts a connection that the service ended, and why.
fn ended(reason: &'static str) {
    metrics::counter!("timelog_connections_ended_total", "reason" => reason).increment(1);
}

fn count(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

/// A connection's place among the others, which it leaves when it is dropped.
struct Place {
    connections: Connections,
    id: u64,
    connection: Arc<Connection>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.remove(&self.id);
        self.connections.0.gauge.set(count(open.len()));
    }
}
