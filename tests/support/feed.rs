//! Reading the feed of changes.

use serde_json::Value;

use super::api::Api;
use super::tenant::Tenant;

/// What a path answers.
pub(crate) async fn read(api: &Api, path: &str) -> Value {
    api.get(path).send().await.is(200).json()
}

/// The changes of a page.
pub(crate) fn changes(page: &Value) -> &[Value] {
    page["data"].as_array().unwrap()
}

/// Where to go on.
pub(crate) fn cursor(page: &Value) -> &str {
    page["nextCursor"].as_str().unwrap()
}

/// The numbers of the changes of a page.
pub(crate) fn seqs(page: &Value) -> Vec<i64> {
    changes(page).iter().map(|change| change["seq"].as_i64().unwrap()).collect()
}

/// The feed of the tenant's project.
pub(crate) fn project_path(tenant: &Tenant) -> String {
    format!("/projects/{}/changes", tenant.project_id)
}
