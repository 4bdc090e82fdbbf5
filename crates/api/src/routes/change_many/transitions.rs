//! `POST /time-entries/transitions`: moves many entries through their lives by one action.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{ChangeMany, EachChange};

use super::{ChangeResults, ONE, OTHER, Way, batch_failed, change_many, conflict};
use crate::document::samples::{entry, item_problem};
use crate::document::{About, Answer, Problems, Sample, Tag};
use crate::http::body;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::routes::admission::{HasKey, ToSomeAction};
use crate::routes::asked::{Asked, Asking, Sending, Showing};
use crate::routes::change::Change;
use crate::wire::transition::{TransitionMany, TransitionManyBody};

type Transitions = Sending<TransitionManyBody, (Change, Showing), { body::MANY }>;

pub(in crate::routes) async fn transition_many(
    asked: Asked<ToSomeAction, Transitions>,
) -> Result<HttpResponse, Problem> {
    let Sending { body, beside: (change, Asking(query)) } = asked.input;
    let TransitionMany { transition, entries, atomic } = body;
    asked.by.key().check_permission(transition.action().permission())?;
    let command = ChangeMany { entries, change: EachChange::Apply(transition), atomic };
    change_many(change, command, query.asked()).await
}

struct Moving;

impl Way for Moving {
    const NAMES: [&'static str; 4] =
        ["TransitionResults", "TransitionResult", "TransitionManyProblem", "TransitionNotApplied"];
    const WORDS: &'static [&'static str] = &["changed", "failed"];
}

static CONFLICT: Problems =
    conflict::<Moving>("TransitionsConflict", || batch_failed(&still_draft()));

/// Why a draft was not approved.
fn still_draft() -> Value {
    let detail = "An entry that is draft cannot take the action approve. Possible now: submit.";
    item_problem(Code::InvalidTransition, detail, &[])
}

pub(in crate::routes) fn about() -> About {
    About::new(
        "transitionTimeEntries",
        Tag::Life,
        "Move many time entries at once",
        "Applies one action to up to 500 entries, or to up to 2000 that a filter finds, one after \
         the other and in one transaction. An entry that cannot take it fails alone, and `results` says why; with `atomic` a single failure keeps all \
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
                    "filter": {
                        "userId": "9a8b7c6d-0000-0000-0000-000000000002",
                        "status": ["draft", "rejected"],
                        "from": "2025-01-13",
                        "to": "2025-01-19",
                    },
                }),
            ),
            Sample::new(
                "invoice",
                "All on one invoice, or none",
                json!({
                    "action": "invoice",
                    "ids": [
                        ONE,
                        OTHER,
                    ],
                    "invoiceRef": "2025-0042",
                    "atomic": true,
                }),
            ),
        ],
    )
    .answer(
        Answer::json::<ChangeResults<Moving>>(200, "What became of each entry, which may be failure.")
            .sample(Sample::new(
                "mixed",
                "One approved, one failed",
                json!({
                    "results": [
                        {
                            "id": ONE,
                            "outcome": "changed",
                            "entry": entry(json!({
                                "status": "approved",
                                "updatedAt": "2025-01-20T08:02:11.918Z",
                            })),
                        },
                        {
                            "id": OTHER,
                            "outcome": "failed",
                            "problem": still_draft(),
                        },
                    ],
                }),
            )),
    )
    .problems(&CONFLICT)
}
