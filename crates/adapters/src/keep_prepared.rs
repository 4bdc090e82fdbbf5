//! Updates that diesel would prepare each time, though their text is always the same.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// Keeps an update prepared, under its text. diesel cannot know that this is worth it: which
/// columns are set may differ each time. Here they must not.
pub(crate) struct KeepPrepared<Q>(pub(crate) Q);

impl<Q, DB: Backend> QueryFragment<DB> for KeepPrepared<Q>
where
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for KeepPrepared<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, Conn> RunQueryDsl<Conn> for KeepPrepared<Q> {}
