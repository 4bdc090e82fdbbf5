//! `timelog feed`

use clap::Subcommand;

use super::global::Global;
use super::say;

#[derive(Debug, Subcommand)]
pub(super) enum Feed {
    /// Give every feed a new epoch, after a database was put back to an earlier state.
    ///
    /// Whoever reads a feed is then told to begin again. Without it readers would miss what
    /// happens from then on, because its numbers were given before. "timelog backup" has done
    /// this in the file that it writes.
    Renew,
}

impl Feed {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<()> {
        match self {
            Self::Renew => {
                let renewed = global.open().await?.renew_feeds().await?;
                let feeds = if renewed == 1 { "feed" } else { "feeds" };
                say(format_args!("Renewed {renewed} {feeds}. Readers begin again."))
            }
        }
    }
}
