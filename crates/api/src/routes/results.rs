//! Answering requests that ask for many things at once: one result for each, in the order they were
//! asked for.

use std::ops::RangeInclusive;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use timelog_domain::{Changed, Command, ItemOutcome, Outcome, Refusal, StoredAnswer};
use timelog_domain::{MOST_FOUND, MOST_ITEMS};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};

use super::change::Change;
use crate::http::problem::Problem;
use crate::wire::include::Include;
use crate::wire::schema;
use crate::wire::time_entry::TimeEntryBody;
use crate::wire::{Answered, Described, Schemas, Sometimes, bytes};

/// How the results of a command for many are shown.
pub(super) trait Results: Send + Sync + 'static {
    /// One result.
    type Result<'a>: Serialize;

    /// What became of each thing.
    fn results<'a>(&self, items: Items<'a>) -> Vec<Self::Result<'a>>;
}

/// What became of many things.
pub(super) enum Items<'a> {
    /// Of entries that were to be logged, in their places.
    Logged(&'a [ItemOutcome]),
    /// Of entries that were to be changed.
    Changed(&'a [Changed]),
}

/// What every result tells: in one word what became of it, the entry where it succeeded, and why it
/// failed if it did.
pub(super) type Told<'a> = (&'static str, Sometimes<TimeEntryBody<'a>>, Sometimes<Problem>);

/// Tells an outcome. A thing that succeeded is `done`; `invalid` is what was wrong with one that
/// was invalid.
pub(super) fn tell<'a>(
    outcome: &'a ItemOutcome,
    done: &'static str,
    invalid: Option<&Problem>,
    include: Include,
) -> Told<'a> {
    let (word, problem) = match outcome {
        ItemOutcome::Created(_)
        | ItemOutcome::Updated(_)
        | ItemOutcome::Unchanged(_)
        | ItemOutcome::Deleted => (done, None),
        ItemOutcome::Refused(refusal) => ("failed", Some(refusal.clone().into())),
        ItemOutcome::Invalid => ("failed", invalid.cloned()),
        ItemOutcome::NotApplied => ("not_applied", None),
    };
    let entry = outcome.time_entry().map(|entry| TimeEntryBody::showing(entry, include));
    (word, Sometimes(entry), Sometimes(problem))
}

#[derive(Serialize)]
struct Body<T> {
    results: T,
}

/// Has a command for many things carried out.
pub(super) async fn carry_out_many<R: Results>(
    change: Change,
    command: Command,
    results: R,
) -> Result<HttpResponse, Problem> {
    let results = Arc::new(results);
    let shown = results.clone();
    let render = move |outcome: &Outcome| {
        let items = match outcome {
            Outcome::Many(items) => Items::Logged(items),
            Outcome::Changed(items) => Items::Changed(items),
            _ => Items::Logged(&[]),
        };
        let body = bytes(&Body { results: shown.results(items) });
        StoredAnswer { status: StatusCode::OK.as_u16(), location: None, etag: None, body }
    };
    let refused = move |refusal: Refusal| {
        let items = match &refusal {
            Refusal::BatchFailed(items) => Items::Logged(items),
            Refusal::ChangesFailed(items) => Items::Changed(items),
            _ => return refusal.into(),
        };
        let told: Option<Box<RawValue>> = to_raw_value(&results.results(items)).ok();
        Problem::from(refusal.clone()).with_results(told)
    };
    change.carry_out_with(command, Arc::new(render), refused).await
}

/// The place of an item in its request.
#[derive(Serialize)]
pub(super) struct Place(pub(super) usize);

impl Described for Place {
    fn schema(_: &mut Schemas) -> RefOr<Schema> {
        schema::whole(0).maximum(Some(MOST_ITEMS - 1)).into()
    }
}

impl Answered for Place {}

/// How many results there are where each item of the request has one.
pub(super) const ASKED: RangeInclusive<usize> = 1..=MOST_ITEMS;

/// How many there are where entries may be found by a filter.
pub(super) const FOUND: RangeInclusive<usize> = 0..=MOST_FOUND;

/// Declares the members of one result.
type Declared = fn(&mut Schemas) -> ObjectBuilder;

/// The schema of an answer with results, each of which is `declared` and tells its outcome in one
/// of those words.
pub(super) fn schema_of(
    schemas: &mut Schemas,
    name: &str,
    declared: Declared,
    words: &[&str],
    number: RangeInclusive<usize>,
) -> RefOr<Schema> {
    let about = "What became of each item, in the order of the request.";
    let result = schemas.named(name, |schemas| one_of_words(declared(schemas), words));
    let results = ObjectBuilder::new().description(Some(about));
    schema::closed(results.property("results", list(result, number)).required("results"))
}

/// The schema of the problem of a command of which nothing took effect.
pub(super) fn schema_of_problem(
    schemas: &mut Schemas,
    about: &str,
    (name, about_result): (&str, &str),
    declared: Declared,
    always: bool,
) -> RefOr<Schema> {
    let result = schemas.named(name, |schemas| {
        let mut result = declared(schemas).build();
        result.properties.shift_remove("entry");
        result.description = Some(about_result.to_owned());
        if let Some(RefOr::T(Schema::Object(outcome))) = result.properties.get_mut("outcome") {
            let about = "Whether the item itself failed, or would have succeeded.";
            outcome.description = Some(about.to_owned());
        }
        one_of_words(result.into(), &["failed", "not_applied"])
    });
    let mut problem = Problem::declared(schemas).description(Some(about)).build();
    problem.properties.shift_remove("errors");
    let about_results = if always {
        "What each item came to."
    } else {
        "What each item came to. Always there when the code is `batch_failed`, and never otherwise."
    };
    let results = schema::with(list(result, 1..=MOST_FOUND), &[about_results], None);
    let problem = ObjectBuilder::from(problem).property("results", results);
    schema::closed(if always { problem.required("results") } else { problem })
}

fn one_of_words(result: ObjectBuilder, words: &[&str]) -> RefOr<Schema> {
    let mut result = result.build();
    if let Some(RefOr::T(Schema::Object(outcome))) = result.properties.get_mut("outcome") {
        outcome.enum_values = Some(words.iter().map(|word| serde_json::json!(word)).collect());
    }
    schema::closed(result.into())
}

fn list(items: RefOr<Schema>, number: RangeInclusive<usize>) -> RefOr<Schema> {
    let items = ArrayBuilder::new().items(items);
    items.min_items(Some(*number.start())).max_items(Some(*number.end())).into()
}
