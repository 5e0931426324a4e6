//! What a host keeps for its user between two starts: settings, and which ledgers were open.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::host::{Host, HostOptions, Open, held};
use crate::desk::{Home, LedgerDir};
use crate::durable;
use crate::error::{Error, ErrorKind};
use crate::ledger::{Ledger, Progress};
use crate::wire as w;

const FILE_BYTES_MAX: u64 = 1 << 20;
const RECENT_MAX: usize = 12;

/// A ledger that was open once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recent {
    pub(super) fingerprint: String,
    pub(super) title: String,
    pub(super) path: PathBuf,
    pub(super) sample: bool,
    pub(super) opened: String,
    pub(super) me: Option<String>,
    pub(super) backed_up: Option<String>,
}

fn settings_path(options: &HostOptions) -> PathBuf {
    options.config_dir.join("settings.json")
}

fn recent_path(options: &HostOptions) -> PathBuf {
    options.config_dir.join("recent.json")
}

/// Reads a file of this user; a damaged one is told in the log and is as if it were not there.
pub(super) fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let bytes = match durable::read(path, FILE_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "this file is not used: it says nothing that is understood");
            Ok(None)
        }
    }
}

pub(super) fn store<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| {
        Error::new(ErrorKind::Cannot, "file", format!("{} cannot be written: {error}", path.display()))
    })?;
    Ok(durable::replace(path, &text)?)
}

fn usual(locale: &str) -> w::Settings {
    w::Settings {
        theme: w::Theme::System,
        density: w::Density::Comfortable,
        language: w::Language::System,
        locale: locale.to_owned(),
        zone: w::ZoneChoice::Local,
        zone_name: None,
        lock_minutes: 15,
        single_keys: true,
        zoom: 100,
        reduced_motion: false,
        notify_asked: true,
        notify_due: true,
        notify_rollout: true,
        quiet_from: None,
        quiet_until: None,
        remind_minutes: 60,
        close_to_tray: false,
        software_rendering: false,
        away_until: None,
        hide_welcome: false,
    }
}

/// Returns a tag for formats that is lawful everywhere: what the system says, `en` where that is no language.
fn locale(text: &str) -> String {
    let tag = text.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    let lawful = tag.split('-').enumerate().all(|(place, part)| match place {
        0 => (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic()),
        _ => (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    });
    if lawful { tag } else { "en".to_owned() }
}

pub(super) fn load_settings(options: &HostOptions) -> Result<w::Settings, Error> {
    let system = locale(&options.locale);
    let stored: Option<w::Settings> = load(&settings_path(options))?;
    Ok(w::Settings { locale: system.clone(), ..stored.unwrap_or_else(|| usual(&system)) })
}

/// Keeps settings, with what is out of bounds brought back into them.
pub(super) fn save_settings(host: &Host, wanted: w::Settings) -> Result<w::Settings, Error> {
    let time = |text: Option<String>| text.filter(|text| chrono::NaiveTime::parse_from_str(text, "%H:%M").is_ok());
    if let (w::ZoneChoice::Named, Some(name)) = (wanted.zone, &wanted.zone_name) {
        super::show::word::<countersign_core::words::Zone>(name, "zoneName")?;
    }
    let settings = w::Settings {
        zoom: wanted.zoom.clamp(80, 200),
        lock_minutes: wanted.lock_minutes.min(24 * 60),
        remind_minutes: wanted.remind_minutes.min(7 * 24 * 60),
        quiet_from: time(wanted.quiet_from.clone()),
        quiet_until: time(wanted.quiet_until.clone()),
        locale: locale(&host.0.options.locale),
        ..wanted
    };
    store(&settings_path(&host.0.options), &settings)?;
    *held(&host.0.settings) = settings.clone();
    Ok(settings)
}

pub(super) fn load_recent(options: &HostOptions) -> Result<Vec<Recent>, Error> {
    Ok(load(&recent_path(options))?.unwrap_or_default())
}

/// Returns what is remembered of a ledger.
pub(super) fn remembered(recent: &[Recent], ledger: &Ledger) -> Option<Recent> {
    let fingerprint = ledger.fingerprint().to_string();
    recent.iter().find(|known| known.fingerprint == fingerprint && known.path == ledger.dir().path()).cloned()
}

/// Remembers the open ledger as the last one, and who sits at it.
pub(super) fn remember(host: &Host, open: &Open) -> Result<(), Error> {
    let mut recent = held(&host.0.recent);
    let before = remembered(&recent, &open.ledger);
    let state = open.ledger.state();
    let entry = Recent {
        fingerprint: open.ledger.fingerprint().to_string(),
        title: state.genesis.as_ref().map(|genesis| genesis.title.to_string()).unwrap_or_default(),
        path: open.ledger.dir().path().to_owned(),
        sample: state.sample(),
        opened: host.now(),
        me: open.me.as_ref().map(ToString::to_string),
        backed_up: before.and_then(|before| before.backed_up),
    };
    recent.retain(|known| known.path != entry.path);
    recent.insert(0, entry);
    recent.truncate(RECENT_MAX);
    store(&recent_path(&host.0.options), &*recent)
}

/// Remembers when a ledger was last backed up from this desk.
pub(super) fn note_backup(host: &Host, fingerprint: &str) -> Result<(), Error> {
    let now = host.now();
    let mut recent = held(&host.0.recent);
    for known in recent.iter_mut().filter(|known| known.fingerprint == fingerprint) {
        known.backed_up = Some(now.clone());
    }
    store(&recent_path(&host.0.options), &*recent)
}

/// Opens a ledger; one that is damaged as far as it goes, with what is wrong.
pub(super) fn open(home: &Home, dir: &Path, progress: Progress<'_>) -> Result<(Ledger, Option<Error>), Error> {
    let dir = LedgerDir::at(dir);
    match Ledger::open_telling(home, &dir, progress) {
        Ok(ledger) => Ok((ledger, None)),
        Err(error) if error.kind == ErrorKind::Integrity => {
            let ledger = Ledger::open_damaged(home, &dir, error.clone())?;
            Ok((ledger, Some(error)))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_system_says_of_its_language_becomes_a_lawful_tag() {
        for (said, tag) in [
            ("de_CH.UTF-8", "de-CH"),
            ("en_US", "en-US"),
            ("fr", "fr"),
            ("C", "en"),
            ("C.UTF-8", "en"),
            ("POSIX", "en"),
            ("", "en"),
            ("de_DE@euro", "de-DE"),
        ] {
            assert_eq!(locale(said), tag, "{said}");
        }
    }
}
