//! A disk whose syncs take longer when that is wanted. Linux only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use tempfile::TempDir;

/// The library that delays syncs, and the file that turns it on.
pub(crate) struct Delay(TempDir);

impl Delay {
    /// Compiles the library. Nothing is delayed yet.
    pub(crate) fn prepare() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        // PostgreSQL runs as another user.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let source = folder.path().join("delay.c");
        fs::write(&source, include_str!("delay.c"))?;
        let library = folder.path().join("delay.so");
        let compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"])
            .args([library.as_path(), source.as_path(), Path::new("-ldl")])
            .output()
            .context("a C compiler is needed: scripts/setup build installs it")?;
        if !compiler.status.success() {
            bail!("{}", String::from_utf8_lossy(&compiler.stderr));
        }
        Ok(Self(folder))
    }

    /// The variables of a program whose syncs can be delayed.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.0.path().join(name).display().to_string();
        vec![("LD_PRELOAD", path("delay.so")), ("SYNC_DELAY", path("on"))]
    }

    /// Delays syncs while this is true.
    pub(crate) fn set(&self, on: bool) -> anyhow::Result<()> {
        let file = self.0.path().join("on");
        if on {
            fs::write(file, "")?;
        } else if file.exists() {
            fs::remove_file(file)?;
        }
        Ok(())
    }
}
