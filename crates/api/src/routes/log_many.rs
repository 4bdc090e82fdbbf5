//! `POST /projects/{projectId}/time-entries/batch`: logs many time entries.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{Command, ItemOutcome, LogMany, LogTimeEntry, Source, TimeEntryId};
use utoipa::openapi::{RefOr, Schema};
use uuid::Uuid;

use super::admission::{ToProject, Write};
use super::asked::{Asked, Asking, Sending, Showing};
use super::change::Change;
use super::results::{self, Items, Place, Results, carry_out_many, tell};
use crate::document::headers::PREFERENCE_APPLIED;
use crate::document::samples::{entry, item_problem, problem, to_log, with};
use crate::document::{About, Answer, Problems, Sample, Tag, problem_samples};
use crate::http::body;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::wire::include::Include;
use crate::wire::time_entry::{LogManyBody, TimeEntryBody};
use crate::wire::{Described, Schemas, Sometimes, Word, answer};

pub(super) async fn log_many(
    asked: Asked<ToProject<Write>, Sending<LogManyBody, (Change, Showing), { body::MANY }>>,
) -> Result<HttpResponse, Problem> {
    let Sending { body: (entries, atomic), beside: (change, Asking(query)) } = asked.input;
    let project_id = asked.by.id;
    let mut invalid = BTreeMap::new();
    let mut items = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let log = entry.map(|logged| LogTimeEntry {
            id: TimeEntryId::new(Uuid::now_v7()),
            project_id,
            details: logged.details,
            external_ref: logged.external_ref,
            source: Source::Import,
        });
        items.push(log.map_err(|wrong| invalid.insert(index, wrong.into())).ok());
    }
    let command = Command::LogMany(LogMany { project_id, items, atomic });
    carry_out_many(change, command, Logged { invalid, include: query.asked() }).await
}

/// How the results are shown.
struct Logged {
    /// What is wrong with the items that are no entries, by their place.
    invalid: BTreeMap<usize, Problem>,
    include: Include,
}

impl Results for Logged {
    type Result<'a> = LogResult<'a>;

    fn results<'a>(&self, items: Items<'a>) -> Vec<LogResult<'a>> {
        let Items::Logged(items) = items else { return Vec::new() };
        let result = |(index, outcome): (usize, &'a ItemOutcome)| {
            let done = match outcome {
                ItemOutcome::Created(_) => "created",
                ItemOutcome::Updated(_) => "updated",
                _ => "unchanged",
            };
            let (word, entry, problem) =
                tell(outcome, done, self.invalid.get(&index), self.include);
            LogResult { index: Place(index), outcome: Word(word), entry, problem }
        };
        items.iter().enumerate().map(result).collect()
    }
}

answer! {
    /// What became of one item.
    pub(super) struct LogResult<'a> = "LogResult" {
        /// The place of the item in the request, from 0.
        index: Place,
        /// What became of it.
        outcome: Word,
        /// The entry as it is now, unless the item failed.
        entry: Sometimes<TimeEntryBody<'a>>,
        /// Why the item failed, if it did.
        problem: Sometimes<Problem>,
    }
}

/// One result for each item.
pub(super) struct LogResults;

impl Described for LogResults {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let words = ["created", "updated", "unchanged", "failed"];
        schemas.named("LogResults", |schemas| {
            results::schema_of(schemas, "LogResult", LogResult::declared, &words, results::ASKED)
        })
    }
}

/// Why none of many entries was logged.
struct LogManyProblem;

impl Described for LogManyProblem {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = "Why none of many entries was logged. As `Problem`, with what each item came \
            to.";
        schemas.named("LogManyProblem", |schemas| {
            let name = ("LogNotApplied", "What one item came to where none took effect.");
            results::schema_of_problem(schemas, about, name, LogResult::declared, false)
        })
    }
}

/// What it may answer where nothing was logged.
static CONFLICT: Problems = Problems {
    component: "LogManyConflict",
    status: 409,
    about: "The project is archived, or an item failed where all or none were to succeed. Nothing \
         was changed.",
    codes: &[Code::ProjectArchived, Code::BatchFailed],
    headers: &[&PREFERENCE_APPLIED],
    schema: LogManyProblem::schema,
    samples: || vec![batch_failed(), problem_samples::project_archived()],
    is_momentary: false,
};

fn batch_failed() -> Sample {
    Sample::new(
        "batch_failed",
        "One item failed",
        with(
            problem(Code::BatchFailed, "Some items failed, so none took effect.", &[]),
            json!({ "results": [
            { "index": 0, "outcome": "not_applied" },
            {
                "index": 1,
                "outcome": "failed",
                "problem": no_such_ticket(),
            },
        ] }),
        ),
    )
}

/// What is wrong with an item that names a ticket which is not there.
fn no_such_ticket() -> Value {
    let violation = ("/entryId", "unknown_reference", "must name an entry of this project");
    item_problem(Code::ValidationError, "One value is not valid.", &[violation])
}

pub(super) fn about() -> About {
    About::new(
        "logManyTimeEntries",
        Tag::TimeEntries,
        "Log working time, many entries at once",
        "Logs up to 500 entries on this project, each as if it came alone, one after the other: \
         a later one finds what an earlier one did. New entries have the source `import`. An \
         item that fails, fails alone, and `results` says why; with `atomic` a single failure \
         keeps all of them from taking effect, and the answer is 409. The key needs the \
         permission `write`; one that is bound to a user logs for that user alone, and other \
         users' items fail.",
    )
    .sent(
        "What to log.",
        vec![
            Sample::new(
                "each",
                "Each by itself",
                json!({
                    "entries": [
                        to_log(),
                        {
                            "userId": "9a8b7c6d-0000-0000-0000-000000000002",
                            "workDate": "2025-01-15",
                            "minutes": 45,
                            "entryId": "0194683a-2c3b-7d4e-8a5f-000000000000",
                        },
                    ],
                }),
            ),
            Sample::new(
                "atomic",
                "All or none",
                json!({
                    "entries": [to_log()],
                    "atomic": true,
                }),
            ),
        ],
    )
    .answer(
        Answer::json::<LogResults>(200, "What became of each item, which may be failure.").sample(
            Sample::new(
                "mixed",
                "One created, one failed",
                json!({
                    "results": [
                        {
                            "index": 0,
                            "outcome": "created",
                            "entry": entry(json!({ "source": "import" })),
                        },
                        {
                            "index": 1,
                            "outcome": "failed",
                            "problem": no_such_ticket(),
                        },
                    ],
                }),
            ),
        ),
    )
    .problems(&CONFLICT)
}
