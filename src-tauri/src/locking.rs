//! Locking at once: from the tray, and when the machine goes to sleep. The idle lock is the desk's own.

use std::sync::Arc;

use tauri::{AppHandle, Manager};

use crate::desk::Desk;
use crate::platform;

/// Locks the desk.
pub(crate) fn lock_now(app: &AppHandle) {
    let desk = Arc::clone(&app.state::<Arc<Desk>>());
    tauri::async_runtime::spawn_blocking(move || desk.lock());
}

/// Locks the desk whenever the machine is about to sleep.
pub(crate) fn lock_at_sleep(app: &AppHandle) {
    let app = app.clone();
    platform::watch_sleep(move || lock_now(&app));
}
