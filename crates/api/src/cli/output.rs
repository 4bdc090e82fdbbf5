//! Files that commands write. None is written over that nobody asked to replace, and a new one has
//! its name only once it is whole.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use tempfile::{NamedTempFile, PersistError};
use timelog_adapters::{DatabaseUrl, shown};

use super::end::unless_told_to_stop;

/// What a new file may be used for: only its owner reads and writes it. Entries and keys are nobody
/// else's business.
const OWNER_ONLY: u32 = 0o600;
const STANDARD_OUTPUT: &str = "/dev/stdout";
const STANDARD_ERROR: &str = "/dev/stderr";

/// Which file a path names, however it is written and whatever links lead there.
struct Place {
    /// The file's device and inode, if there is a file.
    file: Option<(u64, u64)>,
    /// Those of the folder, and the name in it, for a file that may be made any moment.
    name: Option<(u64, u64, OsString)>,
}

impl Place {
    fn of(path: &Path) -> Self {
        let folder = fs::metadata(folder_of(path)).ok();
        let name = folder
            .zip(path.file_name())
            .map(|(folder, name)| (folder.dev(), folder.ino(), name.to_owned()));
        Self { file: fs::metadata(path).ok().map(|file| (file.dev(), file.ino())), name }
    }

    fn is(&self, other: &Self) -> bool {
        let same_file = self.file.is_some() && self.file == other.file;
        same_file || (self.name.is_some() && self.name == other.name)
    }
}

/// Whether a path is a link, which somebody may have put there so that another file is written. The
/// system's own, such as /dev/stdout, are what they are called.
fn is_link(path: &Path) -> bool {
    let of_the_system = || {
        let folder = folder_of(path).canonicalize();
        folder.is_ok_and(|folder| ["/dev", "/proc"].iter().any(|root| folder.starts_with(root)))
    };
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) && !of_the_system()
}

