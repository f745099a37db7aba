//! What can go wrong with the log, said so that whoever reads it at night can act.

use crate::log::Stream;

/// Why the log could not do what was asked. Nothing was written then, unless it is [`LogError::InDoubt`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// A stream is not where it was expected: somebody else appended first.
    #[error("somebody else appended first")]
    Conflict,
    /// A request of the batch is remembered already.
    #[error("a request of this batch was accepted before")]
    Duplicate,
    /// The database could not: disk full, gone, a failed fsync, a lock that was not had in time.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// There is no room where evidence is kept.
    #[error("there is no room where evidence is kept: {0}")]
    Full(String),
    /// The database was asked to append and its answer never came: it is written as a whole or not at all, and
    /// only asking again with the same request id tells which.
    #[error("the store did not answer, so whether this was recorded is not known: {0}")]
    InDoubt(String),
    /// Something is where this should go, and is never overwritten.
    #[error("{0}")]
    Occupied(String),
    /// There is no store where one was named, or something that is none.
    #[error("{0}")]
    NoStore(String),
    /// A backup that does not hold: the first thing that is wrong with it.
    #[error("the backup does not hold, and nothing of it was restored: {0}")]
    DoesNotHold(String),
    /// What is stored contradicts itself.
    #[error("{stream} is damaged: {why}")]
    Damaged {
        /// Where.
        stream: Stream,
        /// What was found.
        why: String,
    },
}

impl LogError {
    /// The store could not; `why` must hold no password.
    pub(crate) fn unavailable(why: impl std::fmt::Display) -> Self {
        Self::Unavailable(why.to_string())
    }

    /// What an append's failure means once it was sent to PostgreSQL. An error that the server told means that it
    /// rolled back. A session that ended may have ended before its commit or after.
    pub(super) fn after_sending(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::Severity;
        match error.as_db_error().map(tokio_postgres::error::DbError::parsed_severity) {
            Some(Some(Severity::Error)) => error.into(),
            _ => Self::InDoubt(error.to_string()),
        }
    }

    /// What a failed COMMIT of SQLite means. After a failed fsync nobody knows what a power cut would leave.
    pub(super) fn after_commit(error: rusqlite::Error) -> Self {
        match error.sqlite_error().map(|error| error.extended_code) {
            Some(rusqlite::ffi::SQLITE_IOERR_FSYNC) => Self::InDoubt(error.to_string()),
            _ => error.into(),
        }
    }

    /// Where something is damaged, for whoever knows what they read.
    pub(super) fn at(self, stream: Stream) -> Self {
        match self {
            Self::Damaged { why, .. } => Self::Damaged { stream, why },
            other => other,
        }
    }

    /// What is stored of a stream contradicts itself.
    pub(crate) fn damaged(stream: Stream, why: &str) -> Self {
        Self::Damaged { stream, why: why.to_owned() }
    }
}

impl From<rusqlite::Error> for LogError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
        match error {
            // The database could; what it holds is not what Wardroom wrote, and stays so for whoever asks again. What
            // an incident consists of is read column by column: this was beside it.
            FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..) => {
                Self::damaged(Stream(0), &format!("a column holds what Wardroom never writes ({error})"))
            }
            error if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
                Self::NoStore("this file is no store of Wardroom's: it is no database".to_owned())
            }
            error => Self::unavailable(error),
        }
    }
}

impl From<tokio_postgres::Error> for LogError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(db) if db.code().code() == super::postgres::CONFLICT => Self::Conflict,
            Some(db) if db.code() == &tokio_postgres::error::SqlState::UNIQUE_VIOLATION => match db.constraint() {
                Some("requests_pkey") => Self::Duplicate,
                _ => Self::Conflict,
            },
            Some(db) => Self::unavailable(db.message()),
            None => Self::unavailable(error),
        }
    }
}

impl From<deadpool_postgres::PoolError> for LogError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            other => Self::unavailable(other),
        }
    }
}
