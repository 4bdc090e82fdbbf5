//! Where the database is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where the database is, and which kind it is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// An SQLite database in this file.
    Sqlite(PathBuf),
}

/// The text is no database URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// It has another scheme, or none.
    #[error("a database URL is sqlite:PATH, for example sqlite:timelog.db")]
    Scheme,
    /// It names no file.
    #[error(
        "sqlite: must be followed by the path of a file; a database in memory cannot be shared between connections"
    )]
    Path,
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
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
        };
        assert_eq!(path("sqlite:timelog.db"), PathBuf::from("timelog.db"));
        assert_eq!(path("sqlite:/var/lib/timelog.db"), PathBuf::from("/var/lib/timelog.db"));
        assert_eq!(path("sqlite:///var/lib/timelog.db"), PathBuf::from("/var/lib/timelog.db"));
    }

    #[test]
    fn other_urls_are_refused_with_what_would_do() {
        let error = |url: &str| url.parse::<DatabaseUrl>().unwrap_err();
        assert_eq!(error("timelog.db"), InvalidDatabaseUrl::Scheme);
        assert_eq!(error("mysql://localhost/timelog"), InvalidDatabaseUrl::Scheme);
        for url in ["sqlite:", "sqlite://", "sqlite::memory:"] {
            assert_eq!(error(url), InvalidDatabaseUrl::Path, "{url}");
        }
    }
}
