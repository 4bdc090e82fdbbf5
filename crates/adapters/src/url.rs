//! Where the database is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::postgres::PostgresUrl;

/// Where the database is, and which kind it is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An SQLite database in this file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresUrl>),
}

/// The text is no database URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// It has another scheme, or none.
    #[error("a database URL is sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME, for example sqlite:timelog.db")]
    Scheme,
    /// It names no file.
    #[error(
        "sqlite: must be followed by the path of a file; a database in memory cannot be shared between connections"
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
        // sqlite:///var/lib/timelog.db, as other programs write it, names the same file as sqlite:/var/lib/timelog.db.
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
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
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
    fn other_urls_are_refused_with_what_would_do() {
        let error = |url: &str| url.parse::<DatabaseUrl>().unwrap_err();
        assert_eq!(error("timelog.db"), InvalidDatabaseUrl::Scheme);
        assert_eq!(error("mysql://localhost/timelog"), InvalidDatabaseUrl::Scheme);
        for url in ["sqlite:", "sqlite://", "sqlite::memory:"] {
            assert_eq!(error(url), InvalidDatabaseUrl::Path, "{url}");
        }
        assert!(matches!(error("postgres://localhost:port/timelog"), InvalidDatabaseUrl::Postgres(_)));
    }
}
