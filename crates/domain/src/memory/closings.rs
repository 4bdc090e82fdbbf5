//! Closings in memory.

use super::{MemoryStore, answer};
use crate::closing::{Closing, ClosingKey};
use crate::ports::{Closings, PortFuture};

impl Closings for MemoryStore {
    fn closings(&self, of: ClosingKey, limit: u32) -> PortFuture<'_, Vec<Closing>> {
        let state = self.state();
        let newest_first = state.closings.iter().rev().filter(|closing| closing.key() == of);
        answer(Ok(newest_first.take(limit as usize).cloned().collect()))
    }
}
