//! What a PostgreSQL URL says.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How long one address may take to answer, where the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a peer may be silent before the connection counts as dead, where the URL does not say.
const SILENCE: Duration = Duration::from_secs(15);

/// What must be known of the server before anything is said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verification {
    /// Nothing: whoever answers is believed, as libpq does for `prefer` and `require`.
    Nobody,
    /// That a trusted authority vouches for the name in the URL: `verify-full`.
    Server,
}

/// A `postgres://` URL that was read.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    config: Config,
    pub(super) verification: Verification,
    /// The authorities to trust, in a PEM file; the system's where it is not given.
    pub(super) root_certificates: Option<PathBuf>,
}

impl PostgresUrl {
    /// What to connect with.
    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether there is only one server that could be meant.
    pub(super) fn names_one_host(&self) -> bool {
        self.config.get_hosts().len() == 1
    }

    /// The file with the authorities to trust, if it names one.
    pub(crate) fn root_certificates(&self) -> Option<&Path> {
        self.root_certificates.as_deref()
    }
}

impl FromStr for PostgresUrl {
    type Err = String;

    /// `sslmode=verify-full` and `sslrootcert`, which the driver does not know, are read here; the driver reads the rest.
    fn from_str(text: &str) -> Result<Self, String> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut verification, mut root_certificates) = (Verification::Nobody, None);
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", "verify-full")) => {
                    verification = Verification::Server;
                    rest.push("sslmode=require");
                }
                Some(("sslmode", mode)) if !["disable", "prefer", "require"].contains(&mode) => {
                    return Err(format!("sslmode={mode} is not known; it is disable, prefer, require or verify-full"));
                }
                Some(("sslrootcert", path)) => root_certificates = Some(PathBuf::from(path)),
                _ => rest.push(pair),
            }
        }
        let mut config: Config = format!("{address}?{}", rest.join("&")).parse().map_err(|error| describe(&error))?;
        if root_certificates.is_some() && verification == Verification::Nobody {
            return Err("sslrootcert needs sslmode=verify-full".to_owned());
        }
        if config.get_hosts().is_empty() {
            return Err("it names no host".to_owned());
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if !query.contains("keepalives_idle") {
            config.keepalives_idle(SILENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("timelog");
        }
        Ok(Self { config, verification, root_certificates })
    }
}

/// An error with its causes, without the password, which the driver never repeats.
fn describe(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", describe(cause)),
        None => error.to_string(),
    }
}

impl fmt::Display for PostgresUrl {
    /// Leaves the password out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (index, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match host {
                Host::Tcp(host) => write!(f, "{comma}{host}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            let ports = self.config.get_ports();
            if let Some(port) = ports.get(index).or_else(|| ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        if let Some(name) = self.config.get_dbname() {
            write!(f, "/{name}")?;
        }
        match (self.verification, self.config.get_ssl_mode()) {
            (Verification::Server, _) => f.write_str("?sslmode=verify-full"),
            (Verification::Nobody, SslMode::Require) => f.write_str("?sslmode=require"),
            (Verification::Nobody, SslMode::Disable) => f.write_str("?sslmode=disable"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_displays_without_its_password() {
        let shown = |text: &str| text.parse::<PostgresUrl>().unwrap().to_string();
        assert_eq!(shown("postgres://clerk:s3cret@db:6432/timelog"), "postgres://clerk@db:6432/timelog");
        assert_eq!(
            shown("postgres://db/timelog?password=s3cret&sslmode=require"),
            "postgres://db:5432/timelog?sslmode=require"
        );
        assert_eq!(shown("postgres://a,b/x?sslmode=verify-full"), "postgres://a:5432,b:5432/x?sslmode=verify-full");
        let debugged = format!("{:?}", "postgres://clerk:s3cret@db/x".parse::<PostgresUrl>().unwrap());
        assert!(!debugged.contains("s3cret"), "{debugged}");
    }

    #[test]
    fn a_url_that_cannot_be_read_says_why_and_not_the_password() {
        for (text, why) in [
            ("postgres:///timelog", "host"),
            ("postgres://clerk:s3cret@db:port/x", "port"),
            ("postgres://clerk:s3cret@db/x?sslmode=verify-ca", "verify-full"),
            ("postgres://clerk:s3cret@db/x?sslrootcert=ca.pem", "verify-full"),
            ("postgres://clerk:s3cret@db/x?nonsense=1", "nonsense"),
        ] {
            let error = text.parse::<PostgresUrl>().unwrap_err();
            assert!(error.contains(why) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
