use std::{fmt, fs::File, io, path::Path, sync::Arc};

use openai_admin::{Cursor, GroupId, ProjectId, UserId};

use crate::base::{kind::Kind, refusal::Refusal};

/// The result of an operation of the store.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation of the store failed. The operation changed nothing, except after
/// [`OutcomeUnknown`](Self::OutcomeUnknown).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The resource does not exist, or was deleted.
    NotFound {
        /// The kind of the resource.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// The group and the user exist, but the user is not in the group.
    NotMember {
        /// The group.
        group_id: GroupId,
        /// The user.
        user_id: UserId,
    },
    /// Project and user exist, but the user is not in the project.
    NotInProject {
        /// What is not in the project.
        kind: Kind,
        /// Its id.
        id: String,
        /// The project.
        project_id: ProjectId,
    },
    /// Something that must be unique exists.
    AlreadyExists {
        /// The kind of the existing resource.
        kind: Kind,
        /// The field that must be unique.
        field: &'static str,
        /// The duplicate value.
        value: String,
    },
    /// The cursor is not an id of the list.
    UnknownCursor(Cursor),
    /// An identity provider or a tenant manages the group, so the API cannot change it.
    ManagedGroup(GroupId),
    /// The request breaks a rule of the API.
    Refused {
        /// The rule.
        refusal: Refusal,
        /// The value that breaks it.
        value: String,
    },
    /// The store does not accept a value.
    InvalidValue {
        /// The field.
        field: String,
        /// A description of the values that the field accepts.
        expected: String,
    },
    /// The idempotency key was used for a different request.
    IdempotencyKeyReused,
    /// The resource that was created under the idempotency key has been deleted, and the stored answer with it.
    IdempotentAnswerDeleted,
    /// The resource was already created under the idempotency key. Its answer contained a secret, which is shown once.
    IdempotentAnswerSecret,
    /// The change conflicted with other changes and the retries ran out. It did not happen; retry.
    Conflict,
    /// The queue is full; the operation did not start.
    Overloaded,
    /// The database cannot be reached or used. The operation did not happen; retry.
    Unavailable(Cause),
    /// The connection was lost during the commit: all of the change happened, or none. Check before you retry.
    OutcomeUnknown(Cause),
    /// This version cannot read the database, or the store has a bug. The caller is not at fault.
    Internal(Cause),
}

/// The underlying error. All operations of a failed commit share it.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

impl Error {
    pub(crate) fn not_found(kind: Kind, id: &impl fmt::Display) -> Self {
        Self::NotFound { kind, id: id.to_string() }
    }

    pub(crate) fn refused(refusal: Refusal, value: &impl fmt::Display) -> Self {
        Self::Refused { refusal, value: value.to_string() }
    }

    pub(crate) fn invalid_value(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::InvalidValue { field: field.into(), expected: expected.into() }
    }

    pub(crate) fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    pub(crate) fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }

    pub(crate) fn outcome_unknown(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::OutcomeUnknown(Arc::from(cause.into()))
    }
}

impl Error {
    /// Adds the operating system's reason for a file that cannot be opened, which SQLite does not report.
    pub(crate) fn of_file(self, file: &Path) -> Self {
        let Self::Unavailable(cause) = &self else { return self };
        let Some(Advised { error, .. }) = cause.downcast_ref::<Advised>() else { return self };
        if error.sqlite_error_code() != Some(rusqlite::ErrorCode::CannotOpen) {
            return self;
        }
        match why_not_opened(file) {
            Some(reason) => Self::unavailable(format!("{error}: {reason}")),
            None => self,
        }
    }
}

/// The operating system's error for opening the file, or for creating a file beside it as SQLite does.
fn why_not_opened(file: &Path) -> Option<String> {
    let open = |file: &Path| File::options().read(true).write(true).open(file).err();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let refused = open(file).or_else(|| tempfile::tempfile_in(folder).err())?;
    let advice = match refused.kind() {
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            ": the file and its folder must be writable for this program's user; `admin verify` and `admin restore` \
             read a read-only file"
        }
        io::ErrorKind::NotFound => "",
        _ if refused.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code)) => {
            ": raise the limit of open files (ulimit -n)"
        }
        _ => "",
    };
    Some(format!("{refused}{advice}"))
}

