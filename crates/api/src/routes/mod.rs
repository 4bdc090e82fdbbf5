//! The table of the routes. Each file is one of them, or what several have in common.

mod admission;
mod answer;
mod asked;
mod change;
mod change_many;
mod changes;
mod closing;
mod delete_time_entry;
mod directory;
mod docs;
mod edit_time_entry;
mod export_time_entries;
mod health;
mod history;
mod list_time_entries;
mod log_many;
mod log_time_entry;
mod me;
mod metrics;
mod openapi;
mod page;
mod read_time_entry;
mod results;
mod route;
mod summarize;
mod transition;
mod webhooks;

use timelog_domain::Action;

use self::change_many::{deletions, edits, transitions};
use self::directory::{projects, releases, tickets, users};
use self::route::{Route, delete, get, patch, post, put};
pub(crate) use self::route::{Surface, mount, not_found};
use self::webhooks::{attempts, failures, resource};

/// Every route. Of two paths that both fit, the first is taken.
pub(crate) fn table() -> Vec<Route> {
    let entries = "/projects/{projectId}/time-entries";
    let entry = "/time-entries/{timeEntryId}";
    let project = "/projects/{projectId}";
    let ticket = "/projects/{projectId}/entries/{entryId}";
    let release = "/projects/{projectId}/releases/{releaseId}";
    let (webhooks, webhook) = ("/webhooks", "/webhooks/{webhookId}");
    let actions = Action::ALL.iter().map(|&action| {
        let path = format!("{entry}/{action}");
        post(path, transition::transition, move || transition::about(action))
    });
    let api = [
        post(entries, log_time_entry::log_time_entry, log_time_entry::about),
        get(entries, list_time_entries::list_of_project, list_time_entries::about_of_project),
        get(
            "/projects/{projectId}/time-entries.csv",
            export_time_entries::csv_of_project,
            export_time_entries::about_csv_of_project,
        ),
        get(
            "/projects/{projectId}/time-entries.xlsx",
            export_time_entries::workbook_of_project,
            export_time_entries::about_workbook_of_project,
        ),
        post("/projects/{projectId}/time-entries/batch", log_many::log_many, log_many::about),
        get(
            "/projects/{projectId}/time-entries/summary",
            summarize::of_project,
            summarize::about_of_project,
        ),
        get(
            "/time-entries",
            list_time_entries::list_of_organization,
            list_time_entries::about_of_organization,
        ),
        get(
            "/time-entries.csv",
            export_time_entries::csv_of_organization,
            export_time_entries::about_csv_of_organization,
        ),
        get(
            "/time-entries.xlsx",
            export_time_entries::workbook_of_organization,
            export_time_entries::about_workbook_of_organization,
        ),
        get("/time-entries/summary", summarize::of_organization, summarize::about_of_organization),
        post("/time-entries/transitions", transitions::transition_many, transitions::about),
        post("/time-entries/edits", edits::edit_many, edits::about),
        post("/time-entries/deletions", deletions::delete_many, deletions::about),
        get(entry, read_time_entry::read_time_entry, read_time_entry::about),
        patch(entry, edit_time_entry::edit_time_entry, edit_time_entry::about),
        delete(entry, delete_time_entry::delete_time_entry, delete_time_entry::about),
        get("/time-entries/{timeEntryId}/history", history::history, history::about),
        get("/changes", changes::of_organization, changes::about_of_organization),
        get("/projects/{projectId}/changes", changes::of_project, changes::about_of_project),
        get("/closing", closing::get_of_all, closing::about_get_of_all),
        put("/closing", closing::close_all, closing::about_close_all),
        get(
            "/projects/{projectId}/closing",
            closing::get_of_project,
            closing::about_get_of_project,
        ),
        put("/projects/{projectId}/closing", closing::close_project, closing::about_close_project),
        post(webhooks, resource::make_webhook, resource::about_make),
        get(webhooks, resource::list_webhooks, resource::about_list),
        get(webhook, resource::get_webhook, resource::about_get),
        patch(webhook, resource::edit_webhook, resource::about_edit),
        delete(webhook, resource::delete_webhook, resource::about_delete),
        post("/webhooks/{webhookId}/rotate-secret", resource::rotate, resource::about_rotate),
        post("/webhooks/{webhookId}/test", attempts::test, attempts::about_test),
        get("/webhooks/{webhookId}/failures", failures::list, failures::about),
        post("/webhooks/{webhookId}/failures/{seq}/retry", attempts::retry, attempts::about_retry),
        get("/projects", projects::list_projects, projects::about_list),
        get(project, projects::get_project, projects::about_get),
        put(project, projects::put_project, projects::about_put),
        get("/projects/{projectId}/entries", tickets::list_tickets, tickets::about_list),
        get(ticket, tickets::get_ticket, tickets::about_get),
        put(ticket, tickets::put_ticket, tickets::about_put),
        get("/projects/{projectId}/releases", releases::list_releases, releases::about_list),
        get(release, releases::get_release, releases::about_get),
        put(release, releases::put_release, releases::about_put),
        get("/users", users::list_users, users::about_list),
        get("/users/{userId}", users::get_user, users::about_get),
        put("/users/{userId}", users::put_user, users::about_put),
        get("/me", me::me, me::about),
    ];
    let admin = [
        get("/health/live", health::live, health::about_live),
        get("/health/ready", health::ready, health::about_ready),
        get("/metrics", metrics::metrics, metrics::about),
        get("/openapi.json", openapi::openapi, openapi::about),
        get("/docs", docs::redirect, docs::about_redirect),
        get("/docs/{file:.*}", docs::file, docs::about_file).documented_as("/docs/"),
    ];
    api.into_iter().chain(actions).chain(admin.map(Route::for_operators)).collect()
}
