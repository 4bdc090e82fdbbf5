//! The demo organization that an empty database gets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context;
use timelog_adapters::Store;
use timelog_domain::ids::{OrganizationId, ProjectId, UserId};
use uuid::{Uuid, uuid};

use super::provision::Provision;
use super::say;
use crate::server::Server;

const DEMO_ORGANIZATION: Uuid = uuid!("7b1e2c3d-0000-0000-0000-000000000001");
const DEMO_PROJECT_AND_USER: Uuid = uuid!("9a8b7c6d-0000-0000-0000-000000000002");

/// Fills an empty database with a demo organization and returns the text of its key.
pub(super) async fn make(store: &Arc<Store>) -> anyhow::Result<Option<String>> {
    if !store.is_empty().await? {
        return Ok(None);
    }
    let demo = Provision {
        organization_id: OrganizationId::new(DEMO_ORGANIZATION),
        project_id: ProjectId::new(DEMO_PROJECT_AND_USER),
        user_id: UserId::new(DEMO_PROJECT_AND_USER),
        ..Provision::fresh()
    };
    Ok(Some(
        demo.store(store, "Demo").await.context("the demo organization could not be made")?.text,
    ))
}

/// Prints the demo key, once, and a request to paste.
pub(super) fn introduce(server: &Server, base_path: &str, key: &str) -> anyhow::Result<()> {
    let root = |address: SocketAddr| {
        let host = if address.ip().is_unspecified() {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            address.ip()
        };
        format!("http://{}{base_path}", SocketAddr::new(host, address.port()))
    };
    let docs = root(server.admin_address().unwrap_or(server.address()));
    let root = root(server.address());
    let body = format!(
        r#"{{"userId":"{DEMO_PROJECT_AND_USER}","workDate":"2025-01-15","hours":"2.5","description":"Implemented login flow."}}"#
    );
    say(format_args!(
        "The database was empty and now has a demo organization. Its API key is shown only this \
         once:\n\n\
         {key}\n\n\
         Log two and a half hours; send it again and the same answer comes back:\n\n\
         curl -i {root}/projects/{DEMO_PROJECT_AND_USER}/time-entries -H 'Authorization: Bearer \
         {key}' \
         -H 'Content-Type: application/json' -H 'Idempotency-Key: first-entry' -d '{body}'\n\n\
         Documentation: {docs}/docs/"
    ))
}
