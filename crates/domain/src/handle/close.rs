//! Closing the books, and opening them.

use super::Context;
use crate::closing::Closing;
use crate::command::CloseBooks;
use crate::ledger::Ledger;
use crate::outcome::Refusal;

/// Returns the closing that counts then.
pub(super) fn close(
    command: &CloseBooks,
    context: Context<'_>,
    ledger: &mut Ledger,
) -> Result<Option<Closing>, Refusal> {
    let CloseBooks { project_id, through, reason } = command;
    let organization_id = context.caller.organization_id;
    if let Some(project) = *project_id {
        context.caller.check_scope(project)?;
        ledger.project(organization_id, project).ok_or(Refusal::ProjectNotFound)?;
    }
    let before = ledger.closing((organization_id, *project_id));
    let closed = before.and_then(|closing| closing.through);
    let said = before.and_then(|closing| closing.reason.as_ref());
    if *through == closed && (reason.is_none() || reason.as_ref() == said) {
        return Ok(before.cloned());
    }
    // No day is earlier than any day.
    if *through < closed && reason.is_none() {
        return Err(Refusal::ReopeningNeedsReason);
    }
    let closing = Closing {
        organization_id,
        number: ledger.books(organization_id).version.next(),
        project_id: *project_id,
        through: *through,
        at: context.now,
        key_id: context.caller.key_id,
        user_id: context.caller.user_id,
        reason: reason.clone(),
    };
    ledger.put_closing(closing.clone());
    Ok(Some(closing))
}
