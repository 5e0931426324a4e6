//! What went wrong, at the edge: what happened, what to do, and how a script can tell.

use countersign_core::rejection::Rejection;
use serde::Serialize;

use crate::backup::BackupError;
use crate::blob::BlobError;
use crate::connector::{Failure, FailureKind};
use crate::desk::DeskError;
use crate::durable::FileError;
use crate::keyfile::KeyError;
use crate::lockout::LockoutError;
use crate::pin::PinError;
use crate::store::{AppendError, StoreError};

/// The code of what somebody stopped.
pub const CANCELLED: &str = "cancelled";

/// How an act ended when it did not succeed: decides the exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorKind {
    /// The answer is no: a rule refuses, a check is red. Exit code 1.
    No,
    /// The request makes no sense. Exit code 2.
    Usage,
    /// It cannot be done here and now: network, disk, lock. Exit code 3.
    Cannot,
    /// What is there is not what it should be. Exit code 4.
    Integrity,
}

impl ErrorKind {
    /// Returns the exit code of a command that ends so.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::No => 1,
            Self::Usage => 2,
            Self::Cannot => 3,
            Self::Integrity => 4,
        }
    }
}

/// An error as people and scripts see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// How it ended.
    pub kind: ErrorKind,
    /// A stable word for scripts.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The field of a form it is about.
    #[serde(skip)]
    pub field: Option<&'static str>,
}

impl Error {
    /// Returns an error.
    pub fn new(kind: ErrorKind, code: &str, message: impl Into<String>) -> Self {
        Self { kind, code: code.to_owned(), message: message.into(), hint: None, field: None }
    }

    /// Returns an error about a request that makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, "usage", message)
    }

    /// Returns an error about something that is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::No, "not_found", message)
    }

    /// Returns the error as one about a field of a form.
    #[must_use]
    pub fn in_field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// Returns the error with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Returns the message of an error with those it comes from.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        source = cause.source();
    }
    message
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self { hint: rejection.hint, ..Self::new(ErrorKind::No, rejection.code.as_str(), rejection.message) }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let (kind, code) = match &error {
            StoreError::NotFound { .. } => (ErrorKind::Cannot, "ledger_not_found"),
            StoreError::AlreadyExists { .. } => (ErrorKind::No, "ledger_exists"),
            StoreError::Missing { .. }
            | StoreError::OutOfRange { .. }
            | StoreError::Altered { .. }
            | StoreError::NotALedger { .. }
            | StoreError::Corrupt { .. } => (ErrorKind::Integrity, "ledger_damaged"),
            _ => (ErrorKind::Cannot, "store"),
        };
        Self::new(kind, code, chain(&error))
    }
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Store(error) => error.into(),
            AppendError::DuplicatePayload { .. } => Self::new(ErrorKind::No, "duplicate", error.to_string()),
            _ => Self::new(ErrorKind::Cannot, "append", chain(&error)),
        }
    }
}

impl From<PinError> for Error {
    fn from(error: PinError) -> Self {
        match error {
            PinError::Alarm(alarm) => Self::new(ErrorKind::Integrity, "pin", alarm.to_string())
                .hint("keep this ledger as it is, and compare it with a backup and with another desk"),
            _ => Self::new(ErrorKind::Cannot, "pin_file", chain(&error)),
        }
    }
}

impl From<BlobError> for Error {
    fn from(error: BlobError) -> Self {
        let (kind, code) = match &error {
            BlobError::Missing { .. } => (ErrorKind::Integrity, "blob_missing"),
            BlobError::Corrupt { .. } => (ErrorKind::Integrity, "blob_corrupt"),
            _ => (ErrorKind::Cannot, "blob"),
        };
        Self::new(kind, code, chain(&error))
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        let (kind, code) = match &error {
            KeyError::WrongPassphrase => (ErrorKind::No, "wrong_passphrase"),
            KeyError::NotFound(_) => (ErrorKind::No, "key_not_here"),
            KeyError::NotAPassphrase(_) => (ErrorKind::Usage, "not_a_passphrase"),
            _ => (ErrorKind::Cannot, "key"),
        };
        Self::new(kind, code, chain(&error))
    }
}

impl From<LockoutError> for Error {
    fn from(error: LockoutError) -> Self {
        Self::new(ErrorKind::Cannot, "locked", chain(&error))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let kind = match failure.kind {
            FailureKind::NotAllowed | FailureKind::HiddenOrMissing | FailureKind::Auth => ErrorKind::No,
            _ => ErrorKind::Cannot,
        };
        Self { hint: failure.hint, ..Self::new(kind, "connector", failure.message) }
    }
}

/// Errors of files and desks: it cannot be done here and now.
macro_rules! cannot {
    ($($error:ty = $code:literal),*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::new(ErrorKind::Cannot, $code, chain(&error))
            }
        }
    )*};
}
cannot!(DeskError = "desk", FileError = "file", BackupError = "backup", getrandom::Error = "randomness");