/// Whether it passes on what is written, such as a terminal or a pipe.
fn is_passage(found: &Metadata) -> bool {
    found.file_type().is_char_device() || found.file_type().is_fifo()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Files that a command works with, so that it must not write over them whatever it is told.
#[derive(Default)]
pub(super) struct Kept(Vec<(PathBuf, &'static str)>);

impl Kept {
    /// The database that the command works on.
    pub(super) fn database(url: &DatabaseUrl) -> Self {
        Self(
            url.files()
                .into_iter()
                .map(|file| (file, "the database, or a file that belongs to it"))
                .collect(),
        )
    }

    /// And this file, with what it is to the command.
    pub(super) fn and(mut self, file: &Path, what: &'static str) -> Self {
        self.0.push((file.to_owned(), what));
        self
    }

    /// What a path leads to, if it is one of them.
    pub(super) fn find(&self, path: &Path) -> Option<&'static str> {
        let place = Place::of(path);
        self.0.iter().find(|(kept, _)| Place::of(kept).is(&place)).map(|(_, what)| *what)
    }

    /// Fails if a path leads to one of them.
    fn spare(&self, argument: &str, path: &Path) -> anyhow::Result<()> {
        match self.find(path) {
            Some(what) => bail!("{argument} would overwrite {what}; name another file"),
            None => Ok(()),
        }
    }
}

/// Where a command is to write.
pub(super) struct Target {
    path: PathBuf,
    /// The argument that names it.
    argument: &'static str,
    /// Whether a file that is there is replaced.
    force: bool,
    kept: Kept,
    mode: u32,
}

/// What is there already.
enum Found {
    Nothing,
    File(Metadata),
    /// Something that passes on what is written, such as a terminal or a pipe.
    Passage,
}

impl Target {
    pub(super) const fn new(
        path: PathBuf,
        argument: &'static str,
        force: bool,
        kept: Kept,
    ) -> Self {
        Self { path, argument, force, kept, mode: OWNER_ONLY }
    }

    /// What a new file may be used for at most.
    pub(super) fn with_mode(self, mode: u32) -> Self {
        Self { mode: mode & OWNER_ONLY, ..self }
    }

    /// Fails if it is known now that the file cannot be written. It only looks: opening a file of
    /// SQLite's and closing it again would take away the locks that this process has on it.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        self.look().map(drop)
    }

    fn look(&self) -> anyhow::Result<Found> {
        self.kept.spare(self.argument, &self.path)?;
        let path = shown::path(&self.path);
        ensure!(!is_link(&self.path), "cannot write {path}: it is a link; name the file itself");
        let found = match fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = folder_of(&self.path);
                ensure!(
                    folder.is_dir(),
                    "cannot write {path}: there is no folder {}",
                    shown::path(folder)
                );
                return Ok(Found::Nothing);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot write {path}")),
        };
        let kind = found.file_type();
        if is_passage(&found) || self.own_stream().is_some() {
            return Ok(Found::Passage);
        }
        ensure!(!kind.is_dir(), "cannot write {path}: it is a folder");
        ensure!(kind.is_file(), "cannot write {path}: it is no file");
        ensure!(
            self.force,
            "cannot write {path}: it exists already; name another file, or replace it with --force"
        );
        Ok(Found::File(found))
    }

    /// Standard output or error, if the path leads there.
    fn own_stream(&self) -> Option<Box<dyn Write + Send>> {
        let place = Place::of(&self.path);
        let leads_to = |stream: &str| Place::of(Path::new(stream)).is(&place);
        if leads_to(STANDARD_OUTPUT) {
            Some(Box::new(io::stdout()))
        } else if leads_to(STANDARD_ERROR) {
            Some(Box::new(io::stderr()))
        } else {
            None
        }
    }

    /// Begins a file that gets its name when it is finished. Whatever is there keeps it until then.
    pub(super) fn begin(self) -> anyhow::Result<NewFile> {
        match self.look()? {
            Found::Nothing => NewFile::begin(self, None),
            Found::File(file) => NewFile::begin(self, Some(file)),
            Found::Passage => bail!("cannot write {}: it is no file", shown::path(&self.path)),
        }
    }

    /// Begins to write, to a file or whatever else is there.
    pub(super) fn open(self) -> anyhow::Result<Output> {
        let Found::Passage = self.look()? else { return Ok(Output::New(self.begin()?)) };
        if let Some(stream) = self.own_stream() {
            return Ok(Output::Passage(stream));
        }
        let cannot_write = || format!("cannot write {}", shown::path(&self.path));
        let passage = File::options().write(true).open(&self.path).with_context(cannot_write)?;
        // What was there a moment ago may be something else by now.
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

    /// Does the work that fills it, and clears away what is not whole if the program is told to
    /// stop.
    pub(super) async fn fill<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        match self {
            Self::New(_) => unless_told_to_stop(work(self)).await,
            // Nothing is to be cleared away, and whoever waits for a reader can only be ended by
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

/// A file that is not whole yet. It has a name of its own in its folder, and is deleted if it is
/// never finished.
pub(super) struct NewFile {
    partial: NamedTempFile,
    path: PathBuf,
    target: Target,
}

impl NewFile {
    fn begin(target: Target, old: Option<Metadata>) -> anyhow::Result<Self> {
        let cannot_write = || format!("cannot write {}", shown::path(&target.path));
        let folder = folder_of(&target.path).canonicalize().with_context(cannot_write)?;
        let path = folder.join(target.path.file_name().with_context(cannot_write)?);
        let partial = tempfile::Builder::new()
            .prefix(".timelog-")
            .suffix(".partial")
            .permissions(Permissions::from_mode(target.mode))
            .tempfile_in(&folder)
            .with_context(cannot_write)?;
        if let Some(old) = old {
            // Only some may give a file to another user. Whoever may not keeps it.
            drop(fchown(partial.as_file(), Some(old.uid()), Some(old.gid())));
            partial.as_file().set_permissions(old.permissions()).with_context(cannot_write)?;
        }
        Ok(Self { partial, path, target })
    }

    /// Where it is until it is finished.
    pub(super) fn partial(&self) -> &Path {
        self.partial.path()
    }

    /// How long it is by now.
    pub(super) fn size(&self) -> u64 {
        self.partial.as_file().metadata().map_or(0, |file| file.len())
    }

    /// Gives the file its name, once its bytes are on the disk.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let Self { partial, path, target } = self;
        target.kept.spare(target.argument, &path)?;
        publish(partial, &path, target.force)
            .with_context(|| format!("cannot write {}", shown::path(&target.path)))
    }
}

fn publish(partial: NamedTempFile, path: &Path, replace: bool) -> io::Result<()> {
    partial.as_file().sync_all()?;
    if replace {
        partial.persist(path)?;
    } else {
        name(partial, path)?;
    }
    sync_folder(folder_of(path))
}

/// Gives a file a name that nobody has.
fn name(partial: NamedTempFile, path: &Path) -> io::Result<File> {
    let PersistError { error, file: partial } = match partial.persist_noclobber(path) {
        Ok(file) => return Ok(file),
        Err(failed) => failed,
    };
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Err(error);
    }
    // The file system has neither links nor a renaming that replaces nothing. So an empty file
    // takes the name, and is then replaced.
    drop(File::create_new(path)?);
    partial.persist(path).map_err(|failed| {
        drop(fs::remove_file(path));
        failed.error
    })
}

/// Makes a new name last. Some file systems cannot, and then there is nothing more to do.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}
