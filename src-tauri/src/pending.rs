//! Handlers that are not there yet answer that they are not.

use countersign_app::wire::AppError;

use crate::desk::Desk;
use crate::refusals::refusal;

/// Says that this program cannot do it yet.
pub(crate) fn later<T>(_desk: &Desk, name: &str) -> Result<T, AppError> {
    Err(refusal("not_there_yet", format!("{name} is not part of this program yet")))
}
