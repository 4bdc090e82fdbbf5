//! `POST /time-entries/edits`: edits many entries in the same way.

use actix_web::HttpResponse;
use serde_json::json;
use timelog_domain::{ChangeMany, EachChange};

use super::{ChangeResults, ONE, OTHER, Way, batch_failed, change_many, conflict};
use crate::document::samples::{entry, item_problem};
use crate::document::{About, Answer, Problems, Sample, Tag};
use crate::http::body;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::routes::admission::{Permitted, Write};
use crate::routes::asked::{Asked, Asking, Sending, Showing};
use crate::routes::change::Change;
use crate::wire::time_entry::{EditMany, EditManyBody};

type Edits = Sending<EditManyBody, (Change, Showing), { body::MANY }>;

pub(in crate::routes) async fn edit_many(
    asked: Asked<Permitted<Write>, Edits>,
) -> Result<HttpResponse, Problem> {
    let Sending { body, beside: (change, Asking(query)) } = asked.input;
    let EditMany { entries, patch, atomic } = body;
    let command = ChangeMany { entries, change: EachChange::Edit(patch), atomic };
    change_many(change, command, query.asked()).await
}

struct Editing;

impl Way for Editing {
    const NAMES: [&'static str; 4] =
        ["EditResults", "EditResult", "EditManyProblem", "EditNotApplied"];
    const WORDS: &'static [&'static str] = &["changed", "unchanged", "failed"];
}

static CONFLICT: Problems = conflict::<Editing>("EditsConflict", || batch_failed(&approved()));

fn approved() -> serde_json::Value {
    let detail = "An entry that is approved cannot be changed or deleted, only one that is draft \
        or rejected.";
    item_problem(Code::EntryNotEditable, detail, &[])
}

pub(in crate::routes) fn about() -> About {
    About::new(
        "editTimeEntries",
        Tag::TimeEntries,
        "Edit many time entries at once",
        "Applies one patch to up to 500 entries, or to up to 2000 that a filter finds, one after \
         the other and in one transaction. An entry that cannot be changed so fails alone, and \
         `results` says why; with `atomic` a single failure keeps all of them as they are, and \
         the answer is 409. What is wrong with the patch itself is 400 under `/patch`. The key \
         needs the permission `write`; other users' entries fail for one that is bound to a user.",
    )
    .sent(
        "What to change in which entries.",
        vec![
            Sample::new(
                "filter",
                "A ticket for all that have none",
                json!({
                    "filter": {
                        "projectId": "9a8b7c6d-0000-0000-0000-000000000002",
                        "entryId": "none",
                        "status": ["draft", "rejected"],
                        "from": "2025-01-01",
                        "to": "2025-01-31",
                    },
                    "patch": { "entryId": "0194683a-2c3b-7d4e-8a5f-6b7c8d9e0f10" },
                }),
            ),
            Sample::new(
                "ids",
                "Two entries, or none",
                json!({ "ids": [ONE, OTHER], "patch": { "billable": false }, "atomic": true }),
            ),
        ],
    )
    .answer(
        Answer::json::<ChangeResults<Editing>>(200, "What became of each entry.").sample(
            Sample::new(
                "mixed",
                "One changed, one failed",
                json!({ "results": [
                    { "id": ONE, "outcome": "changed", "entry": entry(json!({ "billable": false })) },
                    { "id": OTHER, "outcome": "failed", "problem": approved() },
                ] }),
            ),
        ),
    )
    .problems(&CONFLICT)
}
