//! Statements over arrays. A text is made once and serves a batch of any size, so it is prepared
//! once for a connection.

use std::sync::LazyLock;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Untyped;

use crate::rows::Values;
use crate::types::{Instant, InstantValue};

/// What stands before the arrays of a statement, and what after them.
pub(super) type Text = LazyLock<[String; 2]>;

/// A text with the arrays in their place, `unnest((SELECT $1), (SELECT $2), …)`.
///
/// The server does not look into what is selected. Otherwise it would make a plan for each number
/// of rows, over and over, which takes several times as long as carrying it out.
pub(super) struct Statement<'a> {
    pub(super) text: &'static Text,
    pub(super) arrays: Vec<Values<'a>>,
    /// What the end of the text is compared with.
    pub(super) last: Option<InstantValue>,
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let [before, after] = &**self.text;
        out.push_sql(before);
        out.push_sql(" unnest(");
        for (index, array) in self.arrays.iter().enumerate() {
            out.push_sql(if index > 0 { "), (SELECT " } else { "(SELECT " });
            array.walk_ast(out.reborrow())?;
        }
        out.push_sql(")) ");
        out.push_sql(after);
        self.last.iter().try_for_each(|last| out.push_bind_param::<Instant, _>(last))
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();

    // The text is the key under which it is kept prepared.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}

impl<Conn> diesel::query_dsl::RunQueryDsl<Conn> for Statement<'_> {}
