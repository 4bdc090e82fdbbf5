//! A clock that holds whoever asks for the time, which a commit does in the middle of its
//! transaction.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use timelog_domain::Timestamp;
use timelog_domain::memory::ManualClock;
use timelog_domain::ports::Clock;

/// Tells the time of a [`ManualClock`], and can be shut in front of the next who asks.
pub(crate) struct Gate {
    clock: ManualClock,
    shut: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

/// The other side of a shut gate.
pub(crate) struct Keeper {
    arrived: Receiver<()>,
    open: Sender<()>,
}

impl Gate {
    pub(crate) fn new(clock: ManualClock) -> Arc<Self> {
        Arc::new(Self { clock, shut: Mutex::new(None) })
    }

    /// Holds the next who asks for the time, until the keeper lets it go on.
    pub(crate) fn shut(&self) -> Keeper {
        let (arrive, arrived) = channel();
        let (open, opened) = channel();
        *self.shut.lock().unwrap_or_else(PoisonError::into_inner) = Some((arrive, opened));
        Keeper { arrived, open }
    }
}

impl Clock for Gate {
    fn now(&self) -> Timestamp {
        let shut = self.shut.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((arrive, opened)) = shut {
            // Other tasks of this thread go on elsewhere meanwhile.
            tokio::task::block_in_place(|| {
                // A keeper that is gone holds nobody.
                let _ = arrive.send(());
                let _ = opened.recv();
            });
        }
        self.clock.now()
    }
}

impl Keeper {
    /// Waits until somebody stands at the gate.
    pub(crate) async fn arrival(self) -> Self {
        let waited = tokio::task::spawn_blocking(move || {
            self.arrived.recv().expect("somebody should come");
            self
        });
        waited.await.expect("waiting does not panic")
    }

    /// Lets them go on.
    pub(crate) fn open(self) {
        let _ = self.open.send(());
    }
}
