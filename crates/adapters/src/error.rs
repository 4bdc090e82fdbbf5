//! The one place where a database error gets its meaning.

use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::pooled_connection::deadpool::PoolError;
use timelog_domain::ports::PortError;

/// What a database error means for the work it befell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DbError {
    /// Somebody else changed what this transaction was decided on. Load again, decide again.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The database is away, locked or full. The transaction did not commit, or it is unknown whether it did.
    #[error("{0}")]
    Unavailable(String),
    /// The row refers to one that is not there.
    #[error("it refers to what does not exist")]
    UnknownReference,
    /// The work itself is at fault, or the program is.
    #[error("{0}")]
    Failed(String),
}

/// What SQLite says when it cannot work now but may later. diesel passes on the text and not the code.
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

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        match &error {
            Error::DatabaseError(
                DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::SerializationFailure,
                info,
            ) => Self::Conflict(info.message().to_owned()),
            Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Self::UnknownReference,
            Error::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
                Self::Unavailable(info.message().to_owned())
            }
            Error::DatabaseError(_, info) if SQLITE_PASSING.iter().any(|text| info.message().starts_with(text)) => {
                Self::Unavailable(info.message().to_owned())
            }
            Error::BrokenTransactionManager => Self::Unavailable(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl From<PoolError> for DbError {
    fn from(error: PoolError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<DbError> for PortError {
    fn from(error: DbError) -> Self {
        match error {
            // Whoever may try again has done so by now, in vain.
            DbError::Conflict(reason) | DbError::Unavailable(reason) => Self::Unavailable(reason),
            DbError::UnknownReference => Self::UnknownReference,
            DbError::Failed(reason) => Self::Internal(reason),
        }
    }
}
