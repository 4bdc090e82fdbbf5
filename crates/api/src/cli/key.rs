//! `timelog key create|list|rotate|revoke`

use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use timelog_domain::ports::{ApiKeys, Clock, IssuedKey, NewApiKey, PortError};
use timelog_domain::{ApiKey, KeyId, OrganizationId, Permissions, ProjectId, UserId};
use uuid::Uuid;

use super::global::Global;
use super::{say, say_json};
use crate::clock::SystemClock;
use crate::limits::{HOUR, milliseconds};

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Make a key and print it, once.
    Create(Create),
    /// List the keys of an organization, without their secrets.
    List(List),
    /// Give a key a new secret and print it, once. The id of the key stays, and so does everything
    /// that is stored under it.
    Rotate(Rotate),
    /// Revoke a key. Running services refuse it within 5 seconds.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The organization the key belongs to.
    #[arg(long, value_name = "ID")]
    organization: OrganizationId,
    /// Limit the key to this project.
    #[arg(long, value_name = "ID")]
    project: Option<ProjectId>,
    /// Bind the key to this user. Then it may change only the entries of that user.
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
    /// What the key may do: any of read, read-own, write, approve, bill and admin, separated by
    /// commas. read-own reads the entries of the key's user alone, in place of read.
    #[arg(long, value_name = "LIST")]
    permissions: Permissions,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// The organization whose keys to list.
    #[arg(long, value_name = "ID")]
    organization: OrganizationId,
    /// Print one JSON array instead of lines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// The id of the key, as "key list" shows it.
    #[arg(value_name = "KEY-ID")]
    id: KeyId,
    /// How long the old secret still works, such as 24h. If this is not given, it stops at once:
    /// running services refuse it within 5 seconds.
    #[arg(
        long,
        default_value = "0s",
        hide_default_value = true,
        value_parser = milliseconds(0..=90 * 24 * HOUR),
        value_name = "DURATION"
    )]
    grace: Duration,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The id of the key, as "key list" shows it.
    #[arg(value_name = "KEY-ID")]
    id: KeyId,
}

impl Key {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run(global).await,
            Self::List(list) => list.run(global).await,
            Self::Rotate(rotate) => rotate.run(global).await,
            Self::Revoke(revoke) => revoke.run(global).await,
        }
    }
}

impl Create {
    async fn run(self, global: &Global) -> anyhow::Result<()> {
        self.permissions.check(self.user)?;
        let key = NewApiKey {
            id: KeyId::new(Uuid::now_v7()),
            organization_id: self.organization,
            project_id: self.project,
            user_id: self.user,
            permissions: self.permissions,
            created_at: SystemClock.now(),
        };
        let issued = match global.open().await?.create(key).await {
            Err(PortError::UnknownReference) => {
                bail!("there is no such organization, or it has no such project or user")
            }
            issued => issued.context("the key could not be made")?,
        };
        show(&issued, self.json)
    }
}

/// Shows the text of a key. It can be shown only now: the store keeps no secret.
fn show(issued: &IssuedKey, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return say_json(&json!({ "keyId": issued.key.id.to_string(), "apiKey": issued.text }));
    }
    say(format_args!("keyId   {}", issued.key.id))?;
    say(format_args!("apiKey  {}", issued.text))?;
    say("The API key is shown only this once.")
}

impl Rotate {
    async fn run(self, global: &Global) -> anyhow::Result<()> {
        let now = SystemClock.now();
        let former_until = now.saturating_add(self.grace);
        let rotated = global.open().await?.rotate(self.id, now, former_until).await;
        let Some(issued) = rotated.context("the key could not be given another secret")? else {
            bail!("there is no key {}, or it was revoked", self.id);
        };
        show(&issued, self.json)?;
        if !self.json && !self.grace.is_zero() {
            say(format_args!("The secret before works until {former_until}."))?;
        }
        Ok(())
    }
}

impl List {
    async fn run(self, global: &Global) -> anyhow::Result<()> {
        let store = global.open().await?;
        let organization = super::organization(&store, Some(self.organization)).await?;
        let keys = store.list(organization).await.context("the keys could not be listed")?;
        if self.json {
            return say_json(&keys.iter().map(describe).collect());
        }
        for key in &keys {
            let limits = [
                ("project", key.project_id.map(|id| id.to_string())),
                ("user", key.user_id.map(|id| id.to_string())),
            ];
            let limits: String = limits
                .into_iter()
                .filter_map(|(kind, id)| Some(format!("  {kind} {}", id?)))
                .collect();
            let state =
                key.revoked_at.map_or_else(|| "live".to_owned(), |at| format!("revoked {at}"));
            say(format_args!(
                "{}  tlk_{}_…  {}  {}{limits}  {state}",
                key.id, key.prefix, key.created_at, key.permissions
            ))?;
        }
        if keys.is_empty() {
            say("The organization has no keys.")?;
        }
        Ok(())
    }
}

fn describe(key: &ApiKey) -> serde_json::Value {
    json!({
        "keyId": key.id.to_string(),
        "prefix": key.prefix,
        "projectId": key.project_id.map(|id| id.to_string()),
        "userId": key.user_id.map(|id| id.to_string()),
        "permissions": key.permissions.iter().map(timelog_domain::Permission::as_str).collect::<Vec<_>>(),
        "createdAt": key.created_at.to_string(),
        "revokedAt": key.revoked_at.map(|at| at.to_string()),
    })
}

impl Revoke {
    async fn run(self, global: &Global) -> anyhow::Result<()> {
        let found = global.open().await?.revoke(self.id, SystemClock.now()).await;
        if !found.context("the key could not be revoked")? {
            bail!("there is no key {}", self.id);
        }
        say(format_args!("Revoked {}.", self.id))?;
        Ok(())
    }
}
