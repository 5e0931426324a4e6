//! What the program holds while it runs, and the little that the shell itself asks of the host.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use countersign_app::handlers::{self, Host, HostEvent, HostOptions, Notice};
use countersign_app::ledger;
use countersign_app::rollout::Pace;
use countersign_app::wire::{CreateSample, JobId, JobPhase, JobRef, Language, Settings, SigningChange};
use tauri::AppHandle;
use tauri_specta::Event;

use crate::dialogs::DialogPort;
use crate::events::{JobProgress, LedgerChanged, Locked, SettingsChanged, SigningChanged};
use crate::options::Options;
use crate::places::Places;
use crate::reports::Typeset;
use crate::windows::{self, Look};
use crate::words::Words;

/// How long the pages wait for a ledger to open before the first screen shows how far it is.
const A_MOMENT: Duration = Duration::from_millis(700);

/// The desk at which the windows work.
#[derive(Debug)]
pub(crate) struct Desk {
    /// What the handlers work on.
    pub(crate) host: Host,
    /// Who answers questions about files.
    pub(crate) dialogs: Box<dyn DialogPort>,
    opened: (Mutex<bool>, Condvar),
    news: Arc<AtomicBool>,
}

impl Desk {
    /// Makes a desk whose news go to the windows; [`open_first`](Self::open_first) opens its ledger.
    pub(crate) fn new(
        app: &AppHandle,
        places: &Places,
        dialogs: Box<dyn DialogPort>,
    ) -> Result<Self, countersign_app::error::Error> {
        let options = HostOptions {
            home: places.home.clone(),
            config_dir: places.config.clone(),
            sample_dir: places.sample.clone(),
            build: ledger::app().build.to_string(),
            locale: system_locale(|name| std::env::var(name).ok()),
            zone: None,
            reports: Box::new(Typeset),
            pace: Pace::default(),
        };
        let news = Arc::new(AtomicBool::new(true));
        let (app, flag) = (app.clone(), Arc::clone(&news));
        let host = Host::new(options, Box::new(move |event| tell(&app, &flag, event)))?;
        Ok(Self { host, dialogs, opened: Default::default(), news })
    }

    /// Opens the ledger that was asked for, or the one opened last. What goes wrong is shown by the first screen, and so is
    /// how far it is where it takes longer than a moment.
    pub(crate) fn open_first(&self, options: &Options, places: &Places) {
        use handlers::desk::{begin_opening, begin_opening_last, create_sample};
        if options.sample && !places.has_sample() {
            if let Err(error) = create_sample(&self.host, CreateSample { fresh: false }) {
                tracing::warn!(code = error.code, "no sample is built: {}", error.message);
            }
        } else {
            let asked = if options.sample { Some(&places.sample) } else { options.ledger.as_ref() };
            let begun = match asked {
                Some(dir) => Some(begin_opening(&self.host, dir.clone())),
                None => begin_opening_last(&self.host),
            };
            if let Some(job) = begun {
                self.wait_for(&job);
            }
        }
        *self.opened.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.1.notify_all();
    }

    /// Waits until the job has ended, or for as long as nobody minds a window without a page.
    fn wait_for(&self, job: &JobRef) {
        let began = Instant::now();
        while began.elapsed() < A_MOMENT {
            let state = handlers::desk::job(&self.host, JobId { job_id: job.job_id.clone() });
            match state {
                Ok(state) if state.phase == JobPhase::Running => std::thread::sleep(Duration::from_millis(5)),
                Ok(state) => {
                    if let Some(error) = state.error {
                        tracing::warn!(code = error.code, "no ledger is open: {}", error.message);
                    }
                    return;
                }
                Err(_) => return,
            }
        }
    }

    /// Waits until it is known which ledger is open, so that no page shows the first screen for a moment.
    pub(crate) fn until_opened(&self) {
        let opened = self.opened.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.1.wait_while(opened, |is_opened| !*is_opened));
    }

    /// Tells whether anything has come in since this was asked last.
    pub(crate) fn has_news(&self) -> bool {
        self.news.swap(false, Ordering::Relaxed)
    }

    fn settings(&self) -> Option<Settings> {
        handlers::desk::settings(&self.host).ok()
    }

    /// Returns how a new window is to look.
    pub(crate) fn look(&self) -> Look {
        self.settings().map_or_else(Look::default, |settings| Look::of(&settings))
    }

    /// Returns the language of the shell's own words.
    pub(crate) fn words(&self) -> Words {
        Words::of(&self.look().language)
    }

    /// Tells whether closing the window leaves the program in the tray.
    pub(crate) fn closes_to_tray(&self) -> bool {
        self.settings().is_some_and(|settings| settings.close_to_tray)
    }

    /// Returns how many rollouts this desk is at.
    pub(crate) fn running_rollouts(&self) -> u32 {
        handlers::rollout::running(&self.host)
    }

    /// Locks the desk.
    pub(crate) fn lock(&self) {
        if let Err(error) = handlers::desk::lock(&self.host) {
            tracing::info!(code = error.code, "not locked: {}", error.message);
        }
    }

    /// Returns what is to be told now; each is told once.
    pub(crate) fn due_notices(&self) -> Vec<Notice> {
        handlers::overview::due_notices(&self.host)
    }

    /// Returns how many acts wait for the person at this desk.
    pub(crate) fn waiting(&self) -> u32 {
        handlers::desk::session(&self.host).map_or(0, |session| session.inbox_count)
    }
}

/// Hands what the host tells on to the windows.
fn tell(app: &AppHandle, news: &AtomicBool, event: HostEvent) {
    let told = match event {
        HostEvent::LedgerChanged { size } => {
            news.store(true, Ordering::Relaxed);
            LedgerChanged { size }.emit(app)
        }
        HostEvent::Job(job) => JobProgress { job }.emit(app),
        HostEvent::Locked(locked) => Locked { locked }.emit(app),
        HostEvent::Signing(reason) => {
            if reason == SigningChange::Closed {
                tracing::debug!("nothing is being signed any more");
            }
            SigningChanged { reason }.emit_to(app, windows::SIGN)
        }
        HostEvent::Settings(settings) => {
            news.store(true, Ordering::Relaxed);
            windows::apply(app, &Look::of(&settings));
            SettingsChanged { settings }.emit(app)
        }
    };
    if let Err(error) = told {
        tracing::warn!("the windows are not told: {error}");
    }
}

/// Returns the language and region of the system, as POSIX has them said.
fn system_locale(variable: impl Fn(&str) -> Option<String>) -> String {
    let said = ["LC_ALL", "LC_TIME", "LANG"].into_iter().filter_map(variable).find(|text| !text.is_empty());
    said.unwrap_or_else(|| "en".to_owned())
}

/// Returns the language of the pages.
pub(crate) fn language(settings: &Settings) -> String {
    match settings.language {
        Language::English => "en".to_owned(),
        Language::German => "de".to_owned(),
        Language::System => settings.locale.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_is_the_first_that_is_said() {
        let said = |pairs: &'static [(&str, &str)]| {
            system_locale(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(said(&[("LC_ALL", ""), ("LANG", "de_CH.UTF-8")]), "de_CH.UTF-8");
        assert_eq!(said(&[("LC_TIME", "en_GB"), ("LANG", "de_CH.UTF-8")]), "en_GB");
        assert_eq!(said(&[]), "en");
    }
}
