//! What differs between the systems. Each file stays small; what a system lacks is a quiet no.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub(crate) use linux::{has_tray, prepare, watch_sleep};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    /// Sets nothing: the web view of this system needs no help.
    pub(crate) fn prepare(_is_test: bool, _wants_software: bool) -> Result<(), String> {
        Ok(())
    }

    /// macOS and Windows always have a place for a tray icon.
    pub(crate) fn has_tray() -> bool {
        true
    }

    /// The idle lock covers a machine that sleeps: the clock has moved on when it wakes.
    pub(crate) fn watch_sleep(_asleep: impl Fn() + Send + 'static) {}
}

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{has_tray, prepare, watch_sleep};
