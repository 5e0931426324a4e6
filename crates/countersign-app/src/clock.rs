//! The clock, in the one place that reads it.

use std::cell::Cell;

use chrono::Utc;
use countersign_core::words::{Timestamp, Zone};

thread_local! {
    static DRIVEN: Cell<Option<Timestamp>> = const { Cell::new(None) };
}

/// Sets the clock of this thread, or lets it go: only samples are made in a past of their own.
pub(crate) fn drive(time: Option<Timestamp>) {
    DRIVEN.set(time);
}

/// Returns the moment by this machine's clock.
pub fn now() -> Timestamp {
    if let Some(driven) = DRIVEN.get() {
        return driven;
    }
    Timestamp::from_epoch_seconds(Utc::now().timestamp()).unwrap_or_else(|| {
        // A clock before 1970 is no clock; the first lawful moment is refused by the ledger as suspect.
        Timestamp::from_epoch_seconds(0).expect("the first lawful moment")
    })
}

/// Returns this machine's time zone; UTC where it does not say.
pub fn zone() -> Zone {
    // What is made up is the same on every machine.
    if DRIVEN.get().is_some() {
        return Zone::UTC;
    }
    iana_time_zone::get_timezone().ok().and_then(|name| name.parse().ok()).unwrap_or(Zone::UTC)
}

/// Returns the moment a server told, if it is a lawful one.
pub fn of_server(time: chrono::DateTime<Utc>) -> Option<Timestamp> {
    Timestamp::from_epoch_seconds(time.timestamp())
}
