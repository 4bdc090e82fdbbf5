//! Answering requests that ask for many things at once: one result for each, in the order they were
//! asked for.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use timelog_domain::{Command, ItemOutcome, Outcome, Refusal, StoredAnswer};

use super::change::Change;
use crate::answer::EntryBody;
use crate::http::problem::Problem;
use crate::json::bytes;

/// What became of one thing. It is told by its id or by its place.
#[derive(Serialize)]
pub(super) struct Item<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<EntryBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl<'a> Item<'a> {
    /// An item that has `done` as its outcome where it succeeded, and `invalid` as its problem
    /// where it was invalid.
    pub(super) fn new(
        outcome: &'a ItemOutcome,
        done: &'static str,
        invalid: Option<&Problem>,
    ) -> Self {
        let (outcome, problem) = match outcome {
            ItemOutcome::Created(_) | ItemOutcome::Updated(_) | ItemOutcome::Unchanged(_) => {
                (done, None)
            }
            ItemOutcome::Refused(refusal) => ("failed", Some(refusal.clone().into())),
            ItemOutcome::Invalid => ("failed", invalid.cloned()),
            ItemOutcome::NotApplied => ("not_applied", None),
        };
        Self { id: None, index: None, outcome, entry: None, problem }
    }

    /// Tells the item by an id.
    pub(super) fn with_id(self, id: Option<String>) -> Self {
        Self { id, ..self }
    }

    /// Tells the item by its place.
    pub(super) fn with_index(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }

    fn showing(mut self, outcome: &'a ItemOutcome) -> Self {
        self.entry = outcome.time_entry().map(EntryBody::from);
        self
    }
}

#[derive(Serialize)]
struct Body<'a> {
    results: &'a [Item<'a>],
}

/// Has a command for many things carried out. `item` says what became of one of them, given its
/// place.
pub(super) async fn carry_out_many(
    change: Change,
    command: Command,
    item: impl for<'a> Fn(usize, &'a ItemOutcome) -> Item<'a> + Send + Sync + 'static,
) -> Result<HttpResponse, Problem> {
    fn show<'a>(
        items: &'a [ItemOutcome],
        item: &impl Fn(usize, &'a ItemOutcome) -> Item<'a>,
    ) -> Vec<Item<'a>> {
        items
            .iter()
            .enumerate()
            .map(|(index, outcome)| item(index, outcome).showing(outcome))
            .collect()
    }
    let item = Arc::new(item);
    let shown = item.clone();
    let render = move |outcome: &Outcome| {
        let items: &[ItemOutcome] = if let Outcome::Many(items) = outcome { items } else { &[] };
        let body = bytes(&Body { results: &show(items, &*shown) });
        StoredAnswer { status: StatusCode::OK.as_u16(), location: None, etag: None, body }
    };
    let refused = move |refusal| match refusal {
        Refusal::BatchFailed(ref items) => {
            let results: Option<Box<RawValue>> = to_raw_value(&show(items, &*item)).ok();
            Problem::from(refusal.clone()).with_results(results)
        }
        refusal => refusal.into(),
    };
    change.carry_out_or(command, Arc::new(render), refused).await
}
