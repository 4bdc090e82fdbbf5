//! A database with an organization, which the service and its baselines work on.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A database that `timelog bootstrap` has filled.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    pub(crate) organization: String,
    pub(crate) project: String,
    pub(crate) user: String,
    pub(crate) ticket: String,
    pub(crate) release: String,
    /// The text of the API key.
    pub(crate) key: String,
    timelog: PathBuf,
}

impl Site {
    /// Fills a new database.
    pub(crate) fn make(timelog: &Path, kind: Kind, url: String) -> anyhow::Result<Self> {
        let output = program(timelog, "bootstrap", &url).arg("--json").output()?;
        if !output.status.success() {
            bail!("timelog bootstrap: {}", String::from_utf8_lossy(&output.stderr));
        }
        let made: Value = serde_json::from_slice(&output.stdout)?;
        let text = |name: &str| -> anyhow::Result<String> {
            Ok(made[name].as_str().with_context(|| format!("it prints no {name}"))?.to_owned())
        };
        Ok(Self {
            kind,
            organization: text("organizationId")?,
            project: text("projectId")?,
            user: text("userId")?,
            ticket: text("entryId")?,
            release: text("releaseId")?,
            key: text("apiKey")?,
            timelog: timelog.to_owned(),
            url,
        })
    }

    /// A command of the program on this database.
    pub(crate) fn program(&self, command: &str) -> Command {
        program(&self.timelog, command, &self.url)
    }

    /// The file of an SQLite database.
    pub(crate) fn file(&self) -> PathBuf {
        PathBuf::from(self.url.trim_start_matches("sqlite:"))
    }
}

/// A command of the program, without the settings of this process.
fn program(timelog: &Path, name: &str, url: &str) -> Command {
    let mut command = Command::new(timelog);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("TIMELOG_")) {
            command.env_remove(name);
        }
    }
    command.args([name, "--database-url", url]).stdin(Stdio::null());
    command
}
