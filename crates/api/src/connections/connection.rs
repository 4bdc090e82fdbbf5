//! What a connection waits for, as its stream and the requests on it note it for each other.

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
    /// The service, for an answer that only tells something.
    Reading,
    /// The service, for an answer to what may change something.
    Changing,
    /// The service, for the rest of an answer. Where the client does not take it,
    /// [`Connection::stall`] tells.
    Answering,
}

impl Stage {
    /// Whether it is the service that is waited for.
    pub(super) const fn is_at_work(self) -> bool {
        matches!(self, Self::Reading | Self::Changing | Self::Answering)
    }
}

/// One connection, as all see it who have to do with it.
pub(crate) struct Connection {
    /// Whether there was no place for it, so that it is there to be told so.
    pub(crate) is_surplus: bool,
    stage: AtomicU8,
    /// When the stage began.
    since: AtomicU64,
    /// Since when the client takes nothing of its answer; zero while it does.
    stalled_since: AtomicU64,
    /// Whether its stream reads nothing until the service has done its work.
    is_paused: AtomicBool,
    /// Whether it must end.
    is_ended: AtomicBool,
    /// Wakes whoever reads from it or writes to it.
    pub(super) waker: AtomicWaker,
}

/// Microseconds since the first connection, and one. They fit an atomic, as an instant does not.
fn now() -> u64 {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGINNING.elapsed().as_micros()).unwrap_or(u64::MAX - 1) + 1
}

impl Connection {
    pub(super) fn new(is_surplus: bool) -> Self {
        Self {
            is_surplus,
            // The first head is waited for no longer than the rest of any other.
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

    /// Has the stream look again when the service has done its work.
    pub(super) fn pause(&self) {
        self.is_paused.store(true, Ordering::Relaxed);
    }

    /// How long the stage has lasted.
    pub(super) fn lasted(&self) -> Duration {
        Duration::from_micros(now().saturating_sub(self.since.load(Ordering::Relaxed)))
    }

    /// Notes that the client takes nothing, or something again.
    pub(super) fn stall(&self, is_stalled: bool) {
        self.stalled_since.store(if is_stalled { now() } else { 0 }, Ordering::Relaxed);
    }

    /// Since when it waits for its client; nothing where the service is to do something. What is
    /// less is earlier.
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

    /// Ends it as soon as its stream looks, which it is made to.
    pub(super) fn end(&self) {
        self.is_ended.store(true, Ordering::Relaxed);
        self.waker.wake();
    }

    pub(super) fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::Relaxed)
    }
}
