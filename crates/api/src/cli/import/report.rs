//! What becomes of an import, for the person who started it.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use indicatif::ProgressBar;

use super::fault::Fault;

/// What became of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) refused: u64,
    pub(super) skipped: u64,
}

impl Counts {
    pub(super) const fn rows(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.refused + self.skipped
    }
}

/// Where refused rows are told: a CSV file, or standard error.
pub(super) enum RefusedRows<'a> {
    File(Box<csv::Writer<File>>),
    Terminal(&'a ProgressBar),
}

impl<'a> RefusedRows<'a> {
    pub(super) fn to(path: Option<&Path>, bar: &'a ProgressBar) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self::Terminal(bar)) };
        let mut file = csv::Writer::from_path(path).with_context(|| format!("cannot write {}", path.display()))?;
        file.write_record(["line", "field", "message"])?;
        Ok(Self::File(Box::new(file)))
    }

    /// Tells everything that is wrong with one row.
    pub(super) fn tell(&mut self, line: u64, faults: &[Fault]) -> anyhow::Result<()> {
        match self {
            Self::File(file) => {
                for Fault { field, message } in faults {
                    file.write_record([&line.to_string(), field, message]).context("cannot write the refused rows")?;
                }
            }
            Self::Terminal(bar) => bar.suspend(|| {
                for fault in faults {
                    #[expect(clippy::print_stderr, reason = "this is where the person looks who started the import")]
                    {
                        eprintln!("line {line}: {fault}");
                    }
                }
            }),
        }
        Ok(())
    }

    /// Makes sure that all of it is written.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        match self {
            Self::File(file) => file.flush().context("cannot write the refused rows"),
            Self::Terminal(_) => Ok(()),
        }
    }
}
