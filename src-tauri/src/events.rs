//! What Rust tells the pages by itself. A page then asks for what it shows; no event carries a record.

use countersign_app::wire;
use serde::{Deserialize, Serialize};
use specta::Type;
use tauri_specta::Event;

/// The ledger has this many entries now.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerChanged {
    /// The number of entries.
    pub(crate) size: u32,
}

/// A long act has come further.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobProgress {
    /// How it stands.
    pub(crate) job: wire::JobState,
}

/// The desk was locked or unlocked.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Locked {
    /// Whether it is locked.
    pub(crate) locked: bool,
}

/// Somebody followed a link, a notification or the tray.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Navigate {
    /// Where to.
    pub(crate) to: wire::Place,
}

/// What the signing window shows is no longer how it is.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SigningChanged {
    /// Why.
    pub(crate) reason: wire::SigningChange,
}

/// The settings were saved.
#[derive(Debug, Clone, Serialize, Deserialize, Type, Event)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SettingsChanged {
    /// The new ones.
    pub(crate) settings: wire::Settings,
}

/// Returns every event.
pub(crate) fn all() -> tauri_specta::Events {
    tauri_specta::collect_events![LedgerChanged, JobProgress, Locked, Navigate, SigningChanged, SettingsChanged]
}
