//! Errors that arise in the shell itself.

use std::sync::atomic::{AtomicU32, Ordering};

use countersign_app::wire::{AppError, ErrorKind, Safe};

/// Returns an error about something that was not done and left nothing behind.
pub(crate) fn refusal(code: &str, message: impl Into<String>) -> AppError {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let correlation_id = format!("shell-{:04}", COUNT.fetch_add(1, Ordering::Relaxed));
    let message = message.into();
    tracing::info!(correlation_id, code, message, "refused");
    AppError {
        kind: ErrorKind::Cannot,
        code: code.to_owned(),
        message,
        hint: None,
        safe: Safe::NothingHappened,
        detail: None,
        field: None,
        retryable: false,
        retry_at: None,
        correlation_id,
    }
}

/// Returns an error about something the platform did not do.
pub(crate) fn unavailable(code: &str, what: &str, error: &dyn std::fmt::Display) -> AppError {
    AppError { retryable: true, ..refusal(code, format!("{what}: {error}")) }
}
