//! What writes for an organization beside the commit queue passes here, a few at a time, and organizations take
//! [turns](crate::turns). So the queue waits for at most those few, and nobody for all that another organization puts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use timelog_domain::OrganizationId;
use timelog_domain::ports::PortError;
use tokio::sync::oneshot;

use crate::turns::{TURN, Turns};

/// Lets a number of holders in. Clones are the same turnstile.
#[derive(Clone)]
pub(crate) struct Turnstile {
    state: Arc<Mutex<State>>,
    wait: Duration,
}

struct State {
    free: usize,
    turns: Turns<oneshot::Sender<Pass>>,
}

/// What lets in. Whoever is next gets it when it is dropped.
pub(crate) struct Pass(Arc<Mutex<State>>);

impl Turnstile {
    pub(crate) fn new(passes: usize, wait: Duration) -> Self {
        Self { state: Arc::new(Mutex::new(State { free: passes, turns: Turns::default() })), wait }
    }

    /// Waits for its turn, for a bounded time.
    pub(crate) async fn enter(&self, organization: OrganizationId) -> Result<Pass, PortError> {
        let turn = {
            let mut state = lock(&self.state);
            if let Some(left) = state.free.checked_sub(1) {
                state.free = left;
                return Ok(Pass(self.state.clone()));
            }
            let (pass, turn) = oneshot::channel();
            // Each is worth a turn, because each is a transaction of its own.
            state.turns.push(organization, TURN, pass);
            turn
        };
        match tokio::time::timeout(self.wait, turn).await {
            Ok(Ok(pass)) => Ok(pass),
            _ => Err(PortError::Busy),
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        // Whoever has stopped waiting is left out.
        let next = state.turns.take(1, oneshot::Sender::is_closed).ready.pop();
        if next.is_none() {
            state.free += 1;
        }
        drop(state);
        if let Some(next) = next {
            // One that stops waiting just now lets the next one in by dropping what it was given.
            drop(next.send(Self(self.0.clone())));
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::task::JoinHandle;
    use uuid::Uuid;

    use super::*;

    /// Begins to wait, and notes when it is let in.
    fn begin(turnstile: &Turnstile, organization: u128, order: &Arc<Mutex<Vec<u128>>>) -> JoinHandle<()> {
        let (turnstile, order) = (turnstile.clone(), order.clone());
        let organization_id = OrganizationId::new(Uuid::from_u128(organization));
        let mut waiting = Box::pin(async move { turnstile.enter(organization_id).await });
        let first = waiting.as_mut().now_or_never();
        tokio::spawn(async move {
            let pass = match first {
                Some(entered) => entered,
                None => waiting.await,
            };
            order.lock().unwrap().push(organization);
            tokio::task::yield_now().await;
            drop(pass.unwrap());
        })
    }

    #[tokio::test]
    async fn organizations_are_let_in_by_turns() {
        let turnstile = Turnstile::new(1, Duration::from_mins(1));
        let order = Arc::default();
        let mut waiting = Vec::new();
        for organization in [1, 1, 1, 1, 2, 2, 3] {
            waiting.push(begin(&turnstile, organization, &order));
        }
        for waiting in waiting {
            waiting.await.unwrap();
        }
        // The first found nobody before it.
        assert_eq!(*order.lock().unwrap(), [1, 1, 2, 3, 1, 2, 1]);
        assert_eq!(lock(&turnstile.state).free, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_or_waits_too_long_is_left_out_and_no_pass_is_lost() {
        let turnstile = Turnstile::new(2, Duration::from_secs(5));
        let organization = OrganizationId::new(Uuid::nil());
        let held = [turnstile.enter(organization).await.unwrap(), turnstile.enter(organization).await.unwrap()];
        let mut gone = Box::pin(turnstile.enter(organization));
        assert!(gone.as_mut().now_or_never().is_none());
        let late = turnstile.enter(organization).await;
        assert!(matches!(late, Err(PortError::Busy)));
        let mut next = Box::pin(turnstile.enter(organization));
        assert!(next.as_mut().now_or_never().is_none());
        drop(gone);
        let [first, second] = held;
        drop(first);
        // It was let in and does not come any more.
        drop(next);
        assert_eq!(lock(&turnstile.state).free, 1);
        drop(second);
        assert_eq!(lock(&turnstile.state).free, 2);
        drop((turnstile.enter(organization).await.unwrap(), turnstile.enter(organization).await.unwrap()));
        assert_eq!(lock(&turnstile.state).free, 2);
    }
}
