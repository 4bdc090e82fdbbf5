//! `POST /time-entries/transitions`: moves many entries through their lives by one action.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{ApplyMany, Command, ItemOutcome, TimeEntryId};
use utoipa::openapi::{RefOr, Schema};

use super::admission::{HasKey, ToSomeAction};
use super::asked::{Asked, Asking, Sending, Showing};
use super::change::Change;
use super::results::{self, Results, carry_out_many, tell};
use crate::document::headers::PREFERENCE_APPLIED;
use crate::document::samples::{entry, item_problem, problem, with};
use crate::document::{About, Answer, Problems, Sample, Tag};
use crate::http::body;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::wire::include::Include;
use crate::wire::time_entry::TimeEntryBody;
use crate::wire::transition::{TransitionMany, TransitionManyBody};
use crate::wire::{Described, Schemas, Sometimes, Word, answer};

pub(super) async fn transition_many(
    asked: Asked<ToSomeAction, Sending<TransitionManyBody, (Change, Showing), { body::MANY }>>,
) -> Result<HttpResponse, Problem> {
    let Sending { body, beside: (change, Asking(query)) } = asked.input;
    let TransitionMany { transition, ids, atomic } = body;
    asked.by.key().check_permission(transition.action().permission())?;
    let moved = Moved { ids: ids.clone(), include: query.asked() };
    let command = Command::ApplyMany(ApplyMany { ids, transition, atomic });
    carry_out_many(change, command, moved).await
}

/// The entries that were asked for, in their places.
struct Moved {
    ids: Vec<TimeEntryId>,
    include: Include,
}

impl Results for Moved {
    type Result<'a> = TransitionResult<'a>;

    fn result<'a>(&self, index: usize, outcome: &'a ItemOutcome) -> TransitionResult<'a> {
        let (word, entry, problem) = tell(outcome, "changed", None, self.include);
        TransitionResult { id: self.ids[index], outcome: Word(word), entry, problem }
    }
}

answer! {
    /// What became of one entry.
    pub(super) struct TransitionResult<'a> = "TransitionResult" {
        /// The entry that was asked for.
        id: TimeEntryId,
        /// What became of it.
        outcome: Word,
        /// The entry as it is now, unless the item failed.
        entry: Sometimes<TimeEntryBody<'a>>,
        /// Why the item failed, if it did.
        problem: Sometimes<Problem>,
    }
}

/// One result for each entry.
pub(super) struct TransitionResults;

impl Described for TransitionResults {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        schemas.named("TransitionResults", |schemas| {
            let words = ["changed", "failed"];
            results::schema_of(schemas, "TransitionResult", TransitionResult::declared, &words)
        })
    }
}

/// Why none of many entries was moved.
struct TransitionManyProblem;

impl Described for TransitionManyProblem {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let about = "Why none of many entries was moved. As `Problem`, with what each item came \
            to.";
        schemas.named("TransitionManyProblem", |schemas| {
            let name = ("TransitionNotApplied", "What one entry came to where none was changed.");
            results::schema_of_problem(schemas, about, name, TransitionResult::declared, true)
        })
    }
}

/// What it may answer where nothing was moved.
static CONFLICT: Problems = Problems {
    component: "TransitionsConflict",
    status: 409,
    about: "An entry could not take the action, where all or none were to. Nothing was changed.",
    codes: &[Code::BatchFailed],
    headers: &[&PREFERENCE_APPLIED],
    schema: TransitionManyProblem::schema,
    samples: || vec![batch_failed()],
    is_momentary: false,
};

fn batch_failed() -> Sample {
    Sample::new(
        "batch_failed",
        "One entry failed",
        with(
            problem(Code::BatchFailed, "Some items failed, so none took effect.", &[]),
            json!({ "results": [
            { "id": "01946900-56c0-7c3e-9d24-51f6a7b8c9d0", "outcome": "not_applied" },
            {
                "id": "01946900-56c0-7e55-a1b2-c3d4e5f60718",
                "outcome": "failed",
                "problem": still_draft(),
            },
        ] }),
        ),
    )
}

/// Why a draft was not approved.
fn still_draft() -> Value {
    let detail = "An entry that is draft cannot take the action approve. Possible now: submit.";
    item_problem(Code::InvalidTransition, detail, &[])
}

pub(super) fn about() -> About {
    About::new(
        "transitionTimeEntries",
        Tag::Life,
        "Move many time entries at once",
        "Applies one action to up to 500 entries, one after the other. An entry that cannot \
         take it fails alone, and `results` says why; with `atomic` a single failure keeps all \
         of them as they are, and the answer is 409. The key needs the permission that the \
         action needs.",
    )
    .sent(
        "What to do with which entries.",
        vec![
            Sample::new(
                "submit",
                "Hand in a week",
                json!({
                    "action": "submit",
                    "ids": [
                        "01946900-56c0-7c3e-9d24-51f6a7b8c9d0",
                        "01946900-56c0-7e55-a1b2-c3d4e5f60718",
                    ],
                }),
            ),
            Sample::new(
                "invoice",
                "All on one invoice, or none",
                json!({
                    "action": "invoice",
                    "ids": [
                        "01946900-56c0-7c3e-9d24-51f6a7b8c9d0",
                        "01946900-56c0-7e55-a1b2-c3d4e5f60718",
                    ],
                    "invoiceRef": "2025-0042",
                    "atomic": true,
                }),
            ),
        ],
    )
    .answer(
        Answer::json::<TransitionResults>(200, "What became of each entry, which may be failure.")
            .sample(Sample::new(
                "mixed",
                "One approved, one failed",
                json!({
                    "results": [
                        {
                            "id": "01946900-56c0-7c3e-9d24-51f6a7b8c9d0",
                            "outcome": "changed",
                            "entry": entry(json!({
                                "status": "approved",
                                "updatedAt": "2025-01-20T08:02:11.918Z",
                            })),
                        },
                        {
                            "id": "01946900-56c0-7e55-a1b2-c3d4e5f60718",
                            "outcome": "failed",
                            "problem": still_draft(),
                        },
                    ],
                }),
            )),
    )
    .problems(&CONFLICT)
}
