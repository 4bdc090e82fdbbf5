//! What a PostgreSQL URL says.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv6Addr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode,
};
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// How long one address may take to answer, where the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a peer may be silent before the connection counts as dead, where the URL does not say.
const SILENCE: Duration = Duration::from_secs(15);

/// What is written as it is in no part of a URL.
const SPECIAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Likewise in a value, which is easier to read with these.
const SPECIAL_IN_VALUE: &AsciiSet = &SPECIAL.remove(b'/').remove(b':').remove(b',');

/// What must be known of the server before anything is said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verification {
    /// Nothing: whoever answers is believed, as libpq does for `prefer` and `require`.
    Nobody,
    /// That a trusted authority vouches for the name in the URL: `verify-full`.
    Server,
}

/// A `postgres://` URL that was read.
#[derive(Clone)]
pub struct PostgresUrl {
    config: Config,
    pub(super) verification: Verification,
    /// The authorities to trust, in a PEM file; the system's where it is not given.
    root_certificates: Option<PathBuf>,
    /// The parameters that say nothing of the address, by name.
    parameters: BTreeMap<String, String>,
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

    /// The hosts, each with the port that is used.
    fn servers(&self) -> impl Iterator<Item = (&Host, u16)> {
        let ports = self.config.get_ports();
        let port = move |index| ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
        self.config.get_hosts().iter().enumerate().map(move |(index, host)| (host, port(index)))
    }
}

impl FromStr for PostgresUrl {
    type Err = String;

    /// `sslmode=verify-full` and `sslrootcert`, which the driver does not know, are read here; the
    /// driver reads the rest. What could be meant in two ways is refused. No error repeats what may
    /// be part of a password.
    fn from_str(text: &str) -> Result<Self, String> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        if address.matches('@').count() > 1 || query.contains('@') {
            return Err(
                "an @ stands once, before the host; elsewhere it is written %40, and a ? in a \
                 password %3F"
                    .into(),
            );
        }
        let said: Config = address.parse().map_err(|error| describe(&error))?;
        let mut parameters = parameters(query)?;
        if let Some(name) = parameters.keys().find(|name| says(&said, name)) {
            return Err(format!(
                "{name} is a parameter, and the address says it too; a port stands beside its host"
            ));
        }
        let (mut verification, mut root_certificates) = (Verification::Nobody, None);
        let mut rest = Vec::new();
        for (name, value) in &parameters {
            match (name.as_str(), value.as_str()) {
                ("sslmode", "verify-full") => {
                    verification = Verification::Server;
                    rest.push("sslmode=require".to_owned());
                }
                ("sslmode", mode) if !["disable", "prefer", "require"].contains(&mode) => {
                    return Err(
                        "sslmode is one of disable, prefer, require and verify-full".to_owned()
                    );
                }
                ("sslrootcert", path) => root_certificates = Some(PathBuf::from(path)),
                // The driver would take several for one.
                ("host", hosts) => rest.extend(hosts.split(',').map(|host| parameter(name, host))),
                _ => rest.push(parameter(name, value)),
            }
        }
        let config =
            format!("{address}?{}", rest.join("&")).parse().map_err(|error| describe(&error))?;
        if root_certificates.is_some() && verification == Verification::Nobody {
            return Err("sslrootcert needs sslmode=verify-full".to_owned());
        }
        let config = completed(config, &parameters)?;
        parameters.retain(|name, _| !OF_THE_ADDRESS.contains(&name.as_str()));
        Ok(Self { config, verification, root_certificates, parameters })
    }
}

/// Every parameter there is. The name of any other may be a part of a password, and is not
/// repeated.
const KNOWN: [&str; 20] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// The parameters that the address can say as well.
const OF_THE_ADDRESS: [&str; 5] = ["user", "password", "host", "port", "dbname"];

