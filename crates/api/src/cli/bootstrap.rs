//! `timelog bootstrap`

use clap::Args;
use serde_json::json;

use super::global::Global;
use super::provision::Provision;
use super::{say, say_json};

#[derive(Debug, Args)]
pub(super) struct Bootstrap {
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

impl Bootstrap {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        let (store, _) = global.open_or_make(&global.database_url).await?;
        let made = Provision::fresh();
        let key = made.store(&store, "New").await?;
        let ids = [
            ("organizationId", made.organization_id.to_string()),
            ("projectId", made.project_id.to_string()),
            ("userId", made.user_id.to_string()),
            ("entryId", made.ticket_id.to_string()),
            ("releaseId", made.release_id.to_string()),
            ("keyId", key.key.id.to_string()),
            ("apiKey", key.text),
        ];
        if self.json {
            let object: serde_json::Map<_, _> =
                ids.into_iter().map(|(name, id)| (name.to_owned(), json!(id))).collect();
            say_json(&object.into())?;
        } else {
            for (name, id) in ids {
                say(format_args!("{name:<15} {id}"))?;
            }
            say("The API key is shown only this once.")?;
        }
        Ok(())
    }
}
