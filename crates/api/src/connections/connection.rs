//! The state of a connection. Its stream and its requests note here what it waits for.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The client, for another request.
    Idle,
    /// The client, for the rest of a head.
    Head,
    /// The client, for the rest of a body.
    Body,
    /// The service, for an answer to a read.
    Reading,
    /// The service, for an answer to a request that may change something.
    Changing,
    /// The service, for the rest of an answer. [`Connection::stall`] notes if the client does not
    /// read it.
    Answering,
}

impl Stage {
    /// Whether the service is working for it.
    pub(super) const fn is_at_work(self) -> bool {
        matches!(self, Self::Reading | Self::Changing | Self::Answering)
    }
}

/// One connection, shared by its stream and its requests.
pub(crate) struct Connection {
    /// Whether it is over the limit, and exists only to be answered 503.
    pub(crate) is_surplus: bool,
    stage: AtomicU8,
    /// When the stage began.
    since: AtomicU64,
    /// Since when the client does not read its answer; zero while it does.
    stalled_since: AtomicU64,
    /// Whether its stream reads nothing until the service has done its work.
    is_paused: AtomicBool,
    /// Whether it must end.
    is_ended: AtomicBool,
    /// Wakes whoever reads from it or writes to it.
    pub(super) waker: AtomicWaker,
}

/// Microseconds since the first connection, plus one. Unlike an instant they fit an atomic.
fn now() -> u64 {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGINNING.elapsed().as_micros()).unwrap_or(u64::MAX - 1) + 1
}

impl Connection {
    pub(super) fn new(is_surplus: bool) -> Self {
        Self {
            is_surplus,
            // The deadline of the first head is that of any other.
            stage: AtomicU8::new(Stage::Head as u8),
            since: AtomicU64::new(now()),
            stalled_since: AtomicU64::new(0),
            is_paused: AtomicBool::new(false),
            is_ended: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        }
    }

    pub(super) fn stage(&self) -> Stage {
        use Stage::{Answering, Body, Changing, Head, Idle, Reading};
        let stage = self.stage.load(Ordering::Relaxed);
        [Idle, Head, Body, Reading, Changing]
            .into_iter()
            .find(|known| *known as u8 == stage)
            .unwrap_or(Answering)
    }

    /// Goes on to another stage.
    pub(crate) fn enter(&self, stage: Stage) {
        self.since.store(now(), Ordering::Relaxed);
        self.stage.store(stage as u8, Ordering::Relaxed);
        if !stage.is_at_work() && self.is_paused.swap(false, Ordering::Relaxed) {
            self.waker.wake();
        }
    }

    /// Makes the stream look again when the service has done its work.
    pub(super) fn pause(&self) {
        self.is_paused.store(true, Ordering::Relaxed);
    }

    /// How long the stage has lasted.
    pub(super) fn lasted(&self) -> Duration {
        Duration::from_micros(now().saturating_sub(self.since.load(Ordering::Relaxed)))
    }

    /// Notes whether the client has stopped reading its answer.
    pub(super) fn stall(&self, is_stalled: bool) {
        self.stalled_since.store(if is_stalled { now() } else { 0 }, Ordering::Relaxed);
    }

    /// Since when it waits for its client; `None` while the service is working for it. Less is
    /// earlier.
    pub(super) fn waits_since(&self) -> Option<u64> {
        if self.is_ended() {
            return None;
        }
        match (self.stage(), self.stalled_since.load(Ordering::Relaxed)) {
            (Stage::Idle | Stage::Head | Stage::Body, _) => {
                Some(self.since.load(Ordering::Relaxed))
            }
            (_, 0) => None,
            (_, since) => Some(since),
        }
    }

    /// Ends it as soon as its stream looks, and wakes the stream.
    pub(super) fn end(&self) {
        self.is_ended.store(true, Ordering::Relaxed);
        self.waker.wake();
    }

    pub(super) fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::Relaxed)
    }
}
