//! Loads what a batch of requests needs, as an adapter does from a database.

use timelog_domain::*;

use crate::values::text;

/// Loads what the requests touch from another ledger.
pub(crate) fn load(stored: &Ledger, requests: &[Request]) -> Ledger {
    let mut ledger = Ledger::default();
    load_touched(stored, &Touches::from_iter(requests), &mut ledger);
    let following = Touches::following(requests, &ledger);
    load_touched(stored, &following, &mut ledger);
    ledger
}

fn load_touched(stored: &Ledger, touches: &Touches, ledger: &mut Ledger) {
    for (organization, id) in touches.projects.iter().copied() {
        stored
            .project(organization, id)
            .cloned()
            .into_iter()
            .for_each(|found| ledger.load_project(found));
    }
    for (organization, id) in touches.users.iter().copied() {
        stored
            .user(organization, id)
            .cloned()
            .into_iter()
            .for_each(|found| ledger.load_user(found));
    }
    for (organization_id, project_id, id) in touches.tickets.iter().copied() {
        if stored.has_ticket(organization_id, project_id, id) {
            ledger.load_ticket(&Ticket { organization_id, project_id, id, title: text("T") });
        }
    }
    for (organization_id, project_id, id) in touches.releases.iter().copied() {
        if stored.has_release(organization_id, project_id, id) {
            ledger.load_release(&Release { organization_id, project_id, id, name: text("R") });
        }
    }
    let by_id = touches
        .time_entries
        .iter()
        .filter_map(|(organization, id)| stored.time_entry(*organization, *id));
    let named = touches.external_refs.iter();
    let by_ref =
        named.filter_map(|(organization, name)| stored.time_entry_by_ref(*organization, name));
    by_id.chain(by_ref).cloned().for_each(|entry| ledger.load_time_entry(entry));
    let answers = touches
        .answers
        .iter()
        .filter_map(|scope| Some((scope.clone(), stored.answer(scope)?.clone())));
    answers.for_each(|(scope, answer)| ledger.load_answer(scope, answer));
}
