//! A clock that pauses whoever asks for the time, which a commit does in the middle of its
//! transaction.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use timelog_domain::Timestamp;
use timelog_domain::memory::ManualClock;
use timelog_domain::ports::Clock;

/// Tells the time of a [`ManualClock`], and can pause the next caller.
pub(crate) struct PausableClock {
    clock: ManualClock,
    pending: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

/// A pause of one caller, which lasts until it is resumed or dropped.
pub(crate) struct Pause {
    reached: Receiver<()>,
    resume: Sender<()>,
}

impl PausableClock {
    pub(crate) fn new(clock: ManualClock) -> Arc<Self> {
        Arc::new(Self { clock, pending: Mutex::new(None) })
    }

    /// Pauses the next caller who asks for the time.
    pub(crate) fn pause_next(&self) -> Pause {
        let (reach, reached) = channel();
        let (resume, resumed) = channel();
        *self.pending.lock().unwrap_or_else(PoisonError::into_inner) = Some((reach, resumed));
        Pause { reached, resume }
    }
}

impl Clock for PausableClock {
    fn now(&self) -> Timestamp {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((reach, resumed)) = pending {
            // Other tasks of this thread go on elsewhere meanwhile.
            tokio::task::block_in_place(|| {
                // A pause that was dropped holds nobody.
                let _ = reach.send(());
                let _ = resumed.recv();
            });
        }
        self.clock.now()
    }
}

impl Pause {
    /// Waits until a caller is paused.
    pub(crate) async fn reached(self) -> Self {
        let waited = tokio::task::spawn_blocking(move || {
            self.reached.recv().expect("a caller should come");
            self
        });
        waited.await.expect("waiting does not panic")
    }

    /// Lets the caller go on.
    pub(crate) fn resume(self) {
        let _ = self.resume.send(());
    }
}
