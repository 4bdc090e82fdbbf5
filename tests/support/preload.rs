//! Libraries that change the behaviour of the system for one program. Linux only.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A preloaded library, which replaces functions of the C library.
pub(crate) struct Preload(TempDir);

impl Preload {
    /// Every file system refuses links, and renaming that replaces nothing.
    pub(crate) fn no_links() -> Self {
        Self::compile(include_str!("no_links.c"))
    }

    /// The program is interrupted when it puts a file on the disk whose name ends in `.partial`.
    pub(crate) fn interrupted() -> Self {
        Self::compile(include_str!("interrupted.c"))
    }

    /// A disk that loses unsynced data, and a program that dies before a sync.
    pub(crate) fn power() -> Self {
        Self::compile(include_str!("power.c"))
    }

    /// A disk that reports its operations, and fails when it is told to.
    pub(crate) fn disk() -> Self {
        let made = Self::compile(include_str!("disk.c"));
        // PostgreSQL runs as another user.
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(made.0.path(), everybody).expect("everybody can be let in");
        made
    }

    fn compile(source: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("preload.c");
        std::fs::write(&path, source).expect("the source can be written");
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"])
            .arg(folder.path().join("preload.so"))
            .arg(path);
        let output =
            compiler.output().expect("the tests need a C compiler: make setup installs it");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self(folder)
    }

    /// The file of the library.
    pub(crate) fn library(&self) -> PathBuf {
        self.0.path().join("preload.so")
    }

    /// Makes a program load it.
    pub(crate) fn load_into<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("LD_PRELOAD", self.library())
    }
}
