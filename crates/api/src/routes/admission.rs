//! Letting requests in: who asks, whether they may, and what the path names. The order of the
//! checks is the same everywhere.

use std::sync::Arc;

use actix_web::HttpRequest;
use timelog_domain::{ApiKey, Permission, ProjectId, TimeEntryId};

use super::path_id;
use crate::http::problem::Problem;
use crate::state::AppState;

/// The key a request is made with.
pub(super) type Key = Arc<ApiKey>;

/// Lets a request in whose key has the permission.
pub(super) async fn admit(
    request: &HttpRequest,
    state: &AppState,
    permission: Permission,
) -> Result<Key, Problem> {
    let key = state.authenticate(request).await?;
    key.check_permission(permission)?;
    Ok(key)
}

/// Lets a request in that concerns the project in its path.
pub(super) async fn admit_to_project(
    request: &HttpRequest,
    state: &AppState,
    permission: Permission,
) -> Result<(Key, ProjectId), Problem> {
    let key = admit(request, state, permission).await?;
    let project = path_id(request, "projectId")?;
    key.check_scope(project)?;
    Ok((key, project))
}

/// Lets a request in that concerns all projects.
pub(super) async fn admit_to_all_projects(
    request: &HttpRequest,
    state: &AppState,
    permission: Permission,
) -> Result<Key, Problem> {
    let key = admit(request, state, permission).await?;
    key.check_all_projects()?;
    Ok(key)
}

/// Lets a request in that concerns the time entry in its path. Of which project that is, only the
/// entry tells.
pub(super) async fn admit_to_time_entry(
    request: &HttpRequest,
    state: &AppState,
    permission: Permission,
) -> Result<(Key, TimeEntryId), Problem> {
    let key = admit(request, state, permission).await?;
    Ok((key, path_id(request, "timeEntryId")?))
}
