//! The results of an import.

use indicatif::ProgressBar;

use super::fault::Fault;
use crate::cli::output::Output;
use crate::cli::say::{tell, unwritten};

/// How many rows had which result.
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

/// Where refused rows are written: a CSV file, or standard error.
pub(super) enum RefusedRows<'a> {
    File(Box<csv::Writer<Output>>),
    Terminal(&'a ProgressBar),
}

impl<'a> RefusedRows<'a> {
    pub(super) fn to(file: Option<Output>, bar: &'a ProgressBar) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self::Terminal(bar)) };
        let mut file = csv::Writer::from_writer(file);
        file.write_record(["line", "field", "message"]).map_err(cannot_write)?;
        Ok(Self::File(Box::new(file)))
    }

    /// Writes all faults of one row.
    pub(super) fn tell(&mut self, line: u64, faults: &[Fault]) -> anyhow::Result<()> {
        match self {
            Self::File(file) => faults.iter().try_for_each(|Fault { field, message }| {
                file.write_record([&line.to_string(), field, message]).map_err(cannot_write)
            }),
            Self::Terminal(bar) => bar.suspend(|| {
                faults.iter().try_for_each(|fault| tell(format_args!("line {line}: {fault}")))
            }),
        }
    }

    /// Makes sure that everything is written, also after an import that failed.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let Self::File(file) = self else { return Ok(()) };
        let file =
            file.into_inner().map_err(|failed| unwritten(failed.into_error(), CANNOT_WRITE))?;
        file.finish()
    }
}

const CANNOT_WRITE: &str = "cannot write the refused rows";

fn cannot_write(error: csv::Error) -> anyhow::Error {
    let error = match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    };
    unwritten(error, CANNOT_WRITE)
}
