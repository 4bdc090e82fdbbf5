//! Where the database is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::postgres::PostgresUrl;
use crate::shown;
use crate::sqlite::companion;

/// Where the database is, and which kind it is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An SQLite database in this file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresUrl>),
}

impl DatabaseUrl {
    /// The files of this machine that the database consists of, or is reached with. Nothing else
    /// may be written there. They need not exist.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Sqlite(path) => {
                // SQLite follows links, and names its other files after what it finds.
                let path = path.canonicalize().unwrap_or_else(|_| path.clone());
                ["", "-wal", "-shm", "-journal"].map(|ending| companion(&path, ending)).into()
            }
            Self::Postgres(url) => {
                url.root_certificates().into_iter().map(Path::to_owned).collect()
            }
        }
    }
}

/// The text is no database URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// It has another scheme, or none.
    #[error(
        "a database URL is sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME, for example \
         sqlite:timelog.db"
    )]
    Scheme,
    /// It names no file.
    #[error(
        "sqlite: must be followed by the path of a file; a database in memory cannot be shared \
         between connections"
    )]
    Path,
    /// It begins like a PostgreSQL URL and goes on like none.
    #[error("the PostgreSQL URL cannot be read: {0}")]
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let url = text.parse().map_err(InvalidDatabaseUrl::Postgres)?;
            return Ok(Self::Postgres(Box::new(url)));
        }
        let path = text.strip_prefix("sqlite:").ok_or(InvalidDatabaseUrl::Scheme)?;
        // sqlite:///var/lib/timelog.db, as other programs write it, names the same file as
        // sqlite:/var/lib/timelog.db.
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(':') || path.contains('\0') {
            return Err(InvalidDatabaseUrl::Path);
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl fmt::Display for DatabaseUrl {
    /// Leaves a password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // It may be another database's URL that was given an sqlite: by mistake.
            Self::Sqlite(path) => write!(f, "sqlite:{}", shown::path(path)),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn the_scheme_picks_the_database() {
        let path = |url: &str| match url.parse().unwrap() {
            DatabaseUrl::Sqlite(path) => path,
            DatabaseUrl::Postgres(url) => panic!("{url}"),
        };
        assert_eq!(path("sqlite:timelog.db"), PathBuf::from("timelog.db"));
        assert_eq!(path("sqlite:/var/lib/timelog.db"), PathBuf::from("/var/lib/timelog.db"));
        assert_eq!(path("sqlite:///var/lib/timelog.db"), PathBuf::from("/var/lib/timelog.db"));
        for url in ["postgres://localhost/timelog", "postgresql://localhost/timelog"] {
            assert!(matches!(url.parse(), Ok(DatabaseUrl::Postgres(_))), "{url}");
        }
    }

    #[test]
    fn the_files_of_a_database_are_known_under_the_names_that_sqlite_gives_them() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let files = |path: PathBuf| DatabaseUrl::Sqlite(path).files();
        let expected =
            ["a.db", "a.db-wal", "a.db-shm", "a.db-journal"].map(|name| folder.join(name));
        assert_eq!(files(folder.join("a.db")), expected);
        std::fs::write(folder.join("a.db"), "").unwrap();
        std::os::unix::fs::symlink("a.db", folder.join("link")).unwrap();
        assert_eq!(files(folder.join("link")), expected);
        let url: DatabaseUrl =
            "postgres://localhost/x?sslmode=verify-full&sslrootcert=/ca.pem".parse().unwrap();
        assert_eq!(url.files(), [PathBuf::from("/ca.pem")]);
    }

    #[test]
    fn other_urls_are_refused_with_what_would_do() {
        let error = |url: &str| url.parse::<DatabaseUrl>().unwrap_err();
        assert_eq!(error("timelog.db"), InvalidDatabaseUrl::Scheme);
        assert_eq!(error("mysql://localhost/timelog"), InvalidDatabaseUrl::Scheme);
        for url in ["sqlite:", "sqlite://", "sqlite::memory:"] {
            assert_eq!(error(url), InvalidDatabaseUrl::Path, "{url}");
        }
        assert!(matches!(
            error("postgres://localhost:port/timelog"),
            InvalidDatabaseUrl::Postgres(_)
        ));
    }

    /// A URL with a password in it, written in whatever way and cut at whatever place, so that the
    /// password stays whole.
    fn text_with_a_password() -> impl Strategy<Value = String> {
        let schemes = [
            "",
            "postgres://",
            "postgresql://",
            "postgres:",
            "postgres//",
            "mysql://",
            "sqlite:",
            "sqlite://",
        ];
        let places = [
            "me:{}@db/x",
            "me:{}@db:5432/x?sslmode=require",
            ":{}@db",
            "me:x{}@db/x",
            "db/x?password={}",
            "db/x?user=me&password={}&sslmode=nope",
            "db/x?password=a&{}=b",
            "db/x?{}=1&{}=2",
            "db/x?sslmode={}",
            "me@db/x?passwrd={}",
        ];
        let around = || "[&?#@:/% é\u{1b}=;'\"]{0,4}";
        let text = (select(schemes.to_vec()), select(places.to_vec()), around(), around());
        (text, 0..3, any::<prop::sample::Index>()).prop_map(
            |((scheme, place, before, after), kind, cut)| {
                // Where the end is cut off, only the beginning of a password tells it from a host
                // or a name.
                let before = if kind == 2 { "p" } else { &before };
                let whole = format!(
                    "{scheme}{}",
                    place.replace("{}", &format!("{before}Quetzalcoatl{after}"))
                );
                let (start, end) =
                    (whole.find("Quetz").unwrap(), whole.rfind("coatl").unwrap() + "coatl".len());
                let places = |range: std::ops::RangeInclusive<usize>| -> Vec<_> {
                    range.filter(|place| whole.is_char_boundary(*place)).collect()
                };
                match kind {
                    0 => whole.clone(),
                    1 => whole[*cut.get(&places(0..=start))..].to_owned(),
                    _ => whole[..*cut.get(&places(end..=whole.len()))].to_owned(),
                }
            },
        )
    }

    proptest! {
        #[test]
        fn no_text_that_is_read_or_refused_is_shown_with_its_password(text in text_with_a_password()) {
            let told = match text.parse::<DatabaseUrl>() {
                // What has no mark of a password left is the name of a file.
                Ok(DatabaseUrl::Sqlite(path)) if shown::path(&path).contains("Quetz") => {
                    prop_assert!(!path.to_string_lossy().contains("postgres"));
                    return Ok(());
                }
                Ok(url) => format!("{url} {url:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            prop_assert!(!told.contains("Quetzalcoatl"), "{}: {}", text, told);
        }
    }
}
