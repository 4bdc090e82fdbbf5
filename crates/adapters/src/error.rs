//! The one place where a database error gets its meaning.

use std::any::Any;
use std::fmt::Display;

use diesel::ConnectionError;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use diesel_async::pooled_connection::PoolError as ManagerError;
use diesel_async::pooled_connection::deadpool::PoolError;
use timelog_domain::ports::PortError;

/// What a database error means for the work that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DbError {
    /// Somebody else changed what this transaction was decided on. Load again, decide again.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The connection broke before anything was committed. A new one may do.
    #[error("the connection broke: {0}")]
    Disconnected(String),
    /// The server did not run the statement because an earlier one of its transaction failed. That
    /// one's error says why.
    #[error("{0}")]
    Aborted(String),
    /// The statement took longer than it may.
    #[error("{0}")]
    TimedOut(String),
    /// Its caller stopped waiting.
    #[error("nobody waits for it any more")]
    Cancelled,
    /// The database is away, locked or full. The transaction did not commit, or it is unknown
    /// whether it did.
    #[error("{0}")]
    Unavailable(String),
    /// The database cannot be opened, and waiting does not mend that: somebody has to. The text
    /// says what would.
    #[error("{0}")]
    Unusable(String),
    /// The row refers to one that is not there.
    #[error("it refers to what does not exist")]
    UnknownReference,
    /// The work itself is at fault, or the program is.
    #[error("{0}")]
    Failed(String),
}

/// How SQLite's messages begin when it cannot work now but may later. diesel passes on the text and
/// not the code, here and below.
const SQLITE_PASSING: [&str; 8] = [
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    "locking protocol",
    "out of memory",
];

/// The errors with which this program ends a read in SQLite.
pub(crate) const SQLITE_TIMED_OUT: &str = "canceling a read that takes too long";
pub(crate) const SQLITE_CANCELLED: &str = "canceling a read that nobody waits for";

/// How PostgreSQL's messages begin when it cannot work now but may later: a limit was reached, or
/// the server starts, stops or is full.
const POSTGRES_PASSING: [&str; 15] = [
    "canceling statement due to",
    "the database system is",
    "sorry, too many clients",
    "remaining connection slots",
    "could not extend file",
    "could not write",
    "could not access file",
    "could not create file",
    "could not fsync",
    "could not open file",
    "could not read",
    "out of shared memory",
    "no more connections allowed",
    "query_wait_timeout",
    "server login has been failing",
];

/// Likewise when only this connection is at fault. Some come from a pooler before the server.
const POSTGRES_BROKEN: [&str; 5] = [
    "terminating connection",
    "cached plan must not change result type",
    "prepared statement",
    "server conn crashed",
    "client_idle_timeout",
];

/// PostgreSQL's message when a statement took too long.
const POSTGRES_TIMED_OUT: &str = "canceling statement due to statement timeout";

/// How its message begins when an earlier statement of the transaction failed.
const POSTGRES_ABORTED: &str = "current transaction is aborted";

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        fn starts_with_any(info: &dyn DatabaseErrorInformation, texts: &[&str]) -> bool {
            texts.iter().any(|text| info.message().starts_with(text))
        }
        match &error {
            Error::DatabaseError(
                DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::SerializationFailure,
                info,
            ) => Self::Conflict(info.message().to_owned()),
            Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => {
                Self::UnknownReference
            }
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                info,
            ) => Self::Disconnected(info.message().to_owned()),
            // A server that has become a standby takes no writes; its successor will.
            Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, info) => {
                Self::Unavailable(info.message().to_owned())
            }
            Error::DatabaseError(DatabaseErrorKind::Unknown, info)
                if info.message() == "deadlock detected" =>
            {
                Self::Conflict(info.message().to_owned())
            }
            Error::DatabaseError(_, info) if info.message().starts_with(POSTGRES_ABORTED) => {
                Self::Aborted(info.message().to_owned())
            }
            Error::DatabaseError(_, info)
                if [POSTGRES_TIMED_OUT, SQLITE_TIMED_OUT].contains(&info.message()) =>
            {
                Self::TimedOut(info.message().to_owned())
            }
            Error::DatabaseError(_, info) if info.message() == SQLITE_CANCELLED => Self::Cancelled,
            Error::DatabaseError(_, info) if starts_with_any(&**info, &POSTGRES_BROKEN) => {
                Self::Disconnected(info.message().to_owned())
            }
            Error::DatabaseError(_, info)
                if starts_with_any(&**info, &SQLITE_PASSING)
                    || starts_with_any(&**info, &POSTGRES_PASSING) =>
            {
                Self::Unavailable(info.message().to_owned())
            }
            Error::BrokenTransactionManager => Self::Disconnected(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<ConnectionError> for DbError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::InvalidConnectionUrl(reason) => Self::Unusable(reason),
            ConnectionError::CouldntSetupConfiguration(error) => error.into(),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<PoolError> for DbError {
    /// What waiting does not mend comes as an invalid URL from where the connections are made.
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(ManagerError::ConnectionError(
                ConnectionError::InvalidConnectionUrl(reason),
            )) => Self::Unusable(reason),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl DbError {
    /// A stored value that the domain refuses: something else writes to the database, or this
    /// program is older than what is stored.
    pub(crate) fn unknown_value(table: &str, column: &str, error: impl Display) -> Self {
        Self::Failed(format!("{table}.{column} holds a value that is not known: {error}"))
    }

    /// A panic in the middle of the work, before anything was committed.
    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::Failed(format!("it panicked: {}", text.unwrap_or("no reason was given")))
    }

    /// Of two errors of one transaction, the one that says why it failed.
    pub(crate) fn or_cause(self, other: Self) -> Self {
        if matches!(self, Self::Aborted(_)) { other } else { self }
    }

    /// What it means while the database is opened: where waiting does not help, the program ends.
    pub(crate) fn at_opening(self) -> PortError {
        match self {
            Self::Unusable(reason) => PortError::Internal(reason),
            error => error.into(),
        }
    }
}

impl From<DbError> for PortError {
    fn from(error: DbError) -> Self {
        match error {
            // It was tried again as often as that helps.
            DbError::Conflict(reason)
            | DbError::Disconnected(reason)
            | DbError::Aborted(reason)
            | DbError::TimedOut(reason)
            | DbError::Unavailable(reason)
            // Somebody may mend it while the service runs.
            | DbError::Unusable(reason) => Self::Unavailable(reason),
            DbError::Cancelled => Self::Unavailable(error.to_string()),
            DbError::UnknownReference => Self::UnknownReference,
            DbError::Failed(reason) => Self::Internal(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str) -> DbError {
        Error::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned())).into()
    }

    #[test]
    fn what_follows_from_another_error_gives_way_to_it_and_is_never_a_fault_of_its_own() {
        let consequence = || {
            said("current transaction is aborted, commands ignored until end of transaction block")
        };
        let cause = || said("canceling statement due to lock timeout");
        assert_eq!(consequence().or_cause(cause()), cause());
        assert_eq!(cause().or_cause(consequence()), cause());
        assert!(matches!(PortError::from(consequence()), PortError::Unavailable(_)));
    }

    #[test]
    fn what_takes_too_long_may_be_tried_again_on_either_database() {
        for message in [POSTGRES_TIMED_OUT, SQLITE_TIMED_OUT] {
            assert_eq!(said(message), DbError::TimedOut(message.to_owned()));
            assert!(
                matches!(PortError::from(said(message)), PortError::Unavailable(_)),
                "{message}"
            );
        }
        assert_eq!(said(SQLITE_CANCELLED), DbError::Cancelled);
    }
}
