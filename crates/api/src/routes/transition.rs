//! `POST /time-entries/{timeEntryId}/{action}`: moves an entry through its life.

use actix_web::HttpResponse;
use serde_json::{Value, json};
use timelog_domain::{Action, ApplyAction, Command, IfMatch};

use super::admission::ToAction;
use super::asked::{Asked, Asking, Sending, Showing};
use super::change::Change;
use crate::document::samples::{entry, invoiced};
use crate::document::{About, Answer, Sample, Tag, headers, problem_sets};
use crate::http::problem::Problem;
use crate::wire::time_entry::TimeEntryBody;
use crate::wire::transition::ActionBody;

/// What stands beside the reason and the invoice.
type Circumstances = (Change, (IfMatch, Showing));

pub(super) async fn transition(
    asked: Asked<ToAction, Sending<ActionBody, Circumstances>>,
) -> Result<HttpResponse, Problem> {
    let Sending { body: transition, beside: (change, (if_match, Asking(query))) } = asked.input;
    let command = ApplyAction { id: asked.by.id, transition, if_match };
    change.carry_out_showing(Command::Apply(command), query.asked()).await
}

pub(super) fn about(action: Action) -> About {
    let (id, summary, description, done, entry) = of(action);
    let (needs, sample) = match (action.needs_reason(), action.needs_invoice_ref()) {
        (true, _) => (
            "Has to say why.",
            Sample::new("reason", "A reason", json!({ "reason": "Wrong ticket" })),
        ),
        (_, true) => (
            "Has to name the invoice.",
            Sample::new("invoiceRef", "An invoice", json!({ "invoiceRef": "2025-0042" })),
        ),
        _ => (
            "May be left out.",
            Sample::new("reason", "With a reason", json!({ "reason": "Week is complete" })),
        ),
    };
    let is_needed = action.needs_reason() || action.needs_invoice_ref();
    About::new(id, Tag::Life, summary, description)
        .sent_as(move |schemas| ActionBody::schema_for(action, schemas), is_needed)
        .sent(needs, vec![sample])
        .answer(
            Answer::json::<TimeEntryBody<'_>>(200, "The entry as it is now.")
                .sample(Sample::new("done", done, entry))
                .header(&headers::ETAG),
        )
        .problems(&problem_sets::INVALID_TRANSITION)
}

/// What is said of an action: its name in the document, what it does, and an entry after it.
fn of(action: Action) -> (&'static str, &'static str, &'static str, &'static str, Value) {
    match action {
        Action::Submit => (
            "submitTimeEntry",
            "Submit a time entry",
            "Hands a draft or rejected entry in for approval. The key needs the permission \
             `write`. A key that is bound to a user does this to that user's entries alone.",
            "Waiting for approval",
            entry(json!({ "status": "submitted", "updatedAt": "2025-01-17T16:00:00.310Z" })),
        ),
        Action::Recall => (
            "recallTimeEntry",
            "Recall a time entry",
            "Takes a submitted entry back; it is a draft again. The key needs the permission \
             `write`. A key that is bound to a user does this to that user's entries alone.",
            "A draft",
            entry(json!({})),
        ),
        Action::Approve => (
            "approveTimeEntry",
            "Approve a time entry",
            "Approves a submitted entry. The key needs the permission `approve`. A key that is \
             bound to a user may not do this to that user's entries.",
            "Approved",
            entry(json!({ "status": "approved", "updatedAt": "2025-01-20T08:02:11.918Z" })),
        ),
        Action::Reject => (
            "rejectTimeEntry",
            "Reject a time entry",
            "Sends a submitted entry back, with a reason. The key needs the permission \
             `approve`. A key that is bound to a user may not do this to that user's entries.",
            "Sent back",
            entry(json!({ "status": "rejected", "updatedAt": "2025-01-20T07:58:41.002Z" })),
        ),
        Action::Reopen => (
            "reopenTimeEntry",
            "Reopen a time entry",
            "Takes an approval back, with a reason; the entry is a draft again. The key needs \
             the permission `approve`. A key that is bound to a user may not do this to that \
             user's entries.",
            "A draft",
            entry(json!({})),
        ),
        Action::Lock => (
            "lockTimeEntry",
            "Lock a time entry",
            "Closes an approved entry, for example at the end of a month. The key needs the \
             permission `approve`.",
            "Locked",
            entry(json!({ "status": "locked", "updatedAt": "2025-02-01T06:00:00.044Z" })),
        ),
        Action::Unlock => (
            "unlockTimeEntry",
            "Unlock a time entry",
            "Opens a locked entry, with a reason; it is approved again. The key needs the \
             permission `approve`.",
            "Approved",
            entry(json!({ "status": "approved", "updatedAt": "2025-01-20T08:02:11.918Z" })),
        ),
        Action::Invoice => (
            "invoiceTimeEntry",
            "Put a time entry on an invoice",
            "Puts an approved or locked entry on an invoice, which has to be named. The key \
             needs the permission `bill`.",
            "On an invoice",
            invoiced(),
        ),
        Action::ReleaseInvoice => (
            "releaseTimeEntryFromInvoice",
            "Take a time entry off its invoice",
            "Takes an entry off its invoice, with a reason; it is locked then. The key needs \
             the permission `bill`.",
            "Locked",
            entry(json!({ "status": "locked", "updatedAt": "2025-02-01T06:00:00.044Z" })),
        ),
    }
}