/// EMFILE and ENFILE.
const TOO_MANY_FILES: [i32; 2] = [24, 23];

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { kind, id } => write!(f, "no {} with id '{id}'", kind.as_str()),
            Self::NotMember { group_id, user_id } => {
                write!(f, "user '{user_id}' is not in group '{group_id}'")
            }
            // Recorded, without quotes.
            Self::NotInProject { kind, id, project_id } => {
                write!(f, "{} {id} is not a member of {project_id}", kind.as_str())
            }
            Self::AlreadyExists { kind, field, value } => {
                write!(f, "another {} has the {field} '{value}'", kind.as_str())
            }
            Self::UnknownCursor(cursor) => write!(f, "'{cursor}' is not an id in this list"),
            Self::ManagedGroup(group_id) => {
                write!(f, "group '{group_id}' is managed by an identity provider or tenant")
            }
            Self::Refused { refusal, value } => f.write_str(&refusal.message().replacen("{}", value, 1)),
            Self::InvalidValue { field, expected } => write!(f, "{field}: expected {expected}"),
            Self::IdempotencyKeyReused => f.write_str(
                "the idempotency key was used for another request within the last 24 hours; use a new key for each",
            ),
            Self::IdempotentAnswerDeleted => f.write_str(
                "the resource created under this idempotency key has been deleted; use a new key to create another",
            ),
            Self::IdempotentAnswerSecret => f.write_str(
                "the resource was already created under this idempotency key, and its secret was shown once; if you lost \
                 that answer, delete the resource and create it under a new key",
            ),
            Self::Conflict => f.write_str("the change conflicted with other changes too often; retry"),
            Self::Overloaded => f.write_str("too many operations are waiting for the database; retry"),
            Self::Unavailable(_) => f.write_str("the database is unavailable"),
            Self::OutcomeUnknown(_) => f.write_str(
                "the connection to the database was lost during the change, which may or may not have happened: check \
                 before you retry",
            ),
            Self::Internal(_) => f.write_str("the store failed"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(cause) | Self::OutcomeUnknown(cause) | Self::Internal(cause) => {
                Some(cause.as_ref())
            }
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let advice = match error.sqlite_error_code() {
            Some(Code::DiskFull) => {
                "free disk space where the database file is; changes are accepted again once there is some"
            }
            Some(Code::ReadOnly) => "the file and its folder must be writable for this program's user",
            Some(Code::SystemIoFailure) => "the disk reported an I/O error; the system log may say why",
            Some(Code::OperationInterrupted) => {
                "the read exceeded its time limit, or its caller cancelled it"
            }
            Some(Code::DatabaseCorrupt) => "the file is damaged; restore a backup",
            _ => "",
        };
        if error.sqlite_error().is_some_and(|error| UNIQUE_VIOLATIONS.contains(&error.extended_code)) {
            // As on PostgreSQL: the row exists already, or another transaction created it in the meantime.
            return Self::Conflict;
        }
        let code = error.sqlite_error_code();
        let error = Advised { error, advice };
        match code {
            Some(
                Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::DiskFull
                | Code::CannotOpen
                | Code::ReadOnly
                | Code::SystemIoFailure
                | Code::OperationInterrupted
                | Code::OutOfMemory,
            ) => Self::unavailable(error),
            _ => Self::internal(error),
        }
    }
}

/// SQLite's extended codes for a violated uniqueness constraint.
const UNIQUE_VIOLATIONS: [i32; 2] =
    [rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE, rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY];

/// An SQLite error with advice for the operator.
#[derive(Debug)]
struct Advised {
    error: rusqlite::Error,
    advice: &'static str,
}

impl fmt::Display for Advised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, ": {}", self.advice) }
    }
}

impl std::error::Error for Advised {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
