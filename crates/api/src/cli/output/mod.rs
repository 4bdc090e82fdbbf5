//! Files that commands write. A file that exists is replaced only with `--force`, and a new one
//! gets its name only when it is complete.

mod kept;
mod new_file;
mod target;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, ensure};
use timelog_adapters::shown;

pub(super) use self::kept::Kept;
pub(super) use self::new_file::NewFile;
pub(super) use self::target::Target;
use self::target::{Found, STANDARD_OUTPUT, is_passage};
use super::end::unless_told_to_stop;

impl Target {
    /// Begins to write, to a file or whatever else is there.
    pub(super) fn open(self) -> anyhow::Result<Output> {
        let Found::Passage = self.look()? else { return Ok(Output::New(self.begin()?)) };
        if let Some(stream) = self.own_stream() {
            return Ok(Output::Passage(stream));
        }
        let cannot_write = || format!("cannot write {}", shown::path(&self.path));
        let passage = File::options().write(true).open(&self.path).with_context(cannot_write)?;
        // It may have been replaced since it was looked at.
        let is_passage = is_passage(&passage.metadata().with_context(cannot_write)?);
        ensure!(is_passage, "{}: it is another file now", cannot_write());
        Ok(Output::Passage(Box::new(passage)))
    }
}

/// What a command writes to.
pub(super) enum Output {
    New(NewFile),
    Passage(Box<dyn Write + Send>),
}

impl Output {
    /// Standard output, unless that leads to a file that the command works with.
    pub(super) fn standard(kept: &Kept) -> anyhow::Result<Self> {
        kept.spare("standard output", Path::new(STANDARD_OUTPUT))?;
        Ok(Self::Passage(Box::new(io::stdout())))
    }

    /// Does the work that writes to it. If the program is told to stop, an incomplete file is
    /// deleted.
    pub(super) async fn fill<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        match self {
            Self::New(_) => unless_told_to_stop(work(self)).await,
            // There is nothing to delete, and a write that waits for its reader is ended only by
            // the signal itself.
            Self::Passage(_) => work(self).await,
        }
    }

    /// Gives a new file its name.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::New(file) => file.finish(),
            Self::Passage(_) => Ok(()),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::New(file) => file.partial.write(bytes),
            Self::Passage(passage) => passage.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::New(file) => file.partial.flush(),
            Self::Passage(passage) => passage.flush(),
        }
    }
}
