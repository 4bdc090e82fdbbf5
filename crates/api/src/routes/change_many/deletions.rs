//! `POST /time-entries/deletions`: deletes many entries. Their histories stay.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{ChangeMany, EachChange};

use super::{ChangeResults, ONE, OTHER, Way, batch_failed, change_many, conflict};
use crate::document::samples::item_problem;
use crate::document::{About, Answer, Problems, Sample, Tag};
use crate::http::body;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::routes::admission::{Permitted, Write};
use crate::routes::asked::{Asked, Asking, Sending, Showing};
use crate::routes::change::Change;
use crate::wire::time_entry::{DeleteMany, DeleteManyBody};

type Deletions = Sending<DeleteManyBody, (Change, Showing), { body::MANY }>;

pub(in crate::routes) async fn delete_many(
    asked: Asked<Permitted<Write>, Deletions>,
) -> Result<HttpResponse, Problem> {
    let Sending { body, beside: (change, Asking(query)) } = asked.input;
    let DeleteMany { entries, atomic } = body;
    let command = ChangeMany { entries, change: EachChange::Delete, atomic };
    change_many(change, command, query.asked()).await
}

struct Deleting;

impl Way for Deleting {
    const NAMES: [&'static str; 4] =
        ["DeletionResults", "DeletionResult", "DeleteManyProblem", "DeletionNotApplied"];
    const WORDS: &'static [&'static str] = &["deleted", "failed"];
}

static CONFLICT: Problems =
    conflict::<Deleting>("DeletionsConflict", || batch_failed(&submitted()));

fn submitted() -> Value {
    let detail = "An entry that is submitted cannot be changed or deleted, only one that is draft \
        or rejected.";
    item_problem(Code::EntryNotEditable, detail, &[])
}

pub(in crate::routes) fn about() -> About {
    About::new(
        "deleteTimeEntries",
        Tag::TimeEntries,
        "Delete many time entries at once",
        "Deletes up to 500 entries, or up to 2000 that a filter finds, one after the other and in \
         one transaction. An entry that cannot be deleted fails alone, and `results` says why; \
         with `atomic` a single failure keeps all of them, and the answer is 409. The key needs \
         the permission `write`; other users' entries fail for one that is bound to a user.",
    )
    .sent(
        "Which entries.",
        vec![
            Sample::new("ids", "Two entries", json!({ "ids": [ONE, OTHER] })),
            Sample::new(
                "filter",
                "A user's drafts of a week",
                json!({
                    "filter": {
                        "userId": "9a8b7c6d-0000-0000-0000-000000000002",
                        "status": "draft",
                        "from": "2025-01-13",
                        "to": "2025-01-19",
                    },
                    "atomic": true,
                }),
            ),
        ],
    )
    .answer(Answer::json::<ChangeResults<Deleting>>(200, "What became of each entry.").sample(
        Sample::new(
            "mixed",
            "One deleted, one failed",
            json!({ "results": [
                    { "id": ONE, "outcome": "deleted" },
                    { "id": OTHER, "outcome": "failed", "problem": submitted() },
                ] }),
        ),
    ))
    .problems(&CONFLICT)
}
