//! Why a server lets nobody in, and whether waiting helps.

use diesel::ConnectionError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::url::PostgresUrl;

/// The error of a connection that was not made. What waiting does not mend becomes an invalid URL,
/// with what would mend it.
pub(super) fn connection_error(error: &Error, url: &PostgresUrl) -> ConnectionError {
    let reason = describe(error);
    match remedy(error, url) {
        Some(remedy) => ConnectionError::InvalidConnectionUrl(format!("{reason}. {remedy}")),
        None => ConnectionError::BadConnection(reason),
    }
}

/// The driver's own message says only that something went wrong; the cause says what.
fn describe(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// What somebody has to do before a connection can be made; none where waiting may be enough.
fn remedy(error: &Error, url: &PostgresUrl) -> Option<String> {
    let role = identifier(url.config().get_user());
    let database = identifier(url.config().get_dbname().or(url.config().get_user()));
    if let Some(code) = error.code() {
        return Some(match *code {
            SqlState::INVALID_PASSWORD => {
                format!(
                    "Give the role's password in the database URL, or set it: ALTER ROLE {role} \
                     PASSWORD '…'"
                )
            }
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                format!(
                    "Let the role in: CREATE ROLE {role} LOGIN PASSWORD '…', and a line for it in \
                     pg_hba.conf"
                )
            }
            SqlState::INVALID_CATALOG_NAME => {
                format!("Make the database: CREATE DATABASE {database} OWNER {role}")
            }
            SqlState::INSUFFICIENT_PRIVILEGE => {
                format!("Let the role connect: GRANT CONNECT ON DATABASE {database} TO {role}")
            }
            _ => return None,
        });
    }
    // The driver's own errors differ only in their messages.
    match error.to_string().as_str() {
        "invalid configuration" | "authentication error" => Some(
            "Give the user, the password and the parameters that the server asks for in the \
             database URL"
                .to_owned(),
        ),
        "error performing TLS handshake" if url.names_one_host() && !is_interrupted(error) => Some(
            "Turn TLS on at the server, or let the database URL ask for what it has: sslmode is \
             prefer, require or \
             verify-full, which needs a certificate for the host in the URL, from the system's \
             authorities or those of \
             sslrootcert=PATH"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Whether the connection broke during the handshake, as it does where the server stops. What the
/// two could not agree on is an error of TLS itself.
fn is_interrupted(error: &Error) -> bool {
    let cause =
        std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| {
        cause.kind() != std::io::ErrorKind::InvalidInput
            && cause.get_ref().is_none_or(|inner| !inner.is::<rustls::Error>())
    })
}

/// A name as it stands in SQL.
fn identifier(name: Option<&str>) -> String {
    name.map_or_else(|| "…".to_owned(), |name| format!("\"{}\"", name.replace('"', "\"\"")))
}