/// Whether the address says what that parameter would. Where it names a host, the driver takes it
/// to name the port too.
fn says(address: &Config, name: &str) -> bool {
    match name {
        "user" => address.get_user().is_some(),
        "password" => address.get_password().is_some(),
        "host" | "port" => !address.get_hosts().is_empty(),
        "dbname" => address.get_dbname().is_some(),
        _ => false,
    }
}

/// The parameters, decoded.
fn parameters(query: &str) -> Result<BTreeMap<String, String>, String> {
    let decode = |text| {
        percent_decode_str(text).decode_utf8().map_err(|_| "a parameter is not UTF-8".to_owned())
    };
    let mut parameters = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair
            .split_once('=')
            .ok_or("a parameter has no value; an & in a password is written %26")?;
        let name = decode(name)?.into_owned();
        if !KNOWN.contains(&name.as_str()) {
            return Err(format!(
                "a parameter is none of {}; an & in a password is written %26, and a ? %3F",
                KNOWN.join(", ")
            ));
        }
        if parameters.contains_key(&name) {
            return Err(format!("{name} stands twice"));
        }
        parameters.insert(name, decode(value)?.into_owned());
    }
    Ok(parameters)
}

/// A parameter as it stands in a URL.
fn parameter(name: &str, value: &str) -> String {
    format!(
        "{}={}",
        utf8_percent_encode(name, SPECIAL),
        utf8_percent_encode(value, SPECIAL_IN_VALUE)
    )
}

/// Says what the URL left open, and refuses what no connection can be made with.
fn completed(mut config: Config, parameters: &BTreeMap<String, String>) -> Result<Config, String> {
    let (hosts, ports, addresses) =
        (config.get_hosts().len(), config.get_ports().len(), config.get_hostaddrs().len());
    if hosts == 0 || config.get_hosts().contains(&Host::Tcp(String::new())) {
        return Err("it names no host".to_owned());
    }
    if ports > 1 && ports != hosts {
        return Err(format!("it has {ports} ports for {hosts} hosts"));
    }
    if addresses > 0 && addresses != hosts {
        return Err(format!("hostaddr has {addresses} addresses for {hosts} hosts"));
    }
    if config.get_user() == Some("") {
        return Err("the user has no name".to_owned());
    }
    // The server would do the same.
    if let (None | Some(""), Some(user)) =
        (config.get_dbname(), config.get_user().map(str::to_owned))
    {
        config.dbname(user);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    if !parameters.contains_key("keepalives_idle") {
        config.keepalives_idle(SILENCE);
    }
    if config.get_application_name().is_none() {
        config.application_name("timelog");
    }
    Ok(config)
}

/// An error with its causes, without the password, which the driver never repeats.
fn describe(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", describe(cause)),
        None => error.to_string(),
    }
}

impl fmt::Display for PostgresUrl {
    /// Shows all that is used but the password, as a URL that means the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{}@", utf8_percent_encode(user, SPECIAL))?;
        }
        for (index, (host, port)) in self.servers().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match host {
                Host::Tcp(host) if host.parse::<Ipv6Addr>().is_ok() => {
                    write!(f, "{comma}[{host}]:{port}")?;
                }
                Host::Tcp(host) => {
                    write!(f, "{comma}{}:{port}", utf8_percent_encode(host, SPECIAL))?;
                }
                Host::Unix(path) => {
                    write!(
                        f,
                        "{comma}{}:{port}",
                        percent_encode(path.as_os_str().as_bytes(), SPECIAL)
                    )?;
                }
            }
        }
        if let Some(name) = self.config.get_dbname().filter(|name| !name.is_empty()) {
            write!(f, "/{}", utf8_percent_encode(name, SPECIAL))?;
        }
        for (index, (name, value)) in self.parameters.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "?" } else { "&" }, parameter(name, value))?;
        }
        Ok(())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

impl PartialEq for PostgresUrl {
    /// Two are equal that say the same.
    fn eq(&self, other: &Self) -> bool {
        self.config.get_password() == other.config.get_password()
            && self.to_string() == other.to_string()
    }
}

impl Eq for PostgresUrl {}

#[cfg(test)]
mod tests;
