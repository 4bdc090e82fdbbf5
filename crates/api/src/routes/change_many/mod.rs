//! Changing many entries at once: by their ids, or by a filter.

pub(super) mod deletions;
pub(super) mod edits;
pub(super) mod transitions;

use std::marker::PhantomData;

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{ChangeMany, Command, ItemOutcome, TimeEntryId};
use utoipa::openapi::{RefOr, Schema};

use super::change::Change;
use super::results::{self, Items, Results, carry_out_many, tell};
use crate::document::headers::{Header, PREFERENCE_APPLIED};
use crate::document::samples::{problem, with};
use crate::document::{Problems, Sample};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::wire::include::Include;
use crate::wire::time_entry::TimeEntryBody;
use crate::wire::{Described, Schemas, Sometimes, Word, answer};

async fn change_many(
    change: Change,
    command: ChangeMany,
    include: Include,
) -> Result<HttpResponse, Problem> {
    let entries = command.entries.seen_by(change.caller());
    let command = Command::ChangeMany(ChangeMany { entries, ..command });
    carry_out_many(change, command, Shown(include)).await
}

/// How the results are shown.
struct Shown(Include);

impl Results for Shown {
    type Result<'a> = ChangeResult<'a>;

    fn results<'a>(&self, items: Items<'a>) -> Vec<ChangeResult<'a>> {
        let Items::Changed(items) = items else { return Vec::new() };
        let result = |(id, outcome): &'a (TimeEntryId, ItemOutcome)| {
            let done = match outcome {
                ItemOutcome::Unchanged(_) => "unchanged",
                ItemOutcome::Deleted => "deleted",
                _ => "changed",
            };
            let (word, entry, problem) = tell(outcome, done, None, self.0);
            ChangeResult { id: *id, outcome: Word(word), entry, problem }
        };
        items.iter().map(result).collect()
    }
}

answer! {
    /// What became of one entry.
    pub(super) struct ChangeResult<'a> = "ChangeResult" {
        /// The entry.
        id: TimeEntryId,
        /// What became of it.
        outcome: Word,
        /// The entry as it is now, unless the item failed or the entry was deleted.
        entry: Sometimes<TimeEntryBody<'a>>,
        /// Why the item failed, if it did.
        problem: Sometimes<Problem>,
    }
}

/// One way to change many entries, as the document has it.
trait Way: 'static {
    /// What the results, one of them, the problem where nothing was changed, and one of its results
    /// are called.
    const NAMES: [&'static str; 4];
    /// What may become of an entry.
    const WORDS: &'static [&'static str];
}

/// One result for each entry.
struct ChangeResults<W>(PhantomData<W>);

impl<W: Way> Described for ChangeResults<W> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let [results, result, ..] = W::NAMES;
        schemas.named(results, |schemas| {
            results::schema_of(schemas, result, ChangeResult::declared, W::WORDS, results::FOUND)
        })
    }
}

/// Why none of many entries was changed.
struct ChangeManyProblem<W>(PhantomData<W>);

impl<W: Way> Described for ChangeManyProblem<W> {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = "Why none of many entries was changed. As `Problem`, with what each item came \
            to.";
        let [.., problem, result] = W::NAMES;
        schemas.named(problem, |schemas| {
            let name = (result, "What one entry came to where none was changed.");
            results::schema_of_problem(schemas, about, name, ChangeResult::declared, true)
        })
    }
}

static HEADERS: [&Header; 1] = [&PREFERENCE_APPLIED];

/// What it may answer where nothing was changed.
const fn conflict<W: Way>(component: &'static str, samples: fn() -> Vec<Sample>) -> Problems {
    Problems {
        component,
        status: 409,
        about: "An entry could not be changed so, where all or none were to. Nothing was changed.",
        codes: &[Code::BatchFailed],
        headers: &HEADERS,
        schema: ChangeManyProblem::<W>::schema,
        samples,
        is_momentary: false,
    }
}

/// Two entries of the examples.
const ONE: &str = "01946900-56c0-7c3e-9d24-51f6a7b8c9d0";
const OTHER: &str = "01946900-56c0-7e55-a1b2-c3d4e5f60718";

fn batch_failed(why: &Value) -> Vec<Sample> {
    let detail = "Some entries failed, so none was changed.";
    let results = json!({ "results": [
        { "id": ONE, "outcome": "not_applied" },
        { "id": OTHER, "outcome": "failed", "problem": why },
    ] });
    let value = with(problem(Code::BatchFailed, detail, &[]), results);
    vec![Sample::new("batch_failed", "One entry failed", value)]
}
